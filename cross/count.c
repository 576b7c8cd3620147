/* count.c - each kernel once on 1024 floats of mixed signs, for cross/check.py to count the instructions of.
 * SPDX-License-Identifier: MIT */
#include "fastleaky.h"

int main(void)
{
    static float x[1024], grad[1024], out[1024], dweight[1];
    const float weight[1] = {0.01f};
    const fl_isa *isa = fl_isa_best();
    for (int i = 0; i < 1024; i++) {
        x[i] = (float)(i * 37 % 101 - 50);
        grad[i] = (float)(i * 53 % 97 - 48);
    }
    fl_leaky_relu_f32(isa, x, out, 1024, weight[0]);
    fl_prelu_backward_f32(isa, grad, x, weight, out, dweight, 1, 1, 1024);
    return 0;
}
