/* piecewise_linear.h - 8-bit leaky ReLU as the larger of two linear functions in 16 bits, where it gives the same
 * results. SPDX-License-Identifier: MIT
 *
 * For each rounding, on either side of the zero point the result is floor(q * factor + bias) in real numbers; and if
 * the negative side's factor is not the larger one, the result is the larger of the two. In 16 bits a factor is less
 * exact. The table of all 256 results tells whether that matters: for a factor it bounds the bias from both sides. If
 * no bias is left, the next factor is tried, and then q + 1/4, + 1/2, + 3/4, which moves the bits that are cut off.
 * (None was found for 1 of 100 random layers with equal scales, and for 7 with scales that differ by up to 4: those
 * look the table up.)
 *
 * Operations on FL_LINEAR bytes, in two vectors of int16_t: linear_vec and linear_bits, signed and unsigned, with C's
 * operators; linear_bytes, with linear_load and linear_store; linear_low and linear_upper: half of the bytes,
 * interleaved with others below; FL(join): both halves, saturated; linear_set; linear_larger; linear_high: bits 16 ...
 * 31 of the product; linear_shift. */

typedef struct {
    int16_t behind, factor[2],
        bias[2]; /* the fraction of q, in both bytes; factors and biases of the positive and negative side */
    int shift;
} FL(linear);

/* Elements as signed bytes: unsigned ones minus 128. */
FL_INLINE linear_bytes FL(linear_numbers)(const NUM *q)
{
    const linear_vec v = (linear_vec)linear_load(q);
    return (linear_bytes)((NUM)-1 > 0 ? v ^ linear_set((int16_t)0x8080) : v);
}

FL_INLINE linear_vec FL(linear_half)(const FL(linear) * l, linear_vec q)
{
    const linear_bits upper =
        (linear_bits)linear_high(q, linear_set(l->factor[0])) + (linear_bits)linear_set(l->bias[0]);
    const linear_bits lower =
        (linear_bits)linear_high(q, linear_set(l->factor[1])) + (linear_bits)linear_set(l->bias[1]);
    return linear_shift(linear_larger((linear_vec)upper, (linear_vec)lower), l->shift);
}

FL_FUNCTION void FL(linear_run)(const FL(linear) * l, const NUM *q, NUM *out, size_t n)
{
    const FL(linear) own = *l;
    const linear_bytes behind = (linear_bytes)linear_set(own.behind);
    FL_UNROLLED
    for (size_t i = 0; i < n; i += FL_LINEAR) {
        const linear_bytes v = FL(linear_numbers)(q + i);
        const linear_vec low = FL(linear_half)(&own, linear_low(behind, v)),
                         high = FL(linear_half)(&own, linear_upper(behind, v));
        linear_store(out + i, FL(join)(low, high));
    }
}

FL_INLINE linear_vec FL(linear_bound)(linear_vec so_far, linear_vec next, linear_vec where)
{
    return linear_larger(so_far, (next & where) | (linear_set(INT16_MIN) & ~where));
}

/* Narrows [least, ~not_most], the biases of side i that reproduce `result`. */
FL_INLINE void FL(linear_bind)(const FL(linear) * l, int i, int16_t zero, linear_vec q, linear_bits result,
                               linear_vec *least, linear_vec *not_most)
{
    const int16_t low = (NUM)-1 > 0 ? 0 : -128 * 128, high = (NUM)-1 > 0 ? 255 * 128 : 127 * 128;
    const linear_vec y = (NUM)-1 > 0 ? (linear_vec)(result >> 1) : (linear_vec)result >> 1;
    const linear_vec here = i ? q <= zero : q >= zero, last = linear_set((int16_t)((1 << l->shift) - 1));
    const linear_vec missing = linear_shift(y, 7 - l->shift) - linear_high(q, linear_set(l->factor[i]));
    *least = FL(linear_bound)(*least, missing, here & (y > linear_set(low)));
    *not_most = FL(linear_bound)(*not_most, ~(missing + last), here & (y < linear_set(high)));
}

/* The bias of side i in the middle of those that its factor, or the next one, allows; 1 if there is one. */
FL_FUNCTION int FL(linear_side)(FL(linear) * l, int i, int16_t zero, const NUM *numbers, const NUM *table)
{
    const linear_bytes behind = (linear_bytes)linear_set(l->behind), none = (linear_bytes)linear_set(0);
    for (const int beyond = l->factor[i] + 2; l->factor[i] < beyond; l->factor[i]++) {
        linear_vec leasts = linear_set(INT16_MIN), not_mosts = leasts;
        int least = INT16_MIN, most = INT16_MAX;
        for (int k = 0; k < 256; k += FL_LINEAR) {
            const linear_bytes q = FL(linear_numbers)(numbers + k), y = linear_load(table + k);
            FL(linear_bind)(l, i, zero, linear_low(behind, q), (linear_bits)linear_low(none, y), &leasts, &not_mosts);
            FL(linear_bind)(l, i, zero, linear_upper(behind, q), (linear_bits)linear_upper(none, y), &leasts,
                            &not_mosts);
        }
        for (int k = 0; k < FL_LINEAR / 2; k++) {
            least = leasts[k] > least ? leasts[k] : least;
            most = ~not_mosts[k] < most ? ~not_mosts[k] : most;
        }
        l->bias[i] = (int16_t)((least + most) >> 1);
        if (least <= most)
            return 1;
    }
    return 0;
}

/* The two functions of a table; 1 if there are such. */
FL_FUNCTION int FL(linear_of)(const fl_quantized_arguments *args, int32_t slope, const NUM table[256], FL(linear) * l)
{
    const fl_side *const a = &args->sides.positive, *const b = &args->sides.negative;
    const int64_t upper = (int64_t)a->multiplier * a->scale, lower = (int64_t)b->multiplier * b->scale * slope;
    int64_t factor[2];
    NUM numbers[256], found[256];
    if (!args->joined)
        return 0;
    l->shift = 7; /* decremented first: every sum is below 2^15 */
    do {
        if (l->shift-- == 0)
            return 0;
        factor[0] = upper >> (24 + a->right - l->shift);
        factor[1] = lower >> (24 + b->right - l->shift);
    } while (factor[0] >= INT16_MAX - 1 || factor[1] < INT16_MIN);
    if (factor[1] > factor[0])
        return 0;
    for (int i = 0; i < 256; i++)
        numbers[i] = (NUM)i;
    for (int quarters = 0; quarters < 4; quarters++) {
        const int16_t zero = (int16_t)((args->input_zero_point - ((NUM)-1 > 0 ? 128 : 0)) * 256 + 64 * quarters);
        int differs = 0;
        l->behind = (int16_t)(0x4040 * quarters);
        l->factor[0] = (int16_t)factor[0];
        l->factor[1] = (int16_t)factor[1];
        if (!FL(linear_side)(l, 0, zero, numbers, table) || !FL(linear_side)(l, 1, zero, numbers, table))
            continue;
        FL(linear_run)(l, numbers, found, 256);
        for (int i = 0; i < 256; i++)
            differs |= found[i] ^ table[i];
        if (!differs)
            return 1;
    }
    return 0;
}
