/* integers.h - the quantized kernels of one instruction set. FL_LOOK_UP: it has its own look_up.
 * SPDX-License-Identifier: MIT */
#include "../integers.h"
#include "../ordered_sum.h"

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed" /* with a sanitizer it leaves the loops as they are, and says so */
#else
#pragma GCC push_options
#pragma GCC optimize("tree-vectorize", "vect-cost-model=dynamic")
#endif

#ifndef FL_LOOK_UP
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = table[q[i]];
}
#endif

#define FL_TYPE i8
#define FL_8_BITS
#include "../kernels_int.h"
#define FL_TYPE u8
#define FL_8_BITS
#include "../kernels_int.h"
#define FL_TYPE i16
#include "../kernels_int.h"

extern const fl_integers FL_PASTE(fl_integers, FL_NAME);
const fl_integers FL_PASTE(fl_integers, FL_NAME) = {i8_rescale, u8_rescale, i16_rescale, look_up};

#ifdef __clang__
#pragma clang diagnostic pop
#else
#pragma GCC pop_options
#endif
