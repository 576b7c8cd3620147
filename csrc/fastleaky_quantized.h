/* fastleaky_quantized.h - quantized leaky ReLU and PReLU (int8, uint8, int16): the public C interface and its contract.
 * SPDX-License-Identifier: MIT
 *
 * What is computed, in integers only (the specification is fastleaky/quantized/reference.py):
 *
 *     x   = q - input_zero_point
 *     y   = x > 0 ? x * positive : x * negative                                   leaky ReLU
 *     y   = x > 0 ? x * positive : x * (weight - weight_zero_point) * negative          PReLU
 *     out = y + output_zero_point, or the smallest or largest number of the type if that is out of range
 *
 * where each product with a factor is rounded to an integer as fl_rounding says. Arrays, shapes and what may overlap
 * are as in fastleaky.h. No function allocates memory, fails, or keeps state. */
#ifndef FASTLEAKY_QUANTIZED_H
#define FASTLEAKY_QUANTIZED_H

#include "fastleaky.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whose bits: those of TensorFlow Lite's reference kernels and of TensorFlow Lite Micro, which round a product twice;
 * of the same built with TFLITE_SINGLE_ROUNDING; or of XNNPACK (8 bits, leaky ReLU). An enumeration's own type has one
 * byte or four, as the compiler's ABI wants it; an fl_quantization made by one compiler is to be read by any other. */
enum { FL_TFLITE, FL_TFLITE_SINGLE, FL_XNNPACK };
typedef int32_t fl_rounding;

/* multiplier * 2^(shift - 31), as TensorFlow Lite's QuantizeMultiplier gives it: the multiplier is 0, or without its
 * sign in 2^30 ... 2^31 - 1. The shift is -31 ... 22, for int16 at most 15; of PReLU's `negative` at most 14, for
 * int16 7. Of XNNPACK it is multiplier / 256, and there is no shift. */
typedef struct {
    int32_t multiplier, shift;
} fl_factor;

typedef struct {
    fl_rounding rounding;
    fl_factor positive; /* input_scale / output_scale: never negative */
    fl_factor negative; /* input_scale * negative_slope / output_scale; of PReLU weight_scale instead of the slope */
    int32_t input_zero_point, output_zero_point; /* numbers of the type; of int16 they are 0 */
    int32_t weight_zero_point;                   /* PReLU only */
} fl_quantization;

void fl_leaky_relu_i8(const fl_isa *isa, const fl_quantization *how, const int8_t *q, int8_t *out, size_t n);
void fl_leaky_relu_u8(const fl_isa *isa, const fl_quantization *how, const uint8_t *q, uint8_t *out, size_t n);
void fl_leaky_relu_i16(const fl_isa *isa, const fl_quantization *how, const int16_t *q, int16_t *out, size_t n);

void fl_prelu_i8(const fl_isa *isa, const fl_quantization *how, const int8_t *q, const int8_t *weight, int8_t *out,
                 size_t outer, size_t channels, size_t inner);
void fl_prelu_u8(const fl_isa *isa, const fl_quantization *how, const uint8_t *q, const uint8_t *weight, uint8_t *out,
                 size_t outer, size_t channels, size_t inner);
void fl_prelu_i16(const fl_isa *isa, const fl_quantization *how, const int16_t *q, const int8_t *weight, int16_t *out,
                  size_t outer, size_t channels, size_t inner);

/* 8 bits, for what is called often: table[(uint8_t)q] is what fl_leaky_relu gives for q. Make it once, or have it in
 * read-only memory, and look numbers up; it may be any table. */
void fl_leaky_relu_table_i8(const fl_isa *isa, const fl_quantization *how, int8_t table[256]);
void fl_leaky_relu_table_u8(const fl_isa *isa, const fl_quantization *how, uint8_t table[256]);
void fl_look_up_i8(const fl_isa *isa, const int8_t *q, const int8_t table[256], int8_t *out, size_t n);
void fl_look_up_u8(const fl_isa *isa, const uint8_t *q, const uint8_t table[256], uint8_t *out, size_t n);

#ifdef __cplusplus
}
#endif
#endif
