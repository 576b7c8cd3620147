/* elementwise.h - the traversals and kernels of an element-wise operation, included once for each operation.
 * SPDX-License-Identifier: MIT
 *
 *   FL_OP           its body: FL(FL_OP)(row, i, n, each, policy)
 *   FL_INPUTS       1: x; 2: x and the gradient, or another input
 *   FL_SHARED       the name of its kernel with parameters that all elements share, if it has one
 *   FL_CHANNELS     the name of its kernel with parameters for each channel, if it has one
 *   FL_PARAMETERS   how many of its parameters are for each channel in that kernel */
#ifdef FL_SHARED
#define OP(word) FL(FL_PASTE(FL_SHARED, word))
#else
#define OP(word) FL(FL_PASTE(FL_CHANNELS, word))
#endif

FL_INLINE void OP(forward)(const FL(row) * r, size_t len, size_t each, fl_store_policy policy)
{
    FL_FOR_VECTORS(i, n, len, {
        FL(prefetch)(r, i, i, policy);
        FL(FL_OP)(r, i, n, each, policy);
    });
}

#ifdef FL_STREAMS
/* Whole vectors from the end on, because of 4K aliasing (isa/x86.h). */
FL_INLINE void OP(reverse)(const FL(row) * r, size_t whole)
{
    size_t i = 0;
    FL_FULL(i, n, whole, {
        const size_t at = whole - FL_LANES - i;
        FL(prefetch)(r, at, i, FL_STREAM_REVERSE);
        FL(FL_OP)(r, at, n, 0, FL_STREAM_REVERSE);
    })
}
#endif

/* A run of elements that share their parameters. Each loop is written once: a traversal is much code. */
FL_INLINE void OP(run)(const FL(row) * r, size_t len, fl_store_policy policy, int reverse)
{
#ifdef FL_STREAMS
    size_t i = 0, n = FL(misaligned)(r->out, len);
    if (reverse) {
        i = len - len % FL_LANES, n = 0;
        OP(reverse)(r, i);
    } else if (policy) {
        OP(forward)(r, len, 0, FL_STREAM);
        return;
    }
    for (n = n ? n : len - i; i < len; i += n, n = len - i) {
        const FL(row) part = FL(moved)(r, i);
        OP(forward)(&part, n, 0, FL_STORE);
    }
#else
    OP(forward)(r, len, 0, policy);
    (void)reverse;
#endif
}

FL_INLINE FL(row) OP(row_at)(const fl_arguments *a, size_t at)
{
    FL(row) r = FL(row_at)(a, at);
    if (FL_INPUTS == 1)
        r.grad = r.x;
    return r;
}

#ifdef FL_SHARED
extern fl_task FL_KERNEL(FL_SHARED);
FL_EXPORT void FL_KERNEL(FL_SHARED)(const void *arguments, size_t begin, size_t end)
{
    const fl_arguments *const a = arguments;
    const FL(row) r = OP(row_at)(a, begin);
    const fl_store_policy policy = FL(policy)(a, r.out, 0);
    OP(run)(&r, end - begin, policy, policy && FL(aliases)(a));
    FL(fence)(a);
}
#endif

#ifdef FL_CHANNELS
/* Channels last: rows that have a parameter for each element. Several rows of few channels are joined to one. */
FL_INLINE void OP(rows)(const fl_arguments *a, FL(row) * r, size_t begin, size_t end)
{
    enum { JOINED = FL_LANES > 1 ? FL_STRIDE * FL_FEW_CHANNELS : 24 }; /* firmware has little stack */
    NUM copies[FL_PARAMETERS][JOINED];
    const size_t channels = a->channels;
    const int few = channels <= FL_FEW_CHANNELS && end - begin > 4 * JOINED;
    const size_t times = !few ? 1 : FL_LANES > 1 ? FL_STRIDE : JOINED / channels, length = channels * times;
    const fl_store_policy policy = FL(policy)(a, r->out, length);
    const NUM *values[FL_PARAMETERS];
    for (size_t k = 0; k < FL_PARAMETERS; k++)
        values[k] = few ? FL(repeated)(copies[k], a->parameters[k], channels, times) : a->parameters[k];
    for (size_t i = begin ? begin % length : 0, left = end - begin, n; left; left -= n, i = 0) {
        n = length - i < left ? length - i : left;
        for (size_t k = 0; k < FL_PARAMETERS; k++)
            r->each[k] = values[k] + i;
        policy ? OP(forward)(r, n, FL_PARAMETERS, FL_STREAM) : OP(forward)(r, n, FL_PARAMETERS, FL_STORE);
        FL(advance)(r, n);
    }
}

/* Runs of a channel each, which share its parameters. */
FL_INLINE void OP(runs)(const fl_arguments *a, FL(row) * r, size_t begin, size_t end)
{
    const size_t length = a->inner;
    const fl_store_policy policy = FL(policy)(a, r->out, length);
    const int reverse = policy && FL(aliases)(a);
    size_t i = begin ? begin % length : 0, c = begin ? begin / length % a->channels : 0; /* where it begins */
    for (size_t left = end - begin, n; left; left -= n, i = 0) {
        n = length - i < left ? length - i : left;
        for (size_t k = 0; k < FL_PARAMETERS; k++)
            FL(share)(r, k, T(widen)(((const NUM *)a->parameters[k])[c]));
        OP(run)(r, n, policy, reverse);
        FL(advance)(r, n);
        if (++c == a->channels)
            c = 0;
    }
}

extern fl_task FL_KERNEL(FL_CHANNELS);
FL_EXPORT void FL_KERNEL(FL_CHANNELS)(const void *arguments, size_t begin, size_t end)
{
    const fl_arguments *const a = arguments;
    FL(row) r = OP(row_at)(a, begin);
    channels_last(a) ? OP(rows)(a, &r, begin, end) : OP(runs)(a, &r, begin, end);
    FL(fence)(a);
}
#endif

#undef OP
#undef FL_OP
#undef FL_INPUTS
#undef FL_PARAMETERS
#undef FL_SHARED
#undef FL_CHANNELS
