/* kernels.c - the operators PRelu and LeakyRelu, on the session's own threads.
 * SPDX-License-Identifier: MIT */
#include "broadcast.h"
#include "provider.h"
#include <stdio.h>
#include <stdlib.h>

/* The elements of a task, which takes a few microseconds. Arrays of up to two tasks stay with the caller's thread. */
enum { GRAIN = 32768 };

typedef struct {
    int type;
    shape shape;
    const char *data;
} tensor;

/* What ONNX Runtime keeps for a node. */
typedef struct {
    OrtKernelImpl base;
    float alpha; /* LeakyRelu */
} kernel;

/* What one run of a node computes. */
typedef struct job job;
struct job {
    void (*compute)(const job *, size_t begin, size_t end); /* elements begin ... end - 1 */
    int type;
    size_t itemsize, size;
    const char *x, *slope;
    char *y;
    broadcast shapes; /* PRelu */
    float alpha;      /* LeakyRelu */
};

static OrtStatus *get_input(const OrtKernelContext *context, size_t index, tensor *t)
{
    const OrtValue *value;
    void *data;
    TRY(ort->KernelContext_GetInput(context, index, &value));
    TRY(ort->GetTensorElementTypeAndShapeDataReference(value, &t->type, &t->shape.dims, &t->shape.rank));
    TRY(ort->GetTensorMutableData((OrtValue *)value, &data));
    t->data = data;
    return NULL;
}

static void compute_task(void *data, size_t index)
{
    const job *const j = data;
    const size_t begin = index * GRAIN, left = j->size - begin;
    j->compute(j, begin, left < GRAIN ? j->size : begin + GRAIN);
}

/* The output has the shape of x, and may be the same memory. */
static OrtStatus *run(OrtKernelContext *context, job *j, const tensor *x)
{
    OrtValue *value;
    void *y;
    TRY(ort->KernelContext_GetOutput(context, 0, x->shape.dims, x->shape.rank, &value));
    TRY(ort->GetTensorMutableData(value, &y));
    j->type = x->type;
    j->itemsize = x->type == ORT_DOUBLE ? 8 : x->type == ORT_FLOAT ? 4 : 2;
    j->x = x->data;
    j->y = y;
    j->size = 1;
    for (size_t i = 0; i < x->shape.rank; i++)
        j->size *= (size_t)x->shape.dims[i];
    const size_t tasks = j->size / GRAIN + (j->size % GRAIN > 0);
    if (tasks > 2)
        return ort->KernelContext_ParallelFor(context, compute_task, tasks, 0, j);
    if (j->size)
        j->compute(j, 0, j->size);
    return NULL;
}

/* PRelu */

static void prelu(const job *j, size_t at, size_t slope, size_t outer, size_t channels, size_t inner)
{
    const void *const x = j->x + at * j->itemsize, *const weight = j->slope + slope * j->itemsize;
    void *const y = j->y + at * j->itemsize;
    switch (j->type) {
    case ORT_FLOAT:
        fl_prelu_f32(isa, x, weight, y, outer, channels, inner);
        break;
    case ORT_DOUBLE:
        fl_prelu_f64(isa, x, weight, y, outer, channels, inner);
        break;
    case ORT_FLOAT16:
        fl_prelu_f16(isa, x, weight, y, outer, channels, inner);
        break;
    default:
        fl_prelu_bf16(isa, x, weight, y, outer, channels, inner);
    }
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Compute from `begin` on what one call can: a part of a row, some rows, or whole repetitions of all channels, within
 * an image and up to `end`. Return where the rest begins. */
static size_t prelu_piece(const job *j, size_t begin, size_t end)
{
    const broadcast *const b = &j->shapes;
    const size_t row = begin / b->inner, column = begin % b->inner, channel = row % b->channels;
    const size_t all = b->channels * b->inner, image = begin / (b->outer * all), slope = first_slope(b, image);
    const size_t left = smaller(end, (image + 1) * b->outer * all) - begin;
    if (column || left < b->inner) {
        const size_t n = smaller(b->inner - column, left);
        prelu(j, begin, slope + channel, 1, 1, n);
        return begin + n;
    }
    if (channel || left < all) {
        const size_t rows = smaller(b->channels - channel, left / b->inner);
        prelu(j, begin, slope + channel, 1, rows, b->inner);
        return begin + rows * b->inner;
    }
    prelu(j, begin, slope, left / all, b->channels, b->inner);
    return begin + left / all * all;
}

static void compute_prelu(const job *j, size_t begin, size_t end)
{
    while (begin < end)
        begin = prelu_piece(j, begin, end);
}

static void write_shape(char *text, size_t size, shape s)
{
    for (size_t i = 0, used = 0; i < s.rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ", %lld" : "%lld", (long long)s.dims[i]);
}

static OrtStatus *does_not_broadcast(shape slope, shape x)
{
    char slopes[200] = "", xs[200] = "", message[500];
    write_shape(slopes, sizeof slopes, slope);
    write_shape(xs, sizeof xs, x);
    snprintf(message, sizeof message, "PRelu: a slope with shape (%s) does not broadcast to x with shape (%s)", slopes,
             xs);
    return ort->CreateStatus(ORT_INVALID_ARGUMENT, message);
}

static OrtStatus *run_prelu(OrtKernelImpl *self, OrtKernelContext *context)
{
    tensor x, slope;
    job j;
    (void)self;
    TRY(get_input(context, 0, &x));
    TRY(get_input(context, 1, &slope));
    if (!broadcasts(slope.shape, x.shape)) /* the model's own annotations were wrong */
        return does_not_broadcast(slope.shape, x.shape);
    j.compute = compute_prelu;
    j.slope = slope.data;
    j.shapes = broadcast_of(slope.shape, x.shape);
    return run(context, &j, &x);
}

/* LeakyRelu */

static void compute_leaky_relu(const job *j, size_t begin, size_t end)
{
    const void *const x = j->x + begin * j->itemsize;
    void *const y = j->y + begin * j->itemsize;
    switch (j->type) {
    case ORT_DOUBLE:
        fl_leaky_relu_f64(isa, x, y, end - begin, (double)j->alpha);
        break;
    case ORT_FLOAT16:
        fl_leaky_relu_f16(isa, x, y, end - begin, j->alpha);
        break;
    default:
        fl_leaky_relu_bf16(isa, x, y, end - begin, j->alpha);
    }
}

static OrtStatus *run_leaky_relu(OrtKernelImpl *self, OrtKernelContext *context)
{
    tensor x;
    job j;
    TRY(get_input(context, 0, &x));
    j.compute = compute_leaky_relu;
    j.alpha = ((const kernel *)self)->alpha;
    return run(context, &j, &x);
}

/* Their creation */

static void release_kernel(OrtKernelImpl *self) { free(self); }

static OrtStatus *create_kernel(OrtStatus *(*compute)(OrtKernelImpl *, OrtKernelContext *), float alpha,
                                OrtKernelImpl **created)
{
    kernel *const self = calloc(1, sizeof *self);
    if (!self)
        return out_of_memory();
    self->base = (OrtKernelImpl){.version = ORT_VERSION, .Compute = compute, .Release = release_kernel};
    self->alpha = alpha;
    *created = &self->base;
    return NULL;
}

OrtStatus *create_prelu(void *state, const OrtKernelInfo *info, OrtKernelImpl **created)
{
    (void)state, (void)info;
    return create_kernel(run_prelu, 0, created);
}

OrtStatus *create_leaky_relu(void *state, const OrtKernelInfo *info, OrtKernelImpl **created)
{
    float alpha;
    (void)state;
    TRY(ort->KernelInfoGetAttribute_float(info, "alpha", &alpha));
    return create_kernel(run_leaky_relu, alpha, created);
}
