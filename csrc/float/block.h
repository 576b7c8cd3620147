/* block.h - the state of ordered sums: the lanes of blocks, of channels in rows and of channels last.
 * SPDX-License-Identifier: MIT */

/* FL_STRIDE terms or sums, one for each lane of a block: some vectors; or one where its length is not known to the
 * compiler, which has no arrays of such. */
#ifdef FL_SCALABLE
typedef VEC FL(group);
#define FL_NTH(group, j) (*(group))
#else
typedef struct {
    VEC vectors[FL_STRIDE / FL_LANES];
} FL(group);
#define FL_NTH(group, j) (group)->vectors[j]
#endif
#if FL_LANES > 1 /* unrolled: else GCC at -O2 keeps groups in memory, and takes half as long again */
#define FL_EACH(j) _Pragma("GCC unroll 8") for (size_t j = 0; j < FL_STRIDE / FL_LANES; j++)
#else
#define FL_EACH(j) for (size_t j = 0; j < FL_STRIDE / FL_LANES; j++)
#endif

FL_INLINE void FL(group_zero)(FL(group) * group) { FL_EACH(j) FL_NTH(group, j) = V(set)(0); }
FL_INLINE void FL(group_add)(FL(group) * sums, FL(group) * terms)
{
    FL_EACH(j) FL_NTH(sums, j) = V(add)(FL_NTH(sums, j), FL_NTH(terms, j), FL_LANES);
}
FL_INLINE void FL(group_store)(ACC *to, FL(group) * group)
{
    FL_EACH(j) V(store)(to + j * FL_LANES, FL_NTH(group, j), FL_LANES);
}
FL_INLINE void FL(group_load)(const ACC *from, FL(group) * group)
{
    FL_EACH(j) FL_NTH(group, j) = V(load)(from + j * FL_LANES, FL_LANES);
}

/* The sum of a block: the upper half of its lanes added to the lower half, until one is left. */
FL_INLINE ACC FL(group_reduce)(FL(group) * sums)
{
#ifndef FL_SCALABLE
    for (size_t half = FL_STRIDE / FL_LANES / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++)
            FL_NTH(sums, j) = V(add)(FL_NTH(sums, j), FL_NTH(sums, j + half), FL_LANES);
#endif
    return V(reduce_add)(FL_NTH(sums, 0));
}

/* The state of a block between rows: its 16 partial sums; on units that flush to zero all its terms, with room for a
 * whole last group, because the scalar fallback needs them again. BLOCKS: how many states a kernel has on its stack. */
#ifdef FL_FTZ
enum { FL(KEPT) = FL_BLOCK + FL_STRIDE, FL(BLOCKS) = FL_CHANNEL_TILE / 8 };
#else
enum { FL(KEPT) = FL_STRIDE, FL(BLOCKS) = FL_CHANNEL_TILE };
#endif
typedef struct {
    ACC terms[FL(KEPT)];
} __attribute__((aligned(FL_LANES * sizeof(ACC)))) FL(block);

#ifdef FL_FTZ
/* The sum of the n terms of a block; by scalars if a partial sum could be subnormal. */
FL_INLINE double FL(block_sum)(FL(block) * block, size_t n)
{
    FL(group) sums, terms;
    FL(group_zero)(&sums);
    if (n % FL_STRIDE)
        FL(group_store)(block->terms + n, &sums);
    V(keys) least = V(keys_of)(V(set)(0));
    for (size_t i = 0; i < n; i += FL_STRIDE) {
        FL(group_load)(block->terms + i, &terms);
        FL_EACH(j) least = V(keys_min)(least, V(keys_of)(FL_NTH(&terms, j)));
        FL(group_add)(&sums, &terms);
    }
    if (V(has_tiny)(least, FL_LANES))
        return FL(block_scalar)(block->terms, n);
    return FL(group_reduce)(&sums);
}
#endif

/* A row of n elements of each of some channels, `pitch` elements apart. */
typedef struct {
    FL(row) first;
    const NUM *slope;
    size_t width, n, pitch;
    double *sums, *chunks; /* of the chunks that have ended, and of those that have not */
    FL(block) * blocks;
} FL(rows);

/* Channels last: the lanes of the channels' blocks, and the slopes of few channels, repeated. */
typedef struct {
    ACC lanes[FL_STRIDE * FL_CHANNEL_TILE];
    NUM slopes[FL_STRIDE * FL_FEW_CHANNELS];
} FL(columns);

FL_INLINE VEC FL(lanes_add)(VEC sums, VEC terms, size_t n, int *tiny)
{
    (void)tiny;
#ifdef FL_FTZ
    *tiny |= V(has_tiny)(V(keys_of)(terms), n);
    if (*tiny) { /* then all sums that follow in this block may be */
        ACC s[FL_LANES], t[FL_LANES];
        V(store)(s, sums, n);
        V(store)(t, terms, n);
        FL(add_scalar)(s, t, n);
        return V(load)(s, n);
    }
#endif
    return V(add)(sums, terms, n);
}

/* The sums of the blocks of `width` channels, of whose lanes `started` have terms. */
FL_INLINE void FL(columns_reduce)(ACC *lanes, size_t width, size_t started, int tiny, double *sums)
{
    for (size_t half = FL_STRIDE / 2; half; half /= 2)
        if (started > half) {
            ACC *const high = lanes + half * width;
            FL_FOR_VECTORS(c, n, (started - half) * width, {
                const VEC sum = FL(lanes_add)(V(load)(lanes + c, n), V(load)(high + c, n), n, &tiny);
                V(store)(lanes + c, sum, n);
            });
            started = half;
        }
    for (size_t c = 0; c < width; c++)
        sums[c] += lanes[c];
}
