/* arm32.h - the words that 32-bit NEON and Helium spell alike.
 * SPDX-License-Identifier: MIT */

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
FL_INLINE float32x4_t f32_set(float s) { return vdupq_n_f32(s); }
FL_INLINE float32x4_t f32_mul(float32x4_t a, float32x4_t b) { return vmulq_f32(a, b); }
FL_INLINE float32x4_t f32_add(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
/* by scalars, which do not flush */
FL_INLINE float f32_fold(float32x4_t v)
{
    return (vgetq_lane_f32(v, 0) + vgetq_lane_f32(v, 2)) + (vgetq_lane_f32(v, 1) + vgetq_lane_f32(v, 3));
}
