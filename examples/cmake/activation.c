/* activation.c - int8 leaky ReLU, on a PC or on a microcontroller: the integers of TensorFlow Lite.
 * SPDX-License-Identifier: MIT */
#include "fastleaky_quantized.h"
#include <stdio.h>

int main(void)
{
    static const fl_quantization how = {
        .rounding = FL_TFLITE,
        .positive = {1342177280, 1},  /* 1.25: input_scale / output_scale */
        .negative = {1073741824, -2}, /* 0.125: input_scale * slope / output_scale */
        .input_zero_point = -3,
        .output_zero_point = 5,
    };
    static const int8_t q[6] = {-128, -3, 10, 0, 50, 127}, expected[6] = {-11, 5, 21, 9, 71, 127};
    const fl_isa *isa = fl_isa_best();
    int8_t out[6];
    int wrong = 0;

    fl_leaky_relu_i8(isa, &how, q, out, 6);
    for (int i = 0; i < 6; i++)
        wrong += out[i] != expected[i];
    printf("%s: %d %d %d %d %d %d\n", fl_isa_name(isa), out[0], out[1], out[2], out[3], out[4], out[5]);
    return wrong;
}
