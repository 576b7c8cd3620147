/* look_up.h - a table of 256 bytes in the shuffles of AVX2, 32 numbers at a time.
 * SPDX-License-Identifier: MIT
 *
 * A shuffle looks up 16 bytes by an index's lower four bits, and gives 0 where its sign is set. So each 16 bytes of the
 * table are replaced by what they differ from those before, and every index counts down by 16 until it is negative:
 * what the shuffles give, xor-ed, is then the entry. The lower and the upper half of the table go apart. */
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
    for (; i < n; i++)
        out[i] = table[q[i]];
}
