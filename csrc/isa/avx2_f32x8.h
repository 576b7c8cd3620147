/* avx2_f32x8.h - AVX2's operations on eight floats. A tail is loaded by a mask and stored in halves: AMD's processors
 * need a dozen cycles for a masked store (Zen 3).
 * SPDX-License-Identifier: MIT */
typedef __m256 f32x8_vec;
FL_INLINE __m256i f32x8_mask(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
FL_INLINE __m256 f32x8_load(const float *p, size_t n)
{
    return n == 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, f32x8_mask(n));
}
FL_INLINE void f32x8_store(float *p, __m256 v, size_t n)
{
    __m128 rest = _mm256_castps256_ps128(v);
    if (n == 8) {
        _mm256_storeu_ps(p, v);
        return;
    }
    if (n & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps(v, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)p, rest);
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, rest);
}
FL_INLINE __m256 f32x8_set(float s) { return _mm256_set1_ps(s); }
FL_INLINE __m256 f32x8_mul(__m256 a, __m256 b, size_t n) { return (void)n, _mm256_mul_ps(a, b); }
FL_INLINE __m256 f32x8_add(__m256 a, __m256 b, size_t n) { return (void)n, _mm256_add_ps(a, b); }
/* GCC 12 knows that _mm256_blendv_ps tests signs, and computes each mask again: one instruction in eleven. */
FL_INLINE __m256 f32x8_select(__m256 x, __m256 a, __m256 b, size_t n)
{
    (void)n;
    const __m256 mask = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ);
    __asm__("vblendvps %2, %1, %0, %0" : "+x"(b) : "x"(a), "x"(mask));
    return b;
}
/* Where either is NaN, min and max give their second operand. */
FL_INLINE __m256 f32x8_clamp(__m256 v, __m256 limit, size_t n)
{
    return (void)n, _mm256_max_ps(_mm256_sub_ps(_mm256_setzero_ps(), limit), _mm256_min_ps(limit, v));
}
FL_INLINE __m256 f32x8_within(__m256 v, __m256 limit, __m256 a, size_t n)
{
    const __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
    return (void)n, _mm256_andnot_ps(_mm256_cmp_ps(size, limit, _CMP_GE_OQ), a);
}
FL_INLINE float f32x8_reduce_add(__m256 v)
{
    return f32_reduce_add128(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
