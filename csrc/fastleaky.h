/* fastleaky.h - leaky ReLU and PReLU, forward and backward: the public C interface and its contract.
 * SPDX-License-Identifier: MIT
 *
 * What is computed (the same bits on every instruction set; the specification is fastleaky/reference.py):
 *
 *     out     = x > 0 ? x    : slope * x        one IEEE multiplication in the array's type, subnormals
 *     dx      = x > 0 ? grad : slope * grad     kept; +0, -0 and NaN take the slope side
 *     dweight = sum of (x > 0 ? 0 : grad * x)   over all places that share the slope, in C order: an
 *                                               ordered sum, see ordered_sum.h
 *
 * The fused operations do some steps in one pass. Each step is rounded as if it were alone, so the bits are those of
 * the steps:
 *
 *     bias_leaky_relu             t = x + bias; y = t > 0 ? t : slope * t; y * gain, at most clamp in magnitude
 *     bias_leaky_relu_backward    from the output y: d = |y| >= clamp ? 0 : grad * gain; dx = y > 0 ? d : slope * d;
 *                                 dbias is the ordered sum of dx. The slope must be positive and finite.
 *     scale_shift_leaky_relu      t = x * scale + shift, in two roundings; t + residual, unless that is NULL;
 *     scale_shift_prelu           then leaky ReLU or PReLU
 *
 * gain is positive and finite; nothing is clamped if clamp is not positive.
 *
 * Arrays are dense and aligned for their type. PReLU arrays have the shape (outer, channels, inner) with
 * one weight (bias, scale, shift) a channel: NCHW is (N, C, H*W), NHWC is (N*H*W, C, 1), one shared slope is (1, 1, n).
 * An output may be an input itself (in place) and must not overlap one in any other way; dweight must not
 * overlap anything. Inputs are not written, and nothing outside the arrays is read or written.
 *
 * No function allocates memory, fails, or keeps state between calls. Its flash and its stack, for each core, are in
 * docs/firmware.md, measured by cross/flash.py. */
#ifndef FASTLEAKY_H
#define FASTLEAKY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kernels of one instruction set. */
typedef struct fl_isa fl_isa;

/* The best instruction set that this processor and its operating system can run. It asks the processor
 * anew at each call, so keep the answer. */
const fl_isa *fl_isa_best(void);

/* Every instruction set in this build, best first: i = 0, 1, ... until NULL. The last one is always available: scalar
 * C; or on bare metal NEON, Helium or RISC-V vectors, if they were enabled at compile time (FL_SCALAR in target.h).
 */
const fl_isa *fl_isa_at(size_t i);
const char *fl_isa_name(const fl_isa *isa);
int fl_isa_available(const fl_isa *isa);

void fl_leaky_relu_f32(const fl_isa *isa, const float *x, float *out, size_t n, float negative_slope);
void fl_leaky_relu_f64(const fl_isa *isa, const double *x, double *out, size_t n, double negative_slope);

void fl_leaky_relu_backward_f32(const fl_isa *isa, const float *grad, const float *x, float *dx, size_t n,
                                float negative_slope);
void fl_leaky_relu_backward_f64(const fl_isa *isa, const double *grad, const double *x, double *dx, size_t n,
                                double negative_slope);

void fl_prelu_f32(const fl_isa *isa, const float *x, const float *weight, float *out, size_t outer, size_t channels,
                  size_t inner);
void fl_prelu_f64(const fl_isa *isa, const double *x, const double *weight, double *out, size_t outer, size_t channels,
                  size_t inner);

void fl_prelu_backward_f32(const fl_isa *isa, const float *grad, const float *x, const float *weight, float *dx,
                           float *dweight, size_t outer, size_t channels, size_t inner);
void fl_prelu_backward_f64(const fl_isa *isa, const double *grad, const double *x, const double *weight, double *dx,
                           double *dweight, size_t outer, size_t channels, size_t inner);

/* The 16-bit formats, as their bits: float16, and bfloat16, the upper half of a float. */
typedef uint16_t fl_f16;
typedef uint16_t fl_bf16;

void fl_leaky_relu_f16(const fl_isa *isa, const fl_f16 *x, fl_f16 *out, size_t n, float negative_slope);
void fl_leaky_relu_backward_f16(const fl_isa *isa, const fl_f16 *grad, const fl_f16 *x, fl_f16 *dx, size_t n,
                                float negative_slope);
void fl_prelu_f16(const fl_isa *isa, const fl_f16 *x, const fl_f16 *weight, fl_f16 *out, size_t outer, size_t channels,
                  size_t inner);
void fl_prelu_backward_f16(const fl_isa *isa, const fl_f16 *grad, const fl_f16 *x, const fl_f16 *weight, fl_f16 *dx,
                           fl_f16 *dweight, size_t outer, size_t channels, size_t inner);

void fl_leaky_relu_bf16(const fl_isa *isa, const fl_bf16 *x, fl_bf16 *out, size_t n, float negative_slope);
void fl_leaky_relu_backward_bf16(const fl_isa *isa, const fl_bf16 *grad, const fl_bf16 *x, fl_bf16 *dx, size_t n,
                                 float negative_slope);
void fl_prelu_bf16(const fl_isa *isa, const fl_bf16 *x, const fl_bf16 *weight, fl_bf16 *out, size_t outer,
                   size_t channels, size_t inner);
void fl_prelu_backward_bf16(const fl_isa *isa, const fl_bf16 *grad, const fl_bf16 *x, const fl_bf16 *weight,
                            fl_bf16 *dx, fl_bf16 *dweight, size_t outer, size_t channels, size_t inner);

void fl_bias_leaky_relu_f32(const fl_isa *isa, const float *x, const float *bias, float *out, size_t outer,
                            size_t channels, size_t inner, float negative_slope, float gain, float clamp);
void fl_bias_leaky_relu_backward_f32(const fl_isa *isa, const float *grad, const float *y, float *dx, float *dbias,
                                     size_t outer, size_t channels, size_t inner, float negative_slope, float gain,
                                     float clamp);
void fl_scale_shift_leaky_relu_f32(const fl_isa *isa, const float *x, const float *residual, const float *scale,
                                   const float *shift, float *out, size_t outer, size_t channels, size_t inner,
                                   float negative_slope);
void fl_scale_shift_prelu_f32(const fl_isa *isa, const float *x, const float *residual, const float *scale,
                              const float *shift, const float *weight, float *out, size_t outer, size_t channels,
                              size_t inner);

void fl_bias_leaky_relu_f64(const fl_isa *isa, const double *x, const double *bias, double *out, size_t outer,
                            size_t channels, size_t inner, double negative_slope, double gain, double clamp);
void fl_bias_leaky_relu_backward_f64(const fl_isa *isa, const double *grad, const double *y, double *dx, double *dbias,
                                     size_t outer, size_t channels, size_t inner, double negative_slope, double gain,
                                     double clamp);
void fl_scale_shift_leaky_relu_f64(const fl_isa *isa, const double *x, const double *residual, const double *scale,
                                   const double *shift, double *out, size_t outer, size_t channels, size_t inner,
                                   double negative_slope);
void fl_scale_shift_prelu_f64(const fl_isa *isa, const double *x, const double *residual, const double *scale,
                              const double *shift, const double *weight, double *out, size_t outer, size_t channels,
                              size_t inner);

void fl_bias_leaky_relu_f16(const fl_isa *isa, const fl_f16 *x, const fl_f16 *bias, fl_f16 *out, size_t outer,
                            size_t channels, size_t inner, float negative_slope, float gain, float clamp);
void fl_bias_leaky_relu_backward_f16(const fl_isa *isa, const fl_f16 *grad, const fl_f16 *y, fl_f16 *dx, fl_f16 *dbias,
                                     size_t outer, size_t channels, size_t inner, float negative_slope, float gain,
                                     float clamp);
void fl_scale_shift_leaky_relu_f16(const fl_isa *isa, const fl_f16 *x, const fl_f16 *residual, const fl_f16 *scale,
                                   const fl_f16 *shift, fl_f16 *out, size_t outer, size_t channels, size_t inner,
                                   float negative_slope);
void fl_scale_shift_prelu_f16(const fl_isa *isa, const fl_f16 *x, const fl_f16 *residual, const fl_f16 *scale,
                              const fl_f16 *shift, const fl_f16 *weight, fl_f16 *out, size_t outer, size_t channels,
                              size_t inner);

void fl_bias_leaky_relu_bf16(const fl_isa *isa, const fl_bf16 *x, const fl_bf16 *bias, fl_bf16 *out, size_t outer,
                             size_t channels, size_t inner, float negative_slope, float gain, float clamp);
void fl_bias_leaky_relu_backward_bf16(const fl_isa *isa, const fl_bf16 *grad, const fl_bf16 *y, fl_bf16 *dx,
                                      fl_bf16 *dbias, size_t outer, size_t channels, size_t inner, float negative_slope,
                                      float gain, float clamp);
void fl_scale_shift_leaky_relu_bf16(const fl_isa *isa, const fl_bf16 *x, const fl_bf16 *residual, const fl_bf16 *scale,
                                    const fl_bf16 *shift, fl_bf16 *out, size_t outer, size_t channels, size_t inner,
                                    float negative_slope);
void fl_scale_shift_prelu_bf16(const fl_isa *isa, const fl_bf16 *x, const fl_bf16 *residual, const fl_bf16 *scale,
                               const fl_bf16 *shift, const fl_bf16 *weight, fl_bf16 *out, size_t outer, size_t channels,
                               size_t inner);

#ifdef __cplusplus
}
#endif
#endif
