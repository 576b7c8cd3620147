/* line.h - a short cut for 8 bits and one slope: (x * factor + half) >> shift in 16 bits, where it gives just the same.
 * SPDX-License-Identifier: MIT
 *
 * However a product is rounded, on either side of 0 it is floor(x * factor + half) for real numbers that are known
 * exactly. In 16 bits factor and half are shorter; the table of all 256 results says whether that matters. The factor's
 * neighbour is tried, too. (It did in 1 of 100 random layers, in 7 of them where scales differ much.)
 *
 * Words, for FL_LINE bytes in two vectors of int16_t: line_vec and line_bits, which are signed or not and know C's
 * operators; line_bytes, with line_load and line_store; line_low, line_upper: the half of the bytes, times 256; join:
 * both halves saturated; line_set; line_pick(x, a, b): x >= 0 ? a : b; line_high: bits 16 ... 31 of the product;
 * line_shift. */

typedef struct {
    int16_t zero_point, factor[2], half[2]; /* where x is positive or 0, and where not */
    int shift;
} FL(line_of);

FL_INLINE line_vec FL(line_half)(const FL(line_of) * l, line_bits q)
{
    const line_vec of_128ths = (NUM)-1 > 0 ? (line_vec)(q >> 1) : (line_vec)q >> 1;
    const line_vec x = of_128ths - line_set(l->zero_point);
    const line_vec factor = line_pick(x, line_set(l->factor[0]), line_set(l->factor[1]));
    const line_vec half = line_pick(x, line_set(l->half[0]), line_set(l->half[1]));
    return line_shift((line_vec)((line_bits)line_high(x, factor) + (line_bits)half), l->shift);
}

FL_FUNCTION void FL(line_run)(const FL(line_of) * line, const NUM *q, NUM *out, size_t n)
{
    const FL(line_of) own = *line;
    for (size_t i = 0; i < n; i += FL_LINE) {
        const line_bytes v = line_load(q + i);
        line_store(out + i, FL(join)(FL(line_half)(&own, line_low(v)), FL(line_half)(&own, line_upper(v))));
    }
}

/* The factor and the half of a side, in the units of 16 bits; 0 if there is no room for them. */
FL_INLINE int FL(line_side)(FL(line_of) * line, int i, const fl_side *side, int32_t slope, int32_t away, int32_t zero)
{
    const int64_t exact = (int64_t)slope * (1 << side->left) * side->multiplier, one = 1;
    const int64_t factor = exact >> (21 + side->right - line->shift);
    const int64_t half = side->half + (i && slope > 0 ? away : 0);
    line->factor[i] = (int16_t)factor;
    line->half[i] =
        (int16_t)((((half << line->shift) + (one << side->right >> 1)) >> side->right) + zero * (1 << line->shift));
    return factor > -32768 && factor < 32767;
}

/* Write the results of the first numbers, as many as are said then: none where there is no such line. */
FL_FUNCTION size_t FL(line)(const fl_rescaling *job, int32_t slope, const NUM table[256], const NUM *q, NUM *out,
                            size_t n)
{
    FL(line_of) line = {(int16_t)(job->input_zero_point * 128), {0}, {0}, 8};
    int fits = 0;
    while (!fits && line.shift-- > 0)
        fits = FL(line_side)(&line, 0, &job->above, 1, 0, job->output_zero_point) &
               FL(line_side)(&line, 1, &job->below, slope, job->away, job->output_zero_point);
    for (int trial = 0; fits && !job->negate && trial < 4; trial++) {
        NUM found[256];
        int differs = 0;
        for (int i = 0; i < 256; i++)
            found[i] = (NUM)i;
        FL(line_run)(&line, found, found, 256);
        for (int i = 0; i < 256; i++)
            differs |= found[i] ^ table[i];
        if (!differs) {
            n -= n % FL_LINE;
            FL(line_run)(&line, q, out, n);
            return n;
        }
        line.factor[0] = (int16_t)(line.factor[0] + (trial % 2 ? -1 : 1)); /* +0 +0, +1 +0, +0 +1, +1 +1 */
        line.factor[1] = (int16_t)(line.factor[1] + (trial == 1));
    }
    return 0;
}
