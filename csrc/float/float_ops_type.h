/* float_ops_type.h - the public functions of one element type, and the tables of their kernels, included once a type.
 * SPDX-License-Identifier: MIT */
#define FL(word) FL_PASTE(FL_TYPE, word)
#define FL_PUBLIC(word) FL_PASTE(fl, FL_PASTE(word, FL_TYPE))
#define NUM FL(num)
#define ACC FL_PASTE(FL_COMPUTE, num)

#define FL_SIGNATURE fl_task
#define FL_WORD FL(leaky_relu)
#include "kernel_table.h"
#define FL_WORD FL(leaky_relu_backward)
#include "kernel_table.h"
#define FL_WORD FL(prelu)
#include "kernel_table.h"
#define FL_WORD FL(bias_leaky_relu)
#include "kernel_table.h"
#define FL_WORD FL(scale_shift_leaky_relu)
#include "kernel_table.h"
#define FL_WORD FL(scale_shift_residual_leaky_relu)
#include "kernel_table.h"
#define FL_WORD FL(scale_shift_prelu)
#include "kernel_table.h"
#define FL_WORD FL(scale_shift_residual_prelu)
#include "kernel_table.h"
#undef FL_SIGNATURE
#define FL_SIGNATURE fl_ordered_sum
#define FL_WORD FL(prelu_backward)
#include "kernel_table.h"
#define FL_WORD FL(bias_leaky_relu_backward)
#include "kernel_table.h"
#undef FL_SIGNATURE

void FL_PUBLIC(leaky_relu)(const fl_isa *isa, const NUM *x, NUM *out, size_t n, ACC negative_slope)
{
    fl_arguments a = arguments_of(x, x, out, 1, 1, n);
    a.shared[0].FL_COMPUTE = negative_slope;
    run_elementwise(isa, FL_OF(isa, FL(leaky_relu)), &a, sizeof(NUM));
}

void FL_PUBLIC(leaky_relu_backward)(const fl_isa *isa, const NUM *grad, const NUM *x, NUM *dx, size_t n,
                                    ACC negative_slope)
{
    fl_arguments a = arguments_of(grad, x, dx, 1, 1, n);
    a.shared[0].FL_COMPUTE = negative_slope;
    run_elementwise(isa, FL_OF(isa, FL(leaky_relu_backward)), &a, sizeof(NUM));
}

void FL_PUBLIC(prelu)(const fl_isa *isa, const NUM *x, const NUM *weight, NUM *out, size_t outer, size_t channels,
                      size_t inner)
{
    if (channels == 1) {
        FL_PUBLIC(leaky_relu)(isa, x, out, outer * inner, FL(widen)(*weight));
        return;
    }
    fl_arguments a = arguments_of(x, x, out, outer, channels, inner);
    a.parameters[0] = weight;
    run_elementwise(isa, FL_OF(isa, FL(prelu)), &a, sizeof(NUM));
}

/* The limit of a clamp; without one it is NaN, which no number reaches. */
static ACC FL(limit)(ACC clamp) { return clamp > 0 ? clamp : (ACC)fl_number_of(0x7fc00000); }

void FL_PUBLIC(bias_leaky_relu)(const fl_isa *isa, const NUM *x, const NUM *bias, NUM *out, size_t outer,
                                size_t channels, size_t inner, ACC negative_slope, ACC gain, ACC clamp)
{
    fl_arguments a = arguments_of(x, x, out, outer, channels, inner);
    a.parameters[0] = bias;
    a.shared[1].FL_COMPUTE = negative_slope;
    a.shared[2].FL_COMPUTE = gain;
    a.shared[3].FL_COMPUTE = FL(limit)(clamp);
    run_elementwise(isa, FL_OF(isa, FL(bias_leaky_relu)), &a, sizeof(NUM));
}

void FL_PUBLIC(scale_shift_leaky_relu)(const fl_isa *isa, const NUM *x, const NUM *residual, const NUM *scale,
                                       const NUM *shift, NUM *out, size_t outer, size_t channels, size_t inner,
                                       ACC negative_slope)
{
    fl_arguments a = arguments_of(residual ? residual : x, x, out, outer, channels, inner);
    a.parameters[0] = scale;
    a.parameters[1] = shift;
    a.shared[2].FL_COMPUTE = negative_slope;
    run_elementwise(isa,
                    residual ? FL_OF(isa, FL(scale_shift_residual_leaky_relu)) : FL_OF(isa, FL(scale_shift_leaky_relu)),
                    &a, sizeof(NUM));
}

void FL_PUBLIC(scale_shift_prelu)(const fl_isa *isa, const NUM *x, const NUM *residual, const NUM *scale,
                                  const NUM *shift, const NUM *weight, NUM *out, size_t outer, size_t channels,
                                  size_t inner)
{
    fl_arguments a = arguments_of(residual ? residual : x, x, out, outer, channels, inner);
    a.parameters[0] = scale;
    a.parameters[1] = shift;
    a.parameters[2] = weight;
    run_elementwise(isa, residual ? FL_OF(isa, FL(scale_shift_residual_prelu)) : FL_OF(isa, FL(scale_shift_prelu)), &a,
                    sizeof(NUM));
}

FL_NO_LIBC static void FL(put)(void *gradient, size_t at, const double *sums, size_t n)
{
    for (size_t c = 0; c < n; c++)
        ((NUM *)gradient)[at + c] = FL_ROUNDED(sums[c]);
}

void FL_PUBLIC(prelu_backward)(const fl_isa *isa, const NUM *grad, const NUM *x, const NUM *weight, NUM *dx,
                               NUM *dweight, size_t outer, size_t channels, size_t inner)
{
    fl_arguments a = arguments_of(grad, x, dx, outer, channels, inner);
    batch b;
    if (!channels)
        return;
    a.parameters[0] = weight;
    b.kernel = FL_OF(isa, FL(prelu_backward));
    b.gradient = dweight;
    b.put = FL(put);
    run_ordered_sum(isa, &b, &a, sizeof(NUM));
}

void FL_PUBLIC(bias_leaky_relu_backward)(const fl_isa *isa, const NUM *grad, const NUM *y, NUM *dx, NUM *dbias,
                                         size_t outer, size_t channels, size_t inner, ACC negative_slope, ACC gain,
                                         ACC clamp)
{
    fl_arguments a = arguments_of(grad, y, dx, outer, channels, inner);
    batch b;
    if (!channels)
        return;
    a.shared[0].FL_COMPUTE = negative_slope;
    a.shared[1].FL_COMPUTE = gain;
    a.shared[2].FL_COMPUTE = FL(limit)(clamp);
    b.kernel = FL_OF(isa, FL(bias_leaky_relu_backward));
    b.gradient = dbias;
    b.put = FL(put);
    run_ordered_sum(isa, &b, &a, sizeof(NUM));
}

#undef FL
#undef FL_PUBLIC
#undef NUM
#undef ACC
#undef FL_TYPE
#undef FL_COMPUTE
#undef FL_ROUNDED
