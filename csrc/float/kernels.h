/* kernels.h - the float kernels, included once for each instruction set and element type.
 * SPDX-License-Identifier: MIT
 *
 * What an instruction set defines before, for each type:
 *
 *   FL_TYPE      f32, f64, f16 or bf16: the type in memory; FL(load) is f32_load for f32
 *   FL_COMPUTE   the type that it is computed in: f32 for f16 and bf16, by default FL_TYPE
 *   FL_VECTORS   the prefix of its vector operations, by default FL_COMPUTE: V(mul) is f32_mul
 *   FL_LANES     the lanes of a vector, a divisor of 16; or 16 with FL_SCALABLE, if vectors can have any length
 *
 * and the operations. Their last argument, n, is the number of active lanes: FL_LANES, or in the tail 1; or with
 * FL_MASKED any number that is left. Inactive lanes load as 0 and are not stored; arithmetic may ignore n.
 *
 *   V(vec)                      a vector of the type of computation
 *   V(set)(s)                   s in all lanes
 *   V(mul)(a, b, n)  V(add)(a, b, n)
 *   V(select)(x, a, b, n)       x > 0 ? a : b
 *   V(clamp)(v, limit, n)       v, but at most `limit` and at least -limit; v where either is NaN
 *   V(within)(v, limit, a, n)   |v| >= limit ? 0 : a
 *   V(reduce_add)(v)            the upper half of the lanes added to the lower half, until one is left
 *   V(load)(p, n)  V(store)(p, v, n)    numbers of the type of computation
 *   V(lanes)(n)                 FL_SCALABLE only: how many lanes to use for the next of n elements
 *   FL(load)(p, n)  FL(store)(p, v, n)  numbers of the type in memory, widened and rounded
 *   FL(rounded)(v)              v rounded to the type in memory: with FL_COMPUTE only
 *
 * Optional: FL_SHORT_LANES, a shorter vector to try before the tail; FL_EXPAND and V(expand)(v, k), v moved up by k
 * lanes, with 0 below; FL_STREAMS (isa/x86.h) and FL(stream)(p, v, n), a non-temporal store to an address that is a
 * multiple of 16 bytes; FL_UNROLLED, for a 16-bit type whose loops are to be unrolled; FL_FTZ, for units that flush
 * subnormals (ftz_fallback.h).
 *
 * All loads of a step come before its store, so an output may be an input. */
#include "float/arguments.h"
#include "float/ordered_sum.h"

#ifndef FL_COMPUTE
#define FL_COMPUTE FL_TYPE
#define FL_EXACT
#endif
#ifndef FL_VECTORS
#define FL_VECTORS FL_COMPUTE
#endif
#define FL(word) FL_PASTE(FL_TYPE, word)
#define V(word) FL_PASTE(FL_VECTORS, word)
#define NUM FL(num)
#define ACC FL_PASTE(FL_COMPUTE, num)
#define VEC V(vec)

#ifdef FL_EXACT
FL_INLINE VEC FL(rounded)(VEC v)
{
    FL_END_OF_STEP(v);
    return v;
}
#endif

/* The arrays of a run of elements, with its parameters: `each` has one for each element, `shared` one for all. */
typedef struct {
    const NUM *x, *grad;
    NUM *out;
    const NUM *each[FL_PARAMETERS_MAX];
    ACC shared[FL_PARAMETERS_MAX];
} FL(row);

FL_INLINE FL(row) FL(row_at)(const fl_arguments *a, size_t at)
{
    FL(row) r;
    r.x = (const NUM *)a->x + at;
    r.grad = (const NUM *)a->grad + at;
    r.out = (NUM *)a->out + at;
    r.each[0] = r.each[1] = r.each[2] = r.each[3] = NULL; /* no loop, which GCC at -Os leaves one */
    r.shared[0] = a->shared[0].FL_COMPUTE;
    r.shared[1] = a->shared[1].FL_COMPUTE;
    r.shared[2] = a->shared[2].FL_COMPUTE;
    r.shared[3] = a->shared[3].FL_COMPUTE;
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

/* A parameter in all lanes. A NaN for a 16-bit type becomes the canonical one, whose lower bits are 0: so rounding,
 * which adds to the bits, cannot carry a NaN's payload into its sign, and needs no test. (Products keep a factor's
 * payload.) */
FL_INLINE VEC FL(splat)(ACC s)
{
    const int rounds = sizeof(NUM) < sizeof(ACC) && FL_LANES > 1;
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

/* Run `step` for i = 0 ... len, a vector at a time. In all but the tail, n is a constant. */
#define FL_STEPS(i, n, len, step)                                                                                      \
    for (; (len) - i >= n; i += n) {                                                                                   \
        step;                                                                                                          \
    }
#ifdef FL_SCALABLE
#define FL_FULL(i, n, len, step)                                                                                       \
    {                                                                                                                  \
        const size_t n = V(lanes)(SIZE_MAX);                                                                           \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#elif defined(FL_STREAMS) && (defined(FL_EXACT) || defined(FL_UNROLLED))
/* Four steps are written out. Where another thread shares the core, a loop of one is bound by its instructions (45
 * GB/s, and 65 with four); and the compiler sees which of the four begin a cache line. Most 16-bit types gain nothing,
 * and it would be 300 kB. */
#define FL_FULL(i, n, len, step)                                                                                       \
    {                                                                                                                  \
        enum { n = FL_LANES };                                                                                         \
        while ((len) - i >= 4 * FL_LANES) {                                                                            \
            step;                                                                                                      \
            i += n;                                                                                                    \
            step;                                                                                                      \
            i += n;                                                                                                    \
            step;                                                                                                      \
            i += n;                                                                                                    \
            step;                                                                                                      \
            i += n;                                                                                                    \
        }                                                                                                              \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#else
#define FL_FULL(i, n, len, step)                                                                                       \
    {                                                                                                                  \
        enum { n = FL_LANES };                                                                                         \
        for (; i + FL_LANES <= (len); i += FL_LANES) {                                                                 \
            step;                                                                                                      \
        }                                                                                                              \
    }
#endif
#ifdef FL_SHORT_LANES
#define FL_SHORT(i, n, len, step)                                                                                      \
    {                                                                                                                  \
        enum { n = FL_SHORT_LANES };                                                                                   \
        FL_STEPS(i, n, len, step)                                                                                      \
    }
#else
#define FL_SHORT(i, n, len, step)
#endif
#ifdef FL_SCALABLE
#define FL_TAIL(left) V(lanes)(left)
#elif defined(FL_MASKED)
#define FL_TAIL(left) (left)
#else
#define FL_TAIL(left) 1
#endif
#define FL_FOR_VECTORS(i, n, len, step)                                                                                \
    do {                                                                                                               \
        size_t i = 0;                                                                                                  \
        FL_FULL(i, n, len, step)                                                                                       \
        FL_SHORT(i, n, len, step)                                                                                      \
        for (size_t n; i < (len); i += n) {                                                                            \
            n = FL_TAIL((len) - i);                                                                                    \
            step;                                                                                                      \
        }                                                                                                              \
    } while (0)

#ifdef FL_FTZ
#include "float/ftz_fallback.h"
#endif
#include "float/operations.h"

#define FL_OP leaky
#define FL_INPUTS 1
#define FL_PARAMETERS 1
#define FL_SHARED leaky_relu
#define FL_CHANNELS prelu
#include "float/elementwise.h"

#define FL_OP leaky
#define FL_INPUTS 2
#define FL_SHARED leaky_relu_backward
#include "float/elementwise.h"

#define FL_OP bias_leaky
#define FL_INPUTS 1
#define FL_PARAMETERS 1
#define FL_CHANNELS bias_leaky_relu
#include "float/elementwise.h"

#define FL_OP scale_shift
#define FL_INPUTS 1
#define FL_PARAMETERS 2
#define FL_CHANNELS scale_shift_leaky_relu
#include "float/elementwise.h"

#define FL_OP scale_shift
#define FL_INPUTS 1
#define FL_PARAMETERS 3
#define FL_CHANNELS scale_shift_prelu
#include "float/elementwise.h"

#define FL_OP scale_shift_residual
#define FL_INPUTS 2
#define FL_PARAMETERS 2
#define FL_CHANNELS scale_shift_residual_leaky_relu
#include "float/elementwise.h"

#define FL_OP scale_shift_residual
#define FL_INPUTS 2
#define FL_PARAMETERS 3
#define FL_CHANNELS scale_shift_residual_prelu
#include "float/elementwise.h"

#include "float/block.h"

#define FL_OP prelu_backward
#define FL_PARAMETERS 1
#define FL_SUM prelu_backward
#include "float/ordered_sum_kernel.h"

#define FL_OP bias_leaky_backward
#define FL_PARAMETERS 0
#define FL_SUM bias_leaky_relu_backward
#include "float/ordered_sum_kernel.h"

#undef FL
#undef V
#undef NUM
#undef ACC
#undef VEC
#undef FL_STEPS
#undef FL_FULL
#undef FL_SHORT
#undef FL_TAIL
#undef FL_NTH
#undef FL_EACH
#undef FL_FOR_VECTORS
#undef FL_TYPE
#undef FL_VECTORS
#undef FL_COMPUTE
#undef FL_EXACT
#undef FL_LANES
#undef FL_SCALABLE
#undef FL_MASKED
#undef FL_SHORT_LANES
#undef FL_UNROLLED
#undef FL_EXPAND
#undef FL_FTZ
