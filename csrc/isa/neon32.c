/* neon32.c - four floats on Armv7-A. This NEON flushes subnormals (ftz_fallback.h) and has no doubles. The tail goes by
 * fours, then one element at a time. SPDX-License-Identifier: MIT */
#define FL_NAME neon32
#define FL_TARGET FL_NEON32_TARGET
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

/* A vector is two registers, so that one branch, and one move from the vector unit, tests both for flushes. (Four save
 * a seventh of the forward kernel, but the backward kernel runs out of registers.) The compiler sees integers: Clang
 * turns an integer test of a float into a float compare, which flushes. */
typedef struct {
    uint32x4_t low, high;
} f32_vec;
FL_INLINE uint32x4_t bits(float32x4_t v)
{
    uint32x4_t b = vreinterpretq_u32_f32(v);
    __asm__("" : "+w"(b));
    return b;
}
FL_INLINE float32x4_t number(uint32x4_t b) { return vreinterpretq_f32_u32(b); }
FL_INLINE uint32x4_t times(uint32x4_t a, uint32x4_t b)
{
    return vreinterpretq_u32_f32(vmulq_f32(number(a), number(b)));
}
FL_INLINE uint32x4_t plus(uint32x4_t a, uint32x4_t b) { return vreinterpretq_u32_f32(vaddq_f32(number(a), number(b))); }
FL_INLINE uint32x4_t select(uint32x4_t x, uint32x4_t a, uint32x4_t b)
{
    /* 0 < bits <= 0x7f800000 (infinity): the sum with n is above n as a signed number; that of 0 is n, and that of a
     * NaN or a negative number is below n. (Unsigned: GCC assumes that vaddq_s32 does not overflow.) */
    const uint32x4_t n = vdupq_n_u32(0x007fffff);
    return vbslq_u32(vcgtq_s32(vreinterpretq_s32_u32(vaddq_u32(x, n)), vreinterpretq_s32_u32(n)), a, b);
}
/* On magnitudes as integers, which do not flush; NaN has more than infinity's. */
FL_INLINE uint32x4_t size_of(uint32x4_t v) { return vandq_u32(v, vdupq_n_u32(0x7fffffff)); }
FL_INLINE uint32x4_t infinity(void) { return vdupq_n_u32(0x7f800000); }
FL_INLINE uint32x4_t clamp(uint32x4_t v, uint32x4_t limit) /* never of NaN, which takes the fallback */
{
    const uint32x4_t size = size_of(v);
    return vorrq_u32(veorq_u32(v, size), vminq_u32(size, limit));
}
FL_INLINE uint32x4_t within(uint32x4_t v, uint32x4_t limit, uint32x4_t a)
{
    const uint32x4_t size = size_of(v);
    return vbicq_u32(a, vandq_u32(vcgeq_u32(size, limit), vcleq_u32(size, infinity())));
}

/* n is 8, 4 or 1, and always a constant. */
FL_INLINE f32_vec f32_load(const float *p, size_t n)
{
    const float32x4_t zero = vdupq_n_f32(0);
    return (f32_vec){bits(n == 1 ? vld1q_lane_f32(p, zero, 0) : vld1q_f32(p)), bits(n == 8 ? vld1q_f32(p + 4) : zero)};
}
FL_INLINE void f32_store(float *p, f32_vec v, size_t n)
{
    n == 1 ? vst1q_lane_f32(p, number(v.low), 0) : vst1q_f32(p, number(v.low));
    if (n == 8)
        vst1q_f32(p + 4, number(v.high));
}
FL_INLINE f32_vec f32_set(float s)
{
    const uint32x4_t v = vdupq_n_u32(fl_bits_of(s));
    return (f32_vec){v, v};
}
FL_INLINE f32_vec f32_mul(f32_vec a, f32_vec b, size_t n)
{
    return (void)n, (f32_vec){times(a.low, b.low), times(a.high, b.high)};
}
FL_INLINE f32_vec f32_add(f32_vec a, f32_vec b, size_t n)
{
    return (void)n, (f32_vec){plus(a.low, b.low), plus(a.high, b.high)};
}
FL_INLINE f32_vec f32_select(f32_vec x, f32_vec a, f32_vec b, size_t n)
{
    return (void)n, (f32_vec){select(x.low, a.low, b.low), select(x.high, a.high, b.high)};
}
FL_INLINE f32_vec f32_clamp(f32_vec v, f32_vec limit, size_t n)
{
    return (void)n, (f32_vec){clamp(v.low, limit.low), clamp(v.high, limit.high)};
}
FL_INLINE f32_vec f32_within(f32_vec v, f32_vec limit, f32_vec a, size_t n)
{
    return (void)n, (f32_vec){within(v.low, limit.low, a.low), within(v.high, limit.high, a.high)};
}
FL_INLINE float f32_reduce_add(f32_vec v)
{
    const float32x4_t four = number(plus(v.low, v.high));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

typedef f32_vec f32_keys;
FL_INLINE uint32x4_t twice(uint32x4_t v) { return vshlq_n_u32(v, 1); }
FL_INLINE f32_vec f32_keys_of(f32_vec v)
{
    const uint32x4_t one = vdupq_n_u32(1);
    return (f32_vec){vsubq_u32(twice(v.low), one), vsubq_u32(twice(v.high), one)};
}
FL_INLINE f32_vec f32_keys_max(f32_vec a, f32_vec b)
{
    return (f32_vec){vmaxq_u32(a.low, b.low), vmaxq_u32(a.high, b.high)};
}
FL_INLINE f32_vec f32_keys_min(f32_vec a, f32_vec b)
{
    return (f32_vec){vminq_u32(a.low, b.low), vminq_u32(a.high, b.high)};
}
FL_INLINE uint32_t f32_reduce_max(f32_vec k, size_t n)
{
    const uint32x4_t v = n == 8 ? vmaxq_u32(k.low, k.high) : k.low;
    const uint32x2_t half = vmax_u32(vget_low_u32(v), vget_high_u32(v));
    return vget_lane_u32(vpmax_u32(half, half), 0);
}
FL_INLINE uint32_t f32_reduce_min(f32_vec k, size_t n)
{
    const uint32x4_t v = n == 8 ? vminq_u32(k.low, k.high) : k.low;
    const uint32x2_t half = vmin_u32(vget_low_u32(v), vget_high_u32(v));
    return vget_lane_u32(vpmin_u32(half, half), 0);
}
FL_INLINE int f32_has_key(f32_vec a, f32_vec b, f32_vec k, uint32_t least, size_t n)
{
    uint32x4_t l = vdupq_n_u32(least);
    __asm__ volatile("" : "+w"(l)); /* keeps GCC from computing this ahead of the test */
    const f32_vec found = {vandq_u32(vcgeq_u32(k.low, l), vminq_u32(twice(a.low), twice(b.low))),
                           vandq_u32(vcgeq_u32(k.high, l), vminq_u32(twice(a.high), twice(b.high)))};
    return f32_reduce_max(found, n) != 0;
}
#define FL_TYPE f32
#define FL_LANES 8
#define FL_SHORT_LANES 4
#define FL_FTZ
#include "float/kernels.h"

#define FL_TYPE f64
#include "float/scalar.h"

#include "float/scalar_half.h"

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
