/* kernel_table.h - the table of a kernel, FL_WORD of the type FL_SIGNATURE, with each instruction set's version of it.
 * SPDX-License-Identifier: MIT */
#define FL_ISA(name, condition) FL_IF(condition, extern FL_SIGNATURE FL_PASTE(FL_PASTE(fl, FL_WORD), name);)
#include "isas.def"
#undef FL_ISA
#define FL_ISA(name, condition) FL_IF(condition, FL_PASTE(FL_PASTE(fl, FL_WORD), name), )
static FL_SIGNATURE *const FL_WORD[] = {
#include "isas.def"
};
#undef FL_ISA
#undef FL_WORD
