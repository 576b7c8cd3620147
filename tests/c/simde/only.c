/* only.c - dispatch.c's place in a build with one emulated instruction set, which no processor is asked for.
 * SPDX-License-Identifier: MIT */
#include "isa.h"

extern const fl_isa fl_isa_avx512;
const fl_isa *fl_isa_at(size_t i) { return i ? NULL : &fl_isa_avx512; }
const fl_isa *fl_isa_best(void) { return &fl_isa_avx512; }
const char *fl_isa_name(const fl_isa *isa) { return isa->name; }
int fl_isa_available(const fl_isa *isa) { return isa != NULL; }
