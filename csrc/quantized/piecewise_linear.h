/* piecewise_linear.h - a short cut for 8 bits and one slope: two lines in 16 bits, where they give just the same.
 * SPDX-License-Identifier: MIT
 *
 * However a product is rounded, on either side of the zero point the result is floor(q * factor + half) for real
 * numbers; and where the slope is no larger than on the upper side, the larger of the two lines is the one that counts.
 * In 16 bits a factor is shorter. The table of all 256 results says whether that matters, and which half serves: a
 * factor leaves some room for it, or none; then the next one is tried, and q + 1/4, + 1/2, + 3/4, which moves what is
 * cut off. (None served in 1 of 100 random layers whose scales are equal, in 7 where they differ up to 4 times: those
 * look the table up.)
 *
 * Words, for FL_LINE bytes in two vectors of int16_t: line_vec and line_bits, which are signed or not and know C's
 * operators; line_bytes, with line_load and line_store; line_low, line_upper: half of the bytes, each above one of
 * others; join: both halves saturated; line_set; line_larger; line_high: bits 16 ... 31 of the product; line_shift. */

typedef struct {
    int16_t behind, factor[2], half[2]; /* what q has behind the point, twice; of the upper line and of the lower */
    int shift;
} FL(lines);

/* Signed numbers: of unsigned ones, less 128. */
FL_INLINE line_bytes FL(line_numbers)(const NUM *q)
{
    const line_vec v = (line_vec)line_load(q);
    return (line_bytes)((NUM)-1 > 0 ? v ^ line_set((int16_t)0x8080) : v);
}

FL_INLINE line_vec FL(line_half)(const FL(lines) * l, line_vec q)
{
    const line_bits upper = (line_bits)line_high(q, line_set(l->factor[0])) + (line_bits)line_set(l->half[0]);
    const line_bits lower = (line_bits)line_high(q, line_set(l->factor[1])) + (line_bits)line_set(l->half[1]);
    return line_shift(line_larger((line_vec)upper, (line_vec)lower), l->shift);
}

FL_FUNCTION void FL(line_run)(const FL(lines) * l, const NUM *q, NUM *out, size_t n)
{
    const FL(lines) own = *l;
    const line_bytes behind = (line_bytes)line_set(own.behind);
    FL_UNROLLED
    for (size_t i = 0; i < n; i += FL_LINE) {
        const line_bytes v = FL(line_numbers)(q + i);
        const line_vec low = FL(line_half)(&own, line_low(behind, v)),
                       high = FL(line_half)(&own, line_upper(behind, v));
        line_store(out + i, FL(join)(low, high));
    }
}

FL_INLINE line_vec FL(line_bound)(line_vec so_far, line_vec next, line_vec where)
{
    return line_larger(so_far, (next & where) | (line_set(INT16_MIN) & ~where));
}

/* What the half must be at least for these results, and at most, where that has its bits inverted. */
FL_INLINE void FL(line_bind)(const FL(lines) * l, int i, int16_t zero, line_vec q, line_bits result, line_vec *least,
                             line_vec *not_most)
{
    const int16_t low = (NUM)-1 > 0 ? 0 : -128 * 128, high = (NUM)-1 > 0 ? 255 * 128 : 127 * 128;
    const line_vec y = (NUM)-1 > 0 ? (line_vec)(result >> 1) : (line_vec)result >> 1;
    const line_vec here = i ? q <= zero : q >= zero, last = line_set((int16_t)((1 << l->shift) - 1));
    const line_vec missing = line_shift(y, 7 - l->shift) - line_high(q, line_set(l->factor[i]));
    *least = FL(line_bound)(*least, missing, here & (y > line_set(low)));
    *not_most = FL(line_bound)(*not_most, ~(missing + last), here & (y < line_set(high)));
}

/* The half in the middle of the room that line i's factor, or else the next, leaves; whether there is any. */
FL_FUNCTION int FL(line_side)(FL(lines) * l, int i, int16_t zero, const NUM *numbers, const NUM *table)
{
    const line_bytes behind = (line_bytes)line_set(l->behind), none = (line_bytes)line_set(0);
    for (const int beyond = l->factor[i] + 2; l->factor[i] < beyond; l->factor[i]++) {
        line_vec leasts = line_set(INT16_MIN), not_mosts = leasts;
        int least = INT16_MIN, most = INT16_MAX;
        for (int k = 0; k < 256; k += FL_LINE) {
            const line_bytes q = FL(line_numbers)(numbers + k), y = line_load(table + k);
            FL(line_bind)(l, i, zero, line_low(behind, q), (line_bits)line_low(none, y), &leasts, &not_mosts);
            FL(line_bind)(l, i, zero, line_upper(behind, q), (line_bits)line_upper(none, y), &leasts, &not_mosts);
        }
        for (int k = 0; k < FL_LINE / 2; k++) {
            least = leasts[k] > least ? leasts[k] : least;
            most = ~not_mosts[k] < most ? ~not_mosts[k] : most;
        }
        l->half[i] = (int16_t)((least + most) >> 1);
        if (least <= most)
            return 1;
    }
    return 0;
}

/* The lines of a table, if there are any. */
FL_FUNCTION int FL(lines_of)(const fl_rescaling *job, int32_t slope, const NUM table[256], FL(lines) * l)
{
    const fl_side *const a = &job->above, *const b = &job->below;
    const int64_t upper = (int64_t)a->multiplier * (1 << a->left);
    const int64_t lower = (int64_t)b->multiplier * (job->negate ? -slope : slope) * (1 << b->left);
    int64_t factor[2];
    NUM numbers[256], found[256];
    l->shift = 7; /* less 1, so that 2^15 is more than any sum */
    do {
        if (l->shift-- == 0)
            return 0;
        factor[0] = upper >> (22 + a->right - l->shift);
        factor[1] = lower >> (22 + b->right - l->shift);
    } while (factor[0] >= INT16_MAX - 1 || factor[1] < INT16_MIN);
    if (factor[1] > factor[0])
        return 0;
    for (int i = 0; i < 256; i++)
        numbers[i] = (NUM)i;
    for (int quarters = 0; quarters < 4; quarters++) {
        const int16_t zero = (int16_t)((job->input_zero_point - ((NUM)-1 > 0 ? 128 : 0)) * 256 + 64 * quarters);
        int differs = 0;
        l->behind = (int16_t)(0x4040 * quarters);
        l->factor[0] = (int16_t)factor[0];
        l->factor[1] = (int16_t)factor[1];
        if (!FL(line_side)(l, 0, zero, numbers, table) || !FL(line_side)(l, 1, zero, numbers, table))
            continue;
        FL(line_run)(l, numbers, found, 256);
        for (int i = 0; i < 256; i++)
            differs |= found[i] ^ table[i];
        if (!differs)
            return 1;
    }
    return 0;
}
