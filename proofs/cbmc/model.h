/* model.h - an instruction set to prove the traversals with: it includes them as isa/NAME.c do.
 * SPDX-License-Identifier: MIT
 *
 * Its shape is what SHAPE_... of the command line say. */
#define FL_NAME model
#include "isa.h"
#include "memory.h"

#include "float/arguments.h"

#ifdef SHAPE_STREAMS
#define FL_STREAMS 1
enum { PREFETCH_DISTANCE = 2048 };
static inline void prefetch(const void *p, int distance) { (void)p, (void)distance; }
static inline int aliases_4k(const void *out, const void *in) { return (void)out, (void)in, nondet_int() != 0; }
static inline void _mm_sfence(void) {}
#endif

/* May a load or a store have n active lanes? */
static size_t most_lanes = SHAPE_LANES;
static inline int has_lanes(size_t n)
{
#if defined(SHAPE_SCALABLE) || defined(SHAPE_MASKED)
    return n >= 1 && n <= most_lanes;
#else
    return n == 1 || n == most_lanes;
#endif
}

#include "vectors.h"
MODEL_REGISTER(f32, float)
MODEL_MEMORY(f32, float)
MODEL_REGISTER(f64, double)
MODEL_MEMORY(f64, double)
MODEL_MEMORY(f16, f16_num)
MODEL_KEYS(f32)

/* Halves take the operations of float, which the kernels of float define where there are several registers. */
#define FL_TYPE f32
#include "shape.h"
#include "float/kernels.h"
#ifdef SHAPE_HALVES
#define FL_TYPE f16
#define FL_COMPUTE f32
#include "shape.h"
#include "float/kernels.h"
#define TYPE f16
#else
#define TYPE f32
#endif
