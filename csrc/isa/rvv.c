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

#include "quantized/kernels.h"

FL_ISA_END
#endif
