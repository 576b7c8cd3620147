/* kernels.h - the one body of every kernel, included once an instruction set and element type.
 * SPDX-License-Identifier: MIT
 *
 * The words it needs; FL(word) is the word with the type before it, such as f32_load:
 *
 *   FL_TYPE                 f32 or f64; or f16 or bf16, of which nothing but loads and stores is there: then also
 *   FL_WIDE                 f32, what they are computed in
 *   FL_LANES                elements in a vector (divides 16)
 *   FL_TAIL                 elements that a partial step takes; and where that is little, FL_PART, the lanes of
 *                           part(), which go before; or else, where vectors have any length,
 *   FL_STRIP(n)             how many lanes to use for the next of n elements: then FL_LANES is what all()
 *                           means, it is 16, and mul, add and pick are told the live lanes too
 *   vec  live               a vector of what is computed in; which of its lanes are live
 *   all()  first(k)         all lanes; the first min(k, FL_TAIL) lanes
 *   load(p, live)           dead lanes load as 0
 *   store(p, vec, live)     dead lanes are not stored
 *   set(s)  mul(a, b)  add(a, b)
 *   pick(x, a, b)           x > 0 ? a : b
 *   fold(v)                 upper half of the lanes added to the lower half, until one is left
 *   between(from, to)       if there is FL_BETWEEN: these lanes; loads and stores touch nothing else
 *
 * With FL_WIDE, get(p, live) and put(p, vec, live) are load and store for that type. widened.h makes all words but load
 * and store of those of the wider type.
 *
 * A set with FL_STREAMS also has stream(p, vec, live), which stores past the cache: p is aligned to 16 bytes, and what
 * is a multiple of them must go so, for a plain store beside one past the cache in a line takes ten times as long;
 * fence(), which waits for these stores; and fetch(p, FL_FAR), which begins to load the line of the cache that is so
 * many bytes on.
 *
 * ftz_fallback.h lists three words more for units that flush subnormals.
 *
 * Every load of a step comes before its store, so an output may be an input itself. */
#include "float/ordered_sum.h"
#include <stdint.h>

#define FL(word) FL_PASTE(FL_TYPE, word)
#define NUM FL(num)
#define VEC FL(vec)
#define LIVE FL(live)
#ifdef FL_WIDE
#define ACC FL_PASTE(FL_WIDE, num) /* a number as it is computed with */
#define GET FL(get)
#define PUT FL(put)
#define FL_ONLY(job) (job)->only.FL_WIDE
#else
#define ACC NUM
#define GET FL(load)
#define PUT FL(store)
#define FL_ONLY(job) (job)->only.FL_TYPE
#endif

/* Run `step` for i = 0 ... n for all whole vectors of them. On x86 four are written out: where another thread shares
 * the core, a loop of one is bound by its instructions (45 GB/s, and 65 with four); and a compiler sees which of them
 * begin a line of the cache (FL_FETCH). */
#ifdef FL_STREAMS
#define FL_NEXT(i, step)                                                                                               \
    step;                                                                                                              \
    i += FL_LANES;
#define FL_FOURS(i, n, step)                                                                                           \
    while ((n) - i >= 4 * FL_LANES) {                                                                                  \
        FL_NEXT(i, step) FL_NEXT(i, step) FL_NEXT(i, step) FL_NEXT(i, step)                                            \
    }
#else
#define FL_FOURS(i, n, step)
#endif
#define FL_WHOLE(i, k, n, step)                                                                                        \
    {                                                                                                                  \
        const LIVE k = FL(all)();                                                                                      \
        FL_FOURS(i, n, step)                                                                                           \
        for (; i + FL_LANES <= (n); i += FL_LANES) {                                                                   \
            step;                                                                                                      \
        }                                                                                                              \
    }

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
        FL_WHOLE(i, k, n, step)                                                                                        \
        FL_PARTS(i, k, n, step)                                                                                        \
        for (; i < (n); i += FL_TAIL) {                                                                                \
            const LIVE k = FL(first)((n) - i);                                                                         \
            step;                                                                                                      \
        }                                                                                                              \
    } while (0)
#endif

/* FL_ESCAPE(flushed, way_out): take the way out of this function if a flush could matter here. */
#ifdef FL_FLUSHES
#include "float/ftz_fallback.h"
#define FL_ESCAPE(flushed, way_out)                                                                                    \
    do {                                                                                                               \
        if (flushed)                                                                                                   \
            return way_out;                                                                                            \
    } while (0)
#else
#define FL_ESCAPE(flushed, way_out)
#endif

/* What goes `past` the cache, because it does not fit, has its inputs fetched early: FL_STREAM; or FL_STREAM_BACK, from
 * its end on, where the output runs ahead of an input. */
#ifdef FL_STREAMS
#define FL_PUT(past, p, v, k) ((past) ? FL(stream)(p, v, k) : FL(store)(p, v, k))
#define FL_FETCH(past, i, p) ((past) && (i) * sizeof(NUM) % 64 == 0 ? fetch(p, (past) < 0 ? -FL_FAR : FL_FAR) : (void)0)
#define FL_PAST(job, aligned) ((job)->nontemporal && (aligned))
/* Call with `past` as a constant. */
#define FL_EACH_PAST(past, call, ...) ((past) ? call(__VA_ARGS__, FL_STREAM) : call(__VA_ARGS__, 0))
#define FL_AHEAD(job) (runs_ahead((job)->out, (job)->v) || runs_ahead((job)->out, (job)->x))
#define FL_FENCE(job) ((job)->nontemporal ? FL(fence)() : (void)0)
#else
#define FL_PUT(past, p, v, k) FL(store)(p, v, k)
#define FL_FETCH(past, i, p) ((void)0)
#define FL_PAST(job, aligned) ((void)(aligned), 0)
#define FL_EACH_PAST(past, call, ...) ((void)(past), call(__VA_ARGS__, 0))
#define FL_AHEAD(job) 0
#define FL_FENCE(job) ((void)0)
#endif

/* Element-wise: out = x > 0 ? v : slope * v. Forward v is x, backward it is the gradient. */

FL_INLINE void FL(select_step)(const NUM *v, const NUM *x, VEC slope, NUM *out, LIVE k, int past)
{
    const VEC xk = FL(load)(x, k), vk = FL(load)(v, k), scaled = FL(mul)(slope, vk FL_ON(k));
    (void)past;
    FL_ESCAPE(FL(flushed)(vk, slope, scaled, k), FL(select_scalar)(v, x, slope, out, k));
    FL_PUT(past, out, FL(pick)(xk, vk, scaled FL_ON(k)), k);
}

FL_INLINE void FL(select_fetch)(const NUM *v, const NUM *x, size_t i, int past)
{
    (void)i, (void)past;
    FL_FETCH(past, i, x);
    if (v != x)
        FL_FETCH(past, i, v);
}

FL_INLINE void FL(select_row)(const NUM *v, const NUM *x, ACC slope, NUM *out, size_t n, int past)
{
    const VEC s = FL(set)(slope);
    FL_SWEEP(i, k, n, {
        FL(select_fetch)(v + i, x + i, i, past);
        FL(select_step)(v + i, x + i, s, out + i, k, past);
    });
}

/* The same past the cache, from the end on. */
FL_INLINE void FL(select_back)(const NUM *v, const NUM *x, ACC slope, NUM *out, size_t n)
{
    const VEC s = FL(set)(slope);
    const size_t rest = n % FL_LANES;
    size_t i = 0;
    n -= rest;
    if (rest)
        FL(select_row)(v + n, x + n, slope, out + n, rest, 0);
    FL_WHOLE(i, k, n, {
        const size_t at = n - FL_LANES - i;
        FL(select_fetch)(v + at, x + at, i, FL_STREAM_BACK);
        FL(select_step)(v + at, x + at, s, out + at, k, FL_STREAM_BACK);
    })
}

FL_INLINE void FL(select_each)(const NUM *v, const NUM *x, const NUM *slope, NUM *out, size_t n, int past)
{
    FL_SWEEP(i, k, n, {
        FL(select_fetch)(v + i, x + i, i, past);
        FL(select_step)(v + i, x + i, FL(load)(slope + i, k), out + i, k, past);
    });
}

/* The slopes of few channels, repeated: some short rows of channels are then one longer row. */
FL_INLINE const NUM *FL(repeated)(NUM *copies, const NUM *slope, size_t channels, size_t times)
{
    for (size_t i = 0; i < times * channels; i++)
        copies[i] = i < channels ? slope[i] : copies[i - channels];
    return copies;
}

/* n elements with one slope; `ahead`: from the end on. */
FL_INLINE void FL(select_run)(const NUM *v, const NUM *x, ACC slope, NUM *out, size_t n, int past, int ahead)
{
    if (ahead)
        FL(select_back)(v, x, slope, out, n);
    else
        FL_EACH_PAST(past, FL(select_row), v, x, slope, out, n);
}

FL_INLINE void FL(select_all)(const fl_job *job, const NUM *v, const NUM *x, size_t begin, size_t end)
{
    NUM *const out = (NUM *)job->out + begin;
    const int past = FL_PAST(job, (uintptr_t)out % 16 == 0);
    FL(select_run)(v + begin, x + begin, FL_ONLY(job), out, end - begin, past, past && FL_AHEAD(job));
    FL_FENCE(job);
}

/* Elements begin ... end of all, with one slope. Forward every vector is loaded once. */
extern fl_elementwise FL_KERNEL(leaky_relu), FL_KERNEL(leaky_relu_backward), FL_KERNEL(prelu);
FL_EXPORT void FL_KERNEL(leaky_relu)(const fl_job *job, size_t begin, size_t end)
{
    FL(select_all)(job, job->x, job->x, begin, end);
}
FL_EXPORT void FL_KERNEL(leaky_relu_backward)(const fl_job *job, size_t begin, size_t end)
{
    FL(select_all)(job, job->v, job->x, begin, end);
}

/* Elements begin ... end: runs with a slope each, or where channels are last, with a slope an element. */
FL_EXPORT void FL_KERNEL(prelu)(const fl_job *job, size_t begin, size_t end)
{
    enum { JOINED = FL_LANES > 1 ? FL_STRIDE * FL_FEW : 24 }; /* firmware has little stack */
    NUM *const out = job->out, copies[JOINED];
    const NUM *const x = job->x;
    const size_t channels = job->channels, each = channels_last(job);
    const int few = each && channels <= FL_FEW && end - begin > 4 * JOINED;
    const size_t times = FL_LANES > 1 ? FL_STRIDE : few ? JOINED / channels : 1;
    const NUM *const slope = few ? FL(repeated)(copies, job->slope, channels, times) : job->slope;
    const size_t length = few ? channels * times : each ? channels : job->inner;
    size_t i = begin ? begin % length : 0, c = begin && !each ? begin / length % channels : 0; /* where it begins */
    const int past = FL_PAST(job, (uintptr_t)(out + begin) % 16 == 0 && length * sizeof(NUM) % 16 == 0);
    const int ahead = past && FL_AHEAD(job);
    for (size_t at = begin, n; at < end; at += n, i = 0) {
        n = length - i < end - at ? length - i : end - at;
        if (each)
            FL_EACH_PAST(past, FL(select_each), x + at, x + at, slope + i, out + at, n);
        else
            FL(select_run)(x + at, x + at, FL(widen)(slope[c]), out + at, n, past, ahead);
        if (++c == channels)
            c = 0;
    }
    FL_FENCE(job);
}

#include "float/slope_gradient.h"

#undef FL
#undef NUM
#undef ACC
#undef GET
#undef PUT
#undef FL_ONLY
#undef FL_WIDE
#undef VEC
#undef LIVE
#undef FL_SWEEP
#undef FL_PARTS
#undef FL_PART
#undef FL_STRIP
#undef FL_ON
#undef FL_ESCAPE
#undef FL_PUT
#undef FL_FETCH
#undef FL_PAST
#undef FL_AHEAD
#undef FL_FENCE
#undef FL_EACH_PAST
#undef FL_FLUSHES
#undef FL_BETWEEN
#undef FL_TYPE
#undef FL_LANES
#undef FL_TAIL
