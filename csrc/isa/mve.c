/* mve.c - four floats with lane predicates: Helium, on Cortex-M55 and M85. It flushes subnormals, see flush.h, and
 * knows no doubles.
 * SPDX-License-Identifier: MIT */
#define FL_NAME mve
#include "../isa.h"
#if FL_MVE
#include <arm_mve.h>
#include "arm32.h"

static int fl_available(void) { return 1; }

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
FL_INLINE float32x4_t f32_pick(float32x4_t x, float32x4_t a, float32x4_t b)
{
    /* 0 < bits <= infinity's: a float compare would flush */
    return vpselq_f32(b, a, vcmpcsq_n_u32(vsubq_n_u32(bits(x), 1), 0x7f800000));
}
FL_INLINE int f32_flushed(float32x4_t a, float32x4_t b, float32x4_t p)
{
    const mve_pred16_t zero_or_nan = vcmpcsq_n_u32(vsubq_n_u32(vshlq_n_u32(bits(p), 1), 1), 0xff000000);
    if (!zero_or_nan) /* mostly: what follows finds the zeros that are right */
        return 0;
    const mve_pred16_t a_counts = vcmpneq_m_n_u32(vshlq_n_u32(bits(a), 1), 0, zero_or_nan);
    return vcmpneq_m_n_u32(vshlq_n_u32(bits(b), 1), 0, a_counts) != 0;
}
FL_INLINE int f32_tiny(float32x4_t t)
{
    /* 0 < 2 * |bits| < twice those of 2^-102 */
    return vcmpcsq_n_u32(vsubq_n_u32(vshlq_n_u32(bits(t), 1), 1), 2 * (25u << 23) - 1) != 0xffff;
}
#define FL_TYPE f32
#define FL_LANES 4
#define FL_TAIL 4
#define FL_FLUSHES
#include "../kernels.h"

#define FL_TYPE f64
#include "plain.h"

FL_TABLE
#endif
