/* requantize32.h - requantization of 8-bit elements by 32-bit products, where it gives the same results.
 * SPDX-License-Identifier: MIT
 *
 * For each rounding, a side is y = (x * F + H) >> R with integers F and H of up to 61 bits. With the upper bits only,
 * the sum is wrong by less than |x| + 1 units of the last bit: too small for positive x, too large for negative x; with
 * the next larger factor the other way round. So y is right if, for every x of the type, the fraction is far enough
 * from a carry. */

/* One side with s->shift fraction bits; 1 if it is right for all |x| up to `last`. */
FL_FUNCTION int requantize32_holds(fl_requantize32 *s, int64_t factor, int64_t bias, int right, int sign, int32_t last)
{
    const int32_t mask = (1 << s->shift) - 1, added = (int32_t)(bias * (1 << s->shift) >> right);
    s->factor = (int32_t)(factor >> (32 + right - s->shift));
    s->bias = added;
    for (int next = 0; next < 2; next++) {
        const int32_t times = sign * s->factor;
        int32_t left = 0;
        FL_VECTORIZE
        for (int32_t x = 1; x <= last; x++) {
            const int32_t below_point = (x * times + added) & mask;
            left |= (next == (sign > 0) ? below_point : mask - below_point) - x;
        }
        if (left >= 0)
            return 1;
        s->factor++;
    }
    return 0;
}

/* Replace the factors and biases of n channels, of sides that are joined, for elements from `lowest` on; 1 if that is
 * possible for all of them. */
FL_FUNCTION int requantize32_prepare(const fl_quantized_arguments *args, int32_t lowest, int32_t *factors,
                                     int32_t *biases, size_t n, fl_requantize32 *positive)
{
    const fl_side *const a = &args->sides.positive, *const b = &args->sides.negative;
    const int64_t upper = (int64_t)a->multiplier * a->scale;
    const int32_t under = args->input_zero_point - lowest;
    int32_t widest = 0;
    int shift = 23; /* decremented first: every sum is below 2^31 */
    fl_requantize32 s;
    for (size_t k = 0; k < n; k++)
        widest |= /* an upper bound, below twice the maximum */ factors[k] < 0 ? -factors[k] : factors[k];
    do {
        if (shift-- == 0)
            return 0;
    } while (upper >> (32 + a->right - shift) >> 22 ||
             (int64_t)b->multiplier * widest >> (32 + b->right - shift) >> 22);
    positive->shift = s.shift = shift;
    if (!requantize32_holds(positive, upper, a->bias, a->right, 1, 255 - under))
        return 0;
    for (size_t k = 0; k < n; k++) {
        if (!requantize32_holds(&s, (int64_t)b->multiplier * factors[k], biases[k], b->right, -1, under))
            return 0;
        factors[k] = s.factor;
        biases[k] = s.bias;
    }
    return 1;
}

FL_INLINE i32_vec i32_requantize32(const fl_requantize32 *s, i32_vec x, const int32_t *factor, const int32_t *bias)
{
    const i32_vec v = x * i32_select(x, i32_set(s->factor), i32_load(factor));
    return (v + i32_select(x, i32_set(s->bias), i32_load(bias))) >> s->shift;
}
