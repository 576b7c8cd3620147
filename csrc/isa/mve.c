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
/* GCC 12 moves a predicate through a core register, in three instructions. So there a compare and its use are one. */
FL_INLINE float32x4_t where_above(uint32x4_t k, uint32_t most, float32x4_t then, float32x4_t other)
{
#ifdef __clang__
    return vpselq_f32(then, other, vcmphiq_n_u32(k, most));
#else
    __asm__("vcmp.u32 hi, %q1, %2\n\tvpsel %q0, %q3, %q0" : "+w"(other) : "w"(k), "r"(most), "w"(then) : "p0");
    return other;
#endif
}
FL_INLINE float32x4_t f32_select(float32x4_t x, float32x4_t a, float32x4_t b, size_t n)
{
    /* 0 < bits <= infinity's: a float compare would flush */
    return (void)n, where_above(vsubq_n_u32(bits(x), 1), 0x7f800000 - 1, b, a);
}
FL_INLINE float32x4_t f32_keep_positive(float32x4_t x, float32x4_t y)
{
#ifdef __clang__
    return vpselq_f32(x, y, vcmpgtq_n_s32(vreinterpretq_s32_u32(bits(x)), 0));
#else
    __asm__("vcmp.s32 gt, %q1, zr\n\tvpsel %q0, %q1, %q0" : "+w"(y) : "w"(x) : "p0");
    return y;
#endif
}
/* On magnitudes as integers; NaN has more than infinity's. */
FL_INLINE uint32x4_t size_of(float32x4_t v) { return vandq_u32(bits(v), vdupq_n_u32(0x7fffffff)); }
FL_INLINE float32x4_t f32_clamp(float32x4_t v, float32x4_t limit, size_t n)
{
    const uint32x4_t size = size_of(v), sign = veorq_u32(bits(v), size), most = vminq_u32(size, bits(limit));
    const float32x4_t limited = vreinterpretq_f32_u32(vorrq_u32(sign, most));
    return (void)n, where_above(size, 0x7f800000, v, limited);
}
FL_INLINE float32x4_t f32_within(float32x4_t v, float32x4_t limit, float32x4_t a, size_t n)
{
    const uint32x4_t size = size_of(v), infinity = vdupq_n_u32(0x7f800000);
    return (void)n, vpselq_f32(vdupq_n_f32(0), a, vcmpcsq_m_u32(infinity, size, vcmpcsq_u32(size, bits(limit))));
}
/* Inactive lanes are 0, which no test finds. */
typedef uint32x4_t f32_keys;
FL_INLINE uint32x4_t twice(float32x4_t v) { return vshlq_n_u32(bits(v), 1); }
FL_INLINE uint32x4_t f32_keys_of(float32x4_t v) { return vsubq_n_u32(twice(v), 1); }
FL_INLINE uint32x4_t f32_keys_max(uint32x4_t a, uint32x4_t b) { return vmaxq_u32(a, b); }
FL_INLINE uint32x4_t f32_keys_min(uint32x4_t a, uint32x4_t b) { return vminq_u32(a, b); }
FL_INLINE uint32_t f32_reduce_max(uint32x4_t k) { return vmaxvq_u32(0, k); }
FL_INLINE uint32_t f32_reduce_min(uint32x4_t k) { return vminvq_u32(0xffffffff, k); }
FL_INLINE uint32x4_t f32_unexplained(float32x4_t a, float32x4_t b, float32x4_t product)
{
    return vminq_u32(vqsubq_n_u32(f32_keys_of(product), 0xff000000 - 1), vminq_u32(twice(a), twice(b)));
}
#define FL_TYPE f32
#define FL_REGISTERS 2
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 4
#define FL_MASKED
#define FL_FTZ
#include "float/kernels.h"

#define FL_TYPE f64
#include "float/scalar.h"

FL_INLINE uint32x4_t half_load(const uint16_t *p, size_t n)
{
    return n == 4 ? vldrhq_u32(p) : vldrhq_z_u32(p, vctp32q(n));
}
FL_INLINE void half_store(uint16_t *p, uint32x4_t v, size_t n)
{
    n == 4 ? vstrhq_u32(p, v) : vstrhq_p_u32(p, v, vctp32q(n));
}

/* A float16 is computed in float without a fallback. Each step is rounded to float16, where a flushed product is 0
 * anyway; terms and their sums are multiples of 2^-48; splat() has no subnormals; and no conversion flushes. */
/* In q0: GNU as 2.40 encodes these instructions wrongly with any other register. */
FL_INLINE float32x4_t f16_of(uint32x4_t h)
{
    register uint32x4_t v __asm__("q0") = h;
    __asm__("vcvtb.f32.f16 q0, q0" : "+w"(v));
    return vreinterpretq_f32_u32(v);
}
FL_INLINE uint32x4_t f16_narrowed(float32x4_t f)
{
    register uint32x4_t v __asm__("q0") = vreinterpretq_u32_f32(f);
    __asm__("vcvtb.f16.f32 q0, q0" : "+w"(v));
    return v;
}
FL_INLINE float32x4_t f16_load(const f16_num *p, size_t n) { return f16_of(half_load(p, n)); }
FL_INLINE void f16_store(f16_num *p, float32x4_t v, size_t n) { half_store(p, f16_narrowed(v), n); }
FL_INLINE float32x4_t f16_rounded(float32x4_t v) { return f16_of(f16_narrowed(v)); }
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_REGISTERS 2
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 4
#define FL_MASKED
#define FL_HIDES_FLUSHES
#include "float/kernels.h"

FL_INLINE float32x4_t bf16_of(uint32x4_t h) { return vreinterpretq_f32_u32(vshlq_n_u32(h, 16)); }
FL_INLINE uint32x4_t bf16_narrowed(float32x4_t v) /* as half.h does it, but for NaN: see splat() in float/row.h */
{
    const uint32x4_t b = bits(v), odd = vshrq_n_u32(vshlq_n_u32(b, 15), 31);
    return vshrq_n_u32(vaddq_n_u32(vaddq_u32(b, odd), 0x7fff), 16);
}
FL_INLINE float32x4_t bf16_load(const bf16_num *p, size_t n) { return bf16_of(half_load(p, n)); }
FL_INLINE void bf16_store(bf16_num *p, float32x4_t v, size_t n) { half_store(p, bf16_narrowed(v), n); }
FL_INLINE float32x4_t bf16_rounded(float32x4_t v) { return bf16_of(bf16_narrowed(v)); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_REGISTERS 2
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 4
#define FL_MASKED
#define FL_FTZ
#include "float/kernels.h"

#include "quantized/requantization.h"

#define FL_INTS 4
#define FL_INTS_ACTIVE
#define FL_DOUBLING /* vqdmulhq */
typedef int32x4_t i32_vec;
FL_INLINE size_t i32_active(size_t n) { return n; }
#ifdef __clang__ /* has no name for the register of predicates */
#define FL_PREDICATE_SAVED "vmrs %[saved], p0\n\t"
#define FL_PREDICATE_RESTORED "\n\tvmsr p0, %[saved]"
#define FL_PREDICATE
#else
#define FL_PREDICATE_SAVED
#define FL_PREDICATE_RESTORED
#define FL_PREDICATE "p0"
#endif
/* Compilers give each predicated instruction a VPST of its own, and move the predicate about. With one slope the
 * negative side's operands are scalars: there are eight vector registers only. */
#define FL_BY_SIDE(slope)                                                                                              \
    __asm__(FL_PREDICATE_SAVED "vptete.s32 gt, %q[x], zr\n\t"                                                          \
                               "vmult.i32 %q[v], %q[x], %[a]\n\t"                                                      \
                               "vmule.i32 %q[v], %q[x], %" slope "[factor]\n\t"                                        \
                               "vqdmulht.s32 %q[v], %q[v], %[am]\n\t"                                                  \
                               "vqdmulhe.s32 %q[v], %q[v], %[bm]\n\t"                                                  \
                               "vpte.s32 gt, %q[x], zr\n\t"                                                            \
                               "vaddt.i32 %q[v], %q[v], %[ab]\n\t"                                                     \
                               "vadde.i32 %q[v], %q[v], %" slope "[bias]" FL_PREDICATE_RESTORED                        \
            : [v] "=&w"(v), [saved] "=&r"(saved)                                                                       \
            : [x] "w"(x), [a] "r"(a->scale), [am] "r"(a->multiplier), [bm] "r"(b->multiplier), [ab] "r"(a->bias),      \
              FL_SLOPE                                                                                                 \
            : FL_PREDICATE)
FL_INLINE int32x4_t i32_requantize(const fl_sides *sides, int32x4_t x, const int32_t *factor, const int32_t *bias,
                                   int each, size_t n)
{
    const fl_side *const a = &sides->positive, *const b = &sides->negative;
    int32x4_t v;
    uint32_t saved;
    (void)n;
#define FL_SLOPE [factor] "w"(vldrwq_s32(factor)), [bias] "w"(vldrwq_s32(bias))
    if (each)
        FL_BY_SIDE("q");
#undef FL_SLOPE
#define FL_SLOPE [factor] "r"(*factor), [bias] "r"(*bias)
    else
        FL_BY_SIDE("");
#undef FL_SLOPE
    return vshlq_r_s32(v, -a->right);
}
#undef FL_BY_SIDE
#undef FL_PREDICATE_SAVED
#undef FL_PREDICATE_RESTORED
#undef FL_PREDICATE
FL_INLINE int32x4_t i8_load(const int8_t *q, int32_t zero, size_t n)
{
    return vsubq_n_s32(n == 4 ? vldrbq_s32(q) : vldrbq_z_s32(q, vctp32q(n)), zero);
}
FL_INLINE int32x4_t u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    return vsubq_n_s32(vreinterpretq_s32_u32(n == 4 ? vldrbq_u32(q) : vldrbq_z_u32(q, vctp32q(n))), zero);
}
FL_INLINE int32x4_t i16_load(const int16_t *q, int32_t zero, size_t n)
{
    return (void)zero, n == 4 ? vldrhq_s32(q) : vldrhq_z_s32(q, vctp32q(n));
}
FL_INLINE int32x4_t i32_within(int32x4_t v, int32_t least, int32_t most)
{
    return vmaxq_s32(vminq_s32(v, vdupq_n_s32(most)), vdupq_n_s32(least));
}
FL_INLINE void i8_store(int8_t *p, int32x4_t v, size_t n)
{
    v = i32_within(v, -128, 127);
    n == 4 ? vstrbq_s32(p, v) : vstrbq_p_s32(p, v, vctp32q(n));
}
FL_INLINE void u8_store(uint8_t *p, int32x4_t v, size_t n)
{
    const uint32x4_t u = vreinterpretq_u32_s32(i32_within(v, 0, 255));
    n == 4 ? vstrbq_u32(p, u) : vstrbq_p_u32(p, u, vctp32q(n));
}
FL_INLINE void i16_store(int16_t *p, int32x4_t v, size_t n)
{
    v = i32_within(v, -32768, 32767);
    n == 4 ? vstrhq_s32(p, v) : vstrhq_p_s32(p, v, vctp32q(n));
}

/* A gather in a loop without overhead, whose tail is predicated: compilers make neither of them. */
#define FL_LOOK_UP
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    __asm__ volatile("wlstp.8 lr, %[n], 1f\n"
                     "0:\n\t"
                     "vldrb.u8 q0, [%[q]], #16\n\t"
                     "vldrb.u8 q1, [%[table], q0]\n\t"
                     "vstrb.8 q1, [%[out]], #16\n\t"
                     "letp lr, 0b\n"
                     "1:"
                     : [q] "+r"(q), [out] "+r"(out)
                     : [table] "r"(table), [n] "r"(n)
                     : "q0", "q1", "lr", "memory");
}
#include "quantized/kernels.h"

FL_ISA_END
#endif
