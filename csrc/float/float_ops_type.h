/* float_ops_type.h - the public functions of one element type, and the tables of their kernels, included once a type.
 * SPDX-License-Identifier: MIT */
#define FL(word) FL_PASTE(FL_TYPE, word)
#define FL_PUBLIC(word) FL_PASTE(fl, FL_PASTE(word, FL_TYPE))
#define NUM FL(num)
#define ACC FL_PASTE(FL_COMPUTED, num)

#define FL_SIGNATURE fl_elementwise
#define FL_WORD FL(leaky_relu)
#include "kernel_table.h"
#define FL_WORD FL(leaky_relu_backward)
#include "kernel_table.h"
#define FL_WORD FL(prelu)
#include "kernel_table.h"
#undef FL_SIGNATURE
#define FL_SIGNATURE fl_sum
#define FL_WORD FL(prelu_backward)
#include "kernel_table.h"
#undef FL_SIGNATURE

void FL_PUBLIC(leaky_relu)(const fl_isa *isa, const NUM *x, NUM *out, size_t n, ACC negative_slope)
{
    fl_job job = job_of(x, x, NULL, out, 1, 1, n);
    job.only.FL_COMPUTED = negative_slope;
    do_all(isa, FL_OF(isa, FL(leaky_relu)), &job, sizeof(NUM));
}

void FL_PUBLIC(leaky_relu_backward)(const fl_isa *isa, const NUM *grad, const NUM *x, NUM *dx, size_t n,
                                    ACC negative_slope)
{
    fl_job job = job_of(grad, x, NULL, dx, 1, 1, n);
    job.only.FL_COMPUTED = negative_slope;
    do_all(isa, FL_OF(isa, FL(leaky_relu_backward)), &job, sizeof(NUM));
}

void FL_PUBLIC(prelu)(const fl_isa *isa, const NUM *x, const NUM *weight, NUM *out, size_t outer, size_t channels,
                      size_t inner)
{
    fl_job job = job_of(x, x, weight, out, outer, channels, inner);
    if (channels == 1)
        FL_PUBLIC(leaky_relu)(isa, x, out, outer * inner, FL(widen)(*weight));
    else
        do_all(isa, FL_OF(isa, FL(prelu)), &job, sizeof(NUM));
}

FL_COMPILER static void FL(put)(void *dslope, size_t at, const double *sums, size_t n)
{
    for (size_t c = 0; c < n; c++)
        ((NUM *)dslope)[at + c] = FL_ROUNDED(sums[c]);
}

void FL_PUBLIC(prelu_backward)(const fl_isa *isa, const NUM *grad, const NUM *x, const NUM *weight, NUM *dx,
                               NUM *dweight, size_t outer, size_t channels, size_t inner)
{
    fl_job job = job_of(grad, x, weight, dx, outer, channels, inner);
    if (channels)
        sum_all(isa, FL_OF(isa, FL(prelu_backward)), &job, dweight, sizeof(NUM), FL(put));
}

#undef FL
#undef FL_PUBLIC
#undef NUM
#undef ACC
#undef FL_TYPE
#undef FL_COMPUTED
#undef FL_ROUNDED
