/* set.h - an instruction set whose integers are unknowns, one in a vector: it includes the kernels as isa/NAME.c do.
 * SPDX-License-Identifier: MIT */
#include "number.h"

#define int32_t Number<32>
#define int64_t Number<64>
#define FL_NAME unknown
#include "quantized/requantization.h"
#undef FL_VECTORIZE
#define FL_VECTORIZE

#define FL_INTS 1
typedef int32_t i32_vec;
static i32_vec i32_set(int32_t s) { return s; }
static i32_vec i32_load(const int32_t *p) { return *p; }
static i32_vec i32_select(i32_vec x, i32_vec a, i32_vec b) { return x > 0 ? a : b; }
static i32_vec i32_high(i32_vec a, i32_vec b) { return (i32_vec)((int64_t)a * b >> 32); }
#define FL_GENERIC_REQUANTIZE
#define FL_REQUANTIZE32
#include "quantized/kernels.h"
#undef int32_t
#undef int64_t
