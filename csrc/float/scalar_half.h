/* scalar_half.h - float16 and bfloat16 in plain C, for sets without them.
 * SPDX-License-Identifier: MIT */
#define FL_TYPE f16
#define FL_COMPUTE f32
#include "float/scalar.h"

#define FL_TYPE bf16
#define FL_COMPUTE f32
#include "float/scalar.h"
