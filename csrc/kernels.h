/* kernels.h - the one body of every kernel, included once an instruction set and element type.
 * SPDX-License-Identifier: MIT
 *
 * The words it needs; FL(word) is the word with the type before it, such as f32_load:
 *
 *   FL_TYPE                 f32 or f64
 *   FL_LANES                elements in a vector (divides 16)
 *   FL_TAIL                 elements that a partial step takes; and where that is little, FL_PART, the lanes of
 *                           part(), which go before; or else, where vectors have any length,
 *   FL_STRIP(n)             how many lanes to use for the next of n elements: then FL_LANES is what all()
 *                           means, it is 16, and mul, add and pick are told the live lanes too
 *   vec  live               a vector; which of its lanes are live
 *   all()  first(k)         all lanes; the first min(k, FL_TAIL) lanes
 *   load(p, live)           dead lanes load as 0
 *   store(p, vec, live)     dead lanes are not stored
 *   set(s)  mul(a, b)  add(a, b)
 *   pick(x, a, b)           x > 0 ? a : b
 *   fold(v)                 upper half of the lanes added to the lower half, until one is left
 *
 * A set with FL_STREAMS also has stream(p, vec, live), which stores past the cache: p is aligned to 16 bytes, and only
 * all lanes need to go so; and fence(), which waits for these stores.
 *
 * flush.h lists three words more for units that flush subnormals.
 *
 * Every load of a step comes before its store, so an output may be an input itself. */
#include "ordered_sum.h"
#include <stdint.h>

#define FL(word) FL_PASTE(FL_TYPE, word)
#define NUM FL(num)
#define VEC FL(vec)
#define LIVE FL(live)

#ifndef FL_UNROLLED
#define FL_UNROLLED
#endif

/* Run `step` for i = 0 ... n, a vector at a time, with k the live lanes. In the main loop k is a constant,
 * so the masks vanish there. */
#ifdef FL_STRIP
#define FL_SWEEP(i, k, n, step)                                                                                        \
    do {                                                                                                               \
        const size_t whole = FL_STRIP(SIZE_MAX);                                                                       \
        size_t i = 0;                                                                                                  \
        for (; (n) - i >= whole; i += whole) {                                                                         \
            const LIVE k = whole;                                                                                      \
            step;                                                                                                      \
        }                                                                                                              \
        if (i < (n)) {                                                                                                 \
            const LIVE k = FL_STRIP((n) - i);                                                                          \
            step;                                                                                                      \
        }                                                                                                              \
    } while (0)
#define FL_ON(k) , k
#else
#define FL_ON(k)
#ifdef FL_PART
#define FL_PARTS(i, k, n, step)                                                                                        \
    for (; i + FL_PART <= (n); i += FL_PART) {                                                                         \
        const LIVE k = FL(part)();                                                                                     \
        step;                                                                                                          \
    }
#else
#define FL_PARTS(i, k, n, step)
#endif
#define FL_SWEEP(i, k, n, step)                                                                                        \
    do {                                                                                                               \
        size_t i = 0;                                                                                                  \
        FL_UNROLLED                                                                                                    \
        for (; i + FL_LANES <= (n); i += FL_LANES) {                                                                   \
            const LIVE k = FL(all)();                                                                                  \
            step;                                                                                                      \
        }                                                                                                              \
        FL_PARTS(i, k, n, step)                                                                                        \
        for (; i < (n); i += FL_TAIL) {                                                                                \
            const LIVE k = FL(first)((n) - i);                                                                         \
            step;                                                                                                      \
        }                                                                                                              \
    } while (0)
#endif

/* FL_ESCAPE(flushed, way_out): take the way out of this function if a flush could matter here. */
#ifdef FL_FLUSHES
#include "flush.h"
#define FL_ESCAPE(flushed, way_out)                                                                                    \
    do {                                                                                                               \
        if (flushed)                                                                                                   \
            return way_out;                                                                                            \
    } while (0)
#else
#define FL_ESCAPE(flushed, way_out)
#endif

#ifdef FL_STREAMS
#define FL_PUT(past, p, v, k) ((past) ? FL(stream)(p, v, k) : FL(store)(p, v, k))
#define FL_PAST(job, p) ((job)->past && (uintptr_t)(p) % 16 == 0)
#else
#define FL_PUT(past, p, v, k) FL(store)(p, v, k)
#define FL_PAST(job, p) 0
#endif

/* Element-wise: out = x > 0 ? v : slope * v. Forward v is x, backward it is the gradient. */

FL_INLINE void FL(select_step)(const NUM *v, const NUM *x, VEC slope, NUM *out, LIVE k, int past)
{
    const VEC xk = FL(load)(x, k), vk = FL(load)(v, k), scaled = FL(mul)(slope, vk FL_ON(k));
    (void)past;
    FL_ESCAPE(FL(flushed)(vk, slope, scaled, k), FL(select_scalar)(v, x, slope, out, k));
    FL_PUT(past, out, FL(pick)(xk, vk, scaled FL_ON(k)), k);
}

FL_INLINE void FL(select_row)(const NUM *v, const NUM *x, NUM slope, NUM *out, size_t n, int past)
{
    const VEC s = FL(set)(slope);
    FL_SWEEP(i, k, n, FL(select_step)(v + i, x + i, s, out + i, k, past));
}

FL_INLINE void FL(select_each)(const NUM *v, const NUM *x, const NUM *slope, NUM *out, size_t n, int past)
{
    FL_SWEEP(i, k, n, FL(select_step)(v + i, x + i, FL(load)(slope + i, k), out + i, k, past));
}

/* The slopes of few channels, repeated: FL_STRIDE short rows of channels are then one longer row. */
FL_INLINE const NUM *FL(repeated)(NUM copies[FL_STRIDE * FL_FEW], const NUM *slope, size_t channels)
{
    for (size_t i = 0; i < FL_STRIDE * channels; i++)
        copies[i] = i < channels ? slope[i] : copies[i - channels];
    return copies;
}

/* Elements begin ... end: runs with one slope, or where channels are last, with a slope an element. */
FL_INLINE void FL(select_runs)(const fl_job *job, const NUM *v, const NUM *x, size_t begin, size_t end)
{
    NUM *const out = job->out, copies[FL_STRIDE * FL_FEW];
    const size_t channels = job->channels, one = channels == 1, each = !one && job->inner == 1;
    const int few = each && channels <= FL_FEW && end - begin > 4 * FL_STRIDE * FL_FEW;
    const NUM *const slope = few ? FL(repeated)(copies, job->slope, channels) : job->slope;
    const size_t length = one ? end : few ? channels * FL_STRIDE : each ? channels : job->inner;
    size_t i = begin, c = 0; /* where a run is entered, and in which channel */
    if (!one && begin) {
        i = begin % length;
        c = each ? 0 : begin / length % channels;
    }
    const int past = FL_PAST(job, out + begin) && (one || length * sizeof(NUM) % 16 == 0);
    for (size_t at = begin, n; at < end; at += n, i = 0) {
        n = length - i < end - at ? length - i : end - at;
        if (each && past)
            FL(select_each)(v + at, x + at, slope + i, out + at, n, 1);
        else if (each)
            FL(select_each)(v + at, x + at, slope + i, out + at, n, 0);
        else if (past)
            FL(select_row)(v + at, x + at, slope[c], out + at, n, 1);
        else
            FL(select_row)(v + at, x + at, slope[c], out + at, n, 0);
        if (++c == channels)
            c = 0;
    }
}

FL_FUNCTION void FL(select)(const fl_job *job, size_t begin, size_t end)
{
    if (job->v == job->x) /* forward: every vector is loaded once */
        FL(select_runs)(job, job->x, job->x, begin, end);
    else
        FL(select_runs)(job, job->v, job->x, begin, end);
#ifdef FL_STREAMS
    if (job->past)
        FL(fence)();
#endif
}

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
#else
typedef struct {
    VEC vectors[FL(VECS)];
} FL(group);
#define FL_NTH(group, j) (group)->vectors[j]
#endif
#define FL_EACH(j) for (size_t j = 0; j < FL(VECS); j++)

FL_INLINE void FL(group_set)(FL(group) * group, NUM value) { FL_EACH(j) FL_NTH(group, j) = FL(set)(value); }
FL_INLINE void FL(group_load)(FL(group) * group, const NUM *p)
{
    FL_EACH(j) FL_NTH(group, j) = FL(load)(p + j * FL_LANES, FL(all)());
}
FL_INLINE void FL(group_store)(NUM *p, FL(group) * group)
{
    FL_EACH(j) FL(store)(p + j * FL_LANES, FL_NTH(group, j), FL(all)());
}

FL_INLINE void FL(group_plus)(FL(group) * sums, FL(group) * terms, int *tiny)
{
#ifdef FL_FLUSHES /* one look at all the vectors */
    FL(marks) marks = FL(rank)(FL_NTH(terms, 0));
    for (size_t j = 1; j < FL(VECS); j++)
        marks = FL(lower)(marks, FL(rank)(FL_NTH(terms, j)));
    if ((*tiny |= FL(tiny)(marks, FL(all)()))) {
        FL_EACH(j) FL_NTH(sums, j) = FL(plus_scalar)(FL_NTH(sums, j), FL_NTH(terms, j), FL(all)());
        return;
    }
#endif
    (void)tiny;
    FL_EACH(j) FL_NTH(sums, j) = FL(add)(FL_NTH(sums, j), FL_NTH(terms, j) FL_ON(FL(all)()));
}

/* The sum of a block: the upper half of its lanes added to the lower half, until one is left. */
FL_INLINE NUM FL(group_fold)(FL(group) * sums, int tiny)
{
    (void)tiny;
#ifdef FL_FLUSHES
    if (tiny) {
        NUM lanes[FL_STRIDE];
        FL(group_store)(lanes, sums);
        return FL(fold_scalar)(lanes);
    }
#endif
#ifndef FL_STRIP
    for (size_t half = FL(VECS) / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++)
            FL_NTH(sums, j) = FL(add)(FL_NTH(sums, j), FL_NTH(sums, j + half));
#endif
    return FL(fold)(FL_NTH(sums, 0));
}

FL_INLINE void FL(whole_group)(const NUM *grad, const NUM *x, NUM slope, NUM *dx, FL(group) * terms, int past)
{
    FL_EACH(j)
    {
        const size_t at = j * FL_LANES;
        FL_NTH(terms, j) = FL(term_step)(grad + at, x + at, FL(set)(slope), dx + at, FL(all)(), past);
    }
}

/* n terms for the lanes from `lane` on, and +0 for the others, which changes no sum. */
FL_INLINE void FL(part_of_group)(const NUM *grad, const NUM *x, NUM slope, NUM *dx, FL(group) * terms, size_t lane,
                                 size_t n)
{
#if !defined(FL_STRIP) && FL_TAIL == FL_LANES
    if (lane == 0) { /* dead lanes load as 0, so their terms are +0 */
        FL(group_set)(terms, 0);
        for (size_t j = 0, i = 0; i < n; j++, i += FL_LANES) {
            const LIVE k = n - i < FL_LANES ? FL(first)(n - i) : FL(all)();
            FL_NTH(terms, j) = FL(term_step)(grad + i, x + i, FL(set)(slope), dx + i, k, 0);
        }
        return;
    }
#endif
    NUM collected[FL_STRIDE];
    FL(group_set)(terms, 0);
    FL(group_store)(collected, terms);
    FL_SWEEP(i, k, n, FL(store)(collected + lane + i, FL(term_step)(grad + i, x + i, FL(set)(slope), dx + i, k, 0), k));
    FL(group_load)(terms, collected);
}

/* A block that lies in one row. A unit that flushes collects its terms, since where a flush matters it needs them once
 * more, and looks at all of them at once. */
FL_INLINE double FL(block)(const NUM *grad, const NUM *x, NUM slope, NUM *dx, int past)
{
    FL(group) sums, terms;
    FL(group_set)(&sums, 0);
#ifdef FL_FLUSHES
    NUM collected[FL_BLOCK];
    for (size_t i = 0; i < FL_BLOCK; i += FL_LANES)
        FL(store)(collected + i, FL(term_step)(grad + i, x + i, FL(set)(slope), dx + i, FL(all)(), past), FL(all)());
    FL(marks) marks = FL(rank)(FL(set)(0));
    for (size_t i = 0; i < FL_BLOCK; i += FL_STRIDE) {
        FL(group_load)(&terms, collected + i);
        FL_EACH(j) marks = FL(lower)(marks, FL(rank)(FL_NTH(&terms, j)));
        FL_EACH(j) FL_NTH(&sums, j) = FL(add)(FL_NTH(&sums, j), FL_NTH(&terms, j));
    }
    if (FL(tiny)(marks, FL(all)()))
        return FL(block_scalar)(collected);
#else
    int tiny = 0;
    for (size_t i = 0; i < FL_BLOCK; i += FL_STRIDE) {
        FL(whole_group)(grad + i, x + i, slope, dx + i, &terms, past);
        FL(group_plus)(&sums, &terms, &tiny);
    }
#endif
    return FL(group_fold)(&sums, 0);
}

/* Where a channel stands in its chunk: the sum of the blocks before; and the lanes of this one, unless it is new. */
typedef struct {
    double sum;
    NUM lanes[FL_STRIDE];
    int tiny;
} FL(channel);

/* The next n terms of a channel, which lie in a row, or the last; `at` of the block's are there already. */
FL_INLINE void FL(sum_row)(const fl_job *job, FL(channel) * channel, const NUM *grad, const NUM *x, NUM slope, NUM *dx,
                           size_t n, size_t at, int last)
{
    (void)job;
    FL(group) sums, terms;
    if (at)
        FL(group_load)(&sums, channel->lanes);
    else
        FL(group_set)(&sums, 0);
    for (size_t k; n; n -= k, grad += k, x += k, dx += k, at = (at + k) % FL_BLOCK) {
        const size_t lane = at % FL_STRIDE;
        if (at == 0 && n >= FL_BLOCK) {
            k = FL_BLOCK;
            channel->sum += FL_PAST(job, dx) ? FL(block)(grad, x, slope, dx, 1) : FL(block)(grad, x, slope, dx, 0);
            continue;
        }
        k = n < FL_STRIDE - lane ? n : FL_STRIDE - lane;
        if (k == FL_STRIDE)
            FL(whole_group)(grad, x, slope, dx, &terms, 0);
        else
            FL(part_of_group)(grad, x, slope, dx, &terms, lane, k);
        FL(group_plus)(&sums, &terms, &channel->tiny);
        if (at + k == FL_BLOCK) {
            channel->sum += FL(group_fold)(&sums, channel->tiny);
            channel->tiny = 0;
            FL(group_set)(&sums, 0);
        }
    }
    if (at && last)
        channel->sum += FL(group_fold)(&sums, channel->tiny);
    else if (at)
        FL(group_store)(channel->lanes, &sums);
}

/* n terms of each of some channels whose elements lie in rows, from place i of the first row on. The channels take
 * turns row by row, so that memory is read in its order. */
FL_INLINE void FL(sum_rows)(const fl_job *job, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx, size_t width,
                            size_t i, size_t n, double *sums)
{
    const size_t inner = job->inner, pitch = job->channels * inner;
    FL(channel) channels[FL_ROWS];
    size_t at = 0;
    for (size_t c = 0; c < width; c++)
        channels[c].sum = channels[c].tiny = 0;
    while (n) {
        const size_t run = n < inner - i ? n : inner - i;
        for (size_t c = 0; c < width; c++) {
            const size_t p = c * inner + i;
            FL(sum_row)(job, &channels[c], grad + p, x + p, slope[c], dx + p, run, at, run == n);
        }
        at = (at + run) % FL_BLOCK;
        n -= run, grad += pitch, x += pitch, dx += pitch, i = 0;
    }
    for (size_t c = 0; c < width; c++)
        sums[c] = channels[c].sum;
}

/* The same where channels are last, and each channel's terms lie a row apart: all go down the rows together, with the
 * lanes of their blocks in memory. Of few channels, FL_STRIDE rows are one row, of as many lanes, with the slopes
 * repeated. */
FL_INLINE void FL(sum_columns)(const fl_job *job, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx,
                               size_t width, size_t n, double *sums, int past)
{
    const size_t pitch = job->channels;
    const int few = pitch <= FL_FEW && width == pitch && n >= FL_STRIDE;
    NUM lanes[FL_STRIDE * FL_WIDTH], copies[FL_STRIDE * FL_FEW];
    int tiny = 0;
    const NUM *const repeated = few ? FL(repeated)(copies, slope, width) : slope;
    for (size_t c = 0; c < width; c++)
        sums[c] = 0;
    for (size_t row = 0, rows; row < n; row += rows, grad += rows * pitch, x += rows * pitch, dx += rows * pitch) {
        const size_t at = row % FL_BLOCK;
        NUM *const lane = lanes + at % FL_STRIDE * width;
        rows = few && at % FL_STRIDE == 0 && n - row >= FL_STRIDE ? FL_STRIDE : 1;
        FL_SWEEP(c, k, rows * width, {
            const VEC s = FL(load)(repeated + c, k);
            const VEC sum = at < FL_STRIDE ? FL(set)(0) : FL(load)(lane + c, k);
            FL(store)(lane + c, FL(plus)(sum, FL(term_step)(grad + c, x + c, s, dx + c, k, past), k, &tiny), k);
        });
        if (at + rows < FL_BLOCK && row + rows < n)
            continue;
        size_t started = at + rows < FL_STRIDE ? at + rows : FL_STRIDE;
        for (size_t half = FL_STRIDE / 2; half; half /= 2)
            if (started > half) {
                NUM *const high = lanes + half * width;
                FL_SWEEP(c, k, (started - half) * width, {
                    const VEC sum = FL(plus)(FL(load)(lanes + c, k), FL(load)(high + c, k), k, &tiny);
                    FL(store)(lanes + c, sum, k);
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
    const size_t inner = job->inner, first = chunk * FL_CHUNK, left = job->outer * inner - first;
    const size_t n = left < FL_CHUNK ? left : FL_CHUNK;
    if (inner == 1 && job->channels > 1) {
        const size_t at = first * job->channels + channel;
        if (FL_PAST(job, dx + at) && job->channels * sizeof(NUM) % 16 == 0)
            FL(sum_columns)(job, grad + at, x + at, slope, dx + at, width, n, sums, 1);
        else
            FL(sum_columns)(job, grad + at, x + at, slope, dx + at, width, n, sums, 0);
    } else {
        const size_t row = first ? first / inner : 0, at = (row * job->channels + channel) * inner;
        FL(sum_rows)(job, grad + at, x + at, slope, dx + at, width, first - row * inner, n, sums);
    }
#ifdef FL_STREAMS
    if (job->past)
        FL(fence)();
#endif
}

#undef FL
#undef NUM
#undef VEC
#undef LIVE
#undef FL_SWEEP
#undef FL_PARTS
#undef FL_PART
#undef FL_STRIP
#undef FL_ON
#undef FL_ESCAPE
#undef FL_NTH
#undef FL_EACH
#undef FL_PUT
#undef FL_PAST
#undef FL_FLUSHES
#undef FL_TYPE
#undef FL_LANES
#undef FL_TAIL
