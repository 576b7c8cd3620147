/* row.h - a run of elements: its arrays and parameters, and how they are loaded, prefetched and stored.
 * SPDX-License-Identifier: MIT */

/* The arrays of a run of elements, with its parameters: `each` has one for each element, `shared` one for all. */
typedef struct {
    const NUM *x, *grad;
    NUM *out;
    const NUM *each[FL_PARAMETERS_MAX];
    ACC shared[FL_PARAMETERS_MAX];
#ifdef FL_FTZ
    uint32_t least[FL_FACTORS_MAX]; /* for each shared factor: least_key() of ftz_keys.h */
#endif
} FL(row);

FL_INLINE void FL(share)(FL(row) * r, size_t k, ACC parameter)
{
    r->shared[k] = parameter;
#ifdef FL_FTZ
    if (k < FL_FACTORS_MAX)
        r->least[k] = FL(least_key)(parameter);
#endif
}

FL_INLINE FL(row) FL(row_at)(const fl_arguments *a, size_t at)
{
    FL(row) r;
    r.x = (const NUM *)a->x + at;
    r.grad = (const NUM *)a->grad + at;
    r.out = (NUM *)a->out + at;
    r.each[0] = r.each[1] = r.each[2] = r.each[3] = NULL; /* no loop, which GCC at -Os leaves one */
    FL(share)(&r, 0, a->shared[0].FL_COMPUTE);
    FL(share)(&r, 1, a->shared[1].FL_COMPUTE);
    FL(share)(&r, 2, a->shared[2].FL_COMPUTE);
    FL(share)(&r, 3, a->shared[3].FL_COMPUTE);
    return r;
}

/* The run from its element n on, with shared parameters. (Of a copy, GCC may make a call of memcpy.) */
FL_INLINE FL(row) FL(moved)(const FL(row) * r, size_t n)
{
    FL(row) moved;
    moved.x = r->x + n;
    moved.grad = r->grad + n;
    moved.out = r->out + n;
    moved.each[0] = moved.each[1] = moved.each[2] = moved.each[3] = NULL;
    moved.shared[0] = r->shared[0];
    moved.shared[1] = r->shared[1];
    moved.shared[2] = r->shared[2];
    moved.shared[3] = r->shared[3];
#ifdef FL_FTZ
    moved.least[0] = r->least[0];
    moved.least[1] = r->least[1];
    moved.least[2] = r->least[2];
#endif
    return moved;
}

FL_INLINE void FL(advance)(FL(row) * r, size_t n)
{
    r->x += n;
    r->grad += n;
    r->out += n;
}

/* Values of few channels, repeated, so that several short rows of channels are one longer row. */
FL_FUNCTION FL_NOINLINE const NUM *FL(repeated)(NUM *copies, const NUM *values, size_t channels, size_t times)
{
    for (size_t i = 0; i < times * channels; i++)
        copies[i] = i < channels ? values[i] : copies[i - channels];
    return copies;
}

/* A parameter in all lanes. For a 16-bit type, one that changes no result but needs no care: a NaN is the canonical
 * one, whose lower bits are 0, so rounding, which adds to the bits, cannot carry a NaN's payload into its sign
 * (products keep a factor's payload); and with FL_HIDES_FLUSHES, a subnormal number is the smallest that is none. */
FL_INLINE VEC FL(splat)(ACC s)
{
    const int rounds = sizeof(NUM) < sizeof(ACC) && FL_LANES > 1;
#ifdef FL_HIDES_FLUSHES
    const uint32_t sign = fl_bits_of(s) & 0x80000000, size = fl_bits_of(s) ^ sign;
    if (size && size < 0x00800000)
        s = fl_number_of(sign | 0x00800000);
#endif
    return V(set)(rounds && s != s ? (ACC)fl_number_of(0x7fc00000) : s);
}

/* A parameter of the elements from i on. The first `each`, a constant, have a value for each element. */
FL_INLINE VEC FL(parameter)(const FL(row) * r, size_t k, size_t i, size_t n, size_t each)
{
    return k < each ? FL(load)(r->each[k] + i, n) : FL(splat)(r->shared[k]);
}

/* The policy of stores is a constant wherever a store is. Never mix regular and non-temporal stores in one cache line:
 * that is ten times slower. So an output whose runs do not begin at multiples of 16 bytes is stored regularly. */
#ifdef FL_STREAMS
FL_INLINE void FL(put)(NUM *p, VEC v, size_t n, fl_store_policy policy)
{
    policy ? FL(stream)(p, v, n) : FL(store)(p, v, n);
}
/* Prefetch the inputs some distance from the element `at`, if step i of the loop begins a cache line. */
FL_INLINE void FL(prefetch)(const FL(row) * r, size_t at, size_t i, fl_store_policy policy)
{
    const int distance = policy == FL_STREAM_REVERSE ? -PREFETCH_DISTANCE : PREFETCH_DISTANCE;
    if (!policy || i * sizeof(NUM) % 64 != 0)
        return;
    prefetch(r->x + at, distance);
    if (r->grad != r->x)
        prefetch(r->grad + at, distance);
}
/* How many elements of a long run come before the first multiple of a vector's bytes. From there on no regular store is
 * split between two cache lines, which takes 1.2 to 1.4 times as long in the first two caches. */
FL_INLINE size_t FL(misaligned)(const NUM *out, size_t run)
{
    return run < 32 * FL_LANES ? 0 : -(uintptr_t)out % (FL_LANES * sizeof(NUM)) / sizeof(NUM);
}
FL_INLINE fl_store_policy FL(policy)(const fl_arguments *a, const NUM *out, size_t run)
{
    return a->nontemporal && (uintptr_t)out % 16 == 0 && run * sizeof(NUM) % 16 == 0 ? FL_STREAM : FL_STORE;
}
FL_INLINE int FL(aliases)(const fl_arguments *a) { return aliases_4k(a->out, a->x) || aliases_4k(a->out, a->grad); }
FL_INLINE void FL(fence)(const fl_arguments *a)
{
    if (a->nontemporal)
        _mm_sfence(); /* non-temporal stores are not ordered, and another thread may read them next */
}
#else
FL_INLINE void FL(put)(NUM *p, VEC v, size_t n, fl_store_policy policy)
{
    (void)policy;
    FL(store)(p, v, n);
}
FL_INLINE void FL(prefetch)(const FL(row) * r, size_t at, size_t i, fl_store_policy policy)
{
    (void)r, (void)at, (void)i, (void)policy;
}
FL_INLINE fl_store_policy FL(policy)(const fl_arguments *a, const NUM *out, size_t run)
{
    return (void)a, (void)out, (void)run, FL_STORE;
}
FL_INLINE int FL(aliases)(const fl_arguments *a) { return (void)a, 0; }
FL_INLINE void FL(fence)(const fl_arguments *a) { (void)a; }
#endif
