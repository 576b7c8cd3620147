/* sides.cc - the arguments that quantized_ops.c makes of every shift, zero point and rounding of the contract.
 * SPDX-License-Identifier: MIT
 *
 * A multiplier goes through as it is, without its sign, or becomes 0: of it the ends are tried. */
#include <climits>

#include "sides.h"

#define FL_THREADS 0
#include "quantized/quantized_ops.c"

static const int32_t magnitudes[] = {0, 1 << 30, INT32_MAX};
enum { LEAST_ZERO = -128, MOST_ZERO = 255 };

static void include(Range *range, long value)
{
    range->least = value < range->least ? value : range->least;
    range->most = value > range->most ? value : range->most;
}

static void include(Side *side, const fl_side &found)
{
    include(&side->multiplier, found.multiplier);
    include(&side->scale, found.scale);
    include(&side->bias, found.bias);
    include(&side->away, found.away);
}

static void include(Sides *all, const fl_quantization &how)
{
    const int8_t any = 0;
    const fl_quantized_arguments args = arguments_of(&how, &any, &any, nullptr, 1, 1, 1, 8);
    const fl_side &a = args.sides.positive, &b = args.sides.negative;
    if (!args.joined)
        return;
    if (a.right != b.right || a.right < 1 || a.right > RIGHTS)
        __builtin_trap();
    Sides *const sides = &all[a.right - 1];
    sides->right = a.right;
    include(&sides->positive, a);
    include(&sides->negative, b);
}

static void include_zero_points(Sides *all, fl_quantization how)
{
    for (int32_t zero = LEAST_ZERO; zero <= MOST_ZERO; zero++) {
        how.output_zero_point = zero;
        include(all, how);
    }
}

static void include_multipliers(Sides *all, fl_quantization how)
{
    for (int32_t positive : magnitudes)
        for (int32_t magnitude : magnitudes)
            for (int sign = -1; sign <= 1; sign += 2) {
                how.positive.multiplier = positive;
                how.negative.multiplier = sign * magnitude;
                include_zero_points(all, how);
            }
}

int joined_sides(Sides found[RIGHTS])
{
    const Range none = {LONG_MAX, LONG_MIN};
    const Side nothing = {none, none, none, none};
    Sides all[RIGHTS];
    for (Sides &each : all)
        each = {0, nothing, nothing};
    fl_quantization how = {};
    for (how.rounding = FL_TFLITE; how.rounding <= FL_TFLITE_SINGLE; how.rounding++)
        for (how.positive.shift = -31; how.positive.shift <= 22; how.positive.shift++)
            for (how.negative.shift = -31; how.negative.shift <= 14; how.negative.shift++)
                include_multipliers(all, how);
    int count = 0;
    for (const Sides &each : all)
        if (each.right)
            found[count++] = each;
    return count;
}
