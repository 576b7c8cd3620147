/* kernels_type.h - the one body of the quantized kernels, included once an instruction set and type
 * (quantized/kernels.h). SPDX-License-Identifier: MIT
 *
 * The words it needs; FL(word) is the word with the type before it, such as i8_load:
 *
 *   FL_INTS                 numbers in a vector
 *   i32_vec                 a vector of int32_t, or for FL_INTS 1 just that; it knows C's operators
 *   i32_set(s)
 *   i32_pick(x, a, b)       x > 0 ? a : b
 *   u32_vec                 the same of uint32_t
 *   i32_high(a, b)          bits 30 ... 61 of the product
 *   load(p)  store(p, vec)  of which the latter saturates; i32_load(p)
 *
 * FL_8_BITS: for a long run with one slope there is a table, which is made of a short run; and piecewise_linear.h. */
#define FL(word) FL_PASTE(FL_TYPE, word)
#define NUM FL(num)
#define WEIGHT FL(weight)

/* Prepared slopes and halves are those of requantize32.h where that has given what is above. */
FL_INLINE i32_vec FL(rescaled)(const fl_rescaling *job, const fl_short *s, i32_vec x, i32_vec slope, i32_vec half)
{
    if (s)
        return (x * i32_pick(x, i32_set(s->factor), slope) + i32_pick(x, i32_set(s->half), half)) >> s->shift;
    const fl_side *const a = &job->above, *const b = &job->below;
    const i32_vec v = x * i32_pick(x, i32_set(1 << a->left), slope);
    const i32_vec high = i32_high(v, i32_pick(x, i32_set(a->multiplier), i32_set(b->multiplier)));
    const i32_vec above = i32_plus(high, i32_set(a->half)) >> a->right, below = i32_plus(high, half) >> b->right;
    return i32_pick(x, above, (below ^ job->negate) - job->negate) + job->output_zero_point;
}

FL_INLINE void FL(rescale_few)(const fl_rescaling *job, const fl_short *s, const NUM *q, const int32_t *slope,
                               const int32_t *half, NUM *out)
{
    const i32_vec x = FL(load)(q) - job->input_zero_point;
    FL(store)(out, FL(rescaled)(job, s, x, i32_load(slope), i32_load(half)));
}

/* Numbers with a slope each, or all with the first, which then is there FL_INTS times. */
FL_INLINE void FL(rescale_piece)(const fl_rescaling *job, const fl_short *s, const NUM *q, const int32_t *slope,
                                 const int32_t *half, int each, NUM *out, size_t n)
{
    const fl_rescaling own = *job; /* which no store can change */
    const fl_short above = s ? *s : (fl_short){0, 0, 0};
    s = s ? &above : NULL;
    size_t i = 0;
    FL_VECTORS
    for (; i + FL_INTS <= n; i += FL_INTS)
        FL(rescale_few)(&own, s, q + i, slope + each * i, half + each * i, out + i);
    if (i < n) { /* never for FL_INTS 1 */
        NUM rest[FL_INTS] = {0};
        for (size_t k = i; k < n; k++)
            rest[k - i] = q[k];
        FL(rescale_few)(&own, s, rest, slope + each * i, half + each * i, rest);
        for (size_t k = i; k < n; k++)
            out[k] = rest[k - i];
    }
}

FL_FUNCTION void FL(rescale_short)(const fl_rescaling *job, const NUM *q, int32_t slope, NUM *out, size_t n)
{
    int32_t slopes[FL_INTS], halves[FL_INTS];
    for (size_t i = 0; i < FL_INTS; i++)
        prepare(job, slope, slopes + i, halves + i);
    FL(rescale_piece)(job, NULL, q, slopes, halves, 0, out, n);
}

#if defined(FL_8_BITS) && defined(FL_LINE)
#include "quantized/piecewise_linear.h"
#endif

/* Numbers with one slope. */
FL_FUNCTION void FL(rescale_run)(const fl_rescaling *job, const NUM *q, int32_t slope, NUM *out, size_t n)
{
#ifdef FL_8_BITS
    if (n >= FL_TABLE_FROM) {
        NUM table[256];
        size_t done = 0;
        for (int i = 0; i < 256; i++)
            table[i] = (NUM)i;
        FL(rescale_short)(job, table, slope, table, 256);
#ifdef FL_LINE
        FL(lines) lines;
        if (FL(lines_of)(job, slope, table, &lines)) {
            done = n - n % FL_LINE;
            FL(line_run)(&lines, q, out, done);
        }
#endif
        look_up((const uint8_t *)table, (const uint8_t *)q + done, (uint8_t *)out + done, n - done);
        return;
    }
#endif
    FL(rescale_short)(job, q, slope, out, n);
}

/* Of the elements begin ... end, in rows, as many columns from `first` on as there is room for their slopes. */
FL_FUNCTION void FL(rescale_columns)(const fl_rescaling *job, size_t begin, size_t end, size_t row, size_t first)
{
    const WEIGHT *const weight = (const WEIGHT *)job->weight + first;
    const size_t channels = job->channels, columns = row - first < FL_PIECE ? row - first : FL_PIECE;
    const size_t count = columns < channels ? columns : channels;
    int32_t slopes[FL_PIECE + FL_INTS], halves[FL_PIECE + FL_INTS];
    fl_short above;
    int shortened = 0;
    if (sizeof(NUM) == 1 && (end - begin) / channels >= FL_SHORT_FROM) {
        for (size_t k = 0; k < count; k++)
            slopes[k] = weight[k] - job->weight_zero_point;
        shortened = shorten(job, (NUM)-1 > 0 ? 0 : -128, slopes, halves, count, &above);
    }
    if (!shortened) {
        FL_VECTORS
        for (size_t k = 0; k < count; k++)
            prepare(job, weight[k] - job->weight_zero_point, slopes + k, halves + k);
    }
    for (size_t k = count; k < columns + FL_INTS - 1; k++) { /* joined; and for a vector that begins at the last */
        slopes[k] = slopes[k - count];
        halves[k] = halves[k - count];
    }
    for (size_t at = begin - begin % row + first; at < end; at += row) {
        const size_t from = at < begin ? begin - at : 0, to = end - at < columns ? end - at : columns;
        const NUM *const q = (const NUM *)job->q + at;
        NUM *const out = (NUM *)job->out + at;
        if (from >= to)
            continue;
        if (sizeof(NUM) == 1 && shortened)
            FL(rescale_piece)(job, &above, q + from, slopes + from, halves + from, 1, out + from, to - from);
        else
            FL(rescale_piece)(job, NULL, q + from, slopes + from, halves + from, 1, out + from, to - from);
    }
}

/* Elements begin ... end where channels are last: a slope an element. */
FL_FUNCTION void FL(rescale_rows)(const fl_rescaling *job, size_t begin, size_t end)
{
    const size_t channels = job->channels, fit = FL_PIECE / channels, whole = fit - fit % FL_INTS;
    const size_t row = channels * (whole ? whole : fit ? fit : 1); /* short rows, joined; better to whole vectors */
    for (size_t first = 0; first < row; first += FL_PIECE)
        FL(rescale_columns)(job, begin, end, row, first);
}

/* Elements begin ... end, with one slope, which is 1; or with a slope for each channel. */
extern fl_task FL_KERNEL(leaky_relu), FL_KERNEL(prelu);
FL_EXPORT void FL_KERNEL(leaky_relu)(const void *arguments, size_t begin, size_t end)
{
    const fl_rescaling *const job = arguments;
    FL(rescale_run)(job, (const NUM *)job->q + begin, 1, (NUM *)job->out + begin, end - begin);
}

FL_EXPORT void FL_KERNEL(prelu)(const void *arguments, size_t begin, size_t end)
{
    const fl_rescaling *const job = arguments;
    const WEIGHT *const weight = job->weight;
    const size_t inner = job->channels > 1 ? job->inner : end;
    if (inner == 1 && job->channels > 1) {
        FL(rescale_rows)(job, begin, end);
        return;
    }
    for (size_t at = begin, n; at < end; at += n) {
        const int32_t slope = weight[at / inner % job->channels] - job->weight_zero_point;
        n = inner - at % inner < end - at ? inner - at % inner : end - at;
        FL(rescale_run)(job, (const NUM *)job->q + at, slope, (NUM *)job->out + at, n);
    }
}

#undef FL
#undef NUM
#undef WEIGHT
#undef FL_TYPE
#undef FL_8_BITS
