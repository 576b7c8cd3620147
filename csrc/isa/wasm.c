/* wasm.c - WebAssembly's 128-bit vectors: four floats or two doubles. The tail goes one element at a time. Four
 * registers a step take up to a sixth less time in V8, but for the heavy kernels, which gain nothing.
 * SPDX-License-Identifier: MIT */
#define FL_NAME wasm
#include "isa.h"
#if FL_WASM
#include <wasm_simd128.h>

/* An engine runs a module as it was compiled, or not at all. */
static int fl_available(void) { return 1; }

typedef v128_t f32_vec;
FL_INLINE v128_t f32_load(const float *p, size_t n) { return n > 1 ? wasm_v128_load(p) : wasm_v128_load32_zero(p); }
FL_INLINE void f32_store(float *p, v128_t v, size_t n)
{
    n > 1 ? wasm_v128_store(p, v) : wasm_v128_store32_lane(p, v, 0);
}
FL_INLINE v128_t f32_set(float s) { return wasm_f32x4_splat(s); }
FL_INLINE v128_t f32_mul(v128_t a, v128_t b, size_t n) { return (void)n, wasm_f32x4_mul(a, b); }
FL_INLINE v128_t f32_add(v128_t a, v128_t b, size_t n) { return (void)n, wasm_f32x4_add(a, b); }
FL_INLINE v128_t f32_select(v128_t x, v128_t a, v128_t b, size_t n)
{
    return (void)n, wasm_v128_bitselect(a, b, wasm_f32x4_gt(x, wasm_f32x4_const_splat(0)));
}
/* pmin(a, b) is b < a ? b : a, and pmax(a, b) is a < b ? b : a. */
FL_INLINE v128_t f32_clamp(v128_t v, v128_t limit, size_t n)
{
    return (void)n, wasm_f32x4_pmax(wasm_f32x4_pmin(v, limit), wasm_f32x4_neg(limit));
}
FL_INLINE v128_t f32_within(v128_t v, v128_t limit, v128_t a, size_t n)
{
    return (void)n, wasm_v128_andnot(a, wasm_f32x4_ge(wasm_f32x4_abs(v), limit));
}
FL_INLINE float f32_reduce_add(v128_t v)
{
    const v128_t two = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}
#define FL_TYPE f32
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 4
#include "float/kernels.h"

typedef v128_t f64_vec;
FL_INLINE v128_t f64_load(const double *p, size_t n) { return n > 1 ? wasm_v128_load(p) : wasm_v128_load64_zero(p); }
FL_INLINE void f64_store(double *p, v128_t v, size_t n)
{
    n > 1 ? wasm_v128_store(p, v) : wasm_v128_store64_lane(p, v, 0);
}
FL_INLINE v128_t f64_set(double s) { return wasm_f64x2_splat(s); }
FL_INLINE v128_t f64_mul(v128_t a, v128_t b, size_t n) { return (void)n, wasm_f64x2_mul(a, b); }
FL_INLINE v128_t f64_add(v128_t a, v128_t b, size_t n) { return (void)n, wasm_f64x2_add(a, b); }
FL_INLINE v128_t f64_select(v128_t x, v128_t a, v128_t b, size_t n)
{
    return (void)n, wasm_v128_bitselect(a, b, wasm_f64x2_gt(x, wasm_f64x2_const_splat(0)));
}
FL_INLINE v128_t f64_clamp(v128_t v, v128_t limit, size_t n)
{
    return (void)n, wasm_f64x2_pmax(wasm_f64x2_pmin(v, limit), wasm_f64x2_neg(limit));
}
FL_INLINE v128_t f64_within(v128_t v, v128_t limit, v128_t a, size_t n)
{
    return (void)n, wasm_v128_andnot(a, wasm_f64x2_ge(wasm_f64x2_abs(v), limit));
}
FL_INLINE double f64_reduce_add(v128_t v) { return wasm_f64x2_extract_lane(v, 0) + wasm_f64x2_extract_lane(v, 1); }
#define FL_TYPE f64
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 2
#include "float/kernels.h"

/* Four halves, each in the lower half of its lane. */
FL_INLINE v128_t half_load(const uint16_t *p, size_t n)
{
    return n > 1 ? wasm_u32x4_load16x4(p) : wasm_i32x4_make(*p, 0, 0, 0);
}
FL_INLINE void half_store(uint16_t *p, v128_t v, size_t n)
{
    const v128_t h = wasm_u16x8_narrow_i32x4(v, v);
    n > 1 ? wasm_v128_store64_lane(p, h, 0) : wasm_v128_store16_lane(p, h, 0);
}

/* The arithmetic is that of half.h. */
FL_INLINE v128_t f16_of(v128_t h)
{
    const v128_t b = wasm_v128_and(h, wasm_i32x4_const_splat(0x7fff));
    const v128_t sign = wasm_i32x4_shl(wasm_v128_xor(h, b), 16);
    const v128_t small = wasm_i32x4_lt(b, wasm_i32x4_const_splat(0x400));
    const v128_t large = wasm_i32x4_gt(b, wasm_i32x4_const_splat(0x7bff)), bias = wasm_i32x4_const_splat(112 << 23);
    const v128_t normal = wasm_i32x4_add(wasm_i32x4_shl(b, 13), wasm_i32x4_add(bias, wasm_v128_and(large, bias)));
    const v128_t subnormal = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(b), wasm_f32x4_const_splat(0x1p-24f));
    return wasm_v128_or(sign, wasm_v128_bitselect(subnormal, normal, small));
}
FL_INLINE v128_t f16_narrowed(v128_t v)
{
    const v128_t a = wasm_f32x4_abs(v), sign = wasm_u32x4_shr(wasm_v128_xor(v, a), 16);
    const v128_t odd = wasm_v128_and(wasm_u32x4_shr(a, 13), wasm_i32x4_const_splat(1));
    const v128_t near = wasm_i32x4_add(wasm_i32x4_add(a, wasm_i32x4_const_splat(0xfff - (112 << 23))), odd);
    const v128_t half = wasm_f32x4_add(a, wasm_f32x4_const_splat(0.5f));
    v128_t h = wasm_v128_bitselect(wasm_i32x4_sub(half, wasm_i32x4_const_splat(0x3f000000)), wasm_u32x4_shr(near, 13),
                                   wasm_i32x4_lt(a, wasm_i32x4_const_splat(0x38800000)));
    h = wasm_v128_bitselect(wasm_i32x4_const_splat(0x7c00), h, wasm_i32x4_gt(a, wasm_i32x4_const_splat(0x477fffff)));
    const v128_t nan = wasm_i32x4_gt(a, wasm_i32x4_const_splat(0x7f800000));
    return wasm_v128_or(sign, wasm_v128_or(h, wasm_v128_and(nan, wasm_i32x4_const_splat(0x7e00))));
}
FL_INLINE v128_t f16_load(const f16_num *p, size_t n) { return f16_of(half_load(p, n)); }
FL_INLINE void f16_store(f16_num *p, v128_t v, size_t n) { half_store(p, f16_narrowed(v), n); }
FL_INLINE v128_t f16_rounded(v128_t v) { return f16_of(f16_narrowed(v)); }
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 4
#include "float/kernels.h"

FL_INLINE v128_t bf16_of(v128_t h) { return wasm_i32x4_shl(h, 16); }
/* The arithmetic is that of half.h, with its test for NaN: here a NaN that is computed may have any payload. */
FL_INLINE v128_t bf16_narrowed(v128_t b)
{
    const v128_t odd = wasm_v128_and(wasm_u32x4_shr(b, 16), wasm_i32x4_const_splat(1));
    const v128_t near = wasm_i32x4_add(wasm_i32x4_add(b, wasm_i32x4_const_splat(0x7fff)), odd);
    const v128_t quiet = wasm_v128_or(b, wasm_i32x4_const_splat(0x400000));
    return wasm_u32x4_shr(wasm_v128_bitselect(quiet, near, wasm_f32x4_ne(b, b)), 16);
}
FL_INLINE v128_t bf16_load(const bf16_num *p, size_t n) { return bf16_of(half_load(p, n)); }
FL_INLINE void bf16_store(bf16_num *p, v128_t v, size_t n) { half_store(p, bf16_narrowed(v), n); }
FL_INLINE v128_t bf16_rounded(v128_t v) { return bf16_of(bf16_narrowed(v)); }
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_REGISTERS 4
#define FL_HEAVY_REGISTERS 1
#define FL_PER_REGISTER 4
#include "float/kernels.h"

#include "quantized/requantization.h"

#define FL_INTS 4
#define FL_GENERIC_REQUANTIZE
#define FL_REQUANTIZE32
typedef v128_t i32_vec; /* to the compiler a vector of int32_t */
FL_INLINE i32_vec i32_set(int32_t s) { return wasm_i32x4_splat(s); }
FL_INLINE i32_vec i32_load(const int32_t *p) { return wasm_v128_load(p); }
FL_INLINE i32_vec i32_select(i32_vec x, i32_vec a, i32_vec b)
{
    return wasm_v128_bitselect(a, b, wasm_i32x4_gt(x, wasm_i32x4_const_splat(0)));
}
FL_INLINE i32_vec i32_high(i32_vec a, i32_vec b)
{
    return wasm_i32x4_shuffle(wasm_i64x2_extmul_low_i32x4(a, b), wasm_i64x2_extmul_high_i32x4(a, b), 1, 3, 5, 7);
}
FL_INLINE i32_vec i8_load(const int8_t *q, int32_t zero, size_t n)
{
    const v128_t eight = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(q));
    return (void)n, wasm_i32x4_extend_low_i16x8(eight) - zero;
}
FL_INLINE i32_vec u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    const v128_t eight = wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(q));
    return (void)n, wasm_u32x4_extend_low_u16x8(eight) - zero;
}
FL_INLINE i32_vec i16_load(const int16_t *q, int32_t zero, size_t n)
{
    return (void)zero, (void)n, wasm_i32x4_load16x4(q);
}
FL_INLINE v128_t i32_narrow(i32_vec v) { return wasm_i16x8_narrow_i32x4(v, v); }
FL_INLINE void i8_store(int8_t *p, i32_vec v, size_t n)
{
    const v128_t h = i32_narrow(v);
    (void)n, wasm_v128_store32_lane(p, wasm_i8x16_narrow_i16x8(h, h), 0);
}
FL_INLINE void u8_store(uint8_t *p, i32_vec v, size_t n)
{
    const v128_t h = i32_narrow(v);
    (void)n, wasm_v128_store32_lane(p, wasm_u8x16_narrow_i16x8(h, h), 0);
}
FL_INLINE void i16_store(int16_t *p, i32_vec v, size_t n) { (void)n, wasm_v128_store64_lane(p, i32_narrow(v), 0); }

/* Tables are looked up byte by byte: by sixteen swizzles for 16 bytes it takes a fifth longer in V8 on x86. */
#include "quantized/kernels.h"

FL_ISA_END
#endif
