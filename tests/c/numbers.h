/* numbers.h - an element type: its numbers as values and as bits, and numbers of every kind to test with.
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

/* 2 to the power of -(most + more), at most 1. The power of -most is computed once: emulated processors are slow. */
static ACC T(small)(int most, int more)
{
    static ACC start;
    if (start == 0) {
        start = 1;
        for (int i = 0; i < most; i++)
            start /= 2;
    }
    ACC power = start;
    for (int i = most < 0 ? -most : 0; i < more; i++)
        power /= 2;
    return power;
}

/* A number of random sign and of a kind. FINITE: moderate, and one in eight is zero or next to the smallest. SPECIAL:
 * moderate, and one in eight is zero, next to the largest, infinite or NaN; not all of them, since a sum with a NaN is
 * NaN, and any NaN equals any other. SMALL: products and sums are hardly normal. CANCEL: all products are normal, but
 * not what they cancel to. */
static NUM T(draw)(enum kind kind)
{
    const BITS sign = (BITS)((BITS)1 << (sizeof(BITS) * 8 - 1)), normal = (BITS)((BITS)1 << MANTISSA);
    const BITS inf = (BITS)((BITS)~sign >> MANTISSA << MANTISSA);
    const BITS finite[] = {0, 1, (BITS)(normal - 1), normal, (BITS)(normal + 1)},
               special[] = {0, 1, (BITS)(inf - 1), inf, (BITS)(inf + 1), (BITS)(inf + normal / 2)};
    const uint64_t r = random64();
    const int half = (int)(inf >> MANTISSA) / 4; /* 2^-half squared is the smallest normal number */
    const ACC small = kind < SMALL ? 1 : T(small)(half - 15, kind == SMALL ? (int)(r / 8 % 27) : 15);
    if (kind == CANCEL)
        return N(small * (1 + (ACC)(r >> 44) / (1 << 20)) * (r & 1 ? 1 : -1));
    if (r % 8 == 0)
        return T(of_bits)(
            (BITS)((kind == SPECIAL ? special[(r >> 8) % 6] : finite[(r >> 8) % 5]) | (r >> 32 & 1 ? sign : 0)));
    return N(small * (ACC)((int64_t)random64() % 1000003) / (ACC)(1 + (random64() & 0xfffff)));
}
