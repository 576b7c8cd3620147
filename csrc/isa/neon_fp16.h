/* neon_fp16.h - float16 on AArch64 with the arithmetic of Armv8.2, FP16, where it gives the same bits.
 * SPDX-License-Identifier: MIT
 *
 * The specification computes in float32 and rounds. A product of two float16 numbers is exact in float32, and their sum
 * has 24 bits there, which are enough that a second rounding changes nothing. So both are what FP16 computes. Other
 * factors, such as a slope that is a float32, need float32.
 *
 * So a vector of eight has its numbers twice, as floats and as halves, and knows how much the halves are worth. What it
 * knows is a constant, and what nobody asks for is not computed. */
typedef enum { NO_HALVES, ROUNDS_TO_HALVES, IS_HALVES } worth;
typedef struct {
    float32x4_t low, high;
    float16x8_t halves;
    worth worth;
} f16x8_vec;

FL_INLINE f16x8_vec f16x8_of(float16x8_t h)
{
    return (f16x8_vec){vcvt_f32_f16(vget_low_f16(h)), vcvt_high_f32_f16(h), h, IS_HALVES};
}
FL_INLINE float16x8_t f16x8_halves(f16x8_vec v)
{
    return v.worth != NO_HALVES ? v.halves : vcvt_high_f16_f32(vcvt_f16_f32(v.low), v.high);
}
FL_INLINE worth f16x8_least(f16x8_vec a, f16x8_vec b) { return a.worth < b.worth ? a.worth : b.worth; }

FL_INLINE f16x8_vec f16x8_set(float s)
{
    const int is_zero = __builtin_constant_p(s) && fl_bits_of(s) == 0;
    return (f16x8_vec){vdupq_n_f32(s), vdupq_n_f32(s), vdupq_n_f16(0), is_zero ? IS_HALVES : NO_HALVES};
}
FL_INLINE f16x8_vec f16x8_mul(f16x8_vec a, f16x8_vec b, size_t n)
{
    const worth worth = f16x8_least(a, b) == IS_HALVES ? ROUNDS_TO_HALVES : NO_HALVES;
    (void)n;
    return (f16x8_vec){vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high), vmulq_f16(a.halves, b.halves), worth};
}
FL_INLINE f16x8_vec f16x8_add(f16x8_vec a, f16x8_vec b, size_t n)
{
    const worth worth = f16x8_least(a, b) == IS_HALVES ? ROUNDS_TO_HALVES : NO_HALVES;
    (void)n;
    return (f16x8_vec){vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high), vaddq_f16(a.halves, b.halves), worth};
}
FL_INLINE f16x8_vec f16x8_select(f16x8_vec x, f16x8_vec a, f16x8_vec b, size_t n)
{
    const float32x4_t low = f32_select(x.low, a.low, b.low, 4), high = f32_select(x.high, a.high, b.high, 4);
    const float16x8_t halves = vbslq_f16(vcgtzq_f16(f16x8_halves(x)), f16x8_halves(a), f16x8_halves(b));
    (void)n;
    return (f16x8_vec){low, high, halves, f16x8_least(a, b) == IS_HALVES ? IS_HALVES : ROUNDS_TO_HALVES};
}
FL_INLINE f16x8_vec f16x8_clamp(f16x8_vec v, f16x8_vec limit, size_t n)
{
    (void)n;
    return (f16x8_vec){f32_clamp(v.low, limit.low, 4), f32_clamp(v.high, limit.high, 4), v.halves, NO_HALVES};
}
FL_INLINE f16x8_vec f16x8_within(f16x8_vec v, f16x8_vec limit, f16x8_vec a, size_t n)
{
    const float32x4_t low = f32_within(v.low, limit.low, a.low, 4);
    (void)n;
    return (f16x8_vec){low, f32_within(v.high, limit.high, a.high, 4), a.halves, NO_HALVES};
}
FL_INLINE float f16x8_reduce_add(f16x8_vec v) { return f32_reduce_add(vaddq_f32(v.low, v.high)); }
FL_INLINE f16x8_vec f16x8_load(const float *p, size_t n)
{
    if (n < 8)
        return (f16x8_vec){f32_load(p, n), vdupq_n_f32(0), vdupq_n_f16(0), NO_HALVES};
    return (f16x8_vec){vld1q_f32(p), vld1q_f32(p + 4), vdupq_n_f16(0), NO_HALVES};
}
FL_INLINE void f16x8_store(float *p, f16x8_vec v, size_t n)
{
    f32_store(p, v.low, n);
    if (n == 8)
        vst1q_f32(p + 4, v.high);
}

FL_INLINE f16x8_vec f16_load(const f16_num *p, size_t n)
{
    const uint16x8_t h = n > 1 ? vld1q_u16(p) : vld1q_lane_u16(p, vdupq_n_u16(0), 0);
    return f16x8_of(vreinterpretq_f16_u16(h));
}
FL_INLINE void f16_store(f16_num *p, f16x8_vec v, size_t n)
{
    const uint16x8_t h = vreinterpretq_u16_f16(f16x8_halves(v));
    n > 1 ? vst1q_u16(p, h) : vst1q_lane_u16(p, h, 0);
}
FL_INLINE f16x8_vec f16_rounded(f16x8_vec v) { return v.worth == IS_HALVES ? v : f16x8_of(f16x8_halves(v)); }
