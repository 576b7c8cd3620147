/* plain.c - the loops of plain.h. The quantized ones round twice, as FL_TFLITE says, or as XNNPACK does (uint8).
 * SPDX-License-Identifier: MIT */
#include "plain.h"

void plain_leaky_relu_f32(const float *restrict x, float *restrict out, size_t n, float negative_slope)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] > 0 ? x[i] : negative_slope * x[i];
}

void plain_prelu_f32(const float *restrict x, const float *restrict weight, float *restrict out, size_t outer,
                     size_t channels)
{
    for (size_t row = 0; row < outer; row++, x += channels, out += channels)
        for (size_t c = 0; c < channels; c++)
            out[c] = x[c] > 0 ? x[c] : weight[c] * x[c];
}

float plain_prelu_backward_f32(const float *restrict grad, const float *restrict x, float weight, float *restrict dx,
                               size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        dx[i] = x[i] > 0 ? grad[i] : weight * grad[i];
        sum += x[i] > 0 ? 0 : grad[i] * x[i];
    }
    return sum;
}

static int32_t requantize(int32_t x, const fl_factor *factor)
{
    const int left = factor->shift > 0 ? factor->shift : 0, right = left - factor->shift;
    const int64_t product = (int64_t)(x * (1 << left)) * factor->multiplier;
    const int32_t high = (int32_t)((product + (1 << 30)) >> 31), half = 1 << right >> 1;
    return high < 0 ? -((half - high) >> right) : (half + high) >> right;
}

static int32_t saturate(int32_t y, int32_t smallest, int32_t largest)
{
    return y < smallest ? smallest : y > largest ? largest : y;
}

void plain_leaky_relu_i8(const fl_quantization *how, const int8_t *restrict q, int8_t *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t x = q[i] - how->input_zero_point;
        const int32_t y = requantize(x, x > 0 ? &how->positive : &how->negative);
        out[i] = (int8_t)saturate(y + how->output_zero_point, INT8_MIN, INT8_MAX);
    }
}

void plain_leaky_relu_u8(const fl_quantization *how, const uint8_t *restrict q, uint8_t *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t x = q[i] - how->input_zero_point;
        const int32_t y = (x * (x > 0 ? how->positive : how->negative).multiplier + 128) >> 8;
        out[i] = (uint8_t)saturate(y + how->output_zero_point, 0, UINT8_MAX);
    }
}

void plain_look_up_i8(const int8_t *restrict q, const int8_t *restrict table, int8_t *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = table[(uint8_t)q[i]];
}

void plain_leaky_relu_i16(const fl_quantization *how, const int16_t *restrict q, int16_t *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t y = requantize(q[i], q[i] > 0 ? &how->positive : &how->negative);
        out[i] = (int16_t)saturate(y, INT16_MIN, INT16_MAX);
    }
}

void plain_prelu_i8(const fl_quantization *how, const int8_t *restrict q, const int8_t *restrict weight,
                    int8_t *restrict out, size_t outer, size_t channels)
{
    for (size_t row = 0; row < outer; row++, q += channels, out += channels)
        for (size_t c = 0; c < channels; c++) {
            const int32_t x = q[c] - how->input_zero_point;
            const int32_t y = x > 0 ? requantize(x, &how->positive)
                                    : requantize(x * (weight[c] - how->weight_zero_point), &how->negative);
            out[c] = (int8_t)saturate(y + how->output_zero_point, INT8_MIN, INT8_MAX);
        }
}
