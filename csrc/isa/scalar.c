/* scalar.c - one lane of plain C, for every processor.
 * SPDX-License-Identifier: MIT */
#define FL_NAME scalar
#include "isa.h"
#if FL_SCALAR

static int fl_available(void) { return 1; }

#define FL_TYPE f32
#include "float/scalar.h"

#define FL_TYPE f64
#include "float/scalar.h"

#include "float/scalar_half.h"

#include "quantized/kernels.h"

FL_ISA_END
#endif
