/* kernels.h - the quantized kernels of one instruction set. It may define vector operations (FL_INTS), a table look-up
 * (FL_LOOK_UP) and operations for piecewise_linear.h (FL_LINEAR) before; else they are scalar, or are not used.
 * SPDX-License-Identifier: MIT */
#include "quantized/requantization.h"
#include "float/ordered_sum.h"

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed" /* with a sanitizer Clang does not vectorise, and warns */
#else
#pragma GCC push_options
#pragma GCC optimize("tree-vectorize", "vect-cost-model=dynamic")
#endif

#ifndef FL_INTS
#define FL_INTS 1
typedef int32_t i32_vec;
typedef uint32_t u32_vec;
FL_INLINE int32_t i32_set(int32_t s) { return s; }
/* Without a condition: compilers would duplicate all of the loop in two branches. */
FL_INLINE int32_t i32_select(int32_t x, int32_t a, int32_t b) { return b ^ ((a ^ b) & -x >> 31); }
/* The shift is unsigned: vectors often have no arithmetic shift of 64 bits. */
FL_INLINE int32_t i32_high(int32_t a, int32_t b) { return (int32_t)(uint32_t)((uint64_t)((int64_t)a * b) >> 30); }
FL_INLINE int32_t i32_within(int32_t v, int32_t least, int32_t most) { return v < least ? least : v > most ? most : v; }
FL_INLINE int32_t i32_load(const int32_t *p) { return *p; }
FL_INLINE int32_t i8_load(const int8_t *p) { return *p; }
FL_INLINE int32_t u8_load(const uint8_t *p) { return *p; }
FL_INLINE int32_t i16_load(const int16_t *p) { return *p; }
FL_INLINE void i8_store(int8_t *p, int32_t v) { *p = (int8_t)i32_within(v, -128, 127); }
FL_INLINE void u8_store(uint8_t *p, int32_t v) { *p = (uint8_t)i32_within(v, 0, 255); }
FL_INLINE void i16_store(int16_t *p, int32_t v) { *p = (int16_t)i32_within(v, -32768, 32767); }
#endif

#ifndef FL_LOOK_UP
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    look_up_each(table, q, out, n);
}
#endif

/* A sum that may wrap around, in lanes that are not selected. */
FL_INLINE i32_vec i32_plus(i32_vec a, i32_vec b) { return (i32_vec)((u32_vec)a + (u32_vec)b); }

/* A slope times the factor's power of two, and the bias of its products. */
FL_INLINE void prepare(const fl_quantized_arguments *args, int32_t slope, int32_t *shifted, int32_t *bias)
{
    *shifted = slope * (1 << args->negative.left);
    *bias = args->negative.bias + (slope > 0 ? args->away : 0);
}
enum { FL_TILE = FL_CHANNEL_TILE / 2 }; /* slopes on the stack */

#include "quantized/requantize32.h"

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
