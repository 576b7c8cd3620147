/* quantized_contract.h - the contract in fastleaky_quantized.h once more, one number at a time.
 * SPDX-License-Identifier: MIT */

/* a / 2^bits, to the nearest; halves go up. */
static int64_t halves_up(int64_t a, int bits)
{
    const int64_t unit = (int64_t)1 << bits, more = a + unit / 2;
    return more / unit - (more % unit < 0);
}

static int64_t product(int64_t x, fl_factor factor, fl_rounding rounding)
{
    const int64_t sign = factor.multiplier < 0 ? -1 : 1, multiplier = sign * factor.multiplier;
    if (rounding == FL_XNNPACK)
        return halves_up(x * factor.multiplier, 8);
    if (rounding == FL_TFLITE_SINGLE)
        return sign * halves_up(x * multiplier, 31 - factor.shift);
    if (factor.shift >= 0)
        return sign * halves_up(x * ((int64_t)1 << factor.shift) * multiplier, 31);
    const int64_t high = halves_up(x * multiplier, 31);
    return sign * (high < 0 ? -halves_up(-high, -factor.shift) : halves_up(high, -factor.shift));
}

static int32_t wanted(const fl_quantization *how, int32_t q, int32_t slope, int32_t least, int32_t most)
{
    const int64_t x = q - how->input_zero_point;
    const int64_t y = how->output_zero_point + (x > 0 ? product(x, how->positive, how->rounding)
                                                      : product(x * slope, how->negative, how->rounding));
    return (int32_t)(y < least ? least : y > most ? most : y);
}
