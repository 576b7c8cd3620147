/* plain.h - what anybody would write for the functions that count.c counts: loops in portable C.
 * SPDX-License-Identifier: MIT */
#ifndef PLAIN_H
#define PLAIN_H

#include "fastleaky_quantized.h"

void plain_leaky_relu_f32(const float *restrict x, float *restrict out, size_t n, float negative_slope);
void plain_prelu_f32(const float *restrict x, const float *restrict weight, float *restrict out, size_t outer,
                     size_t channels);
float plain_prelu_backward_f32(const float *restrict grad, const float *restrict x, float weight, float *restrict dx,
                               size_t n);
void plain_leaky_relu_i8(const fl_quantization *how, const int8_t *restrict q, int8_t *restrict out, size_t n);
void plain_leaky_relu_u8(const fl_quantization *how, const uint8_t *restrict q, uint8_t *restrict out, size_t n);
void plain_look_up_i8(const int8_t *restrict q, const int8_t *restrict table, int8_t *restrict out, size_t n);
void plain_leaky_relu_i16(const fl_quantization *how, const int16_t *restrict q, int16_t *restrict out, size_t n);
void plain_prelu_i8(const fl_quantization *how, const int8_t *restrict q, const int8_t *restrict weight,
                    int8_t *restrict out, size_t outer, size_t channels);

#endif
