/* pair.h - AVX2's words for sixteen floats in two vectors, the even ones and the odd ones: so bfloat16 comes and goes
 * without being moved between lanes. As a type to compute in (FL_WIDE): f32_pair.
 * SPDX-License-Identifier: MIT */
typedef float f32_pair_num;
typedef struct {
    __m256 even, odd;
} f32_pair_vec;
typedef size_t f32_pair_live; /* how many, in their order in memory */
FL_INLINE size_t f32_pair_all(void) { return 16; }
FL_INLINE size_t f32_pair_first(size_t k) { return k; }
FL_INLINE f32_pair_vec f32_pair_set(float s) { return (f32_pair_vec){f32_set(s), f32_set(s)}; }
FL_INLINE f32_pair_vec f32_pair_mul(f32_pair_vec a, f32_pair_vec b)
{
    return (f32_pair_vec){f32_mul(a.even, b.even), f32_mul(a.odd, b.odd)};
}
FL_INLINE f32_pair_vec f32_pair_add(f32_pair_vec a, f32_pair_vec b)
{
    return (f32_pair_vec){f32_add(a.even, b.even), f32_add(a.odd, b.odd)};
}
FL_INLINE f32_pair_vec f32_pair_pick(f32_pair_vec x, f32_pair_vec a, f32_pair_vec b)
{
    return (f32_pair_vec){f32_pick(x.even, a.even, b.even), f32_pick(x.odd, a.odd, b.odd)};
}
/* Upper halves go to lower halves in each as they do in all; the last step is the one between both. */
FL_INLINE float f32_pair_fold(f32_pair_vec v) { return f32_fold(v.even) + f32_fold(v.odd); }
FL_INLINE f32_pair_vec f32_pair_load(const float *p, size_t k)
{
    const __m256 a = f32_load(p, k < 8 ? k : 8), b = k > 8 ? f32_load(p + 8, k - 8) : f32_set(0);
    const __m256d even = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d odd = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    return (f32_pair_vec){_mm256_castpd_ps(_mm256_permute4x64_pd(even, 0xd8)),
                          _mm256_castpd_ps(_mm256_permute4x64_pd(odd, 0xd8))};
}
FL_INLINE void f32_pair_store(float *p, f32_pair_vec v, size_t k)
{
    const __m256 a = _mm256_unpacklo_ps(v.even, v.odd), b = _mm256_unpackhi_ps(v.even, v.odd);
    f32_store(p, _mm256_permute2f128_ps(a, b, 0x20), k < 8 ? k : 8);
    if (k > 8)
        f32_store(p + 8, _mm256_permute2f128_ps(a, b, 0x31), k - 8);
}
FL_INLINE void f32_pair_fence(void) { f32_fence(); }

FL_INLINE f32_pair_vec bf16_load(const bf16_num *p, size_t k)
{
    uint16_t rest[16] = {0};
    for (size_t i = 0; k < 16 && i < k; i++)
        rest[i] = p[i];
    const __m256i v = _mm256_loadu_si256((const __m256i *)(k < 16 ? rest : p));
    return (f32_pair_vec){_mm256_castsi256_ps(_mm256_slli_epi32(v, 16)),
                          _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(-65536)))};
}
/* To nearest, in the upper half, as half.h does it, but for NaN: see set() in wide.h. */
FL_INLINE __m256i bf16_near(__m256 v)
{
    const __m256i b = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
    return _mm256_add_epi32(_mm256_add_epi32(b, _mm256_set1_epi32(0x7fff)), odd);
}
FL_INLINE void bf16_put_down(bf16_num *p, f32_pair_vec v, size_t k, int past)
{
    const __m256i h = _mm256_blend_epi16(_mm256_srli_epi32(bf16_near(v.even), 16), bf16_near(v.odd), 0xaa);
    uint16_t rest[16];
    if (k == 16 && past) {
        _mm_stream_si128((__m128i *)p, _mm256_castsi256_si128(h));
        _mm_stream_si128((__m128i *)(p + 8), _mm256_extracti128_si256(h, 1));
        return;
    }
    _mm256_storeu_si256((__m256i *)(k < 16 ? rest : p), h);
    for (size_t i = 0; k < 16 && i < k; i++)
        p[i] = rest[i];
}
FL_INLINE void bf16_store(bf16_num *p, f32_pair_vec v, size_t k) { bf16_put_down(p, v, k, 0); }
FL_INLINE void bf16_stream(bf16_num *p, f32_pair_vec v, size_t k) { bf16_put_down(p, v, k, 1); }
#define FL_TYPE bf16
#define FL_WIDE f32_pair
#define FL_LANES 16
#define FL_TAIL 16
#include "wide.h"
