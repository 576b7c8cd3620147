/* handlers.c - the operations as XLA calls them.
 * SPDX-License-Identifier: MIT
 *
 * The arguments are the inputs of an operation, its channel parameters and its numbers. Inputs have the shape
 * (..., outer, channels, inner), channel parameters (..., channels), numbers (...), in the compute type. The leading
 * dimensions are those that jax.vmap adds; each of their indices is a call by itself. */
#include <fenv.h>
#include "../_backends/entry.h"
#include "xla_ffi.h"

static const int types[FL_TYPES] = {XLA_F32, XLA_F64, XLA_F16, XLA_BF16};

/* One call by XLA. */
typedef struct {
    const fl_operation *op;
    xla_buffer *const *inputs, *const *channel, *const *numbers, *const *results;
    int type;
    size_t batches, shape[3], n; /* n: the product of the shape */
} request;

static size_t product(const int64_t *dims, int64_t rank)
{
    size_t n = 1;
    for (int64_t i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    return n;
}

static int all(xla_buffer *const *buffers, int count, int type, size_t elements)
{
    for (int i = 0; i < count; i++)
        if (buffers[i]->type != type || product(buffers[i]->dims, buffers[i]->rank) != elements)
            return 0;
    return 1;
}

static int parse(const xla_call_frame *frame, request *r)
{
    const fl_operation *const op = r->op;
    if (frame->arguments.count != op->inputs + op->channel + op->numbers || frame->results.count != op->results)
        return 0;
    r->inputs = frame->arguments.buffers;
    r->channel = r->inputs + op->inputs;
    r->numbers = r->channel + op->channel;
    r->results = frame->results.buffers;

    const xla_buffer *const x = r->inputs[0];
    r->type = 0;
    while (r->type < FL_TYPES && types[r->type] != x->type)
        r->type++;
    if (r->type == FL_TYPES || x->rank < 3)
        return 0;
    const int64_t *const last = x->dims + x->rank - 3;
    for (int i = 0; i < 3; i++)
        r->shape[i] = (size_t)last[i];
    r->batches = product(x->dims, x->rank - 3);
    r->n = product(last, 3);
    const size_t elements = r->batches * r->n, rows = r->batches * r->shape[1];
    return all(r->inputs, op->inputs, x->type, elements) && all(r->channel, op->channel, x->type, rows) &&
           all(r->numbers, op->numbers, x->type == XLA_F64 ? XLA_F64 : XLA_F32, r->batches) &&
           all(r->results, 1, x->type, elements) && all(r->results + 1, op->results - 1, x->type, rows);
}

static void compute(const request *r, const fl_isa *isa, size_t batch)
{
    const size_t itemsize = fl_itemsizes[r->type], start = batch * r->n * itemsize,
                 row = batch * r->shape[1] * itemsize;
    fl_call c = {.shape = {r->shape[0], r->shape[1], r->shape[2]}, .n = r->n};
    for (int i = 0; i < r->op->inputs; i++)
        c.inputs[i] = (const char *)r->inputs[i]->data + start;
    for (int i = 0; i < r->op->channel; i++)
        c.channel[i] = (const char *)r->channel[i]->data + row;
    for (int i = 0; i < r->op->numbers; i++)
        c.numbers[i] = types[r->type] == XLA_F64 ? ((const double *)r->numbers[i]->data)[batch]
                                                 : (double)((const float *)r->numbers[i]->data)[batch];
    for (int i = 0; i < r->op->results; i++)
        c.results[i] = (char *)r->results[i]->data + (i ? row : start);
    r->op->compute[r->type](isa, &c);
}

/* At its registration, XLA asks a handler for the version of the interface that it was written for. A handler of any
 * version that we know would be the same, so the answer is XLA's own; jaxlib 0.5, which has 0.1, does not tell it. */
static int tell_version(const xla_call_frame *frame)
{
    if (!frame->extensions || frame->extensions->type != XLA_METADATA)
        return 0;
    static const xla_version oldest = {.major = XLA_MAJOR, .minor = XLA_OLDEST_MINOR};
    const xla_version *const theirs = frame->api ? &frame->api->version : &oldest;
    const int known =
        theirs->major == XLA_MAJOR && theirs->minor >= XLA_OLDEST_MINOR && theirs->minor < XLA_NEWEST_MINOR;
    xla_version *const ours = &((xla_metadata_extension *)frame->extensions)->metadata->version;
    ours->major = XLA_MAJOR;
    ours->minor = known ? theirs->minor : XLA_NEWEST_MINOR;
    return 1;
}

static xla_error *refuse(const xla_call_frame *frame, const char *message)
{
    xla_error_arguments arguments = {sizeof arguments, NULL, message, XLA_INVALID_ARGUMENT};
    return frame->api->create_error(&arguments);
}

struct xla_error *fl_xla_call(int operation, const struct xla_call_frame *frame)
{
    request r = {.op = &fl_operations[operation]};
    if (tell_version(frame))
        return NULL;
    const fl_isa *const isa = fl_chosen_isa();
    if (!isa)
        return refuse(frame, "fastleaky: no C kernel is left: each has given a wrong answer");
    if (!parse(frame, &r))
        return refuse(frame, "fastleaky: these are not the arguments and results of this operation");
    /* XLA's threads flush subnormals to zero. The kernels keep them, and so do the workers that they start, which
     * inherit the environment. */
    fenv_t before;
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    for (size_t batch = 0; batch < r.batches; batch++)
        compute(&r, isa, batch);
    fesetenv(&before);
    return NULL;
}

uintptr_t fl_xla_handler(int operation) { return (uintptr_t)fl_operations[operation].handler; }
