/* ftz_fallback.h - in the place of csrc's: what each scalar fallback reads and writes.
 * SPDX-License-Identifier: MIT */
FL_INLINE void FL(leaky_scalar)(const NUM *v, const NUM *x, const NUM *each, ACC shared, NUM *out, size_t n)
{
    (void)shared;
    memory.flushed = 1;
    model_read(v, n, sizeof(NUM));
    const size_t from = model_read(x, n, sizeof(NUM));
    if (each)
        model_read(each, n, sizeof(NUM));
    model_write(out, n, sizeof(NUM), from);
}

FL_INLINE void FL(prelu_backward_scalar)(const NUM *grad, const NUM *x, const NUM *each, ACC shared, NUM *dx,
                                         ACC *terms, size_t n)
{
    FL(leaky_scalar)(grad, x, each, shared, dx, n);
    model_write(terms, n, sizeof(ACC), NOWHERE);
}

FL_INLINE void FL(run_scalar)(const FL(row) * r, size_t i, size_t each, size_t n)
{
    const size_t from = model_read(r->x + i, n, sizeof(NUM));
    model_read(r->grad + i, n, sizeof(NUM));
    for (size_t k = 0; k < each; k++)
        model_read(r->each[k] + i, n, sizeof(NUM));
    model_write(r->out + i, n, sizeof(NUM), from);
}
FL_INLINE void FL(bias_leaky_scalar)(const FL(row) * r, size_t i, size_t each, size_t n)
{
    FL(run_scalar)(r, i, each, n);
}
FL_INLINE void FL(bias_leaky_backward_scalar)(const FL(row) * r, size_t i, ACC *terms, size_t n)
{
    FL(run_scalar)(r, i, 0, n);
    model_write(terms, n, sizeof(ACC), NOWHERE);
}
FL_INLINE void FL(scale_shift_scalar)(const FL(row) * r, size_t i, size_t each, int residual, size_t n)
{
    (void)residual;
    FL(run_scalar)(r, i, each, n);
}

FL_INLINE void FL(add_scalar)(ACC *sums, const ACC *terms, size_t n)
{
    model_read(terms, n, sizeof(ACC));
    model_write(sums, n, sizeof(ACC), NOWHERE);
}
FL_INLINE ACC FL(block_scalar)(const ACC *terms, size_t n)
{
    model_read(terms, n, sizeof(ACC));
    return 0;
}
