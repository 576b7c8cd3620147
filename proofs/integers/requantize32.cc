/* requantize32.cc - where requantize32.h is used, its integers are those of the exact products.
 * SPDX-License-Identifier: MIT */
#include "set.h"
#include "sides.h"

typedef Number<32> Int;

static Int any(const char *name, const Range &range)
{
    const z3::expr unknown = paths.unknown(name);
    facts.add(unknown >= constant(range.least) && unknown <= constant(range.most));
    return unknown;
}

static fl_side any(const Side &of, int right)
{
    fl_side side;
    side.multiplier = products.factor("multiplier", of.multiplier.least, of.multiplier.most);
    side.scale = products.factor("scale", of.scale.least, of.scale.most);
    side.bias = any("bias", of.bias);
    side.away = any("away", of.away);
    side.right = right;
    return side;
}

static long used; /* on so many ways that are not known to be impossible */

/* An element of any size on either side of any zero point, and a channel with any slope of this sign. The x of a loop
 * is the size: what holds for all of the loop holds for that one. */
static void check(const Sides &of, int sign)
{
    products.forget();
    loop = {};
    const Int size = products.factor("size", 1, 255), steepness = products.factor("steepness", 1, 255);
    const Int lowest = any("lowest", {-128, 0}), under = any("under", {0, 255});
    loop.x = size.get();

    fl_quantized_arguments args;
    args.sides = {any(of.positive, of.right), any(of.negative, of.right)};
    args.input_zero_point = lowest + under;
    Int factor, bias;
    prepare(&args.sides.negative, sign * steepness, args.sides.negative.scale, &factor, &bias);
    Int factor32 = factor, bias32 = bias;
    fl_requantize32 positive;
    if (!requantize32_prepare(&args, lowest, &factor32, &bias32, 1, &positive))
        return;
    if (loop.has_x)
        paths.wrong("a loop that is left early");
    used += !paths.shows(facts.z3.bool_val(false));
    for (int side = -1; side <= 1; side++) {
        const Int x = side * size, exact = i32_requantize(&args.sides, x, &factor, &bias, 1, 1);
        const z3::expr same = i32_requantize32(&positive, x, &factor32, &bias32).get() == exact.get();
        paths.must(z3::implies(x.get() >= -under.get() && x.get() <= 255 - under.get(), same),
                   "the integers are the same");
    }
}

int main(int, char **words)
{
    const std::string slopes = words[1];
    const int sign = (slopes == "rising") - (slopes == "falling");
    Sides all[RIGHTS];
    const int count = joined_sides(all);
    for (int i = 0; i < count; i++) {
        paths.where = "right " + std::to_string(all[i].right) + ", slopes " + slopes;
        paths.each([&] { check(all[i], sign); });
    }
    if (!used)
        paths.wrong("never used");
    std::printf("%ld queries\n", facts.proofs);
}
