/* x86_piecewise_linear.h - x86's words for piecewise_linear.h, for vectors of FL_LINE bytes, which line_bytes is;
 * FL_MM(word) is an intrinsic of theirs. SPDX-License-Identifier: MIT */
#define FL_UNROLLED _Pragma("GCC unroll 4") /* one at a time, a loop is bound by its instructions */
typedef int16_t line_vec __attribute__((vector_size(FL_LINE)));
typedef uint16_t line_bits __attribute__((vector_size(FL_LINE)));
typedef line_bytes line_anywhere __attribute__((aligned(1), may_alias));

FL_INLINE line_bytes line_load(const void *p) { return *(const line_anywhere *)p; }
FL_INLINE void line_store(void *p, line_bytes v) { *(line_anywhere *)p = v; }
FL_INLINE line_vec line_set(int16_t s) { return (line_vec)FL_MM(set1_epi16)(s); }
FL_INLINE line_vec line_larger(line_vec a, line_vec b)
{
    return (line_vec)FL_MM(max_epi16)((line_bytes)a, (line_bytes)b);
}
FL_INLINE line_vec line_high(line_vec a, line_vec b)
{
    return (line_vec)FL_MM(mulhi_epi16)((line_bytes)a, (line_bytes)b);
}
FL_INLINE line_vec line_shift(line_vec v, int n)
{
    return (line_vec)FL_MM(sra_epi16)((line_bytes)v, _mm_cvtsi32_si128(n));
}
FL_INLINE line_vec line_low(line_bytes of, line_bytes v) { return (line_vec)FL_MM(unpacklo_epi8)(of, v); }
FL_INLINE line_vec line_upper(line_bytes of, line_bytes v) { return (line_vec)FL_MM(unpackhi_epi8)(of, v); }
FL_INLINE line_bytes i8_join(line_vec a, line_vec b) { return FL_MM(packs_epi16)((line_bytes)a, (line_bytes)b); }
FL_INLINE line_bytes u8_join(line_vec a, line_vec b) { return FL_MM(packus_epi16)((line_bytes)a, (line_bytes)b); }
