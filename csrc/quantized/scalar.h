/* scalar.h - the quantized kernels' operations in plain C, for cores without vectors, and with or without a product of
 * 64 bits. SPDX-License-Identifier: MIT */
#define FL_INTS 1
typedef int32_t i32_vec;

/* The upper 32 bits of a product. Cortex-M0 and M23 have none of 64 bits: four of 16 bits take a third of the time that
 * the compiler's library takes. */
FL_INLINE int32_t i32_high(int32_t a, int32_t b)
{
#if FL_SHORT_PRODUCTS
    const uint32_t low = (uint32_t)a & 0xffff, of_b = (uint32_t)b & 0xffff;
    const int32_t high = a >> 16, above = b >> 16;
    const int32_t middle = high * (int32_t)of_b + (int32_t)(low * of_b >> 16);
    const int32_t rest = (int32_t)low * above + (middle & 0xffff);
    return high * above + (middle >> 16) + (rest >> 16);
#else
    return (int32_t)(uint32_t)((uint64_t)((int64_t)a * b) >> 32); /* vectors have no arithmetic shift of 64 bits */
#endif
}

#if FL_THREADS
/* A processor that has an operating system predicts branches, and random signs it mispredicts. So there is none, and
 * compilers vectorise the loop. */
#define FL_GENERIC_REQUANTIZE
#define FL_REQUANTIZE32
FL_INLINE int32_t i32_set(int32_t s) { return s; }
FL_INLINE int32_t i32_load(const int32_t *p) { return *p; }
FL_INLINE int32_t i32_select(int32_t x, int32_t a, int32_t b) { return b ^ ((a ^ b) & -x >> 31); }
#else
/* On a microcontroller both sides and a choice would be a half more instructions. */
#define FL_EACH 2
#ifndef FL_SIDE
FL_INLINE int32_t i32_side(int32_t x, int32_t multiplier, int32_t bias) { return i32_high(x, multiplier) + bias; }
#endif
FL_INLINE int32_t i32_requantize(const fl_sides *sides, int32_t x, const int32_t *factor, const int32_t *bias, int each,
                                 size_t n)
{
    const fl_side *const a = &sides->positive;
    (void)each, (void)n;
    return (x > 0 ? i32_side(x * a->scale, a->multiplier, a->bias)
                  : i32_side(x * *factor, sides->negative.multiplier, *bias)) >>
           a->right;
}
#endif

#if FL_SATURATES
#include <arm_acle.h>
FL_INLINE int32_t i8_within(int32_t v) { return __ssat(v, 8); }
FL_INLINE int32_t u8_within(int32_t v) { return (int32_t)__usat(v, 8); }
FL_INLINE int32_t i16_within(int32_t v) { return __ssat(v, 16); }
#else
FL_INLINE int32_t i32_within(int32_t v, int32_t least, int32_t most) { return v < least ? least : v > most ? most : v; }
FL_INLINE int32_t i8_within(int32_t v) { return i32_within(v, -128, 127); }
FL_INLINE int32_t u8_within(int32_t v) { return i32_within(v, 0, 255); }
FL_INLINE int32_t i16_within(int32_t v) { return i32_within(v, -32768, 32767); }
#endif
FL_INLINE int32_t i8_load(const int8_t *q, int32_t zero, size_t n) { return (void)n, *q - zero; }
FL_INLINE int32_t u8_load(const uint8_t *q, int32_t zero, size_t n) { return (void)n, *q - zero; }
FL_INLINE int32_t i16_load(const int16_t *q, int32_t zero, size_t n) { return (void)zero, (void)n, *q; }
FL_INLINE void i8_store(int8_t *p, int32_t v, size_t n) { (void)n, *p = (int8_t)i8_within(v); }
FL_INLINE void u8_store(uint8_t *p, int32_t v, size_t n) { (void)n, *p = (uint8_t)u8_within(v); }
FL_INLINE void i16_store(int16_t *p, int32_t v, size_t n) { (void)n, *p = (int16_t)i16_within(v); }
