/* operations.h - the operations: one inline body each, on the n active lanes of a row's elements from i on.
 * SPDX-License-Identifier: MIT
 *
 * `each`: the parameters have a value for each element. It is a constant, and so is the policy. */

/* out = x > 0 ? grad : slope * grad. Forward the gradient is x itself, and is loaded once. */
FL_INLINE void FL(leaky)(const FL(row) * r, size_t i, size_t n, int each, fl_store_policy policy)
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
FL_INLINE VEC FL(prelu_backward)(const FL(row) * r, size_t i, size_t n, int each, fl_store_policy policy)
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
