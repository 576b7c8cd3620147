/* avx2_bfloat16.h - AVX2's words for sixteen floats in two vectors, the even ones and the odd ones: so bfloat16 comes
 * and goes without being moved between lanes. As a type to compute in (FL_WIDE): f32_pair. SPDX-License-Identifier: MIT
 */
typedef float f32_pair_num;
/* And the bfloat16 that they are, or become when they are stored: what of these is not stored, compilers leave out. */
typedef struct {
    __m256 even, odd;
    __m256i halves;
} f32_pair_vec;
typedef size_t f32_pair_live; /* how many, in their order in memory */
FL_INLINE size_t f32_pair_all(void) { return 16; }
FL_INLINE size_t f32_pair_first(size_t k) { return k; }
/* Rounded to nearest, as half.h does it, but for NaN: see set() in widened.h. The carry of what is lost, with 0x7fff
 * and the last bit added, is the upper bit of an average. */
FL_INLINE f32_pair_vec f32_pair_of(__m256 even, __m256 odd)
{
    const __m256i v = _mm256_castps_si256(even), w = _mm256_castps_si256(odd), one = _mm256_set1_epi16(1);
    const __m256i kept = _mm256_blend_epi16(_mm256_srli_epi32(v, 16), w, 0xaa);
    const __m256i lost = _mm256_blend_epi16(v, _mm256_slli_epi32(w, 16), 0xaa);
    const __m256i half = _mm256_or_si256(_mm256_and_si256(kept, one), _mm256_set1_epi16(0x7ffe));
    const __m256i carry = _mm256_srai_epi16(_mm256_avg_epu16(lost, half), 15);
    return (f32_pair_vec){even, odd, _mm256_sub_epi16(kept, carry)};
}
FL_INLINE f32_pair_vec f32_pair_set(float s) { return f32_pair_of(f32_set(s), f32_set(s)); }
FL_INLINE f32_pair_vec f32_pair_mul(f32_pair_vec a, f32_pair_vec b)
{
    return f32_pair_of(f32_mul(a.even, b.even), f32_mul(a.odd, b.odd));
}
FL_INLINE f32_pair_vec f32_pair_add(f32_pair_vec a, f32_pair_vec b)
{
    return f32_pair_of(f32_add(a.even, b.even), f32_add(a.odd, b.odd));
}
/* Of the sixteen halves, those above 0: 0x7f more than 0x7f, for what is NaN wraps around. */
FL_INLINE f32_pair_vec f32_pair_pick(f32_pair_vec x, f32_pair_vec a, f32_pair_vec b)
{
    const __m256i most = _mm256_set1_epi16(0x7f), mask = _mm256_cmpgt_epi16(_mm256_add_epi16(x.halves, most), most);
    __asm__("vpblendvb %2, %1, %0, %0" : "+x"(b.halves) : "x"(a.halves), "x"(mask));
    return (f32_pair_vec){f32_pick(x.even, a.even, b.even), f32_pick(x.odd, a.odd, b.odd), b.halves};
}
/* Upper halves go to lower halves in each as they do in all; the last step is the one between both. */
FL_INLINE float f32_pair_fold(f32_pair_vec v) { return f32_fold(v.even) + f32_fold(v.odd); }
FL_INLINE f32_pair_vec f32_pair_load(const float *p, size_t k)
{
    const __m256 a = f32_load(p, k < 8 ? k : 8), b = k > 8 ? f32_load(p + 8, k - 8) : f32_set(0);
    const __m256d even = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d odd = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    return f32_pair_of(_mm256_castpd_ps(_mm256_permute4x64_pd(even, 0xd8)),
                       _mm256_castpd_ps(_mm256_permute4x64_pd(odd, 0xd8)));
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
                          _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(-65536))), v};
}
FL_INLINE void bf16_put_down(bf16_num *p, f32_pair_vec v, size_t k, int past)
{
    uint16_t rest[16];
    if (past && k % 8 == 0) {
        _mm_stream_si128((__m128i *)p, _mm256_castsi256_si128(v.halves));
        if (k == 16)
            _mm_stream_si128((__m128i *)(p + 8), _mm256_extracti128_si256(v.halves, 1));
        return;
    }
    if (k >= 16) {
        _mm256_storeu_si256((__m256i *)p, v.halves);
    } else {
        _mm256_storeu_si256((__m256i *)rest, v.halves);
        for (size_t i = 0; i < k; i++)
            p[i] = rest[i];
    }
}
FL_INLINE void bf16_store(bf16_num *p, f32_pair_vec v, size_t k) { bf16_put_down(p, v, k, 0); }
FL_INLINE void bf16_stream(bf16_num *p, f32_pair_vec v, size_t k) { bf16_put_down(p, v, k, 1); }
#define FL_TYPE bf16
#define FL_WIDE f32_pair
#define FL_LANES 16
#define FL_TAIL 16
#include "float/widened.h"
