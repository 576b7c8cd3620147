/* avx2.c - eight floats, four doubles, eight float16 or sixteen bfloat16.
 * SPDX-License-Identifier: MIT */
#define FL_NAME avx2
#define FL_TARGET "avx2,f16c"
#include "isa.h"
#if FL_X86
#include "isa/x86.h"

static int fl_available(void) { return x86_has(bit_AVX2, XMM_YMM); }

#include "isa/avx2_f32x8.h"
FL_INLINE __m256 f32_load(const float *p, size_t n) { return f32x8_load(p, n); }
FL_INLINE void f32_store(float *p, __m256 v, size_t n) { f32x8_store(p, v, n); }
FL_INLINE void f32_stream(float *p, __m256 v, size_t n)
{
    if (n % 4) {
        f32_store(p, v, n);
        return;
    }
    _mm_stream_ps(p, _mm256_castps256_ps128(v));
    if (n == 8)
        _mm_stream_ps(p + 4, _mm256_extractf128_ps(v, 1));
}
#define FL_TYPE f32
#define FL_VECTORS f32x8
#define FL_LANES 8
#define FL_MASKED
#include "float/kernels.h"

typedef __m256d f64_vec;
FL_INLINE __m256i f64_mask(size_t n)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)n), _mm256_setr_epi64x(0, 1, 2, 3));
}
FL_INLINE __m256d f64_load(const double *p, size_t n)
{
    return n == 4 ? _mm256_loadu_pd(p) : _mm256_maskload_pd(p, f64_mask(n));
}
FL_INLINE void f64_store(double *p, __m256d v, size_t n)
{
    __m128d rest = _mm256_castpd256_pd128(v);
    if (n == 4) {
        _mm256_storeu_pd(p, v);
        return;
    }
    if (n & 2) {
        _mm_storeu_pd(p, rest);
        rest = _mm256_extractf128_pd(v, 1);
        p += 2;
    }
    if (n & 1)
        _mm_store_sd(p, rest);
}
FL_INLINE void f64_stream(double *p, __m256d v, size_t n)
{
    if (n % 2) {
        f64_store(p, v, n);
        return;
    }
    _mm_stream_pd(p, _mm256_castpd256_pd128(v));
    if (n == 4)
        _mm_stream_pd(p + 2, _mm256_extractf128_pd(v, 1));
}
FL_INLINE __m256d f64_set(double s) { return _mm256_set1_pd(s); }
FL_INLINE __m256d f64_mul(__m256d a, __m256d b, size_t n) { return (void)n, _mm256_mul_pd(a, b); }
FL_INLINE __m256d f64_add(__m256d a, __m256d b, size_t n) { return (void)n, _mm256_add_pd(a, b); }
FL_INLINE __m256d f64_select(__m256d x, __m256d a, __m256d b, size_t n)
{
    (void)n;
    const __m256d mask = _mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_GT_OQ);
    __asm__("vblendvpd %2, %1, %0, %0" : "+x"(b) : "x"(a), "x"(mask));
    return b;
}
/* Where either is NaN, min and max give their second operand. */
FL_INLINE __m256d f64_clamp(__m256d v, __m256d limit, size_t n)
{
    return (void)n, _mm256_max_pd(_mm256_sub_pd(_mm256_setzero_pd(), limit), _mm256_min_pd(limit, v));
}
FL_INLINE __m256d f64_within(__m256d v, __m256d limit, __m256d a, size_t n)
{
    const __m256d size = _mm256_andnot_pd(_mm256_set1_pd(-0.0), v);
    return (void)n, _mm256_andnot_pd(_mm256_cmp_pd(size, limit, _CMP_GE_OQ), a);
}
FL_INLINE double f64_reduce_add(__m256d v)
{
    return f64_reduce_add128(_mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1)));
}
#define FL_TYPE f64
#define FL_LANES 4
#define FL_MASKED
#include "float/kernels.h"

FL_INLINE __m128i half_load(const uint16_t *p, size_t n)
{
    uint16_t rest[8] = {0};
    if (n == 8)
        return _mm_loadu_si128((const __m128i *)p);
    for (size_t i = 0; i < n; i++)
        rest[i] = p[i];
    return _mm_loadu_si128((const __m128i *)rest);
}
FL_INLINE void half_store(uint16_t *p, __m128i v, size_t n, int stream)
{
    uint16_t rest[8];
    if (n == 8) {
        stream ? _mm_stream_si128((__m128i *)p, v) : _mm_storeu_si128((__m128i *)p, v);
        return;
    }
    _mm_storeu_si128((__m128i *)rest, v);
    for (size_t i = 0; i < n; i++)
        p[i] = rest[i];
}

FL_INLINE __m128i f16_of(__m256 v) { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }
FL_INLINE __m256 f16_rounded(__m256 v) { return _mm256_cvtph_ps(f16_of(v)); }
FL_INLINE __m256 f16_load(const f16_num *p, size_t n) { return _mm256_cvtph_ps(half_load(p, n)); }
FL_INLINE void f16_store(f16_num *p, __m256 v, size_t n) { half_store(p, f16_of(v), n, 0); }
FL_INLINE void f16_stream(f16_num *p, __m256 v, size_t n) { half_store(p, f16_of(v), n, 1); }
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_VECTORS f32x8
#define FL_LANES 8
#define FL_MASKED
#define FL_UNROLLED /* 1.2 times as fast past the cache */
#include "float/kernels.h"

#include "isa/avx2_bfloat16.h"

#include "isa/avx2_integers.h"

#include "quantized/kernels.h"

FL_ISA_END
#endif
