/* ops.c - the public operations: each is a job for one of the two kernels, in parts that threads can share out.
 * SPDX-License-Identifier: MIT */
#include "isa.h"
#include "ordered_sum.h"

typedef struct {
    const fl_kernels *kernels;
    const fl_job *job;
} selection;

static void select_part(const void *arg, size_t begin, size_t end)
{
    const selection *const s = arg;
    s->kernels->select(s->job, begin, end);
}

static void select_all(const fl_isa *isa, const fl_kernels *kernels, fl_job job, size_t size)
{
    const size_t n = job.outer * job.channels * job.inner;
    const selection s = {kernels, &job};
    if (!isa->host) {
        kernels->select(&job, 0, n);
        return;
    }
    job.past = job.out != job.v && job.out != job.x && isa->host->past(n * size);
    isa->host->run(select_part, &s, n, 1024, n);
}

/* The sums of all chunks of all channels make a row: those of the first `width` channels come first, chunk by chunk.
 * A wave takes some of them. */
enum { WAVE = 128 };
typedef struct {
    const fl_kernels *kernels;
    const fl_job *job;
    size_t width, chunks, first;
    double *sums;
} wave;

static size_t width_at(const wave *w, size_t channel)
{
    const size_t left = w->job->channels - channel;
    return left < w->width ? left : w->width;
}

static void sum_part(const void *arg, size_t begin, size_t end)
{
    const wave *const w = arg;
    for (; begin < end; begin++) {
        const size_t at = w->first + begin, channel = at / w->chunks * w->width;
        w->kernels->sum(w->job, channel, width_at(w, channel), at % w->chunks, w->sums + begin * w->width);
    }
}

/* How many channels a part takes: enough for its own cost not to matter, and where channels are last, those that share
 * a cache line. */
static size_t width_of(const fl_job *job, size_t terms, int threads)
{
    if (job->inner == 1)
        return threads && job->channels < 2 * FL_WIDTH ? FL_WIDTH / 4 : FL_WIDTH;
    const size_t enough = terms ? 8192 / terms + 1 : FL_WIDTH;
    return enough < FL_WIDTH ? enough : FL_WIDTH;
}

static void sum_all(const fl_isa *isa, const fl_kernels *kernels, fl_job job, void *dslope, size_t size)
{
    const size_t terms = job.outer * job.inner, chunks = terms ? (terms - 1) / FL_CHUNK + 1 : 1;
    double sums[WAVE], totals[FL_WIDTH];
    wave w = {kernels, &job, width_of(&job, terms, isa->host != NULL), chunks, 0, sums};
    const size_t parts = ((job.channels - 1) / w.width + 1) * chunks, most = WAVE / w.width;
    if (isa->host)
        job.past = job.out != job.v && job.out != job.x && isa->host->past(terms * job.channels * size);
    for (; w.first < parts; w.first += most) {
        const size_t count = parts - w.first < most ? parts - w.first : most;
        if (isa->host)
            isa->host->run(sum_part, &w, count, 1, count * w.width * (terms < FL_CHUNK ? terms : FL_CHUNK));
        else
            sum_part(&w, 0, count);
        for (size_t i = 0; i < count; i++) {
            const size_t at = w.first + i, chunk = at % chunks, channel = at / chunks * w.width;
            for (size_t c = 0; c < width_at(&w, channel); c++) {
                totals[c] = (chunk ? totals[c] : 0) + sums[i * w.width + c];
                if (chunk == chunks - 1 && size == sizeof(float))
                    ((float *)dslope)[channel + c] = (float)totals[c];
                else if (chunk == chunks - 1)
                    ((double *)dslope)[channel + c] = totals[c];
            }
        }
    }
}

#define FL_OPS(type, T)                                                                                                \
    void fl_leaky_relu_##type(const fl_isa *isa, const T *x, T *out, size_t n, T negative_slope)                       \
    {                                                                                                                  \
        select_all(isa, &isa->type, (fl_job){x, x, &negative_slope, out, 1, 1, n, 0}, sizeof(T));                      \
    }                                                                                                                  \
    void fl_leaky_relu_backward_##type(const fl_isa *isa, const T *grad, const T *x, T *dx, size_t n,                  \
                                       T negative_slope)                                                               \
    {                                                                                                                  \
        select_all(isa, &isa->type, (fl_job){grad, x, &negative_slope, dx, 1, 1, n, 0}, sizeof(T));                    \
    }                                                                                                                  \
    void fl_prelu_##type(const fl_isa *isa, const T *x, const T *weight, T *out, size_t outer, size_t channels,        \
                         size_t inner)                                                                                 \
    {                                                                                                                  \
        select_all(isa, &isa->type, (fl_job){x, x, weight, out, outer, channels, inner, 0}, sizeof(T));                \
    }                                                                                                                  \
    void fl_prelu_backward_##type(const fl_isa *isa, const T *grad, const T *x, const T *weight, T *dx, T *dweight,    \
                                  size_t outer, size_t channels, size_t inner)                                         \
    {                                                                                                                  \
        if (channels)                                                                                                  \
            sum_all(isa, &isa->type, (fl_job){grad, x, weight, dx, outer, channels, inner, 0}, dweight, sizeof(T));    \
    }

FL_OPS(f32, float)
FL_OPS(f64, double)
