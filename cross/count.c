/* count.c - calls of each kind, ours and the plain loop's, for cross/instructions.py to count the instructions of.
 * SPDX-License-Identifier: MIT
 *
 * The numbers are random, just half of them negative. It names plain loops that give other numbers. */
#include "plain.h"
#include <stdio.h>
#include <string.h>

enum { MOST = 4096, CHANNELS = 64 };

static float x[MOST], grad[MOST], ours[MOST], theirs[MOST], weight[CHANNELS];
static int8_t q8[MOST], weight8[CHANNELS], table[256];
static int16_t q16[MOST];

/* A random word; of each two, one is negative. */
static int32_t draw(void)
{
    static uint32_t state = 1, before;
    static int second;
    state = state * 1664525 + 1013904223;
    before = second ? (state & 0x7fffffff) | (~before & 0x80000000) : state;
    second = !second;
    return (int32_t)before;
}

static void draw_floats(float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)(draw() >> 8) * 0x1p-20f;
}

static void draw_bytes(int8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (int8_t)(draw() >> 24);
}

static void compare(const char *function, size_t bytes)
{
    if (memcmp(ours, theirs, bytes) != 0)
        printf("%s differs\n", function);
}

int main(void)
{
    /* From a scale of 0.05 to one of 0.04, with a slope of 0.1, or with weights that have a scale of 0.01. */
    const fl_factor positive = {1342177280, 1}, negative = {1073741824, -2}, scale = {1717986918, -6};
    const fl_quantization leaky8 = {FL_TFLITE, positive, negative, -3, 5, 0};
    const fl_quantization xnnpack = {FL_XNNPACK, {320, 0}, {32, 0}, 125, 133, 0}; /* of uint8 */
    const fl_quantization leaky16 = {FL_TFLITE, positive, negative, 0, 0, 0};
    const fl_quantization prelu8 = {FL_TFLITE, positive, scale, -3, 5, 0};
    const size_t sizes[] = {64, 512, MOST};
    const fl_isa *isa = fl_isa_best();
    draw_floats(x, MOST);
    draw_floats(grad, MOST);
    draw_floats(weight, CHANNELS);
    draw_bytes(q8, MOST);
    draw_bytes(weight8, CHANNELS);
    for (size_t i = 0; i < MOST; i++)
        q16[i] = (int16_t)(draw() >> 16);
    fl_leaky_relu_table_i8(isa, &leaky8, table);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const size_t n = sizes[k], rows = n / CHANNELS;
        int8_t *const ours8 = (int8_t *)ours, *const theirs8 = (int8_t *)theirs;
        float sum[1];
        fl_leaky_relu_f32(isa, x, ours, n, 0.1f);
        plain_leaky_relu_f32(x, theirs, n, 0.1f);
        compare("leaky_relu_f32", n * sizeof(float));
        fl_prelu_f32(isa, x, weight, ours, rows, CHANNELS, 1);
        plain_prelu_f32(x, weight, theirs, rows, CHANNELS);
        compare("prelu_f32", n * sizeof(float));
        fl_prelu_backward_f32(isa, grad, x, weight, ours, sum, 1, 1, n);
        plain_prelu_backward_f32(grad, x, weight[0], theirs, n); /* whose sum is in another order */
        compare("prelu_backward_f32", n * sizeof(float));
        fl_leaky_relu_i8(isa, &leaky8, q8, ours8, n);
        plain_leaky_relu_i8(&leaky8, q8, theirs8, n);
        compare("leaky_relu_i8", n);
        fl_leaky_relu_u8(isa, &xnnpack, (const uint8_t *)q8, (uint8_t *)ours, n);
        plain_leaky_relu_u8(&xnnpack, (const uint8_t *)q8, (uint8_t *)theirs, n);
        compare("leaky_relu_u8", n);
        fl_look_up_i8(isa, q8, table, ours8, n);
        plain_look_up_i8(q8, table, theirs8, n);
        compare("look_up_i8", n);
        fl_leaky_relu_i16(isa, &leaky16, q16, (int16_t *)ours, n);
        plain_leaky_relu_i16(&leaky16, q16, (int16_t *)theirs, n);
        compare("leaky_relu_i16", n * sizeof(int16_t));
        fl_prelu_i8(isa, &prelu8, q8, weight8, ours8, rows, CHANNELS, 1);
        plain_prelu_i8(&prelu8, q8, weight8, theirs8, rows, CHANNELS);
        compare("prelu_i8", n);
    }
    return 0;
}
