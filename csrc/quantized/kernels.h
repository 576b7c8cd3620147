/* kernels.h - the quantized kernels of one instruction set.
 * SPDX-License-Identifier: MIT
 *
 * What an instruction set may define before; what it does not define is scalar C, or is not used:
 *
 *   FL_INTS                     the lanes of a vector
 *   i32_vec                     a vector of them
 *   FL(load)(q, zero, n)        q - zero, for the types i8, u8 and i16: i8_load
 *   FL(store)(out, v, n)        saturates
 *   i32_requantize(sides, x, factor, bias, each, n)
 *                               ((x * factor * multiplier >> 32) + bias) >> right, with those of the positive side
 * where x > 0, and else with *factor and *bias; with `each`, a constant, factor[i] and bias[i] for each lane. Instead
 * of it a set may define FL_GENERIC_REQUANTIZE and i32_set(s), i32_load(p), i32_select(x, a, b), x > 0 ? a : b, and
 *                               i32_high(a, b), the upper 32 bits of a product; vectors then have C's operators
 *   FL_DOUBLING                 it doubles its products: scales and factors come halved
 *   FL_INTS_ACTIVE, i32_active(n)   the lanes of a vector for the next of n elements: `n` of the functions above, which
 *                               do nothing with the others. Without it, n is FL_INTS, and tails are copied. A set whose
 *                               vectors have any length defines FL_INTS as 0
 *   FL_LOOK_UP                  look_up(table, q, out, n)
 *   FL_TABLE_FROM               elements with one slope from which on a table of all 256 results pays
 *   FL_LINEAR                   operations for piecewise_linear.h
 *   FL_REQUANTIZE32             with FL_GENERIC_REQUANTIZE: 32-bit products are faster (requantize32.h) */
#include "quantized/requantization.h"
#include "float/ordered_sum.h"

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed" /* with a sanitizer Clang does not vectorise, and warns */
#else
#pragma GCC push_options
#pragma GCC optimize("tree-loop-vectorize", "vect-cost-model=dynamic")
#endif

#ifndef FL_INTS
#include "quantized/scalar.h"
#endif
#ifdef FL_GENERIC_REQUANTIZE
FL_INLINE i32_vec i32_requantize(const fl_sides *sides, i32_vec x, const int32_t *factor, const int32_t *bias, int each,
                                 size_t n)
{
    (void)n;
    const fl_side *const a = &sides->positive, *const b = &sides->negative;
    const i32_vec v = x * i32_select(x, i32_set(a->scale), each ? i32_load(factor) : i32_set(*factor));
    const i32_vec high = i32_high(v, i32_select(x, i32_set(a->multiplier), i32_set(b->multiplier)));
    return (high + i32_select(x, i32_set(a->bias), each ? i32_load(bias) : i32_set(*bias))) >> a->right;
}
#endif

#ifndef FL_EACH
#define FL_EACH 1
#endif
#ifndef FL_LOOK_UP
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    look_up_each(table, q, out, n);
}
#endif
#ifndef FL_TABLE_FROM
#define FL_TABLE_FROM 384
#endif

#ifdef FL_DOUBLING
enum { FL_DOUBLED = 2 };
#else
enum { FL_DOUBLED = 1 };
#endif
/* A slope's factor, for some scale, and its bias. */
FL_INLINE void prepare(const fl_side *side, int32_t slope, int32_t scale, int32_t *factor, int32_t *bias)
{
    *factor = slope * scale;
    *bias = side->bias + (slope > 0 ? side->away : 0);
}
enum {
    FL_TILE = FL_CHANNEL_TILE,                     /* slopes on the stack */
    FL_JOINED = FL_TILE < 128 ? FL_TILE : 128,     /* elements of short rows that are joined to one */
    FL_BIAS = FL_EACH == 1 ? FL_TILE + FL_INTS : 1 /* how far behind the factors their biases are */
};

#ifdef FL_REQUANTIZE32
#include "quantized/requantize32.h"
#endif

#define FL_TYPE i8
#define FL_8_BITS
#include "quantized/kernels_type.h"
#define FL_TYPE u8
#define FL_8_BITS
#include "quantized/kernels_type.h"
#define FL_TYPE i16
#include "quantized/kernels_type.h"

#define FL_TYPE bytes
extern fl_task FL_KERNEL(look_up);
FL_EXPORT void FL_KERNEL(look_up)(const void *arguments, size_t begin, size_t end)
{
    const fl_quantized_arguments *const args = arguments;
    look_up(args->weight, (const uint8_t *)args->q + begin, (uint8_t *)args->out + begin, end - begin);
}
#undef FL_TYPE

#ifdef __clang__
#pragma clang diagnostic pop
#else
#pragma GCC pop_options
#endif
