/* requantization.h - the arguments of the quantized kernels.
 * SPDX-License-Identifier: MIT */
#ifndef FL_INTEGERS_H
#define FL_INTEGERS_H

#include "fastleaky_quantized.h"
#include "isa.h"

/* A factor in fixed point: y = (((x << left) * multiplier >> 30) + bias) >> right. The bias rounds. */
typedef struct {
    int32_t multiplier, bias;
    int left, right;
} fl_side;

typedef struct {
    fl_side positive, negative;
    int32_t away, negate; /* away: -2 or 0, added to the negative side's bias where the product is negative, so that
                             halves round away from zero; negate: -1 or 0, changes the sign of the negative side */
    int32_t input_zero_point, weight_zero_point, output_zero_point;
    const void *q, *weight; /* no weight: leaky ReLU */
    void *out;
    size_t outer, channels, inner;
} fl_quantized_arguments;

/* A factor in 32 bits (requantize32.h): y = (x * factor + bias) >> shift. */
typedef struct {
    int32_t factor, bias;
    int shift;
} fl_requantize32;

enum {
    FL_TABLE_FROM = 1024,
    FL_REQUANTIZE32_FROM = 256
}; /* elements with one slope from which on a table pays, or requantize32.h */

static inline void look_up_each(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = table[q[i]];
}

/* Compilers vectorise the scalar code of a set without operations for integers. They may, in place too: an element is
 * read and written in one iteration. */
#ifdef __clang__
#define FL_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#define FL_VECTORIZE _Pragma("GCC ivdep")
#endif

typedef int8_t i8_num, i8_weight, i16_weight;
typedef uint8_t u8_num, u8_weight;
typedef int16_t i16_num;

#endif
