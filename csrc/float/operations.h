/* operations.h - the operations: one inline body each, on the n active lanes of a row's elements from i on.
 * SPDX-License-Identifier: MIT
 *
 * The first `each` parameters have a value for each element. That is a constant, and so is the policy. */

/* x > 0 ? x : y; of a NaN either, since y is a product of it. */
FL_INLINE VEC FL(rectified)(VEC x, VEC y, size_t n)
{
#ifdef FL_FTZ
    return V(keep_positive)(x, y, n);
#else
    return V(select)(x, x, y, n);
#endif
}

#ifdef FL_FTZ
/* Was the product of v and parameter k flushed? If v shares it with others, v is enough, and a 0 is nothing special. */
FL_INLINE int FL(scaling_flushed)(const FL(row) * r, size_t k, size_t each, VEC v, VEC factor, VEC product, size_t n)
{
    return k < each ? V(flushed)(v, factor, product, n) : V(has_less)(V(keys_of)(v), r->least[k], n);
}
#endif

/* out = x > 0 ? x : slope * x */
FL_INLINE void FL(leaky)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), slope = FL(parameter)(r, 0, i, n, each), scaled = V(mul)(slope, x, n);
#ifdef FL_FTZ
    if (FL(scaling_flushed)(r, 0, each, x, slope, scaled, n)) {
        FL(leaky_scalar)(r->x + i, r->x + i, each ? r->each[0] + i : NULL, r->shared[0], r->out + i, n);
        return;
    }
#endif
    FL(put)(r->out + i, FL(rectified)(x, scaled, n), n, policy);
}

/* out = x > 0 ? grad : slope * grad */
FL_INLINE void FL(leaky_backward)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), grad = FL(load)(r->grad + i, n), slope = FL(parameter)(r, 0, i, n, each);
    const VEC scaled = V(mul)(slope, grad, n);
#ifdef FL_FTZ
    if (FL(scaling_flushed)(r, 0, each, grad, slope, scaled, n)) {
        FL(leaky_scalar)(r->grad + i, r->x + i, each ? r->each[0] + i : NULL, r->shared[0], r->out + i, n);
        return;
    }
#endif
    FL(put)(r->out + i, V(select)(x, grad, scaled, n), n, policy);
}

/* The same, and the terms of the slope's gradient, x > 0 ? 0 : grad * x; those of inactive lanes are 0. */
FL_INLINE VEC FL(prelu_backward)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), grad = FL(load)(r->grad + i, n), slope = FL(parameter)(r, 0, i, n, each);
    const VEC scaled = V(mul)(slope, grad, n), term = V(mul)(grad, x, n);
#ifdef FL_FTZ
    if (V(either_flushed)(grad, slope, scaled, x, term, n)) {
        ACC terms[FL_LANES];
        FL(prelu_backward_scalar)(r->grad + i, r->x + i, each ? r->each[0] + i : NULL, r->shared[0], r->out + i, terms,
                                  n);
        return V(load)(terms, n);
    }
#endif
    FL(put)(r->out + i, V(select)(x, grad, scaled, n), n, policy);
    return V(select)(x, V(set)(0), term, n);
}

/* A leaky ReLU as a step among others. */
FL_INLINE VEC FL(leaky_of)(VEC t, VEC slope, size_t n) { return FL(rectified)(t, FL(rounded)(V(mul)(slope, t, n)), n); }

/* t = x + bias; out = (t > 0 ? t : slope * t) * gain, clamped. The parameters: bias, slope, gain, limit. */
FL_INLINE void FL(bias_leaky)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), bias = FL(parameter)(r, 0, i, n, each);
    const VEC slope = FL(parameter)(r, 1, i, n, each), gain = FL(parameter)(r, 2, i, n, each);
    const VEC sum = FL(rounded)(V(add)(x, bias, n)), y = FL(leaky_of)(sum, slope, n);
    const VEC scaled = FL(rounded)(V(mul)(y, gain, n));
#ifdef FL_FTZ
    if (V(sum_flushed)(x, bias, n) || FL(scaling_flushed)(r, 1, each, sum, slope, y, n) ||
        FL(scaling_flushed)(r, 2, each, y, gain, scaled, n)) {
        FL(bias_leaky_scalar)(r, i, each, n);
        return;
    }
#endif
    FL(put)(r->out + i, V(clamp)(scaled, FL(parameter)(r, 3, i, n, each), n), n, policy);
}

/* From the output y, in the place of x: d = |y| >= limit ? 0 : grad * gain; out = y > 0 ? d : slope * d, which also are
 * the terms of the bias's gradient. The parameters: slope, gain, limit. */
FL_INLINE VEC FL(bias_leaky_backward)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC y = FL(load)(r->x + i, n), grad = FL(load)(r->grad + i, n);
    const VEC slope = FL(parameter)(r, 0, i, n, each), gain = FL(parameter)(r, 1, i, n, each);
    const VEC product = FL(rounded)(V(mul)(grad, gain, n)),
              d = V(within)(y, FL(parameter)(r, 2, i, n, each), product, n);
    const VEC scaled = FL(rounded)(V(mul)(slope, d, n)), dx = V(select)(y, d, scaled, n);
#ifdef FL_FTZ
    if (FL(scaling_flushed)(r, 1, each, grad, gain, product, n) ||
        FL(scaling_flushed)(r, 0, each, d, slope, scaled, n)) {
        ACC terms[FL_LANES];
        FL(bias_leaky_backward_scalar)(r, i, terms, n);
        return V(load)(terms, n);
    }
#endif
    FL(put)(r->out + i, dx, n, policy);
    return dx;
}

/* t = x * scale + shift, in two roundings; plus the residual, if there is one; out = t > 0 ? t : slope * t. The
 * parameters: scale, shift, slope. */
FL_INLINE void FL(scale_shift_of)(const FL(row) * r, size_t i, size_t n, size_t each, int residual,
                                  fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), scale = FL(parameter)(r, 0, i, n, each);
    const VEC shift = FL(parameter)(r, 1, i, n, each), slope = FL(parameter)(r, 2, i, n, each);
    const VEC more = residual ? FL(load)(r->grad + i, n) : shift, scaled = FL(rounded)(V(mul)(x, scale, n));
    const VEC sum = FL(rounded)(V(add)(scaled, shift, n)), t = residual ? FL(rounded)(V(add)(sum, more, n)) : sum;
    const VEC y = FL(leaky_of)(t, slope, n);
#ifdef FL_FTZ
    if (V(flushed)(x, scale, scaled, n) || V(sums_flushed)(scaled, shift, more, n) ||
        FL(scaling_flushed)(r, 2, each, t, slope, y, n)) {
        FL(scale_shift_scalar)(r, i, each, residual, n);
        return;
    }
#endif
    FL(put)(r->out + i, y, n, policy);
}
FL_INLINE void FL(scale_shift)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    FL(scale_shift_of)(r, i, n, each, 0, policy);
}
FL_INLINE void FL(scale_shift_residual)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    FL(scale_shift_of)(r, i, n, each, 1, policy);
}
