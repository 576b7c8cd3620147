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

/* FL_ESCAPE(flushed, way_out): take the way out of this function if a flush could matter here.
 * FL_MARKS(marks), FL_WATCH(marks, v): the lowest marks (flush.h) of all the vectors v. */
#ifdef FL_FLUSHES
#include "flush.h"
#define FL_COLLECTS 1
#define FL_ESCAPE(flushed, way_out)                                                                                    \
    do {                                                                                                               \
        if (flushed)                                                                                                   \
            return way_out;                                                                                            \
    } while (0)
#define FL_MARKS(marks) FL(marks) marks = FL(rank)(FL(set)(0))
#define FL_WATCH(marks, v) marks = FL(lower)(marks, FL(rank)(v))
#else
#define FL_COLLECTS 0
#define FL_ESCAPE(flushed, way_out)
#define FL_MARKS(marks)
#define FL_WATCH(marks, v)
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

/* Elements begin ... end: runs with one slope, or where channels are last, with a slope an element. */
FL_INLINE void FL(select_runs)(const fl_job *job, const NUM *v, const NUM *x, size_t begin, size_t end)
{
    const NUM *const slope = job->slope;
    NUM *const out = job->out;
    const size_t channels = job->channels, one = channels == 1, each = !one && job->inner == 1;
    const size_t length = one ? end : each ? channels : job->inner;
    size_t i = begin, c = 0; /* where a run is entered, and in which channel */
    if (!one && begin) {
        i = begin % length;
        c = each ? 0 : begin / length % channels;
    }
    for (size_t at = begin; at < end; i = 0) {
        const size_t n = length - i < end - at ? length - i : end - at, past = FL_PAST(job, out + at);
        if (each && past)
            FL(select_each)(v + at, x + at, slope + i, out + at, n, 1);
        else if (each)
            FL(select_each)(v + at, x + at, slope + i, out + at, n, 0);
        else if (past)
            FL(select_row)(v + at, x + at, slope[c], out + at, n, 1);
        else
            FL(select_row)(v + at, x + at, slope[c], out + at, n, 0);
        at += n;
        if (!each && ++c == channels)
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

/* The lanes of a block: some vectors, or one, since a vector whose length is not known cannot be in an array. */
enum { FL(VECS) = FL_STRIDE / FL_LANES };
#ifdef FL_STRIP
typedef VEC FL(lanes);
#define FL_LANE(lanes, j) (lanes)
#else
typedef struct {
    VEC part[FL(VECS)];
} FL(lanes);
#define FL_LANE(lanes, j) (lanes).part[j]
#endif

FL_INLINE NUM FL(fold_lanes)(FL(lanes) * lanes)
{
#ifndef FL_STRIP
    for (size_t half = FL(VECS) / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++)
            lanes->part[j] = FL(add)(lanes->part[j], lanes->part[j + half]);
#endif
    return FL(fold)(FL_LANE(*lanes, 0));
}

/* A whole block that lies in one row: its terms never leave the registers. A unit that flushes collects them, since
 * where a flush matters it needs them once more. */
FL_INLINE NUM FL(block)(const NUM *grad, const NUM *x, VEC slope, NUM *dx, int past)
{
    FL(lanes) lanes;
    for (size_t j = 0; j < FL(VECS); j++)
        FL_LANE(lanes, j) = FL(set)(0);
    for (size_t i = 0; i < FL_BLOCK; i += FL_STRIDE)
        for (size_t j = 0; j < FL(VECS); j++) {
            const size_t at = i + j * FL_LANES;
            const VEC term = FL(term_step)(grad + at, x + at, slope, dx + at, FL(all)(), past);
            FL_LANE(lanes, j) = FL(add)(FL_LANE(lanes, j), term FL_ON(FL(all)()));
        }
    return FL(fold_lanes)(&lanes);
}

/* A block whose terms were collected, `have` of them, because it spans rows. */
FL_INLINE NUM FL(block_of)(NUM terms[FL_BLOCK], size_t have)
{
    FL(lanes) lanes;
    FL_MARKS(marks);
    for (; have % FL_STRIDE; have++)
        terms[have] = 0;
    for (size_t j = 0; j < FL(VECS); j++)
        FL_LANE(lanes, j) = FL(set)(0);
    for (size_t i = 0; i < have; i += FL_STRIDE)
        for (size_t j = 0; j < FL(VECS); j++) {
            const VEC term = FL(load)(terms + i + j * FL_LANES, FL(all)());
            FL_WATCH(marks, term);
            FL_LANE(lanes, j) = FL(add)(FL_LANE(lanes, j), term FL_ON(FL(all)()));
        }
    FL_ESCAPE(FL(tiny)(marks, FL(all)()), FL(block_scalar)(terms, have));
    return FL(fold_lanes)(&lanes);
}

/* A chunk of a channel whose elements lie in rows of `inner`, a row every `pitch`: n terms, from place i of a row on.
 */
FL_INLINE double FL(sum_rows)(const fl_job *job, const NUM *grad, const NUM *x, NUM slope, NUM *dx, size_t i, size_t n)
{
    const VEC s = FL(set)(slope);
    const size_t inner = job->inner, pitch = job->channels * inner;
    NUM terms[FL_BLOCK];
    size_t have = 0;
    double sum = 0;
    while (n) {
        const size_t left = inner - i < n ? inner - i : n;
        size_t run = left < FL_BLOCK - have ? left : FL_BLOCK - have;
        if (!FL_COLLECTS && run == FL_BLOCK) {
            sum += FL_PAST(job, dx + i) ? FL(block)(grad + i, x + i, s, dx + i, 1)
                                        : FL(block)(grad + i, x + i, s, dx + i, 0);
        } else {
            FL_SWEEP(j, k, run, {
                const VEC term = FL(term_step)(grad + i + j, x + i + j, s, dx + i + j, k, 0);
                FL(store)(terms + have + j, term, k);
            });
            have += run;
        }
        if (have == FL_BLOCK || (have && run == n)) {
            sum += FL(block_of)(terms, have);
            have = 0;
        }
        n -= run;
        i += run;
        if (i == inner) {
            i = 0;
            grad += pitch;
            x += pitch;
            dx += pitch;
        }
    }
    return sum;
}

/* Once some term of a block was tiny, all that is added after it may be. */
FL_INLINE void FL(add_to)(NUM *sums, VEC terms, LIVE k, int *tiny)
{
    (void)tiny;
    FL_ESCAPE((*tiny |= FL(tiny)(FL(rank)(terms), k)), FL(add_scalar)(sums, terms, k));
    FL(store)(sums, FL(add)(FL(load)(sums, k), terms FL_ON(k)), k);
}

/* Channels last: each channel's terms lie a row apart, so some channels go down n rows together, a vector of channels
 * at a time, with the lanes of their blocks in memory. */
FL_INLINE void FL(sum_columns)(const fl_job *job, const NUM *grad, const NUM *x, const NUM *slope, NUM *dx,
                               size_t width, size_t n, double *sums)
{
    const size_t channels = job->channels;
    NUM lanes[FL_STRIDE][FL_WIDTH];
    int tiny = 0;
    for (size_t c = 0; c < width; c++)
        sums[c] = 0;
    for (size_t row = 0; row < n; row++, grad += channels, x += channels, dx += channels) {
        const size_t at = row % FL_BLOCK;
        NUM *const lane = lanes[at % FL_STRIDE];
        if (at < FL_STRIDE) /* the first lap: the lane starts here, at +0 */
            FL_SWEEP(c, k, width, FL(store)(lane + c, FL(set)(0), k));
        FL_SWEEP(c, k, width, {
            const VEC term = FL(term_step)(grad + c, x + c, FL(load)(slope + c, k), dx + c, k, 0);
            FL(add_to)(lane + c, term, k, &tiny);
        });
        if (at < FL_BLOCK - 1 && row + 1 < n)
            continue;
        size_t started = at + 1 < FL_STRIDE ? at + 1 : FL_STRIDE;
        for (size_t half = FL_STRIDE / 2; half; half /= 2)
            for (; started > half; started--) {
                NUM *const low = lanes[started - 1 - half], *const high = lanes[started - 1];
                FL_SWEEP(c, k, width, FL(add_to)(low + c, FL(load)(high + c, k), k, &tiny));
            }
        for (size_t c = 0; c < width; c++)
            sums[c] += lanes[0][c];
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
        FL(sum_columns)(job, grad + at, x + at, slope, dx + at, width, n, sums);
    } else {
        const size_t row = first ? first / inner : 0, i = first - row * inner;
        for (size_t c = 0; c < width; c++) {
            const size_t at = (row * job->channels + channel + c) * inner;
            sums[c] = FL(sum_rows)(job, grad + at, x + at, slope[c], dx + at, i, n);
        }
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
#undef FL_LANE
#undef FL_ESCAPE
#undef FL_MARKS
#undef FL_WATCH
#undef FL_COLLECTS
#undef FL_PUT
#undef FL_PAST
#undef FL_FLUSHES
#undef FL_TYPE
#undef FL_LANES
#undef FL_TAIL
