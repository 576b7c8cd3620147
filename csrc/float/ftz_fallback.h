/* ftz_fallback.h - the scalar fallback of vector units that flush subnormals to zero: 32-bit NEON and Helium (MVE),
 * whatever FPSCR says.
 * SPDX-License-Identifier: MIT
 *
 * Their scalar neighbours do not flush. So a vector in which a flush could matter is computed again by scalars. Loads,
 * stores and integer compares are exact in any case. Such an instruction set defines FL_FTZ, and more operations:
 *
 *   V(keys)                        a vector of magnitude keys, unsigned integers
 *   V(keys_of)(v)                  2 * |bits| - 1 of each lane: so 0 has the highest key, then NaN, then infinity; and
 *                                  the smallest numbers have the lowest
 *   V(keys_max)(k, k)  V(keys_min)(k, k)
 *   V(reduce_max)(k, n)  V(reduce_min)(k, n)
 *   V(has_key)(a, b, k, least, n)  is there a key of at least `least` where neither a nor b is 0? */

/* A product with such a key is 0 or NaN. It was flushed, unless a factor explains it. */
#define FL_UNSURE 0xff000000u

/* Keys below this one are those of 0 < |t| < 2^-102. If a block has none, all its sums are multiples of 2^-125 (24 bits
 * below 2^-102), and none is subnormal. */
#define FL_TINY (2 * (25u << 23) - 1)

FL_INLINE int V(flushed)(VEC a, VEC b, VEC product, size_t n)
{
    const V(keys) k = V(keys_of)(product);
    return V(reduce_max)(k, n) >= FL_UNSURE && V(has_key)(a, b, k, FL_UNSURE, n);
}

/* Two products, v * a and v * b. */
FL_INLINE int V(either_flushed)(VEC v, VEC a, VEC va, VEC b, VEC vb, size_t n)
{
    const V(keys) k = V(keys_of)(va), l = V(keys_of)(vb);
    return V(reduce_max)(V(keys_max)(k, l), n) >= FL_UNSURE &&
           (V(has_key)(v, a, k, FL_UNSURE, n) || V(has_key)(v, b, l, FL_UNSURE, n));
}

FL_INLINE int V(has_tiny)(V(keys) keys, size_t n) { return V(reduce_min)(keys, n) < FL_TINY; }

/* Could an operand, or the sum of two, be subnormal? */
FL_INLINE int V(sum_flushed)(VEC a, VEC b, size_t n)
{
    return V(has_tiny)(V(keys_min)(V(keys_of)(a), V(keys_of)(b)), n);
}

#define FL_COLD FL_FUNCTION __attribute__((noinline, cold))

FL_COLD void FL(leaky_scalar)(const NUM *v, const NUM *x, VEC slope, NUM *out, size_t n)
{
    NUM s[FL_LANES];
    V(store)(s, slope, FL_LANES);
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] > 0 ? v[i] : FL(scalar)(s[i] * v[i]);
}

FL_COLD VEC FL(prelu_backward_scalar)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, size_t n)
{
    NUM s[FL_LANES], terms[FL_LANES];
    V(store)(s, slope, FL_LANES);
    for (size_t i = 0; i < n; i++) {
        terms[i] = x[i] > 0 ? 0 : FL(scalar)(grad[i] * x[i]);
        dx[i] = x[i] > 0 ? grad[i] : FL(scalar)(s[i] * grad[i]);
    }
    return V(load)(terms, n);
}

FL_COLD void FL(bias_leaky_scalar)(const FL(row) * r, size_t i, VEC bias, size_t n)
{
    NUM b[FL_LANES];
    V(store)(b, bias, FL_LANES);
    for (size_t k = 0; k < n; k++) {
        const NUM t = FL(scalar)(r->x[i + k] + b[k]), y = t > 0 ? t : FL(scalar)(r->shared[1] * t);
        const NUM scaled = FL(scalar)(y * r->shared[2]), limit = r->shared[3];
        r->out[i + k] = scaled > limit ? limit : scaled < -limit ? -limit : scaled;
    }
}

FL_COLD VEC FL(bias_leaky_backward_scalar)(const FL(row) * r, size_t i, size_t n)
{
    NUM dx[FL_LANES];
    const NUM limit = r->shared[2];
    for (size_t k = 0; k < n; k++) {
        const NUM y = r->x[i + k], product = FL(scalar)(r->grad[i + k] * r->shared[1]);
        const NUM d = y >= limit || -y >= limit ? 0 : product;
        r->out[i + k] = dx[k] = y > 0 ? d : FL(scalar)(r->shared[0] * d);
    }
    return V(load)(dx, n);
}

FL_COLD void FL(scale_shift_scalar)(const FL(row) * r, size_t i, const VEC *parameters, int residual, size_t n)
{
    NUM p[3][FL_LANES];
    for (size_t k = 0; k < 3; k++)
        V(store)(p[k], parameters[k], FL_LANES);
    for (size_t k = 0; k < n; k++) {
        const NUM sum = FL(scalar)(FL(scalar)(r->x[i + k] * p[0][k]) + p[1][k]);
        const NUM t = residual ? FL(scalar)(sum + r->grad[i + k]) : sum;
        r->out[i + k] = t > 0 ? t : FL(scalar)(p[2][k] * t);
    }
}

FL_COLD VEC FL(add_scalar)(VEC sums, VEC terms, size_t n)
{
    NUM s[FL_LANES], t[FL_LANES];
    V(store)(s, sums, FL_LANES);
    V(store)(t, terms, FL_LANES);
    for (size_t i = 0; i < n; i++)
        s[i] = FL(scalar)(s[i] + t[i]);
    return V(load)(s, FL_LANES);
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
