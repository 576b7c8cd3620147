/* requantization.h - the arguments of the quantized kernels.
 * SPDX-License-Identifier: MIT */
#ifndef FL_INTEGERS_H
#define FL_INTEGERS_H

#include "fastleaky_quantized.h"
#include "isa.h"

/* A factor in fixed point: y = ((x * scale * multiplier >> 30) + bias) >> right, where x * scale fits 32 bits. The bias
 * rounds; `away`, -2 or 0, is added to it where a product is negative, so that halves round away from zero. */
typedef struct {
    int32_t scale, multiplier, bias, away;
    int right;
} fl_side;

typedef struct {
    fl_side positive, negative;
} fl_sides;

/* Nearly always the two sides can be joined: out = ((x * scale * multiplier >> 32) + bias) >> right, with one `right`
 * for both, and with the output's zero point in the biases. Of PReLU the kernels get each slope times the scale. */
typedef struct {
    fl_sides sides;
    int joined;
    int32_t negate; /* -1 or 0, changes the sign of the negative side; sides that are joined have none */
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

enum { FL_REQUANTIZE32_FROM = 256 }; /* elements with one slope from which on requantize32.h pays */

/* Four are loaded before the first is stored: `out` may be `q`, but the table is neither. Cortex-M4 takes 3.3
 * instructions an element, and 5 in a plain loop. */
static inline void look_up_each(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
#ifndef __OPTIMIZE_SIZE__
#define FL_FOUR(k)                                                                                                     \
    do {                                                                                                               \
        const uint8_t first = table[q[k]], second = table[q[k + 1]], third = table[q[k + 2]], last = table[q[k + 3]];  \
        out[k] = first;                                                                                                \
        out[k + 1] = second;                                                                                           \
        out[k + 2] = third;                                                                                            \
        out[k + 3] = last;                                                                                             \
    } while (0)
    for (; n >= 16; n -= 16, q += 16, out += 16) {
        FL_FOUR(0);
        FL_FOUR(4);
        FL_FOUR(8);
        FL_FOUR(12);
    }
#undef FL_FOUR
#endif
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
