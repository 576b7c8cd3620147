/* neon32.c - four floats on Armv7-A. This NEON flushes subnormals (ftz_fallback.h) and has no doubles. The tail goes by
 * fours, then one element at a time. SPDX-License-Identifier: MIT */
#define FL_NAME neon32
#ifdef __ARM_NEON /* where it is a choice of the compiler, it may be more, which functions must share */
#elif defined(__clang__)
#define FL_TARGET "neon"
#else
#define FL_TARGET "fpu=neon"
#endif
#include "float/arguments.h"
#if FL_NEON32
#include <arm_neon.h>
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

/* The compiler sees integers: Clang turns an integer test of a float into a float compare, which flushes. */
typedef uint32x4_t f32_vec;
FL_INLINE uint32x4_t bits(float32x4_t v)
{
    uint32x4_t b = vreinterpretq_u32_f32(v);
    __asm__("" : "+w"(b));
    return b;
}
FL_INLINE float32x4_t number(uint32x4_t b) { return vreinterpretq_f32_u32(b); }
FL_INLINE uint32x4_t f32_load(const float *p, size_t n)
{
    return bits(n == 1 ? vld1q_lane_f32(p, vdupq_n_f32(0), 0) : vld1q_f32(p));
}
FL_INLINE void f32_store(float *p, uint32x4_t v, size_t n)
{
    n == 1 ? vst1q_lane_f32(p, number(v), 0) : vst1q_f32(p, number(v));
}
FL_INLINE uint32x4_t f32_set(float s) { return vdupq_n_u32(fl_bits_of(s)); }
FL_INLINE uint32x4_t f32_mul(uint32x4_t a, uint32x4_t b, size_t n)
{
    return (void)n, vreinterpretq_u32_f32(vmulq_f32(number(a), number(b)));
}
FL_INLINE uint32x4_t f32_add(uint32x4_t a, uint32x4_t b, size_t n)
{
    return (void)n, vreinterpretq_u32_f32(vaddq_f32(number(a), number(b)));
}
FL_INLINE uint32x4_t f32_select(uint32x4_t x, uint32x4_t a, uint32x4_t b, size_t n)
{
    /* 0 < bits <= 0x7f800000 (infinity): the sum with `most` is above `most` as a signed number; that of 0 is `most`,
     * and that of a NaN or a negative number is below. (Unsigned: GCC assumes that vaddq_s32 does not overflow.) */
    const uint32x4_t most = vdupq_n_u32(0x007fffff);
    return (void)n, vbslq_u32(vcgtq_s32(vreinterpretq_s32_u32(vaddq_u32(x, most)), vreinterpretq_s32_u32(most)), a, b);
}
FL_INLINE uint32x4_t f32_keep_positive(uint32x4_t x, uint32x4_t y)
{
    return vbslq_u32(vcgtq_s32(vreinterpretq_s32_u32(x), vdupq_n_s32(0)), x, y);
}
/* On magnitudes as integers, which do not flush; NaN has more than infinity's. */
FL_INLINE uint32x4_t size_of(uint32x4_t v) { return vandq_u32(v, vdupq_n_u32(0x7fffffff)); }
FL_INLINE uint32x4_t infinity(void) { return vdupq_n_u32(0x7f800000); }
FL_INLINE uint32x4_t f32_clamp(uint32x4_t v, uint32x4_t limit, size_t n)
{
    const uint32x4_t size = size_of(v), limited = vorrq_u32(veorq_u32(v, size), vminq_u32(size, limit));
    return (void)n, vbslq_u32(vcgtq_u32(size, infinity()), v, limited);
}
FL_INLINE uint32x4_t f32_within(uint32x4_t v, uint32x4_t limit, uint32x4_t a, size_t n)
{
    const uint32x4_t size = size_of(v);
    return (void)n, vbicq_u32(a, vandq_u32(vcgeq_u32(size, limit), vcleq_u32(size, infinity())));
}
FL_INLINE float f32_reduce_add(uint32x4_t v)
{
    const float32x2_t two = vadd_f32(vget_low_f32(number(v)), vget_high_f32(number(v)));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

typedef uint32x4_t f32_keys;
FL_INLINE uint32x4_t twice(uint32x4_t v) { return vshlq_n_u32(v, 1); }
FL_INLINE uint32x4_t f32_keys_of(uint32x4_t v) { return vsubq_u32(twice(v), vdupq_n_u32(1)); }
FL_INLINE uint32x4_t f32_keys_max(uint32x4_t a, uint32x4_t b) { return vmaxq_u32(a, b); }
FL_INLINE uint32x4_t f32_keys_min(uint32x4_t a, uint32x4_t b) { return vminq_u32(a, b); }
FL_INLINE uint32_t f32_reduce_max(uint32x4_t k)
{
    const uint32x2_t half = vmax_u32(vget_low_u32(k), vget_high_u32(k));
    return vget_lane_u32(vpmax_u32(half, half), 0);
}
FL_INLINE uint32_t f32_reduce_min(uint32x4_t k)
{
    const uint32x2_t half = vmin_u32(vget_low_u32(k), vget_high_u32(k));
    return vget_lane_u32(vpmin_u32(half, half), 0);
}
FL_INLINE uint32x4_t f32_unexplained(uint32x4_t a, uint32x4_t b, uint32x4_t product)
{
    __asm__ volatile("" : "+w"(product)); /* keeps GCC from computing this, or keeping keys, ahead of the test */
    const uint32x4_t above = vqsubq_u32(f32_keys_of(product), vdupq_n_u32(0xff000000 - 1));
    return vminq_u32(above, vminq_u32(twice(a), twice(b)));
}
#define FL_TYPE f32
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 2
#define FL_PER_REGISTER 4
#define FL_FTZ
#include "float/kernels.h"

#define FL_TYPE f64
#include "float/scalar.h"

FL_INLINE uint16x4_t half_load(const uint16_t *p, size_t n)
{
    return n == 1 ? vld1_lane_u16(p, vdup_n_u16(0), 0) : vld1_u16(p);
}
FL_INLINE void half_store(uint16_t *p, uint16x4_t v, size_t n) { n == 1 ? vst1_lane_u16(p, v, 0) : vst1_u16(p, v); }

FL_INLINE uint32x4_t bf16_of(uint16x4_t h) { return vshll_n_u16(h, 16); }
FL_INLINE uint16x4_t bf16_narrowed(uint32x4_t v) /* as half.h does it, but for NaN: see splat() in float/row.h */
{
    const uint32x4_t with_odd = vsraq_n_u32(v, vshlq_n_u32(v, 15), 31);
    return vaddhn_u32(with_odd, vdupq_n_u32(0x7fff));
}
FL_INLINE uint32x4_t bf16_load(const bf16_num *p, size_t n) { return bf16_of(half_load(p, n)); }
FL_INLINE void bf16_store(bf16_num *p, uint32x4_t v, size_t n) { half_store(p, bf16_narrowed(v), n); }
FL_INLINE uint32x4_t bf16_rounded(uint32x4_t v) { return bf16_of(bf16_narrowed(v)); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 2
#define FL_PER_REGISTER 4
#define FL_FTZ
#include "float/kernels.h"

#define FL_TYPE f16
#define FL_COMPUTE f32
#if defined(__ARM_NEON) && FL_ARM_CONVERTS_HALVES
/* Computed in float without a fallback, for the reasons in mve.c. */
FL_INLINE uint32x4_t f16_of(uint16x4_t h)
{
    uint32x4_t v;
    __asm__("vcvt.f32.f16 %q0, %P1" : "=w"(v) : "w"(h));
    return v;
}
FL_INLINE uint16x4_t f16_narrowed(uint32x4_t v)
{
    uint16x4_t h;
    __asm__("vcvt.f16.f32 %P0, %q1" : "=w"(h) : "w"(v));
    return h;
}
FL_INLINE uint32x4_t f16_load(const f16_num *p, size_t n) { return f16_of(half_load(p, n)); }
FL_INLINE void f16_store(f16_num *p, uint32x4_t v, size_t n) { half_store(p, f16_narrowed(v), n); }
FL_INLINE uint32x4_t f16_rounded(uint32x4_t v) { return f16_of(f16_narrowed(v)); }
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 2
#define FL_PER_REGISTER 4
#define FL_HIDES_FLUSHES
#include "float/kernels.h"
#else
#include "float/scalar.h"
#endif

#include "isa/neon_integers.h"

/* Half of the table fits the registers, d16 ... d31. For each 48 bytes, in q0 ... q2, both halves are loaded again. An
 * index out of range of 32 entries leaves what was found; the results are q4 ... q6. */
#define FL_LOOK_UP
#define FL_ENTRIES(find, entries)                                                                                      \
    find " d8, {" entries "}, d0\n\t" find " d9, {" entries "}, d1\n\t" find " d10, {" entries "}, d2\n\t" find        \
         " d11, {" entries "}, d3\n\t" find " d12, {" entries "}, d4\n\t" find " d13, {" entries "}, d5\n\t"           \
         "vsub.i8 q0, q0, %q[next]\n\tvsub.i8 q1, q1, %q[next]\n\tvsub.i8 q2, q2, %q[next]\n\t"
#define FL_HALF(find)                                                                                                  \
    "vld1.8 {d16-d19}, [%[table]]!\n\tvld1.8 {d20-d23}, [%[table]]!\n\t"                                               \
    "vld1.8 {d24-d27}, [%[table]]!\n\tvld1.8 {d28-d31}, [%[table]]!\n\t" FL_ENTRIES(find, "d16-d19")                   \
        FL_ENTRIES("vtbx.8", "d20-d23") FL_ENTRIES("vtbx.8", "d24-d27") FL_ENTRIES("vtbx.8", "d28-d31")
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    const uint8x16_t next = vdupq_n_u8(32);
    for (; n >= 48; n -= 48)
        __asm__ volatile("vld1.8 {d0-d3}, [%[q]]!\n\t"
                         "vld1.8 {d4-d5}, [%[q]]!\n\t" /* */
                         FL_HALF("vtbl.8") FL_HALF("vtbx.8") "vst1.8 {d8-d11}, [%[out]]!\n\t"
                                                             "vst1.8 {d12-d13}, [%[out]]!\n\t"
                                                             "sub %[table], %[table], #256"
                         : [table] "+r"(table), [q] "+r"(q), [out] "+r"(out)
                         : [next] "w"(next)
                         : "memory", "q0", "q1", "q2", "q4", "q5", "q6", "q8", "q9", "q10", "q11", "q12", "q13", "q14",
                           "q15");
    look_up_each(table, q, out, n);
}
#undef FL_ENTRIES
#undef FL_HALF
#include "quantized/kernels.h"

FL_ISA_END
#endif
