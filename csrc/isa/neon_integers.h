/* neon_integers.h - NEON's operations on integers, of eight lanes, for AArch64 and 32-bit Arm.
 * SPDX-License-Identifier: MIT */
#include "quantized/requantization.h"

#define FL_INTS 8
#define FL_DOUBLING /* vqdmulhq_s32 */
typedef struct {
    int32x4_t low, high;
} i32_vec;
FL_INLINE int32x4_t i32_requantize4(const fl_sides *sides, int32x4_t x, int32x4_t factor, int32x4_t bias)
{
    const fl_side *const a = &sides->positive;
    const uint32x4_t positive = vcgtq_s32(x, vdupq_n_s32(0));
    const int32x4_t multiplier =
        vbslq_s32(positive, vdupq_n_s32(a->multiplier), vdupq_n_s32(sides->negative.multiplier));
    const int32x4_t v = vqdmulhq_s32(vmulq_s32(x, vbslq_s32(positive, vdupq_n_s32(a->scale), factor)), multiplier);
    return vshlq_s32(vaddq_s32(v, vbslq_s32(positive, vdupq_n_s32(a->bias), bias)), vdupq_n_s32(-a->right));
}
FL_INLINE i32_vec i32_requantize(const fl_sides *sides, i32_vec x, const int32_t *factor, const int32_t *bias, int each,
                                 size_t n)
{
    (void)n;
    const int32x4_t f = each ? vld1q_s32(factor) : vdupq_n_s32(*factor),
                    b = each ? vld1q_s32(bias) : vdupq_n_s32(*bias);
    x.low = i32_requantize4(sides, x.low, f, b);
    x.high = i32_requantize4(sides, x.high, each ? vld1q_s32(factor + 4) : f, each ? vld1q_s32(bias + 4) : b);
    return x;
}
FL_INLINE i32_vec i32_of(int16x8_t v) { return (i32_vec){vmovl_s16(vget_low_s16(v)), vmovl_s16(vget_high_s16(v))}; }
FL_INLINE int16x8_t i32_narrow(i32_vec v) { return vcombine_s16(vqmovn_s32(v.low), vqmovn_s32(v.high)); }
FL_INLINE i32_vec i8_load(const int8_t *q, int32_t zero, size_t n)
{
    return (void)n, i32_of(vsubq_s16(vmovl_s8(vld1_s8(q)), vdupq_n_s16((int16_t)zero)));
}
FL_INLINE i32_vec u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    return (void)n, i32_of(vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(q))), vdupq_n_s16((int16_t)zero)));
}
FL_INLINE i32_vec i16_load(const int16_t *q, int32_t zero, size_t n)
{
    return (void)zero, (void)n, i32_of(vld1q_s16(q));
}
FL_INLINE void i8_store(int8_t *p, i32_vec v, size_t n) { (void)n, vst1_s8(p, vqmovn_s16(i32_narrow(v))); }
FL_INLINE void u8_store(uint8_t *p, i32_vec v, size_t n) { (void)n, vst1_u8(p, vqmovun_s16(i32_narrow(v))); }
FL_INLINE void i16_store(int16_t *p, i32_vec v, size_t n) { (void)n, vst1q_s16(p, i32_narrow(v)); }
