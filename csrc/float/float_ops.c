/* float_ops.c - the public float operations: their arguments, and how a job is cut into parts for threads.
 * SPDX-License-Identifier: MIT */
#include "float/arguments.h"
#include "float/ordered_sum.h"

static size_t size_of(const fl_arguments *a) { return a->outer * a->channels * a->inner; }

/* How many threads; and whether to use non-temporal stores. */
static int plan(const fl_isa *isa, fl_arguments *a, size_t itemsize)
{
    const size_t inputs = a->grad == a->x ? 1 : 2;
    const int apart = a->out != a->grad && a->out != a->x;
    a->nontemporal =
        FL_THREADS && isa->platform && apart && isa->platform->nontemporal((inputs + 1) * size_of(a) * itemsize);
    return fl_threads(isa, size_of(a));
}

static void run_elementwise(const fl_isa *isa, fl_task *kernel, fl_arguments *a, size_t itemsize)
{
    fl_run(isa, plan(isa, a, itemsize), kernel, a, size_of(a), FL_GRAIN);
}

/* A part of the ordered sums is one chunk of `width` channels, or all chunks of them. The parts are in order: all
 * chunks of the first channels, then those of the next. If each channel has one part, its sum is the gradient. Else a
 * batch of parts is computed at a time, and then their sums are added in order. */
enum { BATCH = FL_CHANNEL_TILE < 512 ? FL_CHANNEL_TILE : 4 * FL_CHANNEL_TILE }; /* sums on the stack */
typedef struct {
    fl_ordered_sum *kernel;
    const fl_arguments *arguments;
    size_t width, terms, length, chunks; /* terms of a channel, and of a part; parts of a channel */
    size_t first;                        /* part of this batch */
    double *sums;
    void *gradient;
    void (*put)(void *gradient, size_t at, const double *sums, size_t n);
} batch;

static size_t width_at(const batch *b, size_t channel)
{
    const size_t left = b->arguments->channels - channel;
    return left < b->width ? left : b->width;
}

FL_NO_LIBC static void sum_parts(const void *arguments, size_t begin, size_t end)
{
    const batch *const b = arguments;
    double own[FL_CHANNEL_TILE];
    for (; begin < end; begin++) {
        const size_t at = b->first + begin, channel = at / b->chunks * b->width, first = at % b->chunks * b->length;
        const size_t left = b->terms - first, n = left < b->length ? left : b->length;
        double *const sums = b->chunks == 1 ? own : b->sums + begin * b->width;
        b->kernel(b->arguments, channel, width_at(b, channel), first, n, sums);
        if (b->chunks == 1)
            b->put(b->gradient, channel, sums, width_at(b, channel));
    }
}

/* Should a part be all chunks of its channels? A chunk may end within a row. So where there are many rows of many
 * channels, memory is then read in longer pieces; with several threads only if there are channels enough for each. */
static int is_whole(const fl_arguments *a, int threads)
{
    const size_t enough = threads > 1 ? 16 * (size_t)threads : 1;
    return a->outer > 1 && a->inner > 1 && a->channels >= enough;
}

/* How many channels a part has: enough to make its own cost small; as many as possible if they lie beside each other in
 * short rows, so that memory is read in long pieces; but so few that each thread has some parts. Where channels are
 * last, two threads on pieces of rows are slower than one on whole rows. */
static size_t width_of(const fl_arguments *a, size_t length, size_t chunks, int threads)
{
    const size_t enough = a->inner < length || !length ? FL_CHANNEL_TILE : 8192 / length + 1;
    const size_t most = a->channels < FL_CHANNEL_TILE ? a->channels : FL_CHANNEL_TILE;
    const size_t width = enough < most ? enough : most, share = a->channels * chunks / (size_t)(2 * threads) + 1;
    return threads > 1 && share < width && !channels_last(a) ? share : width;
}

/* Add the sums of a batch's parts in order: `totals` are those of the channels whose parts have not ended. */
FL_NO_LIBC static void add_parts(const batch *b, size_t parts, double *totals)
{
    for (size_t i = 0; i < parts; i++) {
        const size_t at = b->first + i, chunk = at % b->chunks, channel = at / b->chunks * b->width;
        for (size_t c = 0, n = width_at(b, channel); c < n; c++)
            totals[c] = (chunk ? totals[c] : 0) + b->sums[i * b->width + c];
        if (chunk == b->chunks - 1)
            b->put(b->gradient, channel, totals, width_at(b, channel));
    }
}

FL_NO_LIBC static void run_ordered_sum(const fl_isa *isa, batch *b, fl_arguments *a, size_t itemsize)
{
    const int threads = plan(isa, a, itemsize);
    double sums[BATCH], totals[FL_CHANNEL_TILE];
    b->arguments = a;
    b->sums = sums;
    b->terms = a->outer * a->inner;
    b->length = b->terms > FL_CHUNK && !is_whole(a, threads) ? FL_CHUNK : b->terms;
    b->chunks = b->terms ? (b->terms - 1) / b->length + 1 : 1;
    b->width = width_of(a, b->length, b->chunks, threads);
    const size_t parts = ((a->channels - 1) / b->width + 1) * b->chunks,
                 most = b->chunks == 1 ? parts : BATCH / b->width;
    for (b->first = 0; b->first < parts; b->first += most) {
        const size_t count = parts - b->first < most ? parts - b->first : most;
        fl_run(isa, threads, sum_parts, b, count, 1);
        if (b->chunks > 1)
            add_parts(b, count, totals);
    }
}

/* Field by field: GCC may call memset for an initialiser. */
static fl_arguments arguments_of(const void *grad, const void *x, void *out, size_t outer, size_t channels,
                                 size_t inner)
{
    fl_arguments a;
    a.grad = grad;
    a.x = x;
    a.out = out;
    a.outer = outer;
    a.channels = channels;
    a.inner = inner;
    return a;
}

/* float and double, and the 16-bit formats, which are computed in float. */
#define FL_TYPE f32
#define FL_COMPUTE f32
#define FL_ROUNDED(sum) ((float)(sum))
#include "float/float_ops_type.h"
#define FL_TYPE f64
#define FL_COMPUTE f64
#define FL_ROUNDED(sum) (sum)
#include "float/float_ops_type.h"
#define FL_TYPE f16
#define FL_COMPUTE f32
#define FL_ROUNDED(sum) f16_narrow(fl_to_odd(sum))
#include "float/float_ops_type.h"
#define FL_TYPE bf16
#define FL_COMPUTE f32
#define FL_ROUNDED(sum) bf16_narrow(fl_to_odd(sum))
#include "float/float_ops_type.h"
