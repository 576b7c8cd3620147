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

/* The operations for one type T of N bits, in register groups of M; compares give masks of type B. */
#define RVV(name, T, N, M, B)                                                                                          \
    typedef vfloat##N##M##_t name##_vec;                                                                               \
    FL_INLINE size_t name##_lanes(size_t n) { return __riscv_vsetvl_e32m4(n); }                                        \
    FL_INLINE name##_vec name##_load(const T *p, size_t n) { return __riscv_vle##N##_v_f##N##M(p, n); }                \
    FL_INLINE void name##_store(T *p, name##_vec v, size_t n) { __riscv_vse##N##_v_f##N##M(p, v, n); }                 \
    FL_INLINE name##_vec name##_set(T s) { return __riscv_vfmv_v_f_f##N##M(s, __riscv_vsetvlmax_e32m4()); }            \
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
    }                                                                                                                  \
    FL_INLINE T name##_reduce_add(name##_vec v)                                                                        \
    {                                                                                                                  \
        for (size_t half = 8; half; half /= 2)                                                                         \
            v = __riscv_vfadd_vv_f##N##M(v, __riscv_vslidedown_vx_f##N##M(v, half, half), half);                       \
        return __riscv_vfmv_f_s_f##N##M##_f##N(v);                                                                     \
    }

RVV(f32, float, 32, m4, b8)
#define FL_TYPE f32
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

RVV(f64, double, 64, m8, b8)
#define FL_TYPE f64
#define FL_LANES 16
#define FL_SCALABLE
#include "float/kernels.h"

#include "float/scalar_half.h"

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
