/* mve.c - Helium, on Cortex-M55 and M85: four floats with lane predicates. It flushes subnormals (ftz_fallback.h) and
 * has no doubles. SPDX-License-Identifier: MIT */
#define FL_NAME mve
#include "isa.h"
#if FL_MVE
#include <arm_mve.h>

static int fl_available(void) { return 1; }

/* Clang must not see that these integers are floats: it turns `bits & 0x7fffffff` into a float compare, which flushes.
 */
FL_INLINE uint32x4_t bits(float32x4_t v)
{
    uint32x4_t b = vreinterpretq_u32_f32(v);
#ifdef __clang__
    __asm__("" : "+w"(b));
#endif
    return b;
}

typedef float32x4_t f32_vec;
FL_INLINE float32x4_t f32_load(const float *p, size_t n)
{
    return n == 4 ? vldrwq_f32(p) : vldrwq_z_f32(p, vctp32q(n));
}
FL_INLINE void f32_store(float *p, float32x4_t v, size_t n)
{
    n == 4 ? vstrwq_f32(p, v) : vstrwq_p_f32(p, v, vctp32q(n));
}
FL_INLINE float32x4_t f32_set(float s) { return vdupq_n_f32(s); }
FL_INLINE float32x4_t f32_mul(float32x4_t a, float32x4_t b, size_t n) { return (void)n, vmulq_f32(a, b); }
FL_INLINE float32x4_t f32_add(float32x4_t a, float32x4_t b, size_t n) { return (void)n, vaddq_f32(a, b); }
/* by scalars: Helium has no sum of float lanes */
FL_INLINE float f32_reduce_add(float32x4_t v)
{
    return (vgetq_lane_f32(v, 0) + vgetq_lane_f32(v, 2)) + (vgetq_lane_f32(v, 1) + vgetq_lane_f32(v, 3));
}
FL_INLINE float32x4_t f32_select(float32x4_t x, float32x4_t a, float32x4_t b, size_t n)
{
    (void)n;
    /* 0 < bits <= infinity's: a float compare would flush */
    return vpselq_f32(b, a, vcmpcsq_n_u32(vsubq_n_u32(bits(x), 1), 0x7f800000));
}
/* On magnitudes as integers; NaN has more than infinity's. */
FL_INLINE uint32x4_t size_of(float32x4_t v) { return vandq_u32(bits(v), vdupq_n_u32(0x7fffffff)); }
FL_INLINE float32x4_t f32_clamp(float32x4_t v, float32x4_t limit, size_t n) /* never of NaN: it takes the fallback */
{
    const uint32x4_t size = size_of(v), sign = veorq_u32(bits(v), size);
    return (void)n, vreinterpretq_f32_u32(vorrq_u32(sign, vminq_u32(size, bits(limit))));
}
FL_INLINE float32x4_t f32_within(float32x4_t v, float32x4_t limit, float32x4_t a, size_t n)
{
    const uint32x4_t size = size_of(v), infinity = vdupq_n_u32(0x7f800000);
    return (void)n, vpselq_f32(vdupq_n_f32(0), a, vcmpcsq_m_u32(infinity, size, vcmpcsq_u32(size, bits(limit))));
}
/* Inactive lanes are 0, which no test finds. */
typedef uint32x4_t f32_keys;
FL_INLINE uint32x4_t f32_keys_of(float32x4_t v) { return vsubq_n_u32(vshlq_n_u32(bits(v), 1), 1); }
FL_INLINE uint32x4_t f32_keys_max(uint32x4_t a, uint32x4_t b) { return vmaxq_u32(a, b); }
FL_INLINE uint32x4_t f32_keys_min(uint32x4_t a, uint32x4_t b) { return vminq_u32(a, b); }
FL_INLINE uint32_t f32_reduce_max(uint32x4_t k, size_t n) { return (void)n, vmaxvq_u32(0, k); }
FL_INLINE uint32_t f32_reduce_min(uint32x4_t k, size_t n) { return (void)n, vminvq_u32(0xffffffff, k); }
FL_INLINE int f32_has_key(float32x4_t a, float32x4_t b, uint32x4_t k, uint32_t least, size_t n)
{
    const mve_pred16_t a_counts = vcmpneq_m_n_u32(vshlq_n_u32(bits(a), 1), 0, vcmpcsq_n_u32(k, least));
    return (void)n, vcmpneq_m_n_u32(vshlq_n_u32(bits(b), 1), 0, a_counts) != 0;
}
#define FL_TYPE f32
#define FL_LANES 4
#define FL_MASKED
#define FL_FTZ
#include "float/kernels.h"

#define FL_TYPE f64
#include "float/scalar.h"

#include "float/scalar_half.h"

#include "quantized/kernels.h"

FL_ISA_END
#endif
