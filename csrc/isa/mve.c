/* mve.c - four floats with lane predicates: Helium, on Cortex-M55 and M85. It flushes subnormals, see ftz_fallback.h,
 * and knows no doubles. SPDX-License-Identifier: MIT */
#define FL_NAME mve
#include "isa.h"
#if FL_MVE
#include <arm_mve.h>

static int fl_available(void) { return 1; }

/* As integers, and Clang is not to know whence: it makes `bits & 0x7fffffff` a float compare, which flushes. */
FL_INLINE uint32x4_t bits(float32x4_t v)
{
    uint32x4_t b = vreinterpretq_u32_f32(v);
#ifdef __clang__
    __asm__("" : "+w"(b));
#endif
    return b;
}

typedef float32x4_t f32_vec;
typedef mve_pred16_t f32_live; /* a constant in the main loop, but GCC 12 does not fold its predicate by itself */
FL_INLINE mve_pred16_t f32_all(void) { return 0xffff; }
FL_INLINE mve_pred16_t f32_first(size_t k) { return vctp32q(k); }
FL_INLINE size_t f32_count(mve_pred16_t k) { return (k & 1u) + (k >> 4 & 1u) + (k >> 8 & 1u) + (k >> 12 & 1u); }
FL_INLINE float32x4_t f32_load(const float *p, mve_pred16_t k)
{
    return k == 0xffff ? vldrwq_f32(p) : vldrwq_z_f32(p, k);
}
FL_INLINE void f32_store(float *p, float32x4_t v, mve_pred16_t k)
{
    k == 0xffff ? vstrwq_f32(p, v) : vstrwq_p_f32(p, v, k);
}
FL_INLINE float32x4_t f32_set(float s) { return vdupq_n_f32(s); }
FL_INLINE float32x4_t f32_mul(float32x4_t a, float32x4_t b) { return vmulq_f32(a, b); }
FL_INLINE float32x4_t f32_add(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
/* by scalars: Helium adds no lanes of floats */
FL_INLINE float f32_fold(float32x4_t v)
{
    return (vgetq_lane_f32(v, 0) + vgetq_lane_f32(v, 2)) + (vgetq_lane_f32(v, 1) + vgetq_lane_f32(v, 3));
}
FL_INLINE float32x4_t f32_pick(float32x4_t x, float32x4_t a, float32x4_t b)
{
    /* 0 < bits <= infinity's: a float compare would flush */
    return vpselq_f32(b, a, vcmpcsq_n_u32(vsubq_n_u32(bits(x), 1), 0x7f800000));
}
typedef uint32x4_t f32_marks; /* what is dead is 0, which is as good as alive */
FL_INLINE uint32x4_t f32_rank(float32x4_t v) { return vsubq_n_u32(vshlq_n_u32(bits(v), 1), 1); }
FL_INLINE uint32x4_t f32_higher(uint32x4_t a, uint32x4_t b) { return vmaxq_u32(a, b); }
FL_INLINE uint32x4_t f32_lower(uint32x4_t a, uint32x4_t b) { return vminq_u32(a, b); }
FL_INLINE uint32_t f32_highest(uint32x4_t m, mve_pred16_t k) { return (void)k, vmaxvq_u32(0, m); }
FL_INLINE uint32_t f32_lowest(uint32x4_t m, mve_pred16_t k) { return (void)k, vminvq_u32(0xffffffff, m); }
FL_INLINE int f32_wrong(float32x4_t a, float32x4_t b, uint32x4_t m, uint32_t least, mve_pred16_t k)
{
    const mve_pred16_t a_counts = vcmpneq_m_n_u32(vshlq_n_u32(bits(a), 1), 0, vcmpcsq_n_u32(m, least));
    return (void)k, vcmpneq_m_n_u32(vshlq_n_u32(bits(b), 1), 0, a_counts) != 0;
}
#define FL_TYPE f32
#define FL_LANES 4
#define FL_TAIL 4
#define FL_FLUSHES
#include "float/kernels.h"

#define FL_TYPE f64
#include "float/scalar.h"

#include "float/scalar_half.h"

#include "quantized/kernels.h"

FL_ISA_END
#endif
