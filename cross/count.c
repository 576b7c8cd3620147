/* count.c - calls on 1024 floats of mixed signs and on 2048, for cross/check.py to count the instructions of.
 * SPDX-License-Identifier: MIT */
#include "fastleaky.h"

enum { MOST = 2048 };

int main(void)
{
    static float x[MOST], grad[MOST], out[MOST], dweight[1];
    const float weight[1] = {0.01f};
    const fl_isa *isa = fl_isa_best();
    for (int i = 0; i < MOST; i++) {
        x[i] = (float)(i * 37 % 101 - 50);
        grad[i] = (float)(i * 53 % 97 - 48);
    }
    for (size_t n = MOST / 2; n <= MOST; n += MOST / 2) {
        fl_leaky_relu_f32(isa, x, out, n, weight[0]);
        fl_prelu_backward_f32(isa, grad, x, weight, out, dweight, 1, 1, n);
    }
    return 0;
}
