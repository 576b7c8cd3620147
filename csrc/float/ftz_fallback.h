/* ftz_fallback.h - the scalar fallback of units that flush subnormals to zero, for vectors that ftz_keys.h finds.
 * SPDX-License-Identifier: MIT
 *
 * A parameter is `each[k]`, one for each element, or `shared` where there is no such array. No vector is an argument or
 * a result: GCC would keep it in memory in each step. So terms go to an array. */

#define FL_COLD FL_FUNCTION __attribute__((noinline, cold))

FL_INLINE ACC FL(parameter_at)(const NUM *each, size_t k, ACC shared) { return each ? T(widen)(each[k]) : shared; }
/* The result of a step, rounded to the type in memory. */
FL_INLINE ACC FL(step)(ACC v) { return T(widen)(T(narrow)(T(scalar)(v))); }

FL_COLD void FL(leaky_scalar)(const NUM *v, const NUM *x, const NUM *each, ACC shared, NUM *out, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const ACC slope = FL(parameter_at)(each, k, shared);
        out[k] = T(widen)(x[k]) > 0 ? v[k] : T(narrow)(T(scalar)(slope * T(widen)(v[k])));
    }
}

FL_COLD void FL(prelu_backward_scalar)(const NUM *grad, const NUM *x, const NUM *each, ACC shared, NUM *dx, ACC *terms,
                                       size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const ACC g = T(widen)(grad[k]), v = T(widen)(x[k]), slope = FL(parameter_at)(each, k, shared);
        terms[k] = v > 0 ? 0 : T(scalar)(g * v);
        dx[k] = v > 0 ? grad[k] : T(narrow)(T(scalar)(slope * g));
    }
}

FL_COLD void FL(bias_leaky_scalar)(const FL(row) * r, size_t i, size_t each, size_t n)
{
    for (size_t k = i; k < i + n; k++) {
        const ACC bias = each ? T(widen)(r->each[0][k]) : r->shared[0], t = FL(step)(T(widen)(r->x[k]) + bias);
        const ACC y = t > 0 ? t : FL(step)(r->shared[1] * t);
        const ACC scaled = FL(step)(y * r->shared[2]), limit = r->shared[3];
        r->out[k] = T(narrow)(scaled > limit ? limit : scaled < -limit ? -limit : scaled);
    }
}

FL_COLD void FL(bias_leaky_backward_scalar)(const FL(row) * r, size_t i, ACC *terms, size_t n)
{
    const ACC limit = r->shared[2];
    for (size_t k = 0; k < n; k++) {
        const ACC y = T(widen)(r->x[i + k]), product = FL(step)(T(widen)(r->grad[i + k]) * r->shared[1]);
        const ACC d = y >= limit || -y >= limit ? 0 : product;
        terms[k] = y > 0 ? d : FL(step)(r->shared[0] * d);
        r->out[i + k] = T(narrow)(terms[k]);
    }
}

FL_COLD void FL(scale_shift_scalar)(const FL(row) * r, size_t i, size_t each, int residual, size_t n)
{
    for (size_t k = i; k < i + n; k++) {
        ACC p[3];
        for (size_t j = 0; j < 3; j++)
            p[j] = j < each ? T(widen)(r->each[j][k]) : r->shared[j];
        const ACC sum = FL(step)(FL(step)(T(widen)(r->x[k]) * p[0]) + p[1]);
        const ACC t = residual ? FL(step)(sum + T(widen)(r->grad[k])) : sum;
        r->out[k] = T(narrow)(t > 0 ? t : T(scalar)(p[2] * t));
    }
}

FL_COLD void FL(add_scalar)(ACC *sums, const ACC *terms, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] = T(scalar)(sums[i] + terms[i]);
}

FL_COLD ACC FL(block_scalar)(const ACC *terms, size_t n)
{
    ACC lanes[FL_STRIDE];
    for (size_t i = 0; i < FL_STRIDE; i++)
        lanes[i] = 0;
    for (size_t i = 0; i < n; i++)
        lanes[i % FL_STRIDE] = T(scalar)(lanes[i % FL_STRIDE] + terms[i]);
    for (size_t half = FL_STRIDE / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            lanes[i] = T(scalar)(lanes[i] + lanes[i + half]);
    return lanes[0];
}

#undef FL_COLD
