/* quantized_ops.c - the public quantized operations: factors in fixed point, and the kernels' arguments.
 * SPDX-License-Identifier: MIT */
#include "quantized/requantization.h"

#define FL_SIGNATURE fl_task
#define FL_WORD i8_leaky_relu
#include "kernel_table.h"
#define FL_WORD i8_prelu
#include "kernel_table.h"
#define FL_WORD u8_leaky_relu
#include "kernel_table.h"
#define FL_WORD u8_prelu
#include "kernel_table.h"
#define FL_WORD i16_leaky_relu
#include "kernel_table.h"
#define FL_WORD i16_prelu
#include "kernel_table.h"
#define FL_WORD bytes_look_up
#include "kernel_table.h"

/* The same for every compiler: eight words, with nothing between them. C99 has no _Static_assert. */
typedef char fl_rounding_is_a_word[sizeof(fl_rounding) == sizeof(int32_t) ? 1 : -1];
typedef char fl_quantization_is_8_words[sizeof(fl_quantization) == 8 * sizeof(int32_t) ? 1 : -1];

/* Of products with |x| up to 2^bits. TensorFlow Lite rounds twice; the bias has both: one unit of the first shift's
 * lowest bit, and half a unit of the result. */
static fl_side side_of(fl_factor factor, fl_rounding rounding, int bits)
{
    fl_side side;
    const int tiny = rounding != FL_XNNPACK && factor.shift < -1 - bits; /* a quarter at most, which rounds to 0 */
    const int right = factor.shift < 0 && !tiny ? -factor.shift : 0;
    side.scale = 1 << (factor.shift > 0 ? factor.shift : 0);
    side.multiplier = tiny ? 0 : factor.multiplier < 0 ? -factor.multiplier : factor.multiplier;
    side.bias = (1 << right) + (right && rounding == FL_TFLITE);
    side.away = right && rounding == FL_TFLITE ? -2 : 0;
    side.right = right + 1;
    if (rounding == FL_XNNPACK) { /* rounds the signed product once */
        side.scale = 1 << 8;
        side.multiplier = factor.multiplier * (1 << 15);
        side.bias = side.right = 1;
    }
    return side;
}

/* May the side have this `right`, no smaller than its own? Its products must still fit 32 bits. */
static int shifts(const fl_side *side, int right, int bits)
{
    const int room = 29 - bits - (right - side->right);
    return room >= 0 && side->scale <= 1 << room;
}

static void shift_side(fl_side *side, int right, int32_t zero_point)
{
    const int32_t more = 1 << (right - side->right);
    side->scale *= 4 * more;
    side->bias = side->bias * more + zero_point * (1 << right);
    side->away *= more;
    side->right = right;
}

/* `bits` is 8 or 15: |q - input_zero_point| is below 2^bits, or it is -2^15; so a slope, 8 bits more, is below 2^8. */
static fl_quantized_arguments arguments_of(const fl_quantization *how, const void *q, const void *weight, void *out,
                                           size_t outer, size_t channels, size_t inner, int bits)
{
    fl_quantized_arguments args;
    const int below = weight ? bits + 8 : bits;
    fl_side *const a = &args.sides.positive, *const b = &args.sides.negative;
    *a = side_of(how->positive, how->rounding, bits);
    *b = side_of(how->negative, how->rounding, below);
    const int right = a->right > b->right ? a->right : b->right;
    args.negate = how->rounding != FL_XNNPACK && how->negative.multiplier < 0 ? -1 : 0;
    args.joined = !args.negate && shifts(a, right, bits) && shifts(b, right, below);
    if (args.joined) {
        shift_side(a, right, how->output_zero_point);
        shift_side(b, right, how->output_zero_point);
    }
    args.input_zero_point = how->input_zero_point;
    args.weight_zero_point = how->weight_zero_point;
    args.output_zero_point = how->output_zero_point;
    args.q = q;
    args.weight = weight;
    args.out = out;
    args.outer = outer;
    args.channels = channels;
    args.inner = inner;
    return args;
}

static void run(const fl_isa *isa, fl_task *kernel, const fl_quantized_arguments *args)
{
    const size_t n = args->outer * args->channels * args->inner;
    fl_run(isa, fl_threads(isa, n), kernel, args, n, FL_GRAIN);
}

static void look_up(const fl_isa *isa, const void *q, const void *table, void *out, size_t n)
{
    fl_quantized_arguments args;
    args.q = q;
    args.weight = table;
    args.out = out;
    args.outer = args.channels = 1;
    args.inner = n;
    run(isa, FL_OF(isa, bytes_look_up), &args);
}

#define FL_OPS(type, T, WEIGHT, bits)                                                                                  \
    void fl_prelu_##type(const fl_isa *isa, const fl_quantization *how, const T *q, const WEIGHT *weight, T *out,      \
                         size_t outer, size_t channels, size_t inner)                                                  \
    {                                                                                                                  \
        const fl_quantized_arguments args = arguments_of(how, q, weight, out, outer, channels, inner, bits);           \
        run(isa, FL_OF(isa, type##_prelu), &args);                                                                     \
    }                                                                                                                  \
    void fl_leaky_relu_##type(const fl_isa *isa, const fl_quantization *how, const T *q, T *out, size_t n)             \
    {                                                                                                                  \
        const fl_quantized_arguments args = arguments_of(how, q, NULL, out, 1, 1, n, bits);                            \
        run(isa, FL_OF(isa, type##_leaky_relu), &args);                                                                \
    }
FL_OPS(i8, int8_t, int8_t, 8)
FL_OPS(u8, uint8_t, uint8_t, 8)
FL_OPS(i16, int16_t, int8_t, 15)

#define FL_TABLES(type, T)                                                                                             \
    void fl_leaky_relu_table_##type(const fl_isa *isa, const fl_quantization *how, T table[256])                       \
    {                                                                                                                  \
        for (int i = 0; i < 256; i++)                                                                                  \
            table[i] = (T)i;                                                                                           \
        fl_leaky_relu_##type(isa, how, table, table, 256);                                                             \
    }                                                                                                                  \
    void fl_look_up_##type(const fl_isa *isa, const T *q, const T table[256], T *out, size_t n)                        \
    {                                                                                                                  \
        look_up(isa, q, table, out, n);                                                                                \
    }
FL_TABLES(i8, int8_t)
FL_TABLES(u8, uint8_t)
