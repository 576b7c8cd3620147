/* ftz_fallback.h - the ways out for vector units that flush subnormals: 32-bit NEON and Helium (MVE), whatever FPSCR
 * says. SPDX-License-Identifier: MIT
 *
 * Their scalar neighbours do not flush. So a vector in which a flush could matter is computed again, an element at a
 * time; loads, stores and integer compares are exact in any case. An instruction set that flushes says FL_FLUSHES and
 * some words more:
 *
 *   marks                          a vector of unsigned integers
 *   rank(v)                        2 * |bits| - 1 of each float: that of 0 is the highest, then come those of NaN, and
 *                                  infinity; the smallest numbers have the lowest
 *   higher(m, m)  lower(m, m)      the higher, the lower marks
 *   highest(m, live)  lowest(m, live)    the highest, the lowest mark of all
 *   wrong(a, b, m, least, live)   is a mark of m at least `least` where neither a nor b is 0?
 *   count(live)                    how many lanes are live */

/* A product with such a rank is 0 or NaN: flushed, or right because a factor is. */
#define FL_UNSURE 0xff000000u

/* Ranks below this one are those of 0 < |t| < 2^-102. If a block has none, all its sums are multiples of 2^-125 (24
 * bits below 2^-102), and none is subnormal. */
#define FL_TINY (2 * (25u << 23) - 1)

FL_INLINE int FL(flushed)(VEC a, VEC b, VEC p, LIVE k)
{
    const FL(marks) m = FL(rank)(p);
    return FL(highest)(m, k) >= FL_UNSURE && FL(wrong)(a, b, m, FL_UNSURE, k);
}

FL_INLINE int FL(either_flushed)(VEC v, VEC a, VEC p, VEC b, VEC q, LIVE k)
{
    const FL(marks) m = FL(rank)(p), n = FL(rank)(q);
    return FL(highest)(FL(higher)(m, n), k) >= FL_UNSURE &&
           (FL(wrong)(v, a, m, FL_UNSURE, k) || FL(wrong)(v, b, n, FL_UNSURE, k));
}

FL_INLINE int FL(tiny)(FL(marks) marks, LIVE k) { return FL(lowest)(marks, k) < FL_TINY; }

#define FL_COLD FL_FUNCTION __attribute__((noinline, cold))

FL_COLD void FL(select_scalar)(const NUM *v, const NUM *x, VEC slope, NUM *out, LIVE k)
{
    NUM s[FL_LANES];
    FL(store)(s, slope, FL(all)());
    for (size_t i = 0, n = FL(count)(k); i < n; i++)
        out[i] = x[i] > 0 ? v[i] : FL(scalar)(s[i] * v[i]);
}

FL_COLD VEC FL(term_scalar)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, LIVE k)
{
    NUM s[FL_LANES], terms[FL_LANES];
    FL(store)(s, slope, FL(all)());
    for (size_t i = 0, n = FL(count)(k); i < n; i++) {
        terms[i] = x[i] > 0 ? 0 : FL(scalar)(grad[i] * x[i]);
        dx[i] = x[i] > 0 ? grad[i] : FL(scalar)(s[i] * grad[i]);
    }
    return FL(load)(terms, k);
}

FL_COLD VEC FL(plus_scalar)(VEC sums, VEC terms, LIVE k)
{
    NUM s[FL_LANES], t[FL_LANES];
    FL(store)(s, sums, FL(all)());
    FL(store)(t, terms, FL(all)());
    for (size_t i = 0, n = FL(count)(k); i < n; i++)
        s[i] = FL(scalar)(s[i] + t[i]);
    return FL(load)(s, FL(all)());
}

FL_COLD NUM FL(block_scalar)(const NUM *terms, size_t n)
{
    NUM lanes[FL_STRIDE];
    for (size_t i = 0; i < FL_STRIDE; i++)
        lanes[i] = 0;
    for (size_t i = 0; i < n; i++)
        lanes[i % FL_STRIDE] = FL(scalar)(lanes[i % FL_STRIDE] + terms[i]);
    for (size_t half = FL_STRIDE / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            lanes[i] = FL(scalar)(lanes[i] + lanes[i + half]);
    return lanes[0];
}

#undef FL_COLD
#undef FL_UNSURE
#undef FL_TINY
