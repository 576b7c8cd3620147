/* x86_piecewise_linear.h - x86's operations for piecewise_linear.h, on vectors of FL_LINEAR bytes; FL_MM(word) is one
 * of their intrinsics. SPDX-License-Identifier: MIT */
#define FL_TABLE_FROM 1024                  /* it looks for the functions of a table, too */
#define FL_UNROLLED _Pragma("GCC unroll 4") /* a loop that is not unrolled is bound by its instructions */
typedef int16_t linear_vec __attribute__((vector_size(FL_LINEAR)));
typedef uint16_t linear_bits __attribute__((vector_size(FL_LINEAR)));
typedef linear_bytes linear_anywhere __attribute__((aligned(1), may_alias));

FL_INLINE linear_bytes linear_load(const void *p) { return *(const linear_anywhere *)p; }
FL_INLINE void linear_store(void *p, linear_bytes v) { *(linear_anywhere *)p = v; }
FL_INLINE linear_vec linear_set(int16_t s) { return (linear_vec)FL_MM(set1_epi16)(s); }
FL_INLINE linear_vec linear_larger(linear_vec a, linear_vec b)
{
    return (linear_vec)FL_MM(max_epi16)((linear_bytes)a, (linear_bytes)b);
}
FL_INLINE linear_vec linear_high(linear_vec a, linear_vec b)
{
    return (linear_vec)FL_MM(mulhi_epi16)((linear_bytes)a, (linear_bytes)b);
}
FL_INLINE linear_vec linear_shift(linear_vec v, int n)
{
    return (linear_vec)FL_MM(sra_epi16)((linear_bytes)v, _mm_cvtsi32_si128(n));
}
FL_INLINE linear_vec linear_low(linear_bytes of, linear_bytes v) { return (linear_vec)FL_MM(unpacklo_epi8)(of, v); }
FL_INLINE linear_vec linear_upper(linear_bytes of, linear_bytes v) { return (linear_vec)FL_MM(unpackhi_epi8)(of, v); }
FL_INLINE linear_bytes i8_join(linear_vec a, linear_vec b)
{
    return FL_MM(packs_epi16)((linear_bytes)a, (linear_bytes)b);
}
FL_INLINE linear_bytes u8_join(linear_vec a, linear_vec b)
{
    return FL_MM(packus_epi16)((linear_bytes)a, (linear_bytes)b);
}
