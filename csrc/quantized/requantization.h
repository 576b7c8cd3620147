/* requantization.h - what the quantized operations are made of: jobs, and the kernels that an instruction set has for
 * them. SPDX-License-Identifier: MIT */
#ifndef FL_INTEGERS_H
#define FL_INTEGERS_H

#include "fastleaky_quantized.h"
#include "isa.h"

/* A factor, taken apart: y = (((x << left) * multiplier >> 30) + half) >> right. */
typedef struct {
    int32_t multiplier, bias;
    int left, right;
} fl_side;

typedef struct {
    fl_side positive, negative;
    int32_t away, negate; /* -2 or 0: to be added to `half` where a product is negative; -1 or 0: what is below changes
                             its sign */
    int32_t input_zero_point, weight_zero_point, output_zero_point;
    const void *q, *weight; /* no weight: leaky ReLU */
    void *out;
    size_t outer, channels, inner;
} fl_quantized_arguments;

/* The same in 32 bits (requantize32.h): y = (x * factor + half) >> shift. */
typedef struct {
    int32_t factor, bias;
    int shift;
} fl_requantize32;

enum {
    FL_TABLE_FROM = 1024,
    FL_REQUANTIZE32_FROM = 256
}; /* numbers with one slope, from which a table pays, or requantize32.h */

static inline void look_up_each(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = table[q[i]];
}

/* Where a set has no words for integers, compilers make vectors of plain C. In place or apart, an element is read and
 * written in one step, so they may. */
#ifdef __clang__
#define FL_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#define FL_VECTORIZE _Pragma("GCC ivdep")
#endif

typedef int8_t i8_num, i8_weight, i16_weight;
typedef uint8_t u8_num, u8_weight;
typedef int16_t i16_num;

#endif
