/* dispatch.c - which instruction sets there are, and which is the best here.
 * SPDX-License-Identifier: MIT */
#include "isa.h"

#define FL_ISA(name, condition) FL_IF(condition, extern const fl_isa fl_isa_##name;)
#include "isas.def"
#undef FL_ISA

#define FL_ISA(name, condition) FL_IF(condition, &fl_isa_##name, )
static const fl_isa *const isas[] = {
#include "isas.def"
    NULL,
};

const fl_isa *fl_isa_at(size_t i) { return i < sizeof isas / sizeof *isas ? isas[i] : NULL; }

const char *fl_isa_name(const fl_isa *isa) { return isa->name; }

int fl_isa_available(const fl_isa *isa) { return isa->available(); }

const fl_isa *fl_isa_best(void)
{
    const fl_isa *const *isa = isas;
    while (!(*isa)->available())
        isa++;
    return *isa; /* the last one ends the search: it is always available */
}
