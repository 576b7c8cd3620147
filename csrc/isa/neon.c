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
#define FL_REGISTERS 4
#define FL_PER_REGISTER 4
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
#define FL_REGISTERS 4
#define FL_PER_REGISTER 2
#include "float/kernels.h"

FL_INLINE uint16x4_t half_load(const uint16_t *p, size_t n)
{
    return n > 1 ? vld1_u16(p) : vld1_lane_u16(p, vdup_n_u16(0), 0);
}
FL_INLINE void half_store(uint16_t *p, uint16x4_t v, size_t n) { n > 1 ? vst1_u16(p, v) : vst1_lane_u16(p, v, 0); }

#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
#include "isa/neon_fp16.h"
#define FL_VECTORS f16x8
#define FL_REGISTERS 2
#define FL_PER_REGISTER 8
#else
FL_INLINE float32x4_t f16_load(const f16_num *p, size_t n)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(half_load(p, n)));
}
FL_INLINE float32x4_t f16_rounded(float32x4_t v) { return vcvt_f32_f16(vcvt_f16_f32(v)); }
FL_INLINE void f16_store(f16_num *p, float32x4_t v, size_t n)
{
    half_store(p, vreinterpret_u16_f16(vcvt_f16_f32(v)), n);
}
#define FL_REGISTERS 4
#define FL_PER_REGISTER 4
#endif
#define FL_TYPE f16
#define FL_COMPUTE f32
#include "float/kernels.h"

FL_INLINE float32x4_t bf16_of(uint16x4_t h) { return vreinterpretq_f32_u32(vshll_n_u16(h, 16)); }
FL_INLINE uint16x4_t bf16_narrowed(float32x4_t v) /* as half.h does it, but for NaN: see splat() in float/row.h */
{
#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
    return vreinterpret_u16_bf16(vcvt_bf16_f32(v));
#else
    const uint32x4_t b = vreinterpretq_u32_f32(v), with_odd = vsraq_n_u32(b, vshlq_n_u32(b, 15), 31);
    return vaddhn_u32(with_odd, vdupq_n_u32(0x7fff));
#endif
}
FL_INLINE float32x4_t bf16_load(const bf16_num *p, size_t n) { return bf16_of(half_load(p, n)); }
FL_INLINE void bf16_store(bf16_num *p, float32x4_t v, size_t n) { half_store(p, bf16_narrowed(v), n); }
FL_INLINE float32x4_t bf16_rounded(float32x4_t v) { return bf16_of(bf16_narrowed(v)); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_REGISTERS 4
#define FL_PER_REGISTER 4
#include "float/kernels.h"

#include "isa/neon_integers.h"

/* The table is in v16 ... v31, which compilers would load again for each vector. An index out of a quarter's range
 * leaves what was found; each step looks four vectors up, v0 ... v3, in one quarter, and the results are v4 ... v7. */
#define FL_LOOK_UP
#define FL_QUARTER(find, a, d)                                                                                         \
    find " v4.16b, {v" a ".16b-v" d ".16b}, v0.16b\n\t" find " v5.16b, {v" a ".16b-v" d ".16b}, v1.16b\n\t" find       \
         " v6.16b, {v" a ".16b-v" d ".16b}, v2.16b\n\t" find " v7.16b, {v" a ".16b-v" d ".16b}, v3.16b\n\t"
#define FL_NEXT                                                                                                        \
    "sub v0.16b, v0.16b, %[next].16b\n\tsub v1.16b, v1.16b, %[next].16b\n\t"                                           \
    "sub v2.16b, v2.16b, %[next].16b\n\tsub v3.16b, v3.16b, %[next].16b\n\t"
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    size_t times = n / 64;
    const uint8_t *const rest = table;
    if (times)
        __asm__ volatile("ld1 {v16.16b-v19.16b}, [%[table]], #64\n\t"
                         "ld1 {v20.16b-v23.16b}, [%[table]], #64\n\t"
                         "ld1 {v24.16b-v27.16b}, [%[table]], #64\n\t"
                         "ld1 {v28.16b-v31.16b}, [%[table]]\n"
                         "0:\n\t"
                         "ld1 {v0.16b-v3.16b}, [%[q]], #64\n\t" /* */
                         FL_QUARTER("tbl", "16", "19") FL_NEXT FL_QUARTER("tbx", "20", "23")
                             FL_NEXT FL_QUARTER("tbx", "24", "27")
                                 FL_NEXT FL_QUARTER("tbx", "28", "31") "st1 {v4.16b-v7.16b}, [%[out]], #64\n\t"
                                                                       "subs %[times], %[times], #1\n\t"
                                                                       "b.ne 0b"
                         : [table] "+r"(table), [q] "+r"(q), [out] "+r"(out), [times] "+r"(times)
                         : [next] "w"(vdupq_n_u8(64))
                         : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19",
                           "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
    look_up_each(rest, q, out, n % 64);
}
#undef FL_QUARTER
#undef FL_NEXT
#include "quantized/kernels.h"

FL_ISA_END
#endif
