/* avx2.c - eight floats or four doubles. A tail is loaded by a mask and stored in halves: AMD's processors
 * need a dozen cycles for a masked store (Zen 3).
 * SPDX-License-Identifier: MIT */
#define FL_NAME avx2
#define FL_TARGET "avx2,f16c"
#include "isa.h"
#if FL_X86
#include "isa/x86.h"

static int fl_available(void) { return x86_has(bit_AVX2, XMM_YMM); }

typedef __m256 f32_vec;
typedef size_t f32_live; /* how many lanes: 8 is a constant in the main loop, and the mask vanishes */
FL_INLINE size_t f32_all(void) { return 8; }
FL_INLINE size_t f32_first(size_t k) { return k; }
FL_INLINE __m256i f32_mask(size_t k)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)k), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
FL_INLINE __m256 f32_load(const float *p, size_t k)
{
    return k == 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, f32_mask(k));
}
FL_INLINE void f32_store(float *p, __m256 v, size_t k)
{
    __m128 rest = _mm256_castps256_ps128(v);
    if (k == 8) {
        _mm256_storeu_ps(p, v);
        return;
    }
    if (k & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps(v, 1);
        p += 4;
    }
    if (k & 2) {
        _mm_storel_pi((__m64 *)p, rest);
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (k & 1)
        _mm_store_ss(p, rest);
}
FL_INLINE void f32_stream(float *p, __m256 v, size_t k)
{
    if (k % 4) {
        f32_store(p, v, k);
        return;
    }
    _mm_stream_ps(p, _mm256_castps256_ps128(v));
    if (k == 8)
        _mm_stream_ps(p + 4, _mm256_extractf128_ps(v, 1));
}
FL_INLINE __m256 f32_set(float s) { return _mm256_set1_ps(s); }
FL_INLINE __m256 f32_mul(__m256 a, __m256 b) { return _mm256_mul_ps(a, b); }
FL_INLINE __m256 f32_add(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
/* GCC 12 knows _mm256_blendv_ps to look at signs, and makes each mask anew: one instruction in eleven. */
FL_INLINE __m256 f32_pick(__m256 x, __m256 a, __m256 b)
{
    const __m256 mask = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ);
    __asm__("vblendvps %2, %1, %0, %0" : "+x"(b) : "x"(a), "x"(mask));
    return b;
}
FL_INLINE float f32_fold(__m256 v)
{
    return f32_fold128(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
#define FL_TYPE f32
#define FL_LANES 8
#define FL_TAIL 8
#include "float/kernels.h"

typedef __m256d f64_vec;
typedef size_t f64_live;
FL_INLINE size_t f64_all(void) { return 4; }
FL_INLINE size_t f64_first(size_t k) { return k; }
FL_INLINE __m256i f64_mask(size_t k)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)k), _mm256_setr_epi64x(0, 1, 2, 3));
}
FL_INLINE __m256d f64_load(const double *p, size_t k)
{
    return k == 4 ? _mm256_loadu_pd(p) : _mm256_maskload_pd(p, f64_mask(k));
}
FL_INLINE void f64_store(double *p, __m256d v, size_t k)
{
    __m128d rest = _mm256_castpd256_pd128(v);
    if (k == 4) {
        _mm256_storeu_pd(p, v);
        return;
    }
    if (k & 2) {
        _mm_storeu_pd(p, rest);
        rest = _mm256_extractf128_pd(v, 1);
        p += 2;
    }
    if (k & 1)
        _mm_store_sd(p, rest);
}
FL_INLINE void f64_stream(double *p, __m256d v, size_t k)
{
    if (k % 2) {
        f64_store(p, v, k);
        return;
    }
    _mm_stream_pd(p, _mm256_castpd256_pd128(v));
    if (k == 4)
        _mm_stream_pd(p + 2, _mm256_extractf128_pd(v, 1));
}
FL_INLINE __m256d f64_set(double s) { return _mm256_set1_pd(s); }
FL_INLINE __m256d f64_mul(__m256d a, __m256d b) { return _mm256_mul_pd(a, b); }
FL_INLINE __m256d f64_add(__m256d a, __m256d b) { return _mm256_add_pd(a, b); }
FL_INLINE __m256d f64_pick(__m256d x, __m256d a, __m256d b)
{
    const __m256d mask = _mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_GT_OQ);
    __asm__("vblendvpd %2, %1, %0, %0" : "+x"(b) : "x"(a), "x"(mask));
    return b;
}
FL_INLINE double f64_fold(__m256d v)
{
    return f64_fold128(_mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1)));
}
#define FL_TYPE f64
#define FL_LANES 4
#define FL_TAIL 4
#include "float/kernels.h"

FL_INLINE __m128i half_load(const uint16_t *p, size_t k)
{
    uint16_t rest[8] = {0};
    if (k == 8)
        return _mm_loadu_si128((const __m128i *)p);
    for (size_t i = 0; i < k; i++)
        rest[i] = p[i];
    return _mm_loadu_si128((const __m128i *)rest);
}
FL_INLINE void half_store(uint16_t *p, __m128i v, size_t k, int past)
{
    uint16_t rest[8];
    if (k == 8) {
        past ? _mm_stream_si128((__m128i *)p, v) : _mm_storeu_si128((__m128i *)p, v);
        return;
    }
    _mm_storeu_si128((__m128i *)rest, v);
    for (size_t i = 0; i < k; i++)
        p[i] = rest[i];
}

FL_INLINE __m128i f16_of(__m256 v) { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }
FL_INLINE __m256 f16_load(const f16_num *p, size_t k) { return _mm256_cvtph_ps(half_load(p, k)); }
FL_INLINE void f16_store(f16_num *p, __m256 v, size_t k) { half_store(p, f16_of(v), k, 0); }
FL_INLINE void f16_stream(f16_num *p, __m256 v, size_t k) { half_store(p, f16_of(v), k, 1); }
#define FL_TYPE f16
#define FL_WIDE f32
#define FL_LANES 8
#define FL_TAIL 8
#include "float/widened.h"

#include "isa/avx2_bfloat16.h"

#include "isa/avx2_integers.h"

#include "quantized/kernels.h"

FL_ISA_END
#endif
