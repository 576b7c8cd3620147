/* types.h - the element types of floats, in macros: FOR_A_TYPE names a header, which is included for each of them.
 * SPDX-License-Identifier: MIT
 *
 * NUM is how a number is stored, BITS an integer of its size, ACC what is computed with; W and N convert between NUM
 * and ACC. A HALF's smallest normal number is 2 to the power of LEAST. */

#define W(number) (number)
#define N(value) ((NUM)(value))

#define TYPE f32
#define NUM float
#define ACC float
#define BITS uint32_t
#define MANTISSA 23
#include FOR_A_TYPE
#undef TYPE
#undef NUM
#undef ACC
#undef BITS
#undef MANTISSA

#define TYPE f64
#define NUM double
#define ACC double
#define BITS uint64_t
#define MANTISSA 52
#include FOR_A_TYPE
#undef TYPE
#undef NUM
#undef ACC
#undef BITS
#undef MANTISSA

#undef W
#undef N
#define HALF
#define NUM uint16_t
#define ACC float
#define BITS uint16_t
#define W(number) T(value)(number)
#define N(value) T(nearest)(value)

#define TYPE f16
#define MANTISSA 10
#define LEAST (-14)
#include FOR_A_TYPE
#undef TYPE
#undef MANTISSA
#undef LEAST

#define TYPE bf16
#define MANTISSA 7
#define LEAST (-126)
#include FOR_A_TYPE
