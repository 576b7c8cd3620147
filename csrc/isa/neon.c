/* neon.c - four floats or two doubles on AArch64, where NEON is always there. The tail goes one element at a time.
 * SPDX-License-Identifier: MIT */
#define FL_NAME neon
#include "isa.h"
#if FL_NEON
#include <arm_neon.h>

static int fl_available(void) { return 1; }

typedef float32x4_t f32_vec;
FL_INLINE float32x4_t f32_load(const float *p, size_t n)
{
    return n > 1 ? vld1q_f32(p) : vsetq_lane_f32(*p, vdupq_n_f32(0), 0);
}
FL_INLINE void f32_store(float *p, float32x4_t v, size_t n) { n > 1 ? vst1q_f32(p, v) : vst1q_lane_f32(p, v, 0); }
FL_INLINE float32x4_t f32_set(float s) { return vdupq_n_f32(s); }
FL_INLINE float32x4_t f32_mul(float32x4_t a, float32x4_t b, size_t n) { return (void)n, vmulq_f32(a, b); }
FL_INLINE float32x4_t f32_add(float32x4_t a, float32x4_t b, size_t n) { return (void)n, vaddq_f32(a, b); }
FL_INLINE float32x4_t f32_select(float32x4_t x, float32x4_t a, float32x4_t b, size_t n)
{
    return (void)n, vbslq_f32(vcgtzq_f32(x), a, b);
}
FL_INLINE float32x4_t f32_clamp(float32x4_t v, float32x4_t limit, size_t n)
{
    const float32x4_t most = vbslq_f32(vcgtq_f32(v, limit), limit, v), least = vnegq_f32(limit);
    return (void)n, vbslq_f32(vcltq_f32(most, least), least, most);
}
FL_INLINE float32x4_t f32_within(float32x4_t v, float32x4_t limit, float32x4_t a, size_t n)
{
    return (void)n, vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a), vcageq_f32(v, limit)));
}
FL_INLINE float f32_reduce_add(float32x4_t v)
{
    const float32x2_t w = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(w, 0) + vget_lane_f32(w, 1);
}
#define FL_TYPE f32
#define FL_LANES 4
#include "float/kernels.h"

typedef float64x2_t f64_vec;
FL_INLINE float64x2_t f64_load(const double *p, size_t n)
{
    return n > 1 ? vld1q_f64(p) : vsetq_lane_f64(*p, vdupq_n_f64(0), 0);
}
FL_INLINE void f64_store(double *p, float64x2_t v, size_t n) { n > 1 ? vst1q_f64(p, v) : vst1q_lane_f64(p, v, 0); }
FL_INLINE float64x2_t f64_set(double s) { return vdupq_n_f64(s); }
FL_INLINE float64x2_t f64_mul(float64x2_t a, float64x2_t b, size_t n) { return (void)n, vmulq_f64(a, b); }
FL_INLINE float64x2_t f64_add(float64x2_t a, float64x2_t b, size_t n) { return (void)n, vaddq_f64(a, b); }
FL_INLINE float64x2_t f64_select(float64x2_t x, float64x2_t a, float64x2_t b, size_t n)
{
    return (void)n, vbslq_f64(vcgtzq_f64(x), a, b);
}
FL_INLINE float64x2_t f64_clamp(float64x2_t v, float64x2_t limit, size_t n)
{
    const float64x2_t most = vbslq_f64(vcgtq_f64(v, limit), limit, v), least = vnegq_f64(limit);
    return (void)n, vbslq_f64(vcltq_f64(most, least), least, most);
}
FL_INLINE float64x2_t f64_within(float64x2_t v, float64x2_t limit, float64x2_t a, size_t n)
{
    return (void)n, vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(a), vcageq_f64(v, limit)));
}
FL_INLINE double f64_reduce_add(float64x2_t v) { return vgetq_lane_f64(v, 0) + vgetq_lane_f64(v, 1); }
#define FL_TYPE f64
#define FL_LANES 2
#include "float/kernels.h"

FL_INLINE uint16x4_t half_load(const uint16_t *p, size_t n)
{
    return n > 1 ? vld1_u16(p) : vld1_lane_u16(p, vdup_n_u16(0), 0);
}
FL_INLINE void half_store(uint16_t *p, uint16x4_t v, size_t n) { n > 1 ? vst1_u16(p, v) : vst1_lane_u16(p, v, 0); }

FL_INLINE float32x4_t f16_load(const f16_num *p, size_t n)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(half_load(p, n)));
}
FL_INLINE float32x4_t f16_rounded(float32x4_t v) { return vcvt_f32_f16(vcvt_f16_f32(v)); }
FL_INLINE void f16_store(f16_num *p, float32x4_t v, size_t n)
{
    half_store(p, vreinterpret_u16_f16(vcvt_f16_f32(v)), n);
}
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_LANES 4
#include "float/kernels.h"

FL_INLINE float32x4_t bf16_of(uint16x4_t h) { return vreinterpretq_f32_u32(vshll_n_u16(h, 16)); }
FL_INLINE uint16x4_t bf16_narrowed(float32x4_t v) /* as half.h does it, but for NaN: see splat() in float/kernels.h */
{
    const uint32x4_t b = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(b, 16), vdupq_n_u32(1));
    return vshrn_n_u32(vaddq_u32(vaddq_u32(b, vdupq_n_u32(0x7fff)), odd), 16);
}
FL_INLINE float32x4_t bf16_load(const bf16_num *p, size_t n) { return bf16_of(half_load(p, n)); }
FL_INLINE void bf16_store(bf16_num *p, float32x4_t v, size_t n) { half_store(p, bf16_narrowed(v), n); }
FL_INLINE float32x4_t bf16_rounded(float32x4_t v) { return bf16_of(bf16_narrowed(v)); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_LANES 4
#include "float/kernels.h"

#include "quantized/requantization.h"

#define FL_LOOK_UP
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    uint8x16x4_t quarters[4];
    size_t i = 0;
    for (int k = 0; k < 4; k++)
        quarters[k] = vld1q_u8_x4(table + 64 * k);
    for (; i + 16 <= n; i += 16) {
        uint8x16_t at = vld1q_u8(q + i), found = vqtbl4q_u8(quarters[0], at);
        for (int k = 1; k < 4; k++) { /* out of range leaves what was found */
            at = vsubq_u8(at, vdupq_n_u8(64));
            found = vqtbx4q_u8(found, quarters[k], at);
        }
        vst1q_u8(out + i, found);
    }
    look_up_each(table, q + i, out + i, n - i);
}
#include "quantized/kernels.h"

FL_ISA_END
#endif
