/* draw.h - random numbers of an element type, of every kind to test with.
 * SPDX-License-Identifier: MIT */

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
