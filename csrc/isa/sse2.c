/* sse2.c - four floats or two doubles; the floor of x86-64. The tail goes one element at a time.
 * SPDX-License-Identifier: MIT */
#define FL_NAME sse2
#define FL_TARGET "sse2"
#include "../isa.h"
#if FL_X86
#include "x86.h"

static int fl_available(void)
{
    unsigned a, b, c, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) && (d & bit_SSE2);
}

typedef __m128 f32_vec;
typedef int f32_live; /* all lanes, or only the first */
FL_INLINE int f32_all(void) { return 1; }
FL_INLINE int f32_first(size_t k) { return (void)k, 0; }
FL_INLINE __m128 f32_load(const float *p, int all) { return all ? _mm_loadu_ps(p) : _mm_load_ss(p); }
FL_INLINE void f32_store(float *p, __m128 v, int all) { all ? _mm_storeu_ps(p, v) : _mm_store_ss(p, v); }
FL_INLINE void f32_stream(float *p, __m128 v, int all) { all ? _mm_stream_ps(p, v) : _mm_store_ss(p, v); }
FL_INLINE __m128 f32_set(float s) { return _mm_set1_ps(s); }
FL_INLINE __m128 f32_mul(__m128 a, __m128 b) { return _mm_mul_ps(a, b); }
FL_INLINE __m128 f32_add(__m128 a, __m128 b) { return _mm_add_ps(a, b); }
FL_INLINE __m128 f32_pick(__m128 x, __m128 a, __m128 b)
{
    const __m128 m = _mm_cmpgt_ps(x, _mm_setzero_ps());
    return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b));
}
FL_INLINE float f32_fold(__m128 v) { return f32_fold128(v); }
#define FL_TYPE f32
#define FL_LANES 4
#define FL_TAIL 1
#include "../kernels.h"

typedef __m128d f64_vec;
typedef int f64_live;
FL_INLINE int f64_all(void) { return 1; }
FL_INLINE int f64_first(size_t k) { return (void)k, 0; }
FL_INLINE __m128d f64_load(const double *p, int all) { return all ? _mm_loadu_pd(p) : _mm_load_sd(p); }
FL_INLINE void f64_store(double *p, __m128d v, int all) { all ? _mm_storeu_pd(p, v) : _mm_store_sd(p, v); }
FL_INLINE void f64_stream(double *p, __m128d v, int all) { all ? _mm_stream_pd(p, v) : _mm_store_sd(p, v); }
FL_INLINE __m128d f64_set(double s) { return _mm_set1_pd(s); }
FL_INLINE __m128d f64_mul(__m128d a, __m128d b) { return _mm_mul_pd(a, b); }
FL_INLINE __m128d f64_add(__m128d a, __m128d b) { return _mm_add_pd(a, b); }
FL_INLINE __m128d f64_pick(__m128d x, __m128d a, __m128d b)
{
    const __m128d m = _mm_cmpgt_pd(x, _mm_setzero_pd());
    return _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b));
}
FL_INLINE double f64_fold(__m128d v) { return f64_fold128(v); }
#define FL_TYPE f64
#define FL_LANES 2
#define FL_TAIL 1
#include "../kernels.h"

FL_TABLE
#endif
