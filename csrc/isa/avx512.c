/* avx512.c - sixteen floats or eight doubles with lane masks.
 * SPDX-License-Identifier: MIT */
#define FL_NAME avx512
#define FL_TARGET "avx512f"
#include "isa.h"
#if FL_X86
#include "isa/x86.h"

static int fl_available(void) { return x86_has(bit_AVX512F, XMM_YMM_ZMM); }

typedef __m512 f32_vec;
typedef __mmask16 f32_live;
FL_INLINE __mmask16 f32_all(void) { return 0xffff; }
FL_INLINE __mmask16 f32_first(size_t k) { return (__mmask16)(k < 16 ? (1u << k) - 1 : 0xffff); }
FL_INLINE __m512 f32_load(const float *p, __mmask16 k) { return _mm512_maskz_loadu_ps(k, p); }
FL_INLINE void f32_store(float *p, __m512 v, __mmask16 k) { _mm512_mask_storeu_ps(p, k, v); }
FL_INLINE __mmask16 f32_between(size_t from, size_t to) { return (__mmask16)(f32_first(to) & ~f32_first(from)); }
/* The quarters of a vector whose bits are set. */
FL_INLINE void stream_quarters(float *p, __m512 v, int quarters)
{
    if (quarters & 1)
        _mm_stream_ps(p, _mm512_castps512_ps128(v));
    if (quarters & 2)
        _mm_stream_ps(p + 4, _mm512_extractf32x4_ps(v, 1));
    if (quarters & 4)
        _mm_stream_ps(p + 8, _mm512_extractf32x4_ps(v, 2));
    if (quarters & 8)
        _mm_stream_ps(p + 12, _mm512_extractf32x4_ps(v, 3));
}
FL_INLINE void f32_stream(float *p, __m512 v, __mmask16 k)
{
    if ((k & 0x1111) * 15 == k)
        stream_quarters(p, v, (k & 1) | (k >> 3 & 2) | (k >> 6 & 4) | (k >> 9 & 8));
    else
        f32_store(p, v, k);
}
FL_INLINE __m512 f32_set(float s) { return _mm512_set1_ps(s); }
FL_INLINE __m512 f32_mul(__m512 a, __m512 b) { return _mm512_mul_ps(a, b); }
FL_INLINE __m512 f32_add(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
FL_INLINE __m512 f32_pick(__m512 x, __m512 a, __m512 b) /* so that if b is a product, one instruction does both */
{
    return _mm512_mask_mov_ps(a, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NGT_UQ), b);
}
FL_INLINE float f32_fold(__m512 v)
{
    const __m512 w = _mm512_add_ps(v, _mm512_shuffle_f32x4(v, v, 0xee));
    return f32_fold128(_mm512_castps512_ps128(_mm512_add_ps(w, _mm512_shuffle_f32x4(w, w, 0x55))));
}
#define FL_TYPE f32
#define FL_BETWEEN
#define FL_LANES 16
#define FL_TAIL 16
#include "float/kernels.h"

typedef __m512d f64_vec;
typedef __mmask8 f64_live;
FL_INLINE __mmask8 f64_all(void) { return 0xff; }
FL_INLINE __mmask8 f64_first(size_t k) { return (__mmask8)(k < 8 ? (1u << k) - 1 : 0xff); }
FL_INLINE __m512d f64_load(const double *p, __mmask8 k) { return _mm512_maskz_loadu_pd(k, p); }
FL_INLINE void f64_store(double *p, __m512d v, __mmask8 k) { _mm512_mask_storeu_pd(p, k, v); }
FL_INLINE __mmask8 f64_between(size_t from, size_t to) { return (__mmask8)(f64_first(to) & ~f64_first(from)); }
FL_INLINE void f64_stream(double *p, __m512d v, __mmask8 k)
{
    if ((k & 0x55) * 3 == k)
        stream_quarters((float *)p, _mm512_castpd_ps(v), (k & 1) | (k >> 1 & 2) | (k >> 2 & 4) | (k >> 3 & 8));
    else
        f64_store(p, v, k);
}
FL_INLINE __m512d f64_set(double s) { return _mm512_set1_pd(s); }
FL_INLINE __m512d f64_mul(__m512d a, __m512d b) { return _mm512_mul_pd(a, b); }
FL_INLINE __m512d f64_add(__m512d a, __m512d b) { return _mm512_add_pd(a, b); }
FL_INLINE __m512d f64_pick(__m512d x, __m512d a, __m512d b)
{
    return _mm512_mask_mov_pd(a, _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_NGT_UQ), b);
}
FL_INLINE double f64_fold(__m512d v)
{
    const __m512d w = _mm512_add_pd(v, _mm512_shuffle_f64x2(v, v, 0xee));
    return f64_fold128(_mm512_castpd512_pd128(_mm512_add_pd(w, _mm512_shuffle_f64x2(w, w, 0x55))));
}
#define FL_TYPE f64
#define FL_BETWEEN
#define FL_LANES 8
#define FL_TAIL 8
#include "float/kernels.h"

FL_INLINE __m256i half_load(const uint16_t *p, __mmask16 k)
{
    uint16_t rest[16] = {0};
    if (k == 0xffff)
        return _mm256_loadu_si256((const __m256i *)p);
    for (size_t i = 0; k >> i; i++)
        rest[i] = p[i];
    return _mm256_loadu_si256((const __m256i *)rest);
}
FL_INLINE void half_store(uint16_t *p, __m256i v, __mmask16 k, int past)
{
    uint16_t rest[16];
    if (past && (k == 0xff || k == 0xffff)) {
        _mm_stream_si128((__m128i *)p, _mm256_castsi256_si128(v));
        if (k == 0xffff)
            _mm_stream_si128((__m128i *)p + 1, _mm256_extracti128_si256(v, 1));
        return;
    }
    if (k == 0xffff) {
        _mm256_storeu_si256((__m256i *)p, v);
        return;
    }
    _mm256_storeu_si256((__m256i *)rest, v);
    for (size_t i = 0; k >> i; i++)
        p[i] = rest[i];
}

FL_INLINE __m256i f16_of(__m512 v) { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }
FL_INLINE __m512 f16_load(const f16_num *p, __mmask16 k) { return _mm512_cvtph_ps(half_load(p, k)); }
FL_INLINE void f16_store(f16_num *p, __m512 v, __mmask16 k) { half_store(p, f16_of(v), k, 0); }
FL_INLINE void f16_stream(f16_num *p, __m512 v, __mmask16 k) { half_store(p, f16_of(v), k, 1); }
#define FL_TYPE f16
#define FL_WIDE f32
#define FL_LANES 16
#define FL_TAIL 16
#include "float/widened.h"

#include "isa/avx2_integers.h"

#include "quantized/kernels.h"

/* bfloat16 as pairs in 256 bits is faster: 18 instructions for 16 numbers, none of which moves lanes. */
#define FL_AS_AVX2(word)                                                                                               \
    extern fl_elementwise fl_bf16_##word##_avx2, fl_bf16_##word##_avx512;                                              \
    void fl_bf16_##word##_avx512(const fl_job *job, size_t begin, size_t end)                                          \
    {                                                                                                                  \
        fl_bf16_##word##_avx2(job, begin, end);                                                                        \
    }
FL_AS_AVX2(leaky_relu)
FL_AS_AVX2(leaky_relu_backward)
FL_AS_AVX2(prelu)
extern fl_sum fl_bf16_prelu_backward_avx2, fl_bf16_prelu_backward_avx512;
void fl_bf16_prelu_backward_avx512(const fl_job *job, size_t channel, size_t width, size_t first, size_t n,
                                   double *sums)
{
    fl_bf16_prelu_backward_avx2(job, channel, width, first, n, sums);
}

FL_ISA_END
#endif
