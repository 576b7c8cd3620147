/* kernels_type.h - the quantized kernels, included once for each instruction set and type (quantized/kernels.h).
 * SPDX-License-Identifier: MIT
 *
 * The vector operations; FL(load) is i8_load for FL_TYPE i8:
 *
 *   FL_INTS                 the lanes of a vector
 *   i32_vec                 a vector of int32_t that has C's operators; int32_t itself if FL_INTS is 1
 *   i32_set(s)
 *   i32_select(x, a, b)     x > 0 ? a : b
 *   u32_vec                 the same of uint32_t
 *   i32_high(a, b)          bits 30 ... 61 of the product
 *   FL(load)(p)  FL(store)(p, v)    the store saturates; i32_load(p)
 *
 * FL_8_BITS: a long run with one slope looks a table of all 256 results up, or uses piecewise_linear.h. */
#define FL(word) FL_PASTE(FL_TYPE, word)
#define NUM FL(num)
#define WEIGHT FL(weight)

/* x times the factor of its side. With `s` the slopes and biases are those of requantize32.h. */
FL_INLINE i32_vec FL(requantized)(const fl_quantized_arguments *args, const fl_requantize32 *s, i32_vec x,
                                  i32_vec slope, i32_vec bias)
{
    if (s)
        return (x * i32_select(x, i32_set(s->factor), slope) + i32_select(x, i32_set(s->bias), bias)) >> s->shift;
    const fl_side *const a = &args->positive, *const b = &args->negative;
    const i32_vec v = x * i32_select(x, i32_set(1 << a->left), slope);
    const i32_vec high = i32_high(v, i32_select(x, i32_set(a->multiplier), i32_set(b->multiplier)));
    const i32_vec positive = i32_plus(high, i32_set(a->bias)) >> a->right, negative = i32_plus(high, bias) >> b->right;
    return i32_select(x, positive, (negative ^ args->negate) - args->negate) + args->output_zero_point;
}

FL_INLINE void FL(requantize_vector)(const fl_quantized_arguments *args, const fl_requantize32 *s, const NUM *q,
                                     const int32_t *slope, const int32_t *bias, NUM *out)
{
    const i32_vec x = FL(load)(q) - args->input_zero_point;
    FL(store)(out, FL(requantized)(args, s, x, i32_load(slope), i32_load(bias)));
}

/* n elements: with `each` a slope for each; else all have the first one, which is repeated FL_INTS times. */
FL_INLINE void FL(requantize_elements)(const fl_quantized_arguments *args, const fl_requantize32 *s, const NUM *q,
                                       const int32_t *slope, const int32_t *bias, int each, NUM *out, size_t n)
{
    const fl_quantized_arguments own = *args; /* which no store changes */
    const fl_requantize32 positive = s ? *s : (fl_requantize32){0, 0, 0};
    s = s ? &positive : NULL;
    size_t i = 0;
    FL_VECTORIZE
    for (; i + FL_INTS <= n; i += FL_INTS)
        FL(requantize_vector)(&own, s, q + i, slope + each * i, bias + each * i, out + i);
    if (i < n) { /* never for FL_INTS 1 */
        NUM rest[FL_INTS] = {0};
        for (size_t k = i; k < n; k++)
            rest[k - i] = q[k];
        FL(requantize_vector)(&own, s, rest, slope + each * i, bias + each * i, rest);
        for (size_t k = i; k < n; k++)
            out[k] = rest[k - i];
    }
}

FL_FUNCTION void FL(requantize_exactly)(const fl_quantized_arguments *args, const NUM *q, int32_t slope, NUM *out,
                                        size_t n)
{
    int32_t slopes[FL_INTS], biases[FL_INTS];
    for (size_t i = 0; i < FL_INTS; i++)
        prepare(args, slope, slopes + i, biases + i);
    FL(requantize_elements)(args, NULL, q, slopes, biases, 0, out, n);
}

#if defined(FL_8_BITS) && defined(FL_LINEAR)
#include "quantized/piecewise_linear.h"
#endif

/* A run of elements with one slope. */
FL_FUNCTION void FL(requantize_run)(const fl_quantized_arguments *args, const NUM *q, int32_t slope, NUM *out, size_t n)
{
#ifdef FL_8_BITS
    if (n >= FL_TABLE_FROM) {
        NUM table[256];
        size_t done = 0;
        for (int i = 0; i < 256; i++)
            table[i] = (NUM)i;
        FL(requantize_exactly)(args, table, slope, table, 256);
#ifdef FL_LINEAR
        FL(linear) linear;
        if (FL(linear_of)(args, slope, table, &linear)) {
            done = n - n % FL_LINEAR;
            FL(linear_run)(&linear, q, out, done);
        }
#endif
        look_up((const uint8_t *)table, (const uint8_t *)q + done, (uint8_t *)out + done, n - done);
        return;
    }
#endif
    FL(requantize_exactly)(args, q, slope, out, n);
}

/* Of the elements begin ... end, in rows, one tile of columns: those from `first` on. */
FL_FUNCTION void FL(requantize_columns)(const fl_quantized_arguments *args, size_t begin, size_t end, size_t row,
                                        size_t first)
{
    const WEIGHT *const weight = (const WEIGHT *)args->weight + first;
    const size_t channels = args->channels, columns = row - first < FL_TILE ? row - first : FL_TILE;
    const size_t count = columns < channels ? columns : channels;
    int32_t slopes[FL_TILE + FL_INTS], biases[FL_TILE + FL_INTS];
    fl_requantize32 positive;
    int in_32_bits = 0;
    if (sizeof(NUM) == 1 && (end - begin) / channels >= FL_REQUANTIZE32_FROM) {
        for (size_t k = 0; k < count; k++)
            slopes[k] = weight[k] - args->weight_zero_point;
        in_32_bits = requantize32_prepare(args, (NUM)-1 > 0 ? 0 : -128, slopes, biases, count, &positive);
    }
    if (!in_32_bits) {
        FL_VECTORIZE
        for (size_t k = 0; k < count; k++)
            prepare(args, weight[k] - args->weight_zero_point, slopes + k, biases + k);
    }
    for (size_t k = count; k < columns + FL_INTS - 1;
         k++) { /* joined rows; and a vector that begins at the last column */
        slopes[k] = slopes[k - count];
        biases[k] = biases[k - count];
    }
    for (size_t at = begin - begin % row + first; at < end; at += row) {
        const size_t from = at < begin ? begin - at : 0, to = end - at < columns ? end - at : columns;
        const NUM *const q = (const NUM *)args->q + at;
        NUM *const out = (NUM *)args->out + at;
        if (from >= to)
            continue;
        if (sizeof(NUM) == 1 && in_32_bits)
            FL(requantize_elements)(args, &positive, q + from, slopes + from, biases + from, 1, out + from, to - from);
        else
            FL(requantize_elements)(args, NULL, q + from, slopes + from, biases + from, 1, out + from, to - from);
    }
}

/* Elements begin ... end where channels are last. */
FL_FUNCTION void FL(requantize_rows)(const fl_quantized_arguments *args, size_t begin, size_t end)
{
    const size_t channels = args->channels, fit = FL_TILE / channels, whole = fit - fit % FL_INTS;
    const size_t row = channels * (whole ? whole
                                   : fit ? fit
                                         : 1); /* several short rows are joined, if possible to whole vectors */
    for (size_t first = 0; first < row; first += FL_TILE)
        FL(requantize_columns)(args, begin, end, row, first);
}

/* The kernels: leaky ReLU, whose slope is in the factor; PReLU with a slope for each channel. */
extern fl_task FL_KERNEL(leaky_relu), FL_KERNEL(prelu);
FL_EXPORT void FL_KERNEL(leaky_relu)(const void *arguments, size_t begin, size_t end)
{
    const fl_quantized_arguments *const args = arguments;
    FL(requantize_run)(args, (const NUM *)args->q + begin, 1, (NUM *)args->out + begin, end - begin);
}

FL_EXPORT void FL_KERNEL(prelu)(const void *arguments, size_t begin, size_t end)
{
    const fl_quantized_arguments *const args = arguments;
    const WEIGHT *const weight = args->weight;
    const size_t inner = args->channels > 1 ? args->inner : end;
    if (inner == 1 && args->channels > 1) {
        FL(requantize_rows)(args, begin, end);
        return;
    }
    for (size_t at = begin, n; at < end; at += n) {
        const int32_t slope = weight[at / inner % args->channels] - args->weight_zero_point;
        n = inner - at % inner < end - at ? inner - at % inner : end - at;
        FL(requantize_run)(args, (const NUM *)args->q + at, slope, (NUM *)args->out + at, n);
    }
}

#undef FL
#undef NUM
#undef WEIGHT
#undef FL_TYPE
#undef FL_8_BITS
