/* numbers.h - an element type: its numbers as values and as bits.
 * SPDX-License-Identifier: MIT */

#ifdef HALF
enum { T(INF) = 0x7fff >> MANTISSA << MANTISSA };
static float T(power)[(0x7fff >> MANTISSA) + 1]; /* what the last bit of the fraction is worth, for each exponent */
static void T(fill_powers)(void)
{
    T(power)[0] = 1;
    for (int e = LEAST - MANTISSA; e; e++)
        T(power)[0] /= 2;
    T(power)[1] = T(power)[0];
    for (size_t e = 2; e < sizeof T(power) / sizeof *T(power); e++)
        T(power)[e] = 2 * T(power)[e - 1];
}

/* The value of a half; for infinity, the number after the largest. */
static double T(size)(unsigned h)
{
    const unsigned exponent = h >> MANTISSA, fraction = h & ((1u << MANTISSA) - 1);
    return (double)(fraction + (exponent ? 1u << MANTISSA : 0)) * (double)T(power)[exponent];
}
static float T(value)(uint16_t h)
{
    const uint32_t bits = h & 0x8000 ? 0xff800000 : 0x7f800000, nan = 0x7fc00000;
    const int exponent = (h & 0x7fff) >> MANTISSA, fraction = h & ((1 << MANTISSA) - 1);
    const int whole = fraction + (exponent ? 1 << MANTISSA : 0);
    float value = (float)(h & 0x8000 ? -whole : whole) * T(power)[exponent]; /* exact */
    if (h == 0x8000)
        value = -value;
    if ((h & 0x7fff) >= T(INF))
        memcpy(&value, (h & 0x7fff) == T(INF) ? &bits : &nan, sizeof value);
    return value;
}

/* The nearest half. It starts from an estimate, which may be too large. */
static uint16_t T(nearest)(double v)
{
    const double size = v < 0 ? -v : v;
    const float near = (float)size;
    uint32_t bits;
    memcpy(&bits, &near, sizeof bits);
    bits &= 0x7fffffff; /* -0 */
    const uint16_t sign = v < 0 || (v == 0 && 1 / v < 0) ? 0x8000 : 0;
    unsigned low = (unsigned)((int)(bits >> (23 - MANTISSA)) - (int)((LEAST + 126u) << MANTISSA));
    if (v != v)
        return T(INF) + 1;
    if ((int)(bits >> 23) - 127 < LEAST) /* subnormal halves are equally spaced */
        low = (unsigned)(size / (double)T(power)[0]);
    if (low >= T(INF))
        low = T(INF) - 1;
    while (low && T(size)(low) > size)
        low--;
    const double below = size - T(size)(low), above = T(size)(low + 1) - size;
    return (uint16_t)(sign | (above < below || (above == below && low % 2) ? low + 1 : low));
}
static uint16_t T(of_bits)(uint16_t b) { return b; }
#else
static NUM T(of_bits)(BITS b)
{
    NUM v;
    memcpy(&v, &b, sizeof v);
    return v;
}
#endif

static int T(same)(const NUM *a, const NUM *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof(NUM)) != 0 && !(W(a[i]) != W(a[i]) && W(b[i]) != W(b[i])))
            return 0;
    return 1;
}
