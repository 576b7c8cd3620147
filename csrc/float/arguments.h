/* arguments.h - the scalar types of floats, and the arguments of their kernels.
 * SPDX-License-Identifier: MIT */
#ifndef FL_ARGUMENTS_H
#define FL_ARGUMENTS_H

#include "isa.h"

#include "float/half.h" /* after isa.h: GCC inlines nothing that other pragmas apply to */

/* The scalar of each element type by the name that the kernels use, to and from the type that it is computed in. */
typedef float f32_num;
typedef double f64_num;
typedef fl_f16 f16_num;
typedef fl_bf16 bf16_num;
static inline float f32_widen(float v) { return v; }
static inline double f64_widen(double v) { return v; }
static inline float f32_narrow(float v) { return v; }
static inline double f64_narrow(double v) { return v; }

/* A scalar result that must stay scalar: Clang vectorises plain C, and vectors of 32-bit Arm flush subnormals. */
static inline float f32_scalar(float v)
{
#if FL_NEON32 || FL_MVE
    __asm__("" : "+t"(v));
#endif
    return v;
}
static inline double f64_scalar(double v) { return v; }
static inline float bf16_scalar(float v) { return f32_scalar(v); }

enum { FL_PARAMETERS_MAX = 4, FL_FACTORS_MAX = 3 }; /* of an operation; and of those, what it multiplies by */
enum { FL_FEW_CHANNELS = 16 };                      /* where channels are last, several rows of so few are joined */

typedef enum { FL_STORE, FL_STREAM, FL_STREAM_REVERSE } fl_store_policy; /* STREAM: non-temporal */

/* Arrays have the shape (outer, channels, inner). The first parameters of an operation are arrays with a value for each
 * channel, the others one value for all of them, in `shared`, in the type of computation. */
typedef struct {
    const void *x, *grad; /* grad: the gradient, or another input; or x itself */
    void *out;
    const void *parameters[FL_PARAMETERS_MAX];
    union {
        float f32;
        double f64;
    } shared[FL_PARAMETERS_MAX];
    size_t outer, channels, inner;
    int nontemporal; /* 1: the arrays do not fit the cache, and the output is not an input */
} fl_arguments;

static inline int channels_last(const fl_arguments *a) { return a->inner == 1 && a->channels > 1; }

/* A kernel of an ordered sum: of n terms of `width` channels, from `channel` on and from a chunk's first term on. */
typedef void fl_ordered_sum(const fl_arguments *a, size_t channel, size_t width, size_t first, size_t n, double *sums);

#endif
