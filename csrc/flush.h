/* flush.h - the ways out for vector units that flush subnormals: 32-bit NEON and Helium (MVE), whatever FPSCR says.
 * SPDX-License-Identifier: MIT
 *
 * Their scalar neighbours do not flush. So a vector in which a flush could matter is computed again, an element at a
 * time; loads, stores and integer compares are exact in any case. An instruction set that flushes says FL_FLUSHES and
 * three words more:
 *
 *   flushed(a, b, p)   may the product p of a and b be wrong? Then p is 0 or NaN, and neither a nor b is 0
 *   tiny(t)            is some |t| above 0 and below 2^-102? If not, all sums of a block are multiples of
 *                      2^-125 (24 bits below 2^-102), and none is subnormal
 *   count(live)        how many lanes are live */

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

FL_COLD void FL(add_scalar)(NUM *sums, VEC terms, LIVE k)
{
    NUM t[FL_LANES];
    FL(store)(t, terms, FL(all)());
    for (size_t i = 0, n = FL(count)(k); i < n; i++)
        sums[i] = FL(scalar)(sums[i] + t[i]);
}

FL_COLD NUM FL(block_scalar)(const NUM terms[FL_BLOCK], size_t have)
{
    NUM lanes[FL_STRIDE];
    for (size_t i = 0; i < FL_STRIDE; i++)
        lanes[i] = 0;
    for (size_t i = 0; i < have; i++)
        lanes[i % FL_STRIDE] = FL(scalar)(lanes[i % FL_STRIDE] + terms[i]);
    for (size_t half = FL_STRIDE / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            lanes[i] = FL(scalar)(lanes[i] + lanes[i + half]);
    return lanes[0];
}

#undef FL_COLD
