/* operations.h - the operations: one inline body each, on the n active lanes of a row's elements from i on.
 * SPDX-License-Identifier: MIT
 *
 * The first `each` parameters have a value for each element. That is a constant, and so is the policy. */

/* out = x > 0 ? grad : slope * grad. Forward the gradient is x itself, and is loaded once. */
FL_INLINE void FL(leaky)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), grad = FL(load)(r->grad + i, n), slope = FL(parameter)(r, 0, i, n, each);
    const VEC scaled = V(mul)(slope, grad, n);
#ifdef FL_FTZ
    if (V(flushed)(grad, slope, scaled, n)) {
        FL(leaky_scalar)(r->grad + i, r->x + i, slope, r->out + i, n);
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
    if (V(either_flushed)(grad, slope, scaled, x, term, n))
        return FL(prelu_backward_scalar)(r->grad + i, r->x + i, slope, r->out + i, n);
#endif
    FL(put)(r->out + i, V(select)(x, grad, scaled, n), n, policy);
    return V(select)(x, V(set)(0), term, n);
}

/* A leaky ReLU as a step among others. */
FL_INLINE VEC FL(leaky_of)(VEC t, VEC slope, size_t n) { return V(select)(t, t, FL(rounded)(V(mul)(slope, t, n)), n); }

/* t = x + bias; out = (t > 0 ? t : slope * t) * gain, clamped. The parameters: bias, slope, gain, limit. */
FL_INLINE void FL(bias_leaky)(const FL(row) * r, size_t i, size_t n, size_t each, fl_store_policy policy)
{
    const VEC x = FL(load)(r->x + i, n), bias = FL(parameter)(r, 0, i, n, each);
    const VEC slope = FL(parameter)(r, 1, i, n, each), gain = FL(parameter)(r, 2, i, n, each);
    const VEC sum = FL(rounded)(V(add)(x, bias, n)), y = FL(leaky_of)(sum, slope, n);
    const VEC scaled = FL(rounded)(V(mul)(y, gain, n));
#ifdef FL_FTZ
    if (V(sum_flushed)(x, bias, n) || V(flushed)(sum, slope, y, n) || V(flushed)(y, gain, scaled, n)) {
        FL(bias_leaky_scalar)(r, i, bias, n);
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
    if (V(flushed)(grad, gain, product, n) || V(flushed)(d, slope, scaled, n))
        return FL(bias_leaky_backward_scalar)(r, i, n);
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
    if (V(flushed)(x, scale, scaled, n) || V(sum_flushed)(scaled, shift, n) || V(sum_flushed)(more, more, n) ||
        V(flushed)(t, slope, y, n)) {
        FL(scale_shift_scalar)(r, i, (VEC[]){scale, shift, slope}, residual, n);
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
