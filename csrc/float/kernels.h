/* kernels.h - the float kernels, included once for each instruction set and element type.
 * SPDX-License-Identifier: MIT
 *
 * What an instruction set defines before, for each type:
 *
 *   FL_TYPE      f32, f64, f16 or bf16: the type in memory; FL(load) is f32_load for f32
 *   FL_COMPUTE   the type that it is computed in: f32 for f16 and bf16, by default FL_TYPE
 *   FL_VECTORS   the prefix of its vector operations, by default FL_COMPUTE: V(mul) is f32_mul
 *   FL_LANES     the lanes of a vector, a divisor of 16; or 16 with FL_SCALABLE, if vectors can have any length
 *
 * and the operations. Their last argument, n, is the number of active lanes: FL_LANES, or in the tail 1; or with
 * FL_MASKED any number that is left. Inactive lanes load as 0 and are not stored; arithmetic may ignore n.
 *
 *   V(vec)                      a vector of the type of computation
 *   V(set)(s)                   s in all lanes
 *   V(mul)(a, b, n)  V(add)(a, b, n)
 *   V(select)(x, a, b, n)       x > 0 ? a : b
 *   V(clamp)(v, limit, n)       v, but at most `limit` and at least -limit; v where either is NaN
 *   V(within)(v, limit, a, n)   |v| >= limit ? 0 : a
 *   V(reduce_add)(v)            the upper half of the lanes added to the lower half, until one is left
 *   V(load)(p, n)  V(store)(p, v, n)    numbers of the type of computation
 *   V(lanes)(n)                 FL_SCALABLE only: how many lanes to use for the next of n elements
 *   FL(load)(p, n)  FL(store)(p, v, n)  numbers of the type in memory, widened and rounded
 *   FL(rounded)(v)              v rounded to the type in memory: with FL_COMPUTE only
 *
 * Optional:
 *
 *   FL_REGISTERS, FL_PER_REGISTER   instead of FL_LANES: a vector is so many registers of so many lanes, and the
 *                operations are those on one register (registers.h). Optimised for size, it is one.
 *   FL_HEAVY_REGISTERS   so many of them for the kernels that take more registers, or which gain nothing
 *   FL_ONLY_LIGHT, FL_ONLY_HEAVY    only the kernels of leaky ReLU and PReLU without sums, or only the others, where
 *                they take different vectors
 *   FL_PREFIX    then keeps their names apart; it takes the place of FL_TYPE there
 *   FL_UNROLLED  loops have four steps, for a 16-bit type, too
 *   FL_EXPAND    V(expand)(v, k) is v moved up by k lanes, with 0 below
 *   FL_STREAMS   FL(stream)(p, v, n) is a non-temporal store to an address that is a multiple of 16 bytes (isa/x86.h)
 *   FL_FTZ       the unit flushes subnormals (ftz_keys.h)
 *   FL_HIDES_FLUSHES   results do not show that it does
 *
 * All loads of a step come before its store, so an output may be an input. */
#include "float/arguments.h"
#include "float/ordered_sum.h"

#ifndef FL_COMPUTE
#define FL_COMPUTE FL_TYPE
#define FL_EXACT
#endif
#ifndef FL_PREFIX
#define FL_PREFIX FL_TYPE
#endif
#ifdef FL_VECTORS
#define FL_OWN_VECTORS
#elif defined(FL_EXACT)
#define FL_VECTORS FL_PREFIX
#else
#define FL_VECTORS FL_COMPUTE
#endif
#ifdef FL_REGISTERS
#ifdef __OPTIMIZE_SIZE__
#undef FL_REGISTERS
#undef FL_HEAVY_REGISTERS
#define FL_REGISTERS 1
#endif
#ifndef FL_HEAVY_REGISTERS
#define FL_HEAVY_REGISTERS FL_REGISTERS
#endif
#define FL_LANES (FL_REGISTERS * FL_PER_REGISTER)
#define FL_HEAVY_STEP (FL_HEAVY_REGISTERS * FL_PER_REGISTER)
#define FL(word) FL_PASTE(FL_PASTE(FL_PREFIX, FL_REGISTERS), word)
#define V(word) FL_PASTE(FL_PASTE(FL_VECTORS, FL_REGISTERS), word)
#else
#define FL_PER_REGISTER FL_LANES
#define FL_HEAVY_STEP FL_LANES
#define FL(word) FL_PASTE(FL_PREFIX, word)
#define V(word) R(word)
#endif
#define R(word) FL_PASTE(FL_VECTORS, word) /* of a register */
#define T(word) FL_PASTE(FL_TYPE, word)    /* of the type in memory; of a register of it */
#define NUM T(num)
#define ACC FL_PASTE(FL_COMPUTE, num)
#define VEC V(vec)

#ifdef FL_REGISTERS
#include "float/registers.h"
#elif defined(FL_EXACT)
FL_INLINE VEC FL(rounded)(VEC v)
{
    FL_END_OF_STEP(v);
    return v;
}
#endif
#ifdef FL_FTZ
#include "float/ftz_keys.h"
#endif
#include "float/row.h"

#include "float/loops.h"
#ifdef FL_FTZ
#include "float/ftz_fallback.h"
#endif
#include "float/operations.h"

#ifndef FL_ONLY_HEAVY
#define FL_STEP FL_LANES

#define FL_OP leaky
#define FL_INPUTS 1
#define FL_PARAMETERS 1
#define FL_SHARED leaky_relu
#define FL_CHANNELS prelu
#include "float/elementwise.h"

#undef FL_STEP
#define FL_STEP FL_HEAVY_STEP

#define FL_OP leaky_backward
#define FL_INPUTS 2
#define FL_SHARED leaky_relu_backward
#include "float/elementwise.h"

#undef FL_STEP
#endif

#ifndef FL_ONLY_LIGHT
#define FL_STEP FL_HEAVY_STEP

#define FL_OP bias_leaky
#define FL_INPUTS 1
#define FL_PARAMETERS 1
#define FL_CHANNELS bias_leaky_relu
#include "float/elementwise.h"

#define FL_OP scale_shift
#define FL_INPUTS 1
#define FL_PARAMETERS 2
#define FL_CHANNELS scale_shift_leaky_relu
#include "float/elementwise.h"

#define FL_OP scale_shift
#define FL_INPUTS 1
#define FL_PARAMETERS 3
#define FL_CHANNELS scale_shift_prelu
#include "float/elementwise.h"

#define FL_OP scale_shift_residual
#define FL_INPUTS 2
#define FL_PARAMETERS 2
#define FL_CHANNELS scale_shift_residual_leaky_relu
#include "float/elementwise.h"

#define FL_OP scale_shift_residual
#define FL_INPUTS 2
#define FL_PARAMETERS 3
#define FL_CHANNELS scale_shift_residual_prelu
#include "float/elementwise.h"

#include "float/block.h"

#define FL_OP prelu_backward
#define FL_PARAMETERS 1
#define FL_SUM prelu_backward
#include "float/ordered_sum_kernel.h"

#define FL_OP bias_leaky_backward
#define FL_PARAMETERS 0
#define FL_SUM bias_leaky_relu_backward
#include "float/ordered_sum_kernel.h"

#undef FL_STEP
#undef FL_NTH
#undef FL_EACH
#endif

#undef FL
#undef T
#undef V
#undef R
#undef FL_PREFIX
#undef FL_PER_REGISTER
#undef FL_REGISTERS
#undef FL_HEAVY_REGISTERS
#undef FL_HEAVY_STEP
#undef NUM
#undef ACC
#undef VEC
#undef FL_STEPS
#undef FL_FULL
#undef FL_SHORT
#undef FL_TAIL
#undef FL_FOR_VECTORS
#undef FL_ONLY_LIGHT
#undef FL_ONLY_HEAVY
#undef FL_TYPE
#undef FL_VECTORS
#undef FL_OWN_VECTORS
#undef FL_COMPUTE
#undef FL_EXACT
#undef FL_LANES
#undef FL_SCALABLE
#undef FL_MASKED
#undef FL_UNROLLED
#undef FL_EXPAND
#undef FL_FTZ
#undef FL_HIDES_FLUSHES
