/* slope_gradient.h - the second kernel of kernels.h, which includes it: the slope's gradient, an ordered sum.
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

/* What is kept of a block until its next row: its lanes; or all its terms, with room to make the last group whole, for
 * a unit that flushes, since where a flush matters it needs them once more: then of fewer channels at a time. */
#ifdef FL_FLUSHES
enum { FL(KEPT) = FL_BLOCK + FL_STRIDE, FL(ROWS) = FL_WIDTH / 8 };
#else
enum { FL(KEPT) = FL_STRIDE, FL(ROWS) = FL_WIDTH };
#endif
typedef struct {
    ACC terms[FL(KEPT)];
} __attribute__((aligned(FL_LANES * sizeof(ACC)))) FL(kept);
typedef struct {
    ACC terms[2 * FL_STRIDE];
} __attribute__((aligned(FL_LANES * sizeof(ACC)))) FL(room);
typedef struct {
    double *all, chunk[FL(ROWS)]; /* of each channel: of the chunks that have ended, and of the one that has not */
} FL(sums);

FL_INLINE void FL(collect)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, ACC *terms, size_t n, int past)
{
    FL_SWEEP(i, k, n, PUT(terms + i, FL(term_step)(grad + i, x + i, slope, dx + i, k, past), FL_MORE(k)));
}
FL_INLINE void FL(group_store)(ACC *to, FL(group) * lanes)
{
    FL_EACH(j) PUT(to + j * FL_LANES, FL_NTH(lanes, j), FL(all)());
}
FL_INLINE void FL(group_load)(const ACC *from, FL(group) * lanes)
{
    FL_EACH(j) FL_NTH(lanes, j) = GET(from + j * FL_LANES, FL(all)());
}

#ifdef FL_FLUSHES
/* The sum of the n terms that are collected. */
FL_INLINE double FL(collected_sum)(FL(kept) * block, size_t n)
{
    FL(group) sums, terms;
    FL(group_set)(&sums, 0);
    if (n % FL_STRIDE)
        FL(group_store)(block->terms + n, &sums);
    FL(marks) marks = FL(rank)(FL(set)(0));
    for (size_t i = 0; i < n; i += FL_STRIDE) {
        FL(group_load)(block->terms + i, &terms);
        FL_EACH(j) marks = FL(lower)(marks, FL(rank)(FL_NTH(&terms, j)));
        FL(group_plus)(&sums, &terms);
    }
    FL_ESCAPE(FL(tiny)(marks, FL(all)()), FL(block_scalar)(block->terms, n));
    return FL(group_fold)(&sums);
}
FL_FUNCTION FL_APART double FL(piece)(FL(kept) * block, size_t at, const NUM *grad, const NUM *x, ACC slope, NUM *dx,
                                      size_t n, int ends)
{
    FL(collect)(grad, x, FL(set)(slope), dx, block->terms + at, n, 0);
    return ends ? FL(collected_sum)(block, at + n) : 0;
}
#else
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

/* Less than a group: n terms from a lane on. Dead lanes load as 0, so that their terms are +0, which changes no sum. */
FL_INLINE void FL(some_terms)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, FL(group) * terms, size_t lane,
                              size_t n, FL(room) * room, int past)
{
    (void)room;
#ifdef FL_BETWEEN
    grad -= lane, x -= lane, dx -= lane;
    FL_EACH(j)
    {
        const size_t at = j * FL_LANES, from = lane > at ? lane - at : 0, to = lane + n > at ? lane + n - at : 0;
        FL_NTH(terms, j) = FL(set)(0);
        if (from < FL_LANES && to)
            FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, slope, dx + at, FL(between)(from, to), past);
    }
#else
#if FL_TAIL == FL_LANES
    if (!lane) {
        FL_EACH(j)
        {
            const size_t at = j * FL_LANES, left = n > at ? n - at : 0;
            if (left >= FL_LANES)
                FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, slope, dx + at, FL(all)(), past);
            else if (left)
                FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, slope, dx + at, FL(first)(left), past);
            else
                FL_NTH(terms, j) = FL(set)(0);
        }
        return;
    }
#endif
    FL(group_set)(terms, 0);
    FL(group_store)(room->terms, terms);
    FL(collect)(grad, x, slope, dx, room->terms + lane, n, past);
    FL(group_load)(room->terms, terms);
#endif
}
#endif

/* n more terms of a block, which lie in a row, after the first `at`; and its sum, if it ends here. */
FL_INLINE double FL(block)(FL(kept) * kept, size_t at, const NUM *grad, const NUM *x, ACC slope, NUM *dx, size_t n,
                           int ends, FL(room) * room, int past)
{
#ifdef FL_FLUSHES
    (void)room;
    if (n < FL_BLOCK)
        return FL(piece)(kept, at, grad, x, slope, dx, n, ends);
    FL(collect)(grad, x, FL(set)(slope), dx, kept->terms, FL_BLOCK, past);
    return FL(collected_sum)(kept, FL_BLOCK);
#else
    const VEC s = FL(set)(slope);
    const size_t lane = at % FL_STRIDE;
    FL(group) sums, terms;
    size_t i = 0;
    if (at)
        FL(group_load)(kept->terms, &sums);
    else
        FL(group_set)(&sums, 0);
    if (lane) {
        i = lane + n < FL_STRIDE ? n : FL_STRIDE - lane;
        FL(some_terms)(grad, x, s, dx, &terms, lane, i, room, past);
        FL(group_plus)(&sums, &terms);
    }
    for (; i + FL_STRIDE <= n; i += FL_STRIDE) {
        FL(terms)(grad + i, x + i, s, dx + i, &terms, past);
        FL(group_plus)(&sums, &terms);
    }
    if (i < n) {
        FL(some_terms)(grad + i, x + i, s, dx + i, &terms, 0, n - i, room, past);
        FL(group_plus)(&sums, &terms);
    }
    if (ends)
        return FL(group_fold)(&sums);
    FL(group_store)(kept->terms, &sums);
    return 0;
#endif
}

/* A row of n terms of each of some channels, `at` terms after a chunk has begun. `last`: there are no more, and the
 * last block ends here too. `whole`: so it does in any case. */
FL_INLINE void FL(each_row)(const NUM *grad, const NUM *x, const NUM *slope, NUM *dx, size_t width, size_t n,
                            size_t pitch, size_t at, FL(sums) * sums, FL(kept) * kept, FL(room) * room, int last,
                            int whole, int past)
{
    for (size_t c = 0; c < width; c++, grad += pitch, x += pitch, dx += pitch) {
        const ACC s = FL(widen)(slope[c]);
        double sum = sums->chunk[c];
        for (size_t i = 0, k, from = whole ? 0 : at % FL_BLOCK, left = FL_CHUNK - at; i < n; i += k, from = 0) {
            k = n - i < FL_BLOCK - from ? n - i : FL_BLOCK - from;
            const int ends = whole || from + k == FL_BLOCK || (last && i + k == n);
            sum += FL(block)(kept + c, from, grad + i, x + i, s, dx + i, k, ends, room, past);
            left -= k;
            if (!left) {
                sums->all[c] += sum;
                sum = 0, left = FL_CHUNK;
            }
        }
        sums->chunk[c] = sum;
    }
}
/* By themselves, so that short rows find all that they need in registers; and those where blocks begin and end, which
 * need less. */
FL_FUNCTION FL_APART void FL(rows)(int past, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx, size_t width,
                                   size_t n, size_t pitch, size_t at, FL(sums) * sums, FL(kept) * kept, int last)
{
    FL(room) room;
    FL_EACH_PAST(past, FL(each_row), grad, x, slope, dx, width, n, pitch, at, sums, kept, &room, last, 0);
}
FL_FUNCTION FL_APART void FL(whole_rows)(int past, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx,
                                         size_t width, size_t n, size_t pitch, size_t at, FL(sums) * sums,
                                         FL(kept) * kept)
{
    FL(room) room;
    FL_EACH_PAST(past, FL(each_row), grad, x, slope, dx, width, n, pitch, at, sums, kept, &room, 1, 1);
}

/* n terms of each of some channels whose elements lie in rows, from place i of the first row on. The channels take
 * turns row by row, so that memory is read in its order. */
FL_INLINE void FL(sum_rows)(const fl_job *job, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx, size_t width,
                            size_t i, size_t n, double *all, FL(kept) * kept)
{
    FL(sums) sums;
    const size_t inner = job->inner, pitch = job->channels * inner;
    const int past = FL_PAST(job, (uintptr_t)(dx + i) % 16 == 0 && inner * sizeof(NUM) % 16 == 0);
    for (size_t c = 0; c < width; c++)
        all[c] = sums.chunk[c] = 0;
    sums.all = all;
    for (size_t at = 0, run; n; n -= run, grad += pitch, x += pitch, dx += pitch, i = 0) {
        run = n < inner - i ? n : inner - i;
        if (at % FL_BLOCK == 0 && (run == n || run % FL_BLOCK == 0))
            FL(whole_rows)(past, grad + i, x + i, slope, dx + i, width, run, inner, at, &sums, kept);
        else
            FL(rows)(past, grad + i, x + i, slope, dx + i, width, run, inner, at, &sums, kept, run == n);
        at = (at + run) % FL_CHUNK;
    }
    for (size_t c = 0; c < width; c++)
        all[c] += sums.chunk[c];
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
    const NUM *const repeated = few ? FL(repeated)(copies, slope, width, FL_STRIDE) : slope;
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

/* The sums of n terms of `width` channels, from `channel` and from a chunk's first term on. */
extern fl_sum FL_KERNEL(prelu_backward);
FL_EXPORT void FL_KERNEL(prelu_backward)(const fl_job *job, size_t channel, size_t width, size_t first, size_t n,
                                         double *sums)
{
    const NUM *const grad = job->v, *const x = job->x, *const slope = (const NUM *)job->slope + channel;
    NUM *const dx = job->out;
    union {
        FL(kept) kept[FL(ROWS)];
        struct {
            ACC lanes[FL_STRIDE * FL_WIDTH];
            NUM copies[FL_STRIDE * FL_FEW];
        } columns;
    } room;
    const size_t inner = job->inner;
    if (channels_last(job)) {
        const size_t at = first * job->channels + channel;
        const int past = FL_PAST(job, (uintptr_t)(dx + at) % 16 == 0 && job->channels * sizeof(NUM) % 16 == 0);
        FL_EACH_PAST(past, FL(sum_columns), job, grad + at, x + at, slope, dx + at, width, n, sums, room.columns.lanes,
                     room.columns.copies);
    } else {
        const size_t row = first ? first / inner : 0, at = (row * job->channels + channel) * inner;
        for (size_t c = 0, some; c < width; c += some) {
            const size_t p = at + c * inner;
            some = width - c < FL(ROWS) ? width - c : FL(ROWS);
            FL(sum_rows)(job, grad + p, x + p, slope + c, dx + p, some, first - row * inner, n, sums + c, room.kept);
        }
    }
    FL_FENCE(job);
}

#undef FL_NTH
#undef FL_MORE
#undef FL_EACH
