/* quantized.c - the public quantized operations: factors taken apart, and jobs for the kernels of kernels_int.h.
 * SPDX-License-Identifier: MIT */
#include "integers.h"

/* A table of its own, not a part of fl_isa: firmware that does not call these operations need not link their kernels.
 */
typedef struct {
    const fl_isa *isa;
    const fl_integers *integers;
} entry;
#define FL_ISA(name, condition)                                                                                        \
    FL_IF(condition, extern const fl_isa fl_isa_##name; extern const fl_integers fl_integers_##name;)
#include "isas.def"
#undef FL_ISA
#define FL_ISA(name, condition) FL_IF(condition, {&fl_isa_##name, &fl_integers_##name}, )
static const entry entries[] = {
#include "isas.def"
};

static const fl_integers *integers_of(const fl_isa *isa)
{
    const entry *e = entries;
    while (e->isa->name != isa->name) /* one with threads is a copy */
        e++;
    return e->integers;
}

/* Both roundings in one: what is dropped first, and then half of what is dropped in all. Below 2^-29 all becomes 0. */
static fl_side side_of(fl_factor factor, fl_rounding rounding)
{
    fl_side side;
    const int right = factor.shift < -29 ? 29 : factor.shift < 0 ? -factor.shift : 0;
    side.left = factor.shift > 0 ? factor.shift : 0;
    side.multiplier = factor.multiplier < 0 ? -factor.multiplier : factor.multiplier;
    side.half = (1 << right) + (right && rounding == FL_TFLITE);
    side.right = right + 1;
    if (rounding == FL_XNNPACK) { /* which rounds the product with the sign */
        side.left = 8;
        side.multiplier = factor.multiplier * (1 << 15);
        side.half = side.right = 1;
    }
    return side;
}

static fl_rescaling rescaling_of(const fl_quantization *how, const void *q, const void *weight, void *out, size_t outer,
                                 size_t channels, size_t inner)
{
    fl_rescaling job;
    job.above = side_of(how->above, how->rounding);
    job.below = side_of(how->below, how->rounding);
    job.away = how->rounding == FL_TFLITE && how->below.shift < 0 ? -2 : 0;
    job.negate = how->rounding != FL_XNNPACK && how->below.multiplier < 0 ? -1 : 0;
    job.input_zero_point = how->input_zero_point;
    job.weight_zero_point = how->weight_zero_point;
    job.output_zero_point = how->output_zero_point;
    job.q = q;
    job.weight = weight;
    job.out = out;
    job.outer = outer;
    job.channels = channels;
    job.inner = inner;
    return job;
}

/* A job for one of the kernels, in parts that threads can share out. */
typedef struct {
    const fl_integers *integers;
    void (*rescale)(const fl_rescaling *job, size_t begin, size_t end); /* or none: the weight is a table */
    const fl_rescaling *job;
} part;

static void do_part(const void *arg, size_t begin, size_t end)
{
    const part *const p = arg;
    const fl_rescaling *const job = p->job;
    if (p->rescale)
        p->rescale(job, begin, end);
    else
        p->integers->look_up(job->weight, (const uint8_t *)job->q + begin, (uint8_t *)job->out + begin, end - begin);
}

static void do_all(const fl_isa *isa, const part *p)
{
    const size_t n = p->job->outer * p->job->channels * p->job->inner;
    const int threads = isa->host ? isa->host->threads(n) : 1;
    if (threads > 1)
        isa->host->run(threads, do_part, p, n, 1024);
    else
        do_part(p, 0, n);
}

static void look_up(const fl_isa *isa, const void *q, const void *table, void *out, size_t n)
{
    fl_rescaling job;
    const part p = {integers_of(isa), NULL, &job};
    job.q = q;
    job.weight = table;
    job.out = out;
    job.outer = job.channels = 1;
    job.inner = n;
    do_all(isa, &p);
}

#define FL_OPS(type, T, WEIGHT)                                                                                        \
    void fl_prelu_##type(const fl_isa *isa, const fl_quantization *how, const T *q, const WEIGHT *weight, T *out,      \
                         size_t outer, size_t channels, size_t inner)                                                  \
    {                                                                                                                  \
        const fl_rescaling job = rescaling_of(how, q, weight, out, outer, channels, inner);                            \
        const fl_integers *const integers = integers_of(isa);                                                          \
        const part p = {integers, integers->type, &job};                                                               \
        do_all(isa, &p);                                                                                               \
    }                                                                                                                  \
    void fl_leaky_relu_##type(const fl_isa *isa, const fl_quantization *how, const T *q, T *out, size_t n)             \
    {                                                                                                                  \
        fl_prelu_##type(isa, how, q, NULL, out, 1, 1, n);                                                              \
    }
FL_OPS(i8, int8_t, int8_t)
FL_OPS(u8, uint8_t, uint8_t)
FL_OPS(i16, int16_t, int8_t)

#define FL_TABLES(type, T)                                                                                             \
    void fl_leaky_relu_table_##type(const fl_isa *isa, const fl_quantization *how, T table[256])                       \
    {                                                                                                                  \
        for (int i = 0; i < 256; i++)                                                                                  \
            table[i] = (T)i;                                                                                           \
        fl_leaky_relu_##type(isa, how, table, table, 256);                                                             \
    }                                                                                                                  \
    void fl_look_up_##type(const fl_isa *isa, const T *q, const T table[256], T *out, size_t n)                        \
    {                                                                                                                  \
        look_up(isa, q, table, out, n);                                                                                \
    }
FL_TABLES(i8, int8_t)
FL_TABLES(u8, uint8_t)
