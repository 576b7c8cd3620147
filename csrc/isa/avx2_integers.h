/* avx2_integers.h - AVX2's operations on integers, and a table look-up of 256 bytes by shuffles.
 * SPDX-License-Identifier: MIT */
#include "quantized/requantization.h"

#define FL_INTS 8
#define FL_GENERIC_REQUANTIZE
#define FL_REQUANTIZE32
typedef int32_t i32_vec __attribute__((vector_size(32)));
FL_INLINE i32_vec i32_set(int32_t s) { return (i32_vec)_mm256_set1_epi32(s); }
FL_INLINE i32_vec i32_select(i32_vec x, i32_vec a, i32_vec b)
{
    return (i32_vec)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)(x > 0));
}
FL_INLINE i32_vec i32_high(i32_vec a, i32_vec b)
{
    const __m256i v = (__m256i)a, w = (__m256i)b, even = _mm256_srli_epi64(_mm256_mul_epi32(v, w), 32);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(v, 32), _mm256_srli_epi64(w, 32));
    return (i32_vec)_mm256_blend_epi32(even, odd, 0xaa);
}
FL_INLINE __m128i i32_narrow(i32_vec v)
{
    return _mm_packs_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
}
FL_INLINE i32_vec i32_load(const int32_t *p) { return (i32_vec)_mm256_loadu_si256((const __m256i *)p); }
FL_INLINE i32_vec i8_load(const int8_t *q, int32_t zero, size_t n)
{
    return (void)n, (i32_vec)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)q)) - zero;
}
FL_INLINE i32_vec u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    return (void)n, (i32_vec)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)q)) - zero;
}
FL_INLINE i32_vec i16_load(const int16_t *q, int32_t zero, size_t n)
{
    return (void)zero, (void)n, (i32_vec)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)q));
}
FL_INLINE void i8_store(int8_t *p, i32_vec v, size_t n)
{
    (void)n, _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(i32_narrow(v), _mm_setzero_si128()));
}
FL_INLINE void u8_store(uint8_t *p, i32_vec v, size_t n)
{
    (void)n, _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(i32_narrow(v), _mm_setzero_si128()));
}
FL_INLINE void i16_store(int16_t *p, i32_vec v, size_t n) { (void)n, _mm_storeu_si128((__m128i *)p, i32_narrow(v)); }

#define FL_LINEAR 32
typedef __m256i linear_bytes;
#define FL_MM(word) FL_PASTE(_mm256, word)
#include "isa/x86_piecewise_linear.h"

/* A shuffle looks 16 bytes up by the lower four bits of an index, and gives 0 for a negative index. So each 16 bytes of
 * the table are replaced by their difference (xor) from the 16 before, and the index is decremented by 16 until it is
 * negative: the xor of all shuffles is the entry. The lower and the upper half of the table are looked up apart. */
#define FL_LOOK_UP

FL_INLINE __m256i looked_up(const __m256i steps[16], __m256i q)
{
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i low = q, high = _mm256_xor_si256(q, _mm256_set1_epi8(-128));
    __m256i found = _mm256_xor_si256(_mm256_shuffle_epi8(steps[0], low), _mm256_shuffle_epi8(steps[8], high));
    for (int i = 1; i < 8; i++) {
        low = _mm256_subs_epi8(low, sixteen);
        high = _mm256_subs_epi8(high, sixteen);
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(steps[i], low));
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(steps[8 + i], high));
    }
    return found;
}

FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    __m256i steps[16], before = _mm256_setzero_si256();
    size_t i = 0;
    for (int k = 0; k < 16; k++) {
        const __m256i here = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16 * k)));
        steps[k] = k == 8 ? here : _mm256_xor_si256(here, before);
        before = here;
    }
    for (; i + 64 <= n; i += 64) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(q + i));
        const __m256i b = _mm256_loadu_si256((const __m256i *)(q + i + 32));
        _mm256_storeu_si256((__m256i *)(out + i), looked_up(steps, a));
        _mm256_storeu_si256((__m256i *)(out + i + 32), looked_up(steps, b));
    }
    look_up_each(table, q + i, out + i, n - i);
}
