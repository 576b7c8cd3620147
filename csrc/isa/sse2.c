/* sse2.c - four floats or two doubles; every x86-64 has it. The tail goes one element at a time.
 * SPDX-License-Identifier: MIT */
#define FL_NAME sse2
#define FL_TARGET "sse2"
#include "isa.h"
#if FL_X86
#include "isa/x86.h"

static int fl_available(void)
{
    unsigned a, b, c, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) && (d & bit_SSE2);
}

typedef __m128 f32_vec;
FL_INLINE __m128 f32_load(const float *p, size_t n) { return n > 1 ? _mm_loadu_ps(p) : _mm_load_ss(p); }
FL_INLINE void f32_store(float *p, __m128 v, size_t n) { n > 1 ? _mm_storeu_ps(p, v) : _mm_store_ss(p, v); }
FL_INLINE void f32_stream(float *p, __m128 v, size_t n) { n > 1 ? _mm_stream_ps(p, v) : _mm_store_ss(p, v); }
FL_INLINE __m128 f32_set(float s) { return _mm_set1_ps(s); }
FL_INLINE __m128 f32_mul(__m128 a, __m128 b, size_t n) { return (void)n, _mm_mul_ps(a, b); }
FL_INLINE __m128 f32_add(__m128 a, __m128 b, size_t n) { return (void)n, _mm_add_ps(a, b); }
FL_INLINE __m128 f32_select(__m128 x, __m128 a, __m128 b, size_t n)
{
    (void)n;
    const __m128 m = _mm_cmpgt_ps(x, _mm_setzero_ps());
    return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b));
}
/* Where either is NaN, min and max give their second operand. */
FL_INLINE __m128 f32_clamp(__m128 v, __m128 limit, size_t n)
{
    return (void)n, _mm_max_ps(_mm_sub_ps(_mm_setzero_ps(), limit), _mm_min_ps(limit, v));
}
FL_INLINE __m128 f32_within(__m128 v, __m128 limit, __m128 a, size_t n)
{
    const __m128 size = _mm_andnot_ps(_mm_set1_ps(-0.0f), v);
    return (void)n, _mm_andnot_ps(_mm_cmpge_ps(size, limit), a);
}
FL_INLINE float f32_reduce_add(__m128 v) { return f32_reduce_add128(v); }
#define FL_TYPE f32
#define FL_LANES 4
#include "float/kernels.h"

typedef __m128d f64_vec;
FL_INLINE __m128d f64_load(const double *p, size_t n) { return n > 1 ? _mm_loadu_pd(p) : _mm_load_sd(p); }
FL_INLINE void f64_store(double *p, __m128d v, size_t n) { n > 1 ? _mm_storeu_pd(p, v) : _mm_store_sd(p, v); }
FL_INLINE void f64_stream(double *p, __m128d v, size_t n) { n > 1 ? _mm_stream_pd(p, v) : _mm_store_sd(p, v); }
FL_INLINE __m128d f64_set(double s) { return _mm_set1_pd(s); }
FL_INLINE __m128d f64_mul(__m128d a, __m128d b, size_t n) { return (void)n, _mm_mul_pd(a, b); }
FL_INLINE __m128d f64_add(__m128d a, __m128d b, size_t n) { return (void)n, _mm_add_pd(a, b); }
FL_INLINE __m128d f64_select(__m128d x, __m128d a, __m128d b, size_t n)
{
    (void)n;
    const __m128d m = _mm_cmpgt_pd(x, _mm_setzero_pd());
    return _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b));
}
FL_INLINE __m128d f64_clamp(__m128d v, __m128d limit, size_t n)
{
    return (void)n, _mm_max_pd(_mm_sub_pd(_mm_setzero_pd(), limit), _mm_min_pd(limit, v));
}
FL_INLINE __m128d f64_within(__m128d v, __m128d limit, __m128d a, size_t n)
{
    const __m128d size = _mm_andnot_pd(_mm_set1_pd(-0.0), v);
    return (void)n, _mm_andnot_pd(_mm_cmpge_pd(size, limit), a);
}
FL_INLINE double f64_reduce_add(__m128d v) { return f64_reduce_add128(v); }
#define FL_TYPE f64
#define FL_LANES 2
#include "float/kernels.h"

/* Four halves, each in the upper half of its lane. */
FL_INLINE __m128i half_load(const uint16_t *p, size_t n)
{
    return n > 1 ? _mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i *)p))
                 : _mm_cvtsi32_si128((int)((unsigned)*p << 16));
}
/* Four halves, each in the lower half of its lane, the sign above. */
FL_INLINE void half_store(uint16_t *p, __m128i v, size_t n)
{
    if (n > 1)
        _mm_storel_epi64((__m128i *)p, _mm_packs_epi32(v, v));
    else
        *p = (uint16_t)_mm_cvtsi128_si32(v);
}
FL_INLINE __m128i either(__m128i mask, __m128i a, __m128i b)
{
    return _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b));
}
FL_INLINE __m128i all_of(unsigned bits) { return _mm_set1_epi32((int)bits); }

/* The arithmetic is that of half.h. */
FL_INLINE __m128 f16_of(__m128i h) /* each in the upper half of its lane */
{
    const __m128i sign = _mm_and_si128(h, all_of(0x80000000));
    const __m128i b = _mm_srli_epi32(_mm_andnot_si128(all_of(0x80000000), h), 16);
    const __m128i large = _mm_cmpgt_epi32(b, all_of(0x7bff)), small = _mm_cmplt_epi32(b, all_of(0x400));
    const __m128i bias = _mm_add_epi32(all_of(112u << 23), _mm_and_si128(large, all_of(112u << 23)));
    const __m128i normal = _mm_add_epi32(_mm_slli_epi32(b, 13), bias);
    const __m128i subnormal = _mm_castps_si128(_mm_mul_ps(_mm_cvtepi32_ps(b), _mm_set1_ps(0x1p-24f)));
    return _mm_castsi128_ps(_mm_or_si128(sign, either(small, subnormal, normal)));
}
FL_INLINE __m128i f16_narrowed(__m128 v)
{
    const __m128i b = _mm_castps_si128(v), a = _mm_and_si128(b, all_of(0x7fffffff));
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(a, 13), all_of(1)), infinity = all_of(0x7c00);
    const __m128i near = _mm_add_epi32(_mm_add_epi32(a, all_of(0xfff - (112u << 23))), odd);
    const __m128i half = _mm_castps_si128(_mm_add_ps(_mm_castsi128_ps(a), _mm_set1_ps(0.5f)));
    __m128i h = either(_mm_cmplt_epi32(a, all_of(0x38800000)), _mm_sub_epi32(half, all_of(0x3f000000)),
                       _mm_srli_epi32(near, 13));
    h = either(_mm_cmpgt_epi32(a, all_of(0x477fffff)), infinity, h);
    h = _mm_or_si128(h, _mm_and_si128(_mm_cmpgt_epi32(a, all_of(0x7f800000)), all_of(0x7e00)));
    return _mm_or_si128(h, _mm_slli_epi32(_mm_srai_epi32(b, 31), 15));
}
FL_INLINE __m128 f16_load(const f16_num *p, size_t n) { return f16_of(half_load(p, n)); }
FL_INLINE void f16_store(f16_num *p, __m128 v, size_t n) { half_store(p, f16_narrowed(v), n); }
FL_INLINE __m128 f16_rounded(__m128 v) { return f16_of(_mm_slli_epi32(f16_narrowed(v), 16)); }
FL_INLINE void f16_stream(f16_num *p, __m128 v, size_t n) { f16_store(p, v, n); }
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_LANES 4
#include "float/kernels.h"

FL_INLINE __m128 bf16_load(const bf16_num *p, size_t n) { return _mm_castsi128_ps(half_load(p, n)); }
FL_INLINE __m128i bf16_narrowed(__m128 v) /* as half.h does it, but for NaN: see splat() in float/row.h */
{
    const __m128i b = _mm_castps_si128(v), odd = _mm_and_si128(_mm_srli_epi32(b, 16), all_of(1));
    return _mm_srai_epi32(_mm_add_epi32(_mm_add_epi32(b, all_of(0x7fff)), odd), 16);
}
FL_INLINE void bf16_store(bf16_num *p, __m128 v, size_t n) { half_store(p, bf16_narrowed(v), n); }
FL_INLINE __m128 bf16_rounded(__m128 v) { return _mm_castsi128_ps(_mm_slli_epi32(bf16_narrowed(v), 16)); }
FL_INLINE void bf16_stream(bf16_num *p, __m128 v, size_t n) { bf16_store(p, v, n); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_LANES 4
#include "float/kernels.h"

#define FL_INTS 4
#define FL_GENERIC_REQUANTIZE
#define FL_REQUANTIZE32
typedef int32_t i32_vec __attribute__((vector_size(16)));
typedef uint32_t four_bytes __attribute__((aligned(1), may_alias));
FL_INLINE i32_vec i32_set(int32_t s) { return (i32_vec)_mm_set1_epi32(s); }
FL_INLINE i32_vec i32_select(i32_vec x, i32_vec a, i32_vec b) { return b ^ ((a ^ b) & (x > 0)); }
/* From the unsigned product: for each negative factor, 2^32 times the other factor is subtracted. */
FL_INLINE i32_vec i32_high(i32_vec a, i32_vec b)
{
    const __m128i v = (__m128i)a, w = (__m128i)b, mask = _mm_setr_epi32(-1, 0, -1, 0);
    const __m128i even = _mm_srli_epi64(_mm_mul_epu32(v, w), 32);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(v, 32), _mm_srli_epi64(w, 32));
    const __m128i more = _mm_add_epi32((__m128i)(a >> 31 & b), (__m128i)(b >> 31 & a));
    const __m128i product = _mm_or_si128(_mm_and_si128(mask, even), _mm_andnot_si128(mask, odd));
    return (i32_vec)_mm_sub_epi32(product, more);
}
FL_INLINE __m128i four_of(const void *p)
{
    const __m128i v = _mm_cvtsi32_si128((int)*(const four_bytes *)p);
    return _mm_unpacklo_epi16(_mm_setzero_si128(), _mm_unpacklo_epi8(_mm_setzero_si128(), v));
}
FL_INLINE i32_vec i32_load(const int32_t *p) { return (i32_vec)_mm_loadu_si128((const __m128i *)p); }
FL_INLINE i32_vec i8_load(const int8_t *q, int32_t zero, size_t n)
{
    return (void)n, (i32_vec)_mm_srai_epi32(four_of(q), 24) - zero;
}
FL_INLINE i32_vec u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    return (void)n, (i32_vec)_mm_srli_epi32(four_of(q), 24) - zero;
}
FL_INLINE i32_vec i16_load(const int16_t *q, int32_t zero, size_t n)
{
    const __m128i v = _mm_loadl_epi64((const __m128i *)q);
    return (void)zero, (void)n, (i32_vec)_mm_srai_epi32(_mm_unpacklo_epi16(v, v), 16);
}
FL_INLINE __m128i i32_narrow(i32_vec v) { return _mm_packs_epi32((__m128i)v, (__m128i)v); }
FL_INLINE void i8_store(int8_t *p, i32_vec v, size_t n)
{
    const __m128i h = i32_narrow(v);
    (void)n, *(four_bytes *)p = (uint32_t)_mm_cvtsi128_si32(_mm_packs_epi16(h, h));
}
FL_INLINE void u8_store(uint8_t *p, i32_vec v, size_t n)
{
    const __m128i h = i32_narrow(v);
    (void)n, *(four_bytes *)p = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(h, h));
}
FL_INLINE void i16_store(int16_t *p, i32_vec v, size_t n) { (void)n, _mm_storel_epi64((__m128i *)p, i32_narrow(v)); }

#define FL_LINEAR 16
typedef __m128i linear_bytes;
#define FL_MM(word) FL_PASTE(_mm, word)
#include "isa/x86_piecewise_linear.h"
#include "quantized/kernels.h"

FL_ISA_END
#endif
