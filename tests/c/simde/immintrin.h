/* immintrin.h - AVX-512 by SIMDe, for machines without it: found before the compiler's own header.
 * SPDX-License-Identifier: MIT */
#include_next <immintrin.h> /* AVX2 is native */
#undef _MM_CMPINT_GE        /* ... but the types of AVX-512 are SIMDe's */
#undef _MM_CMPINT_NLT
#define __m512 simde__m512
#define __m512d simde__m512d
#define __m512i simde__m512i
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

/* SIMDe 0.7.4 gives these no native name... */
#define __mmask16 simde__mmask16
#define __mmask8 simde__mmask8
#define _mm512_shuffle_f32x4 simde_mm512_shuffle_f32x4
#define _mm512_shuffle_f64x2 simde_mm512_shuffle_f64x2

/* ... and lacks these altogether. The `live` lanes of an array go to or from memory. */
#define FROM_MEMORY(live, p, V, N)                                                                                     \
    ({                                                                                                                 \
        V v_;                                                                                                          \
        for (int i_ = 0; i_ < (N); i_++)                                                                               \
            ((__typeof__(*(p) + 0) *)&v_)[i_] = (live) >> i_ & 1 ? (p)[i_] : 0;                                        \
        v_;                                                                                                            \
    })
#define TO_MEMORY(live, p, v, N)                                                                                       \
    for (int i_ = 0; i_ < (N); i_++)                                                                                   \
        if ((live) >> i_ & 1)                                                                                          \
    (p)[i_] = ((const __typeof__(*(p)) *)&(v))[i_]
#define _mm512_maskz_loadu_ps(live, p) FROM_MEMORY(live, p, simde__m512, 16)
#define _mm512_maskz_loadu_pd(live, p) FROM_MEMORY(live, p, simde__m512d, 8)
#define _mm512_mask_storeu_ps(p, live, v) TO_MEMORY(live, p, v, 16)
#define _mm512_mask_storeu_pd(p, live, v) TO_MEMORY(live, p, v, 8)

/* The first lanes of v, one after another, in the `live` lanes. */
#define EXPAND(live, v, V, number, N)                                                                                  \
    ({                                                                                                                 \
        const V v_ = (v);                                                                                              \
        V w_;                                                                                                          \
        for (int i_ = 0, from_ = 0; i_ < (N); i_++)                                                                    \
            ((number *)&w_)[i_] = (live) >> i_ & 1 ? ((const number *)&v_)[from_++] : 0;                               \
        w_;                                                                                                            \
    })
#define _mm512_maskz_expand_ps(live, v) EXPAND(live, v, simde__m512, float, 16)
#define _mm512_maskz_expand_pd(live, v) EXPAND(live, v, simde__m512d, double, 8)

/* Sixteen halves, one at a time. */
#include "float/half.h"
#include <string.h>
#define EACH_OF_16(To, to, From, from, v, operation)                                                                   \
    ({                                                                                                                 \
        const From v_ = (v);                                                                                           \
        To w_;                                                                                                         \
        from in[16];                                                                                                   \
        to out[16];                                                                                                    \
        memcpy(in, &v_, sizeof in);                                                                                    \
        for (int i_ = 0; i_ < 16; i_++)                                                                                \
            out[i_] = operation(in[i_]);                                                                               \
        memcpy(&w_, out, sizeof out);                                                                                  \
        w_;                                                                                                            \
    })
#define _mm512_cvtph_ps(v) EACH_OF_16(simde__m512, float, simde__m256i, uint16_t, v, f16_widen)
#define _mm512_cvtps_ph(v, rounding) EACH_OF_16(simde__m256i, uint16_t, simde__m512, float, v, f16_narrow)
#define _mm512_cvtepu16_epi32(v) EACH_OF_16(simde__m512i, uint32_t, simde__m256i, uint16_t, v, (uint32_t))
#define _mm512_cvtepi32_epi16(v) EACH_OF_16(simde__m256i, uint16_t, simde__m512i, uint32_t, v, (uint16_t))
