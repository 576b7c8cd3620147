/* contract.h - the contract in fastleaky.h once more, one element and one block at a time, for an element type.
 * SPDX-License-Identifier: MIT */

/* `volatile` keeps every product and sum a rounding. */
static ACC T(product)(ACC a, ACC b)
{
    volatile ACC p = a * b;
    return p;
}

static NUM T(chosen)(NUM x, NUM v, ACC slope) { return W(x) > 0 ? v : N(T(product)(slope, W(v))); }

static ACC T(plus)(ACC a, ACC b)
{
    volatile ACC s = a + b;
    return s;
}

static ACC T(block)(const ACC *terms, size_t n)
{
    ACC lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] = T(plus)(lane[i % 16], terms[i]);
    for (size_t half = 8; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] = T(plus)(lane[l], lane[l + half]);
    return lane[0];
}

static NUM T(ordered_sum)(const ACC *terms, size_t n)
{
    double total = 0;
    for (size_t start = 0; start < n; start += 128 * 128) {
        double chunk = 0;
        for (size_t i = start; i < n && i < start + 128 * 128; i += 128)
            chunk += (double)T(block)(terms + i, n - i < 128 ? n - i : 128);
        total += chunk;
    }
    return N(total);
}

/* The fused operations, step by step. */

static NUM T(add)(NUM a, NUM b) { return N(T(plus)(W(a), W(b))); }
static NUM T(times)(NUM a, ACC b) { return N(T(product)(W(a), b)); }
static NUM T(clamped)(NUM y, ACC clamp)
{
    return !(clamp > 0) ? y : N(W(y) > clamp ? clamp : W(y) < -clamp ? -clamp : W(y));
}

typedef struct {
    ACC slope, gain, clamp; /* no clamp if it is not positive */
} T(numbers);

static NUM T(biased)(NUM x, NUM bias, T(numbers) given)
{
    const NUM t = T(add)(x, bias);
    return T(clamped)(T(times)(T(chosen)(t, t, given.slope), given.gain), given.clamp);
}

static NUM T(biased_backward)(NUM grad, NUM y, T(numbers) given)
{
    const NUM product = T(times)(grad, given.gain);
    const int limited = given.clamp > 0 && (W(y) >= given.clamp || -W(y) >= given.clamp);
    return T(chosen)(y, limited ? N(0) : product, given.slope);
}

static NUM T(normalised)(NUM x, NUM scale, NUM shift, const NUM *residual, ACC slope)
{
    const NUM sum = T(add)(T(times)(x, W(scale)), shift), t = residual ? T(add)(sum, *residual) : sum;
    return T(chosen)(t, t, slope);
}
