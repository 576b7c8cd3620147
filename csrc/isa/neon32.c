/* neon32.c - four floats on Armv7-A. This NEON flushes subnormals, see flush.h, and knows no doubles. The tail goes
 * one element at a time.
 * SPDX-License-Identifier: MIT */
#define FL_NAME neon32
#define FL_TARGET FL_NEON32_TARGET
#include "../isa.h"
#if FL_NEON32
#include <arm_neon.h>
#include "arm32.h"
#ifdef __linux__
#include <sys/auxv.h>
#endif

static int fl_available(void)
{
#ifdef __linux__
    return (getauxval(AT_HWCAP) & 1ul << 12) != 0; /* HWCAP_NEON */
#else
    return 1;
#endif
}

/* Is a bit set anywhere? */
FL_INLINE int any(uint32x4_t v)
{
    const uint32x2_t half = vorr_u32(vget_low_u32(v), vget_high_u32(v));
    return vget_lane_u32(vpmax_u32(half, half), 0) != 0;
}

typedef int f32_live; /* all lanes, or only the first */
FL_INLINE int f32_all(void) { return 1; }
FL_INLINE int f32_first(size_t k) { return (void)k, 0; }
FL_INLINE size_t f32_count(int all) { return all ? 4 : 1; }
FL_INLINE float32x4_t f32_load(const float *p, int all)
{
    return all ? vld1q_f32(p) : vld1q_lane_f32(p, vdupq_n_f32(0), 0);
}
FL_INLINE void f32_store(float *p, float32x4_t v, int all) { all ? vst1q_f32(p, v) : vst1q_lane_f32(p, v, 0); }
FL_INLINE float32x4_t f32_pick(float32x4_t x, float32x4_t a, float32x4_t b)
{
    /* 0 < bits <= infinity's; a float compare would flush, and GCC makes four scalar ones of it */
    return vbslq_f32(vcltq_u32(vsubq_u32(bits(x), vdupq_n_u32(1)), vdupq_n_u32(0x7f800000)), a, b);
}
FL_INLINE int f32_flushed(float32x4_t a, float32x4_t b, float32x4_t p)
{
    const uint32x4_t zero_or_nan =
        vcgeq_u32(vsubq_u32(vshlq_n_u32(bits(p), 1), vdupq_n_u32(1)), vdupq_n_u32(0xff000000));
    if (!any(zero_or_nan)) /* mostly: what follows finds the zeros that are right */
        return 0;
    const uint32x4_t size = vdupq_n_u32(0x7fffffff);
    return any(vandq_u32(zero_or_nan, vandq_u32(vtstq_u32(bits(a), size), vtstq_u32(bits(b), size))));
}
FL_INLINE int f32_tiny(float32x4_t t)
{
    /* 0 < 2 * |bits| < twice those of 2^-102 */
    return any(vcltq_u32(vsubq_u32(vshlq_n_u32(bits(t), 1), vdupq_n_u32(1)), vdupq_n_u32(2 * (25u << 23) - 1)));
}
#define FL_TYPE f32
#define FL_LANES 4
#define FL_TAIL 1
#define FL_FLUSHES
#include "../kernels.h"

#define FL_TYPE f64
#include "plain.h"

FL_TABLE
#endif
