/* quantized.c - libFuzzer on every function of fastleaky_quantized.h; the result is compared with quantized_contract.h.
 * SPDX-License-Identifier: MIT */
#include "fastleaky_quantized.h"
#include "fuzz/calls.h"

#include "quantized_contract.h"

enum { LEAKY, PRELU, LOOK_UP, OPERATIONS };
enum { Q, WEIGHT, TABLE, OUT };
enum { MOST_256THS = 32768 }; /* XNNPACK's largest factor; its smallest is larger than minus that */

static const char *const operations[] = {"leaky_relu", "prelu", "look_up"};
static unsigned which; /* of the operations */
static fl_quantization how;

/* Any multiplier that there may be, with any shift up to `most`. */
static fl_factor take_factor(int most)
{
    const int32_t bits = (int32_t)(take_bytes(4) & 0x3fffffff);
    const int shift = (int)take_below((unsigned)most + 32) - 31;
    if (how.rounding == FL_XNNPACK)
        return (fl_factor){1 + bits % MOST_256THS, 0};
    return (fl_factor){bits ? (1 << 30) + bits : 0, shift};
}

/* For numbers of one byte or two, of which `least` is the smallest. */
static void take_quantization(int eight, int least)
{
    const unsigned kind = take();
    how.rounding = (fl_rounding)(kind % (eight && which != PRELU ? 3 : 2));
    how.positive = take_factor(eight ? 22 : 15);
    how.negative = take_factor(which != PRELU ? (eight ? 22 : 15) : eight ? 14 : 7);
    if (kind / 8 % 2 && how.negative.multiplier != MOST_256THS)
        how.negative.multiplier = -how.negative.multiplier;
    how.input_zero_point = eight ? least + (int32_t)take() : 0;
    how.output_zero_point = eight ? least + (int32_t)take() : 0;
    how.weight_zero_point = (eight ? least : -128) + (int32_t)take();
}

#define TYPE i8
#define NUM int8_t
#define SLOPE int8_t
#define LEAST (-128)
#define EIGHT 1
#include "fuzz/quantized_type.h"

#define TYPE u8
#define NUM uint8_t
#define SLOPE uint8_t
#define LEAST 0
#define EIGHT 1
#include "fuzz/quantized_type.h"

#define TYPE i16
#define NUM int16_t
#define SLOPE int8_t
#define LEAST (-32768)
#define EIGHT 0
#include "fuzz/quantized_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const each[])(void) = {run_i8, run_u8, run_i16};
    begin(data, size);
    take_isa();
    const unsigned type = take_below(3);
    which = take_below(type < 2 ? OPERATIONS : LOOK_UP);
    operation = operations[which];
    each[type]();
    return 0;
}
