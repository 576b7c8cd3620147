/* half.h - scalar conversions of float16 and bfloat16, on the bits, or by an instruction for it.
 * SPDX-License-Identifier: MIT
 *
 * Exact on every processor, also one that flushes subnormals: no product or sum here is subnormal, and a subnormal
 * number is only added to 0.5, which gives 0.5 either way. */
#ifndef FL_HALF_H
#define FL_HALF_H

#include <stdint.h>

typedef union {
    float number;
    uint32_t bits;
} fl_bits;

static inline uint32_t fl_bits_of(float v) { return (fl_bits){.number = v}.bits; }
static inline float fl_number_of(uint32_t b) { return (fl_bits){.bits = b}.number; }

static inline float bf16_widen(uint16_t h) { return fl_number_of((uint32_t)h << 16); }

/* To nearest even: the carry propagates into the exponent, and up to infinity. */
static inline uint16_t bf16_narrow(float v)
{
    const uint32_t b = fl_bits_of(v);
    const int nan = (b & 0x7fffffff) > 0x7f800000;
    return (uint16_t)((nan ? b | 0x400000 : b + 0x7fff + (b >> 16 & 1)) >> 16);
}

#if FL_ARM_CONVERTS_HALVES
/* No conversion of halves flushes, whatever FPSCR says. The upper half of the register is as it was. */
static inline float f16_widen(uint16_t h)
{
    float v = fl_number_of(h);
    __asm__("vcvtb.f32.f16 %0, %0" : "+t"(v));
    return v;
}
static inline uint16_t f16_narrow(float v)
{
    __asm__("vcvtb.f16.f32 %0, %0" : "+t"(v));
    return (uint16_t)fl_bits_of(v);
}
#else
/* Five bits of exponent, the bias is 15 instead of 127, ten bits of fraction instead of 23. A subnormal number is a
 * multiple of 2^-24. */
static inline float f16_widen(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, b = h & 0x7fff;
    if (b < 0x400)
        return fl_number_of(sign | fl_bits_of((float)(int32_t)b * 0x1p-24f));
    return fl_number_of(sign | ((b << 13) + ((b < 0x7c00 ? 112u : 224u) << 23)));
}

/* Below 2^-14 a sum with 0.5, whose last bit is 2^-24, rounds. */
static inline uint16_t f16_narrow(float v)
{
    const uint32_t b = fl_bits_of(v), sign = b >> 16 & 0x8000, a = b & 0x7fffffff;
    uint32_t h;
    if (a > 0x7f800000)
        h = 0x7e00;
    else if (a >= 0x47800000) /* 2^16; what is rounded to it becomes infinity by its carry */
        h = 0x7c00;
    else if (a < 0x38800000)
        h = fl_bits_of(fl_number_of(a) + 0.5f) - 0x3f000000;
    else
        h = (a - (112u << 23) + 0xfff + (a >> 13 & 1)) >> 13;
    return (uint16_t)(sign | h);
}
#endif

/* From double, without double rounding: round to odd first. A float that is odd if it is inexact is never the middle
 * between two 16-bit numbers. */
static inline float fl_to_odd(double v)
{
    const float f = (float)v;
    const uint32_t b = fl_bits_of(f);
    if ((double)f == v || v != v || (b & 1))
        return f;
    const double size = v < 0 ? -v : v, of_f = f < 0 ? -(double)f : (double)f;
    return fl_number_of(of_f < size ? b + 1 : b - 1);
}

#endif
