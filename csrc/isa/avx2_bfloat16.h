/* avx2_bfloat16.h - the kernels of bfloat16 in AVX2, also for AVX-512: sixteen floats in two vectors, the even ones and
 * the odd ones. So bfloat16 is widened and rounded without being moved between lanes.
 * SPDX-License-Identifier: MIT */

/* Sixteen 16-bit numbers in memory. */
FL_INLINE __m256i half16_load(const uint16_t *p, size_t n)
{
    uint16_t tail[16] = {0};
    if (n == 16)
        return _mm256_loadu_si256((const __m256i *)p);
    for (size_t i = 0; i < n; i++)
        tail[i] = p[i];
    return _mm256_loadu_si256((const __m256i *)tail);
}
FL_INLINE void half16_store(uint16_t *p, __m256i v, size_t n)
{
    uint16_t tail[16];
    if (n == 16) {
        _mm256_storeu_si256((__m256i *)p, v);
        return;
    }
    _mm256_storeu_si256((__m256i *)tail, v);
    for (size_t i = 0; i < n; i++)
        p[i] = tail[i];
}
FL_INLINE void half16_stream(uint16_t *p, __m256i v, size_t n)
{
    if (n % 8) {
        half16_store(p, v, n);
        return;
    }
    _mm_stream_si128((__m128i *)p, _mm256_castsi256_si128(v));
    if (n == 16)
        _mm_stream_si128((__m128i *)(p + 8), _mm256_extracti128_si256(v, 1));
}

/* With the bfloat16 that they are, or become when they are stored; the compiler drops it where it is not stored. */
typedef struct {
    __m256 even, odd;
    __m256i halves;
} even_odd_vec;
/* Rounded to nearest even as in half.h, but for NaN: see splat() in row.h. The carry of the lower half, with 0x7fff
 * and the last bit added, is the upper bit of an average. */
FL_INLINE even_odd_vec even_odd_of(__m256 even, __m256 odd)
{
    const __m256i v = _mm256_castps_si256(even), w = _mm256_castps_si256(odd), one = _mm256_set1_epi16(1);
    const __m256i upper = _mm256_blend_epi16(_mm256_srli_epi32(v, 16), w, 0xaa);
    const __m256i lower = _mm256_blend_epi16(v, _mm256_slli_epi32(w, 16), 0xaa);
    const __m256i bias = _mm256_or_si256(_mm256_and_si256(upper, one), _mm256_set1_epi16(0x7ffe));
    const __m256i carry = _mm256_srai_epi16(_mm256_avg_epu16(lower, bias), 15);
    return (even_odd_vec){even, odd, _mm256_sub_epi16(upper, carry)};
}
FL_INLINE even_odd_vec even_odd_set(float s) { return even_odd_of(f32x8_set(s), f32x8_set(s)); }
FL_INLINE even_odd_vec even_odd_mul(even_odd_vec a, even_odd_vec b, size_t n)
{
    return even_odd_of(f32x8_mul(a.even, b.even, n), f32x8_mul(a.odd, b.odd, n));
}
FL_INLINE even_odd_vec even_odd_add(even_odd_vec a, even_odd_vec b, size_t n)
{
    return even_odd_of(f32x8_add(a.even, b.even, n), f32x8_add(a.odd, b.odd, n));
}
/* x > 0 on the bits of bfloat16: adding 0x7f wraps NaN to negative. */
FL_INLINE even_odd_vec even_odd_select(even_odd_vec x, even_odd_vec a, even_odd_vec b, size_t n)
{
    const __m256i most = _mm256_set1_epi16(0x7f), mask = _mm256_cmpgt_epi16(_mm256_add_epi16(x.halves, most), most);
    __asm__("vpblendvb %2, %1, %0, %0" : "+x"(b.halves) : "x"(a.halves), "x"(mask));
    return (even_odd_vec){f32x8_select(x.even, a.even, b.even, n), f32x8_select(x.odd, a.odd, b.odd, n), b.halves};
}
FL_INLINE even_odd_vec even_odd_clamp(even_odd_vec v, even_odd_vec limit, size_t n)
{
    return even_odd_of(f32x8_clamp(v.even, limit.even, n), f32x8_clamp(v.odd, limit.odd, n));
}
FL_INLINE even_odd_vec even_odd_within(even_odd_vec v, even_odd_vec limit, even_odd_vec a, size_t n)
{
    return even_odd_of(f32x8_within(v.even, limit.even, a.even, n), f32x8_within(v.odd, limit.odd, a.odd, n));
}
/* Each half of the lanes has even and odd ones alike; the last step adds lane 1 to lane 0. */
FL_INLINE float even_odd_reduce_add(even_odd_vec v) { return f32x8_reduce_add(v.even) + f32x8_reduce_add(v.odd); }
FL_INLINE even_odd_vec even_odd_load(const float *p, size_t n)
{
    const __m256 a = f32x8_load(p, n < 8 ? n : 8), b = n > 8 ? f32x8_load(p + 8, n - 8) : f32x8_set(0);
    const __m256d even = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d odd = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    return even_odd_of(_mm256_castpd_ps(_mm256_permute4x64_pd(even, 0xd8)),
                       _mm256_castpd_ps(_mm256_permute4x64_pd(odd, 0xd8)));
}
FL_INLINE void even_odd_store(float *p, even_odd_vec v, size_t n)
{
    const __m256 a = _mm256_unpacklo_ps(v.even, v.odd), b = _mm256_unpackhi_ps(v.even, v.odd);
    f32x8_store(p, _mm256_permute2f128_ps(a, b, 0x20), n < 8 ? n : 8);
    if (n > 8)
        f32x8_store(p + 8, _mm256_permute2f128_ps(a, b, 0x31), n - 8);
}

FL_INLINE even_odd_vec bf16_of(__m256i v)
{
    return (even_odd_vec){_mm256_castsi256_ps(_mm256_slli_epi32(v, 16)),
                          _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(-65536))), v};
}
FL_INLINE even_odd_vec bf16_load(const bf16_num *p, size_t n) { return bf16_of(half16_load(p, n)); }
FL_INLINE even_odd_vec bf16_rounded(even_odd_vec v) { return bf16_of(v.halves); }
FL_INLINE void bf16_store(bf16_num *p, even_odd_vec v, size_t n) { half16_store(p, v.halves, n); }
FL_INLINE void bf16_stream(bf16_num *p, even_odd_vec v, size_t n) { half16_stream(p, v.halves, n); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_VECTORS even_odd
#define FL_LANES 16
#define FL_MASKED
#include "float/kernels.h"
