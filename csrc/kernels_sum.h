/* kernels_sum.h - the second kernel of kernels.h, which includes it: the slope's gradient, an ordered sum.
 * SPDX-License-Identifier: MIT */

/* Backward: dx as above, and the terms x > 0 ? 0 : grad * x of the slope's gradient. */

FL_INLINE VEC FL(term_step)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, LIVE k, int past)
{
    (void)past;
    const VEC xk = FL(load)(x, k), gk = FL(load)(grad, k);
    const VEC scaled = FL(mul)(slope, gk FL_ON(k)), term = FL(mul)(gk, xk FL_ON(k));
    FL_ESCAPE(FL(either_flushed)(gk, slope, scaled, xk, term, k), FL(term_scalar)(grad, x, slope, dx, k));
    FL_PUT(past, dx, FL(pick)(xk, gk, scaled FL_ON(k)), k);
    return FL(pick)(xk, FL(set)(0), term FL_ON(k));
}

/* sum += terms. Once some term of a block was tiny, all that is added after it may be. */
FL_INLINE VEC FL(plus)(VEC sum, VEC terms, LIVE k, int *tiny)
{
    (void)k, (void)tiny;
    FL_ESCAPE((*tiny |= FL(tiny)(FL(rank)(terms), k)), FL(plus_scalar)(sum, terms, k));
    return FL(add)(sum, terms FL_ON(k));
}

/* A group is FL_STRIDE terms, one for each lane of a block: some vectors; or one where the length is not known, since
 * such a vector cannot be in an array. */
enum { FL(VECS) = FL_STRIDE / FL_LANES };
#ifdef FL_STRIP
typedef VEC FL(group);
#define FL_NTH(group, j) (*(group))
#define FL_MORE(k) k
#else
typedef struct {
    VEC vectors[FL(VECS)];
} FL(group);
#define FL_NTH(group, j) (group)->vectors[j]
#define FL_MORE(k) FL(all)() /* where there is room: a store of all lanes is the fastest */
#endif
#if FL_LANES > 1 /* written out: else -O2 has them in memory, and takes half as long again */
#define FL_EACH(j) _Pragma("GCC unroll 8") for (size_t j = 0; j < FL(VECS); j++)
#else
#define FL_EACH(j) for (size_t j = 0; j < FL(VECS); j++)
#endif

FL_INLINE void FL(group_set)(FL(group) * group, ACC value) { FL_EACH(j) FL_NTH(group, j) = FL(set)(value); }
FL_INLINE void FL(group_plus)(FL(group) * sums, FL(group) * terms)
{
    FL_EACH(j) FL_NTH(sums, j) = FL(add)(FL_NTH(sums, j), FL_NTH(terms, j) FL_ON(FL(all)()));
}

/* The sum of a block: the upper half of its lanes added to the lower half, until one is left. */
FL_INLINE ACC FL(group_fold)(FL(group) * sums)
{
#ifndef FL_STRIP
    for (size_t half = FL(VECS) / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++)
            FL_NTH(sums, j) = FL(add)(FL_NTH(sums, j), FL_NTH(sums, j + half));
#endif
    return FL(fold)(FL_NTH(sums, 0));
}

/* The terms of a block, or as many of them as there are, and room to make their last group whole. */
typedef struct {
    ACC terms[FL_BLOCK + FL_STRIDE];
} __attribute__((aligned(FL_LANES * sizeof(ACC)))) FL(collected);

FL_INLINE void FL(collect)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, ACC *terms, size_t n, int past)
{
    FL_SWEEP(i, k, n, PUT(terms + i, FL(term_step)(grad + i, x + i, slope, dx + i, k, past), FL_MORE(k)));
}
FL_INLINE void FL(collected_fill)(FL(collected) * block, size_t n)
{
    if (n % FL_STRIDE)
        FL_EACH(j) PUT(block->terms + n + j * FL_LANES, FL(set)(0), FL(all)());
}
FL_INLINE void FL(collected_load)(FL(collected) * block, size_t i, FL(group) * terms)
{
    FL_EACH(j) FL_NTH(terms, j) = GET(block->terms + i + j * FL_LANES, FL(all)());
}

/* The sum of the n terms that are collected. */
FL_INLINE double FL(collected_sum)(FL(collected) * block, size_t n)
{
    FL(group) sums, terms;
    FL(group_set)(&sums, 0);
    FL(collected_fill)(block, n);
#ifdef FL_FLUSHES
    FL(marks) marks = FL(rank)(FL(set)(0));
#endif
    for (size_t i = 0; i < n; i += FL_STRIDE) {
        FL(collected_load)(block, i, &terms);
#ifdef FL_FLUSHES
        FL_EACH(j) marks = FL(lower)(marks, FL(rank)(FL_NTH(&terms, j)));
#endif
        FL(group_plus)(&sums, &terms);
    }
    FL_ESCAPE(FL(tiny)(marks, FL(all)()), FL(block_scalar)(block->terms, n));
    return FL(group_fold)(&sums);
}

/* Collect n more terms of a block, after the first `at`; and give its sum, if it ends here. */
FL_FUNCTION FL_APART double FL(piece)(FL(collected) * block, size_t at, const NUM *grad, const NUM *x, ACC slope,
                                      NUM *dx, size_t n, int ends)
{
    FL(collect)(grad, x, FL(set)(slope), dx, block->terms + at, n, 0);
    return ends ? FL(collected_sum)(block, at + n) : 0;
}

#ifndef FL_FLUSHES
FL_INLINE void FL(terms)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, FL(group) * terms, int past)
{
    FL_EACH(j)
    {
        const size_t at = j * FL_LANES;
        FL_FETCH(past, at, x + at);
        FL_FETCH(past, at, grad + at);
        FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, slope, dx + at, FL(all)(), past);
    }
}

/* Less than a group. Dead lanes load as 0, so that their terms are +0, which changes no sum. */
FL_INLINE void FL(last_terms)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, FL(group) * terms, size_t n,
                              FL(collected) * room)
{
    (void)room;
#if FL_TAIL == FL_LANES
    FL_EACH(j)
    {
        const size_t at = j * FL_LANES, left = n > at ? n - at : 0;
        if (left >= FL_LANES)
            FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, slope, dx + at, FL(all)(), 0);
        else if (left)
            FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, slope, dx + at, FL(first)(left), 0);
        else
            FL_NTH(terms, j) = FL(set)(0);
    }
#else
    FL(collect)(grad, x, slope, dx, room->terms, n, 0);
    FL(collected_fill)(room, n);
    FL(collected_load)(room, 0, terms);
#endif
}
#endif

/* A block, or the n terms there are of it, in one row. A unit that flushes collects them, since where a flush matters
 * it needs them once more, and looks at all of them at once; others add them as they come. */
FL_INLINE double FL(block)(const NUM *grad, const NUM *x, ACC slope, NUM *dx, size_t n, FL(collected) * room, int past)
{
    const VEC s = FL(set)(slope);
#ifdef FL_FLUSHES
    if (n < FL_BLOCK)
        return FL(piece)(room, 0, grad, x, slope, dx, n, 1);
    FL(collect)(grad, x, s, dx, room->terms, FL_BLOCK, past);
    return FL(collected_sum)(room, FL_BLOCK);
#else
    FL(group) sums;
    size_t i = 0;
    FL(group_set)(&sums, 0);
    for (; i + FL_STRIDE <= n; i += FL_STRIDE) {
        FL(group) terms;
        FL(terms)(grad + i, x + i, s, dx + i, &terms, past);
        FL(group_plus)(&sums, &terms);
    }
    if (i < n) {
        FL(group) terms;
        FL(last_terms)(grad + i, x + i, s, dx + i, &terms, n - i, room);
        FL(group_plus)(&sums, &terms);
    }
    return FL(group_fold)(&sums);
#endif
}

/* Add to `sum` the blocks of n terms in one row, the last of which may be a shorter one. */
FL_INLINE double FL(blocks)(double sum, const NUM *grad, const NUM *x, ACC slope, NUM *dx, size_t n,
                            FL(collected) * room, int past)
{
    for (size_t k; n; n -= k, grad += k, x += k, dx += k) {
        k = n < FL_BLOCK ? n : FL_BLOCK;
        sum += FL(block)(grad, x, slope, dx, k, room, past);
    }
    return sum;
}

/* A row of n terms of each of some channels, if blocks begin and end there: by itself, so that short rows find all that
 * they need in registers. */
FL_INLINE void FL(each_row)(const NUM *grad, const NUM *x, const NUM *slope, NUM *dx, size_t width, size_t n,
                            size_t pitch, double *sums, FL(collected) * room, int past)
{
    for (size_t c = 0; c < width; c++, grad += pitch, x += pitch, dx += pitch)
        sums[c] = FL(blocks)(sums[c], grad, x, FL(widen)(slope[c]), dx, n, room, past);
}
FL_FUNCTION FL_APART void FL(whole_rows)(int past, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx,
                                         size_t width, size_t n, size_t pitch, double *sums, FL(collected) * room)
{
    FL_EACH_PAST(past, FL(each_row), grad, x, slope, dx, width, n, pitch, sums, room);
}

/* Add to `sum` the blocks that end among the next n terms of a channel, which lie in a row; of the first block, `at`
 * terms are collected. `last`: there are no more, and the last block ends here too. */
FL_INLINE void FL(sum_row)(int past, double *sum, FL(collected) * block, const NUM *grad, const NUM *x,
                           const NUM *slope, NUM *dx, size_t n, size_t at, int last)
{
    const ACC s = FL(widen)(*slope);
    if (at) {
        const size_t k = n < FL_BLOCK - at ? n : FL_BLOCK - at;
        *sum += FL(piece)(block, at, grad, x, s, dx, k, at + k == FL_BLOCK || (last && k == n));
        n -= k, grad += k, x += k, dx += k;
    }
    const size_t begun = last ? 0 : n % FL_BLOCK, done = n - begun;
    if (done)
        FL(whole_rows)(past && (uintptr_t)dx % 16 == 0, grad, x, slope, dx, 1, done, 0, sum, block);
    if (begun)
        FL(piece)(block, 0, grad + done, x + done, s, dx + done, begun, 0);
}

/* n terms of each of some channels whose elements lie in rows, from place i of the first row on. The channels take
 * turns row by row, so that memory is read in its order. Pieces of blocks are not stored past the cache; so no short
 * row is that has any, for lines that are stored in both ways take ten times as long. */
enum { FL(LONG) = 4096 };
FL_INLINE void FL(sum_rows)(const fl_job *job, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx, size_t width,
                            size_t i, size_t n, double *sums, FL(collected) * blocks)
{
    const size_t inner = job->inner, pitch = job->channels * inner;
    const int past = FL_PAST(job, inner % FL_BLOCK == 0 || inner >= FL(LONG));
    for (size_t c = 0; c < width; c++)
        sums[c] = 0;
    for (size_t at = 0, run; n; n -= run, grad += pitch, x += pitch, dx += pitch, i = 0) {
        run = n < inner - i ? n : inner - i;
        if (at == 0 && (run == n || run % FL_BLOCK == 0)) {
            const int aligned = (uintptr_t)(dx + i) % 16 == 0 && inner * sizeof(NUM) % 16 == 0;
            FL(whole_rows)(past && aligned, grad + i, x + i, slope, dx + i, width, run, inner, sums, blocks);
        } else
            for (size_t c = 0; c < width; c++) {
                const size_t p = c * inner + i;
                FL(sum_row)(past, sums + c, blocks + c, grad + p, x + p, slope + c, dx + p, run, at, run == n);
            }
        at = (at + run) % FL_BLOCK;
    }
}

/* The same where channels are last, and each channel's terms lie a row apart: all go down the rows together, with the
 * lanes of their blocks in memory. Of few channels, FL_STRIDE rows are one row, of as many lanes, with the slopes
 * repeated. */
FL_INLINE void FL(sum_columns)(const fl_job *job, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx,
                               size_t width, size_t n, double *sums, ACC *lanes, NUM *copies, int past)
{
    const size_t pitch = job->channels;
    const int few = pitch <= FL_FEW && width == pitch && n >= FL_STRIDE;
    int tiny = 0;
    const NUM *const repeated = few ? FL(repeated)(copies, slope, width) : slope;
    for (size_t c = 0; c < width; c++)
        sums[c] = 0;
    for (size_t row = 0, rows; row < n; row += rows, grad += rows * pitch, x += rows * pitch, dx += rows * pitch) {
        const size_t at = row % FL_BLOCK;
        ACC *const lane = lanes + at % FL_STRIDE * width;
        rows = few && at % FL_STRIDE == 0 && n - row >= FL_STRIDE ? FL_STRIDE : 1;
        FL_SWEEP(c, k, rows * width, {
            FL_FETCH(past, c, x + c);
            FL_FETCH(past, c, grad + c);
            const VEC s = FL(load)(repeated + c, k);
            const VEC sum = at < FL_STRIDE ? FL(set)(0) : GET(lane + c, k);
            PUT(lane + c, FL(plus)(sum, FL(term_step)(grad + c, x + c, s, dx + c, k, past), k, &tiny), k);
        });
        if (at + rows < FL_BLOCK && row + rows < n)
            continue;
        size_t started = at + rows < FL_STRIDE ? at + rows : FL_STRIDE;
        for (size_t half = FL_STRIDE / 2; half; half /= 2)
            if (started > half) {
                ACC *const high = lanes + half * width;
                FL_SWEEP(c, k, (started - half) * width, {
                    const VEC sum = FL(plus)(GET(lanes + c, k), GET(high + c, k), k, &tiny);
                    PUT(lanes + c, sum, k);
                });
                started = half;
            }
        for (size_t c = 0; c < width; c++)
            sums[c] += lanes[c];
        tiny = 0;
    }
}

/* The sums of one chunk of `width` channels, from `channel` on. */
FL_FUNCTION void FL(sum)(const fl_job *job, size_t channel, size_t width, size_t chunk, double *sums)
{
    const NUM *const grad = job->v, *const x = job->x, *const slope = (const NUM *)job->slope + channel;
    NUM *const dx = job->out;
    union {
        FL(collected) blocks[FL_ROWS];
        struct {
            ACC lanes[FL_STRIDE * FL_WIDTH];
            NUM copies[FL_STRIDE * FL_FEW];
        } columns;
    } room;
    const size_t inner = job->inner, first = chunk * FL_CHUNK, left = job->outer * inner - first;
    const size_t n = left < FL_CHUNK ? left : FL_CHUNK;
    if (inner == 1 && job->channels > 1) {
        const size_t at = first * job->channels + channel;
        const int past = FL_PAST(job, (uintptr_t)(dx + at) % 16 == 0 && job->channels * sizeof(NUM) % 16 == 0);
        FL_EACH_PAST(past, FL(sum_columns), job, grad + at, x + at, slope, dx + at, width, n, sums, room.columns.lanes,
                     room.columns.copies);
    } else {
        const size_t row = first ? first / inner : 0, at = (row * job->channels + channel) * inner;
        FL(sum_rows)(job, grad + at, x + at, slope, dx + at, width, first - row * inner, n, sums, room.blocks);
    }
#ifdef FL_STREAMS
    if (job->past)
        FL(fence)();
#endif
}

#undef FL_NTH
#undef FL_MORE
#undef FL_EACH
