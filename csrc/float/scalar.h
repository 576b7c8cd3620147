/* scalar.h - the kernels of FL_TYPE in plain C, one lane: for scalar.c, and for sets without operations for that type.
 * SPDX-License-Identifier: MIT */
#include "float/arguments.h"

#ifndef FL_ONE_LANE
/* x > 0: the bits of +0 are 0, which wraps, and those of NaN and of negative numbers are above infinity's. */
FL_INLINE int f32_positive(float x) { return FL_SOFT_F32 ? fl_bits_of(x) - 1 < 0x7f800000 : x > 0; }
FL_INLINE int f64_positive(double x)
{
    const union {
        double number;
        uint64_t bits;
    } v = {x};
    return FL_SOFT_F64 ? v.bits - 1 < 0x7ff0000000000000 : x > 0;
}

#define FL_ONE_LANE(V, ACC, ROUNDED, POSITIVE)                                                                         \
    typedef ACC V##_vec;                                                                                               \
    FL_INLINE ACC V##_load(const ACC *p, size_t n) { return (void)n, *p; }                                             \
    FL_INLINE void V##_store(ACC *p, ACC v, size_t n) { (void)n, *p = v; }                                             \
    FL_INLINE ACC V##_set(ACC s) { return s; }                                                                         \
    FL_INLINE ACC V##_mul(ACC a, ACC b, size_t n) { return (void)n, ROUNDED(a * b); }                                  \
    FL_INLINE ACC V##_add(ACC a, ACC b, size_t n) { return (void)n, ROUNDED(a + b); }                                  \
    FL_INLINE ACC V##_select(ACC x, ACC a, ACC b, size_t n) { return (void)n, POSITIVE(x) ? a : b; }                   \
    FL_INLINE ACC V##_clamp(ACC v, ACC limit, size_t n)                                                                \
    {                                                                                                                  \
        return (void)n, v > limit ? limit : v < -limit ? -limit : v;                                                   \
    }                                                                                                                  \
    FL_INLINE ACC V##_within(ACC v, ACC limit, ACC a, size_t n) { return (void)n, v >= limit || -v >= limit ? 0 : a; } \
    FL_INLINE ACC V##_reduce_add(ACC v) { return v; }
FL_ONE_LANE(scalar_f32, float, f32_scalar, f32_positive)
FL_ONE_LANE(scalar_f64, double, f64_scalar, f64_positive)
#endif

#ifdef FL_COMPUTE /* 16 bits: a call, since a fused operation has it three times */
#define FL_ROUNDING FL_FUNCTION FL_NOINLINE
#else
#define FL_ROUNDING FL_INLINE
#define FL_COMPUTE FL_TYPE
#endif
#define FL_VECTORS FL_PASTE(scalar, FL_COMPUTE)
#define FL_LANES 1

FL_INLINE FL_PASTE(FL_VECTORS, vec) FL_PASTE(FL_TYPE, load)(const FL_PASTE(FL_TYPE, num) * p, size_t n)
{
    return (void)n, FL_PASTE(FL_TYPE, widen)(*p);
}
FL_INLINE void FL_PASTE(FL_TYPE, store)(FL_PASTE(FL_TYPE, num) * p, FL_PASTE(FL_VECTORS, vec) v, size_t n)
{
    (void)n, *p = FL_PASTE(FL_TYPE, narrow)(v);
}
FL_ROUNDING FL_PASTE(FL_VECTORS, vec) FL_PASTE(FL_TYPE, rounded)(FL_PASTE(FL_VECTORS, vec) v)
{
    v = FL_PASTE(FL_TYPE, widen)(FL_PASTE(FL_TYPE, narrow)(v));
    FL_END_OF_STEP(v);
    return v;
}
#undef FL_ROUNDING
#include "float/kernels.h"
