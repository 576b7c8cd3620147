/* dsp.c - Cortex-M4, M7, M33 and others with Arm's DSP extension: integers by its instructions, floats in plain C.
 * SPDX-License-Identifier: MIT */
#define FL_NAME dsp
#include "isa.h"
#if FL_DSP

static int fl_available(void) { return 1; }

#define FL_TYPE f32
#include "float/scalar.h"

#define FL_TYPE f64
#include "float/scalar.h"

#include "float/scalar_half.h"

#include "quantized/requantization.h"

/* SMMLA is the upper half of a product, and a sum. */
#define FL_SIDE
FL_INLINE int32_t i32_side(int32_t x, int32_t multiplier, int32_t bias)
{
    int32_t y;
    __asm__("smmla %0, %1, %2, %3" : "=r"(y) : "r"(x), "r"(multiplier), "r"(bias));
    return y;
}
#include "quantized/kernels.h"

FL_ISA_END
#endif
