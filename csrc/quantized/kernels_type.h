/* kernels_type.h - the quantized kernels, included once for each instruction set and type (quantized/kernels.h).
 * SPDX-License-Identifier: MIT
 *
 * FL_8_BITS: a long run with one slope looks a table of all 256 results up, or uses piecewise_linear.h. */
#define FL(word) FL_PASTE(FL_TYPE, word)
#define NUM FL(num)
#define WEIGHT FL(weight)

/* n lanes. Each lane has a slope of its own `each` behind the one before it: FL_EACH, or 0 if all have the same. Of a
 * slope there are a factor, and behind them all, or with FL_EACH 2 behind it, a bias. With `s` they are those of
 * requantize32.h. */
FL_INLINE void FL(requantize_vector)(const fl_sides *sides, const fl_requantize32 *s, int32_t zero, const NUM *q,
                                     const int32_t *slopes, int each, NUM *out, size_t n)
{
    const int32_t *const biases = slopes + (each ? FL_BIAS : 1);
    const i32_vec x = FL(load)(q, zero, n);
#ifdef FL_REQUANTIZE32
    FL(store)(out, s ? i32_requantize32(s, x, slopes, biases) : i32_requantize(sides, x, slopes, biases, each, n), n);
#else
    (void)s;
    FL(store)(out, i32_requantize(sides, x, slopes, biases, each, n), n);
#endif
}

/* n elements of sides that are joined. */
FL_INLINE void FL(requantize_joined)(const fl_quantized_arguments *args, const fl_requantize32 *s, const NUM *q,
                                     const int32_t *slopes, int each, NUM *out, size_t n)
{
    fl_sides sides = args->sides; /* which no store changes */
    const int32_t zero = args->input_zero_point;
    const fl_requantize32 positive = s ? *s : (fl_requantize32){0, 0, 0};
    s = s ? &positive : NULL;
    sides.positive.scale /= FL_DOUBLED;
    const NUM *const end = q + n;
#if FL_INTS == 1
    FL_VECTORIZE
    for (; q != end; q++, out++, slopes += each)
        FL(requantize_vector)(&sides, s, zero, q, slopes, each, out, 1);
#elif FL_INTS > 1
    for (; end - q >= FL_INTS; q += FL_INTS, out += FL_INTS, slopes += each * FL_INTS)
        FL(requantize_vector)(&sides, s, zero, q, slopes, each, out, FL_INTS);
#endif
#ifdef FL_INTS_ACTIVE
    for (size_t active; q < end; q += active, out += active, slopes += each * active) {
        active = i32_active((size_t)(end - q));
        FL(requantize_vector)(&sides, s, zero, q, slopes, each, out, active);
    }
#elif FL_INTS > 1
    if (q < end) {
        NUM rest[FL_INTS] = {0};
        for (ptrdiff_t k = 0; k < end - q; k++)
            rest[k] = q[k];
        FL(requantize_vector)(&sides, s, zero, rest, slopes, each, rest, FL_INTS);
        for (ptrdiff_t k = 0; k < end - q; k++)
            out[k] = rest[k];
    }
#endif
}

/* Every `step`th of n elements, with one slope and sides that are not joined: for a negative slope of leaky ReLU, and
 * for factors far apart. */
FL_FUNCTION FL_NOINLINE void FL(requantize_apart)(const fl_quantized_arguments *args, const NUM *q, int32_t slope,
                                                  size_t step, NUM *out, size_t n)
{
    const int32_t least = sizeof(NUM) > 1 ? INT16_MIN : (NUM)-1 > 0 ? 0 : INT8_MIN;
    const int32_t most = least + (sizeof(NUM) > 1 ? UINT16_MAX : UINT8_MAX);
    int32_t factor, bias;
    prepare(&args->sides.negative, slope, args->sides.negative.scale, &factor, &bias);
    for (size_t i = 0; i < n; i += step) {
        const int32_t x = q[i] - args->input_zero_point, negate = x > 0 ? 0 : args->negate;
        const fl_side *const side = x > 0 ? &args->sides.positive : &args->sides.negative;
        const int32_t high = (int32_t)((int64_t)(x * (x > 0 ? side->scale : factor)) * side->multiplier >> 30);
        int32_t y = (high + (x > 0 ? side->bias : bias)) >> side->right;
        y = ((y ^ negate) - negate) + args->output_zero_point;
        out[i] = (NUM)(y < least ? least : y > most ? most : y);
    }
}

/* n elements with one slope. */
FL_FUNCTION void FL(requantize)(const fl_quantized_arguments *args, const NUM *q, int32_t slope, NUM *out, size_t n)
{
    int32_t slopes[2];
    prepare(&args->sides.negative, slope, args->sides.negative.scale / FL_DOUBLED, slopes, slopes + 1);
    if (args->joined)
        FL(requantize_joined)(args, NULL, q, slopes, 0, out, n);
    else
        FL(requantize_apart)(args, q, slope, 1, out, n);
}

#if defined(FL_8_BITS) && defined(FL_LINEAR)
#include "quantized/piecewise_linear.h"
#endif

/* A run of elements with one slope. */
FL_FUNCTION void FL(requantize_run)(const fl_quantized_arguments *args, const NUM *q, int32_t slope, NUM *out, size_t n)
{
#ifdef FL_8_BITS
    if (n >= FL_TABLE_FROM) {
        NUM table[256], number = 0;
        size_t done = 0;
        for (int i = 0; i < 256; i++, number++) /* which compilers vectorise as bytes */
            table[i] = number;
        FL(requantize)(args, table, slope, table, 256);
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
    FL(requantize)(args, q, slope, out, n);
}

FL_INLINE void FL(prepare_channels)(const fl_quantized_arguments *args, const WEIGHT *weight, size_t n,
                                    int32_t *factors, int32_t *biases)
{
    const fl_side *const side = &args->sides.negative;
    FL_VECTORIZE
    for (size_t k = 0; k < n; k++)
        prepare(side, weight[k] - args->weight_zero_point, side->scale / FL_DOUBLED, factors + FL_EACH * k,
                biases + FL_EACH * k);
}

/* Of the elements begin ... end, in rows, one tile of columns: those from `first` on. The sides are joined. */
FL_FUNCTION void FL(requantize_columns)(const fl_quantized_arguments *args, size_t begin, size_t end, size_t row,
                                        size_t first)
{
    const WEIGHT *const weight = (const WEIGHT *)args->weight + first;
    const size_t channels = args->channels, columns = row - first < FL_TILE ? row - first : FL_TILE;
    const size_t count = columns < channels ? columns : channels;
    int32_t factors[2 * (FL_TILE + FL_INTS)], *const biases = factors + FL_BIAS;
    FL(prepare_channels)(args, weight, count, factors, biases);
#ifdef FL_REQUANTIZE32
    fl_requantize32 positive = {0, 0, 0};
    int in_32_bits = 0;
    if (sizeof(NUM) == 1 && (end - begin) / channels >= FL_REQUANTIZE32_FROM) {
        in_32_bits = requantize32_prepare(args, (NUM)-1 > 0 ? 0 : -128, factors, biases, count, &positive);
        if (!in_32_bits)
            FL(prepare_channels)(args, weight, count, factors, biases);
    }
#endif
    for (size_t k = count; k < columns + (FL_INTS > 1 ? FL_INTS - 1 : 0);
         k++) { /* joined rows; and a vector that begins at the last column */
        factors[FL_EACH * k] = factors[FL_EACH * (k - count)];
        biases[FL_EACH * k] = biases[FL_EACH * (k - count)];
    }
    for (size_t at = begin - begin % row + first; at < end; at += row) {
        const size_t from = at < begin ? begin - at : 0, to = end - at < columns ? end - at : columns;
        const NUM *const q = (const NUM *)args->q + at + from;
        NUM *const out = (NUM *)args->out + at + from;
        if (from >= to)
            continue;
#ifdef FL_REQUANTIZE32
        if (in_32_bits) {
            FL(requantize_joined)(args, &positive, q, factors + FL_EACH * from, FL_EACH, out, to - from);
            continue;
        }
#endif
        FL(requantize_joined)(args, NULL, q, factors + FL_EACH * from, FL_EACH, out, to - from);
    }
}

/* Elements begin ... end where channels are last. Several short rows are joined, if possible to whole vectors. */
FL_FUNCTION void FL(requantize_rows)(const fl_quantized_arguments *args, size_t begin, size_t end)
{
    const size_t channels = args->channels, room = end - begin < FL_JOINED ? end - begin : FL_JOINED;
    const size_t ints = FL_INTS, fit = room / channels, whole = ints ? fit - fit % ints : fit;
    const size_t row = channels * (whole ? whole : fit ? fit : 1);
    if (args->joined) {
        for (size_t first = 0; first < row; first += FL_TILE)
            FL(requantize_columns)(args, begin, end, row, first);
        return;
    }
    for (size_t at = begin; at < end && at - begin < channels; at++) {
        const int32_t slope = ((const WEIGHT *)args->weight)[at % channels] - args->weight_zero_point;
        FL(requantize_apart)(args, (const NUM *)args->q + at, slope, channels, (NUM *)args->out + at, end - at);
    }
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
