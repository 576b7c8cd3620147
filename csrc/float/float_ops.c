/* float_ops.c - the public operations: each is a job for one of the two kernels, in parts that threads can share out.
 * SPDX-License-Identifier: MIT */
#include "isa.h"
#include "float/ordered_sum.h"

typedef struct {
    fl_elementwise *kernel;
    const fl_job *job;
} elementwise;

static void do_part(const void *arg, size_t begin, size_t end)
{
    const elementwise *const e = arg;
    e->kernel(e->job, begin, end);
}

static int threads_for(const fl_isa *isa, fl_job *job, size_t size)
{
    const size_t n = job->outer * job->channels * job->inner;
    if (!isa->platform)
        return 1;
    const size_t inputs = job->v == job->x ? 1 : 2, results = job->out != job->v && job->out != job->x;
    job->nontemporal = results && isa->platform->nontemporal((inputs + results) * n * size);
    return isa->platform->threads(n);
}

static void do_all(const fl_isa *isa, fl_elementwise *kernel, fl_job *job, size_t size)
{
    const size_t n = job->outer * job->channels * job->inner;
    const elementwise e = {kernel, job};
    const int threads = threads_for(isa, job, size);
    if (threads > 1)
        isa->platform->run(threads, do_part, &e, n, 1024);
    else
        kernel(job, 0, n);
}

/* A part of the sums is one chunk of `width` channels, or all their terms. The parts make a row: all chunks of the
 * first channels, then those of the next. Where a channel has one part only, that is its gradient; else a wave takes
 * some of the parts at a time, and what they give is added up behind it. */
enum { WAVE = FL_WIDTH < 512 ? FL_WIDTH : 4 * FL_WIDTH }; /* on the stack; with threads, of parts for several threads */
typedef struct {
    fl_sum *sum;
    const fl_job *job;
    size_t width, terms, length, chunks, first; /* length: in terms, of which there are `chunks` for each channel */
    double *sums;
    void *dslope;
    void (*put)(void *dslope, size_t at, const double *sums, size_t n);
} wave;

static size_t width_at(const wave *w, size_t channel)
{
    const size_t left = w->job->channels - channel;
    return left < w->width ? left : w->width;
}

FL_COMPILER static void sum_part(const void *arg, size_t begin, size_t end)
{
    const wave *const w = arg;
    double own[FL_WIDTH];
    for (; begin < end; begin++) {
        const size_t at = w->first + begin, channel = at / w->chunks * w->width, first = at % w->chunks * w->length;
        const size_t left = w->terms - first, n = left < w->length ? left : w->length;
        double *const sums = w->chunks == 1 ? own : w->sums + begin * w->width;
        w->sum(w->job, channel, width_at(w, channel), first, n, sums);
        if (w->chunks == 1)
            w->put(w->dslope, channel, sums, width_at(w, channel));
    }
}

/* Is a part all terms of its channels? A chunk may end amid a row, and where there are many rows, of many channels,
 * memory is read in longer pieces then; with several threads, where there are channels enough for each. */
static int in_batches(const fl_job *job, int threads)
{
    const size_t share = threads > 1 ? 16 * (size_t)threads : 1;
    return job->outer > 1 && job->inner > 1 && job->channels >= share;
}

/* How many channels a part takes: enough for its own cost not to matter; where they lie beside each other in short
 * pieces, as many as it can, so that memory is read in long ones; and no more than leaves some parts for each thread,
 * but where channels are last: there two threads on pieces of rows take longer than one on whole rows. */
static size_t width_of(const fl_job *job, size_t length, size_t chunks, int threads)
{
    const size_t enough = job->inner < length || !length ? FL_WIDTH : 8192 / length + 1;
    const size_t most = job->channels < FL_WIDTH ? job->channels : FL_WIDTH, width = enough < most ? enough : most;
    const size_t share = job->channels * chunks / (size_t)(2 * threads) + 1;
    return threads > 1 && share < width && !channels_last(job) ? share : width;
}

FL_COMPILER static void sum_all(const fl_isa *isa, fl_sum *sum, fl_job *job, void *dslope, size_t size,
                                void (*put)(void *, size_t, const double *, size_t))
{
    const size_t terms = job->outer * job->inner;
    const int threads = threads_for(isa, job, size);
    const size_t length = terms > FL_CHUNK && !in_batches(job, threads) ? FL_CHUNK : terms;
    const size_t chunks = terms ? (terms - 1) / length + 1 : 1;
    double sums[WAVE], totals[FL_WIDTH];
    wave w = {sum, job, width_of(job, length, chunks, threads), terms, length, chunks, 0, sums, dslope, put};
    const size_t parts = ((job->channels - 1) / w.width + 1) * chunks, most = chunks == 1 ? parts : WAVE / w.width;
    for (; w.first < parts; w.first += most) {
        const size_t count = parts - w.first < most ? parts - w.first : most;
        if (threads > 1)
            isa->platform->run(threads, sum_part, &w, count, 1);
        else
            sum_part(&w, 0, count);
        for (size_t i = 0; chunks > 1 && i < count; i++) {
            const size_t at = w.first + i, chunk = at % chunks, channel = at / chunks * w.width;
            for (size_t c = 0, n = width_at(&w, channel); c < n; c++)
                totals[c] = (chunk ? totals[c] : 0) + sums[i * w.width + c];
            if (chunk == chunks - 1)
                put(dslope, channel, totals, width_at(&w, channel));
        }
    }
}

/* Field by field: of an initialiser, GCC may make a call of memset. */
static fl_job job_of(const void *v, const void *x, const void *slope, void *out, size_t outer, size_t channels,
                     size_t inner)
{
    fl_job job;
    job.v = v;
    job.x = x;
    job.slope = slope;
    job.out = out;
    job.outer = outer;
    job.channels = channels;
    job.inner = inner;
    job.nontemporal = 0;
    return job;
}

/* float and double, and the 16-bit formats, which are computed in float. */
#define FL_TYPE f32
#define FL_COMPUTED f32
#define FL_ROUNDED(sum) ((float)(sum))
#include "float/float_ops_type.h"
#define FL_TYPE f64
#define FL_COMPUTED f64
#define FL_ROUNDED(sum) (sum)
#include "float/float_ops_type.h"
#define FL_TYPE f16
#define FL_COMPUTED f32
#define FL_ROUNDED(sum) f16_narrow(fl_to_odd(sum))
#include "float/float_ops_type.h"
#define FL_TYPE bf16
#define FL_COMPUTED f32
#define FL_ROUNDED(sum) bf16_narrow(fl_to_odd(sum))
#include "float/float_ops_type.h"
