/* rvv.c - RISC-V vectors 1.0 of any length from 128 bits on. A group of four registers holds the sixteen floats of a
 * block at the smallest length, a group of eight the sixteen doubles; so e32m4 gives the lengths of both.
 * SPDX-License-Identifier: MIT */
#define FL_NAME rvv
#define FL_TARGET "arch=+v"
#include "isa.h"
#if FL_RVV
#include <riscv_vector.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

/* Linux reports vectors, but some vendors' kernels also report version 0.7. That has no agnostic tails, so there
 * vsetvli finds these settings illegal and returns the length 0. */
FL_FUNCTION int fl_available(void)
{
#ifdef __linux__
    if (!(getauxval(AT_HWCAP) & 1ul << ('V' - 'A')))
        return 0;
#endif
    return __riscv_vsetvlmax_e8m1() >= 16;
}

/* The operations for one type T of N bits, in register groups of M; compares give masks of type B. L is the type and
 * group with as many lanes that the compiler has where it is not told of vectors: elements of 64 bits it has not. */
#define RVV(name, T, N, M, B, L)                                                                                       \
    typedef vfloat##N##M##_t name##_vec;                                                                               \
    FL_INLINE size_t name##_lanes(size_t n) { return __riscv_vsetvl_##L(n); }                                          \
    FL_INLINE name##_vec name##_load(const T *p, size_t n) { return __riscv_vle##N##_v_f##N##M(p, n); }                \
    FL_INLINE void name##_store(T *p, name##_vec v, size_t n) { __riscv_vse##N##_v_f##N##M(p, v, n); }                 \
    FL_INLINE name##_vec name##_set(T s) { return __riscv_vfmv_v_f_f##N##M(s, __riscv_vsetvlmax_##L()); }              \
    FL_INLINE name##_vec name##_mul(name##_vec a, name##_vec b, size_t n)                                              \
    {                                                                                                                  \
        return __riscv_vfmul_vv_f##N##M(a, b, n);                                                                      \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_add(name##_vec a, name##_vec b, size_t n)                                              \
    {                                                                                                                  \
        return __riscv_vfadd_vv_f##N##M(a, b, n);                                                                      \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_select(name##_vec x, name##_vec a, name##_vec b, size_t n)                             \
    {                                                                                                                  \
        return __riscv_vmerge_vvm_f##N##M(b, a, __riscv_vmfgt_vf_f##N##M##_##B(x, 0, n), n);                           \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_clamp(name##_vec v, name##_vec limit, size_t n)                                        \
    {                                                                                                                  \
        const name##_vec least = __riscv_vfneg_v_f##N##M(limit, n);                                                    \
        v = __riscv_vmerge_vvm_f##N##M(v, limit, __riscv_vmfgt_vv_f##N##M##_##B(v, limit, n), n);                      \
        return __riscv_vmerge_vvm_f##N##M(v, least, __riscv_vmflt_vv_f##N##M##_##B(v, least, n), n);                   \
    }                                                                                                                  \
    FL_INLINE name##_vec name##_within(name##_vec v, name##_vec limit, name##_vec a, size_t n)                         \
    {                                                                                                                  \
        const name##_vec size = __riscv_vfabs_v_f##N##M(v, n);                                                         \
        return __riscv_vfmerge_vfm_f##N##M(a, 0, __riscv_vmfge_vv_f##N##M##_##B(size, limit, n), n);                   \
    }
#define RVV_REDUCE_ADD(name, T, N, M)                                                                                  \
    FL_INLINE T name##_reduce_add(name##_vec v)                                                                        \
    {                                                                                                                  \
        for (size_t half = 8; half; half /= 2)                                                                         \
            v = __riscv_vfadd_vv_f##N##M(v, __riscv_vslidedown_vx_f##N##M(v, half, half), half);                       \
        return __riscv_vfmv_f_s_f##N##M##_f##N(v);                                                                     \
    }
RVV(f32m8, float, 32, m8, b4, e32m8)
RVV(f32m4, float, 32, m4, b8, e32m4)
RVV(f64m8, double, 64, m8, b8, e32m4)
RVV_REDUCE_ADD(f32m4, float, 32, m4)
RVV_REDUCE_ADD(f64m8, double, 64, m8)

#define FL_TYPE f32
#define FL_PREFIX f32m8
#define FL_LANES 16
#define FL_SCALABLE
#define FL_ONLY_LIGHT
#include "float/kernels.h"

#define FL_TYPE f32
#define FL_PREFIX f32m4
#define FL_LANES 16
#define FL_SCALABLE
#define FL_ONLY_HEAVY
#include "float/kernels.h"

#define FL_TYPE f64
#define FL_PREFIX f64m8
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

/* float16 and bfloat16 in half as many registers (H), computed in a group of M. A narrowing clip shifts right and
 * rounds to nearest even: as half.h does it, but for a NaN, whose lower bits are 0 (splat() in float/row.h), or
 * which is canonical, as all are that an operation makes. */
#define RVV_HALF(name, M, H, OF, NARROWED)                                                                             \
    FL_INLINE vfloat32##M##_t name##_load(const uint16_t *p, size_t n) { return OF(__riscv_vle16_v_u16##H(p, n), n); } \
    FL_INLINE void name##_store(uint16_t *p, vfloat32##M##_t v, size_t n)                                              \
    {                                                                                                                  \
        __riscv_vse16_v_u16##H(p, NARROWED(v, n), n);                                                                  \
    }                                                                                                                  \
    FL_INLINE vfloat32##M##_t name##_rounded(vfloat32##M##_t v)                                                        \
    {                                                                                                                  \
        const size_t n = __riscv_vsetvlmax_e32##M();                                                                   \
        return OF(NARROWED(v, n), n);                                                                                  \
    }
#define RVV_BF16(M, H)                                                                                                 \
    FL_INLINE vfloat32##M##_t bf16_of_##M(vuint16##H##_t h, size_t n)                                                  \
    {                                                                                                                  \
        const vuint32##M##_t wide = __riscv_vzext_vf2_u32##M(h, n);                                                    \
        return __riscv_vreinterpret_v_u32##M##_f32##M(__riscv_vsll_vx_u32##M(wide, 16, n));                            \
    }                                                                                                                  \
    FL_INLINE vuint16##H##_t bf16_narrowed_##M(vfloat32##M##_t v, size_t n)                                            \
    {                                                                                                                  \
        const vuint32##M##_t bits = __riscv_vreinterpret_v_f32##M##_u32##M(v);                                         \
        return __riscv_vnclipu_wx_u16##H(bits, 16, __RISCV_VXRM_RNE, n);                                               \
    }
RVV_BF16(m8, m4)
RVV_BF16(m4, m2)
RVV_HALF(bf16m8, m8, m4, bf16_of_m8, bf16_narrowed_m8)
RVV_HALF(bf16m4, m4, m2, bf16_of_m4, bf16_narrowed_m4)

#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_PREFIX bf16m8
#define FL_VECTORS f32m8
#define FL_LANES 16
#define FL_SCALABLE
#define FL_ONLY_LIGHT
#include "float/kernels.h"

#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_PREFIX bf16m4
#define FL_VECTORS f32m4
#define FL_LANES 16
#define FL_SCALABLE
#define FL_ONLY_HEAVY
#include "float/kernels.h"

#ifdef __riscv_zvfhmin
#define RVV_F16(M, H, B)                                                                                               \
    FL_INLINE vfloat32##M##_t f16_of_##M(vuint16##H##_t h, size_t n)                                                   \
    {                                                                                                                  \
        return __riscv_vfwcvt_f_f_v_f32##M(__riscv_vreinterpret_v_u16##H##_f16##H(h), n);                              \
    }                                                                                                                  \
    FL_INLINE vuint16##H##_t f16_narrowed_##M(vfloat32##M##_t v, size_t n)                                             \
    {                                                                                                                  \
        return __riscv_vreinterpret_v_f16##H##_u16##H(__riscv_vfncvt_f_f_w_f16##H(v, n));                              \
    }
#else
/* Widened, the bits of a magnitude are those of a float that is 2^112 times too small, subnormals included; infinity
 * and NaN need all bits of the exponent. Narrowed, a magnitude has 13 bits less, below 2^-14 after a sum with 0.5,
 * whose last bit is 2^-24 (half.h). */
#define RVV_F16(M, H, B)                                                                                               \
    FL_INLINE vfloat32##M##_t f16_of_##M(vuint16##H##_t h, size_t n)                                                   \
    {                                                                                                                  \
        const vuint32##M##_t w = __riscv_vsll_vx_u32##M(__riscv_vzext_vf2_u32##M(h, n), 16, n);                        \
        const vuint32##M##_t size = __riscv_vsrl_vx_u32##M(__riscv_vsll_vx_u32##M(w, 1, n), 4, n);                     \
        const vbool##B##_t special = __riscv_vmsgtu_vx_u32##M##_b##B(size, 0x0f7fffff, n);                             \
        vfloat32##M##_t v = __riscv_vfmul_vf_f32##M(__riscv_vreinterpret_v_u32##M##_f32##M(size), 0x1p112f, n);        \
        vuint32##M##_t bits = __riscv_vreinterpret_v_f32##M##_u32##M(v);                                               \
        bits = __riscv_vor_vx_u32##M##_mu(special, bits, bits, 0x7f800000, n);                                         \
        v = __riscv_vreinterpret_v_u32##M##_f32##M(bits);                                                              \
        return __riscv_vfsgnj_vv_f32##M(v, __riscv_vreinterpret_v_u32##M##_f32##M(w), n);                              \
    }                                                                                                                  \
    FL_INLINE vuint16##H##_t f16_narrowed_##M(vfloat32##M##_t v, size_t n)                                             \
    {                                                                                                                  \
        const vfloat32##M##_t a = __riscv_vfabs_v_f32##M(v, n), near = __riscv_vfadd_vf_f32##M(a, 0.5f, n);            \
        const vuint32##M##_t size = __riscv_vreinterpret_v_f32##M##_u32##M(a);                                         \
        vuint32##M##_t small = __riscv_vreinterpret_v_f32##M##_u32##M(near);                                           \
        small = __riscv_vsll_vx_u32##M(small, 13, n); /* without the exponent of 0.5 */                                \
        vuint32##M##_t t = __riscv_vsub_vx_u32##M(size, 112u << 23, n);                                                \
        t = __riscv_vmerge_vvm_u32##M(t, small, __riscv_vmsltu_vx_u32##M##_b##B(size, 0x38800000, n), n);              \
        vuint16##H##_t h = __riscv_vnclipu_wx_u16##H(t, 13, __RISCV_VXRM_RNE, n);                                      \
        h = __riscv_vminu_vx_u16##H(h, 0x7c00, n);                                                                     \
        h = __riscv_vmerge_vxm_u16##H(h, 0x7e00, __riscv_vmfne_vv_f32##M##_b##B(v, v, n), n);                          \
        const vuint16##H##_t sign = __riscv_vnsrl_wx_u16##H(__riscv_vreinterpret_v_f32##M##_u32##M(v), 16, n);         \
        return __riscv_vor_vv_u16##H(h, __riscv_vand_vx_u16##H(sign, 0x8000, n), n);                                   \
    }
#endif
RVV_F16(m8, m4, 4)
RVV_F16(m4, m2, 8)
RVV_HALF(f16m8, m8, m4, f16_of_m8, f16_narrowed_m8)
RVV_HALF(f16m4, m4, m2, f16_of_m4, f16_narrowed_m4)

#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_PREFIX f16m8
#define FL_VECTORS f32m8
#define FL_LANES 16
#define FL_SCALABLE
#define FL_ONLY_LIGHT
#include "float/kernels.h"

#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_PREFIX f16m4
#define FL_VECTORS f32m4
#define FL_LANES 16
#define FL_SCALABLE
#define FL_ONLY_HEAVY
#include "float/kernels.h"

#include "quantized/requantization.h"

#define FL_INTS 0
#define FL_INTS_ACTIVE
typedef vint32m8_t i32_vec;
FL_INLINE size_t i32_active(size_t n) { return __riscv_vsetvl_e32m8(n); }
/* Both sides by scalars, and a choice at the end: constants would take three more groups of eight registers. */
FL_INLINE vint32m8_t i32_requantize(const fl_sides *sides, vint32m8_t x, const int32_t *factor, const int32_t *bias,
                                    int each, size_t n)
{
    const fl_side *const a = &sides->positive, *const b = &sides->negative;
    const vbool4_t positive = __riscv_vmsgt_vx_i32m8_b4(x, 0, n);
    vint32m8_t below =
        each ? __riscv_vmul_vv_i32m8(x, __riscv_vle32_v_i32m8(factor, n), n) : __riscv_vmul_vx_i32m8(x, *factor, n);
    below = __riscv_vmulh_vx_i32m8(below, b->multiplier, n);
    below =
        each ? __riscv_vadd_vv_i32m8(below, __riscv_vle32_v_i32m8(bias, n), n) : __riscv_vadd_vx_i32m8(below, *bias, n);
    x = __riscv_vmulh_vx_i32m8(__riscv_vmul_vx_i32m8(x, a->scale, n), a->multiplier, n);
    x = __riscv_vmerge_vvm_i32m8(below, __riscv_vadd_vx_i32m8(x, a->bias, n), positive, n);
    return __riscv_vsra_vx_i32m8(x, (size_t)a->right, n);
}
FL_INLINE vint32m8_t i8_load(const int8_t *q, int32_t zero, size_t n)
{
    const vint16m4_t x = __riscv_vwsub_vx_i16m4(__riscv_vle8_v_i8m2(q, n), (int8_t)zero, n);
    return __riscv_vwcvt_x_x_v_i32m8(x, n);
}
FL_INLINE vint32m8_t u8_load(const uint8_t *q, int32_t zero, size_t n)
{
    const vuint16m4_t x = __riscv_vwsubu_vx_u16m4(__riscv_vle8_v_u8m2(q, n), (uint8_t)zero, n);
    return __riscv_vwcvt_x_x_v_i32m8(__riscv_vreinterpret_v_u16m4_i16m4(x), n);
}
FL_INLINE vint32m8_t i16_load(const int16_t *q, int32_t zero, size_t n)
{
    return (void)zero, __riscv_vwcvt_x_x_v_i32m8(__riscv_vle16_v_i16m4(q, n), n);
}
FL_INLINE vint16m4_t i32_narrow(vint32m8_t v, size_t n) { return __riscv_vnclip_wx_i16m4(v, 0, __RISCV_VXRM_RDN, n); }
FL_INLINE void i8_store(int8_t *p, vint32m8_t v, size_t n)
{
    __riscv_vse8_v_i8m2(p, __riscv_vnclip_wx_i8m2(i32_narrow(v, n), 0, __RISCV_VXRM_RDN, n), n);
}
FL_INLINE void u8_store(uint8_t *p, vint32m8_t v, size_t n)
{
    const vuint16m4_t h = __riscv_vreinterpret_v_i16m4_u16m4(__riscv_vmax_vx_i16m4(i32_narrow(v, n), 0, n));
    __riscv_vse8_v_u8m2(p, __riscv_vnclipu_wx_u8m2(h, 0, __RISCV_VXRM_RDN, n), n);
}
FL_INLINE void i16_store(int16_t *p, vint32m8_t v, size_t n) { __riscv_vse16_v_i16m4(p, i32_narrow(v, n), n); }

#define FL_LOOK_UP
FL_FUNCTION void look_up(const uint8_t *table, const uint8_t *q, uint8_t *out, size_t n)
{
    for (size_t k; n; n -= k, q += k, out += k) {
        k = __riscv_vsetvl_e8m8(n);
        __riscv_vse8_v_u8m8(out, __riscv_vluxei8_v_u8m8(table, __riscv_vle8_v_u8m8(q, k), k), k);
    }
}
#include "quantized/kernels.h"

FL_ISA_END
#endif
