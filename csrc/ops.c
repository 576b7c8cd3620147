/* ops.c - the public operations: each is one call of the two kernels in kernels.h.
 * SPDX-License-Identifier: MIT */
#include "isa.h"

#define FL_OPS(type, T)                                                                                                \
    void fl_leaky_relu_##type(const fl_isa *isa, const T *x, T *out, size_t n, T negative_slope)                       \
    {                                                                                                                  \
        isa->type.select(x, x, &negative_slope, out, 1, 1, n);                                                         \
    }                                                                                                                  \
    void fl_leaky_relu_backward_##type(const fl_isa *isa, const T *grad, const T *x, T *dx, size_t n,                  \
                                       T negative_slope)                                                               \
    {                                                                                                                  \
        isa->type.select(grad, x, &negative_slope, dx, 1, 1, n);                                                       \
    }                                                                                                                  \
    void fl_prelu_##type(const fl_isa *isa, const T *x, const T *weight, T *out, size_t outer, size_t channels,        \
                         size_t inner)                                                                                 \
    {                                                                                                                  \
        isa->type.select(x, x, weight, out, outer, channels, inner);                                                   \
    }                                                                                                                  \
    void fl_prelu_backward_##type(const fl_isa *isa, const T *grad, const T *x, const T *weight, T *dx, T *dweight,    \
                                  size_t outer, size_t channels, size_t inner)                                         \
    {                                                                                                                  \
        isa->type.backward(grad, x, weight, dx, dweight, outer, channels, inner);                                      \
    }

FL_OPS(f32, float)
FL_OPS(f64, double)
