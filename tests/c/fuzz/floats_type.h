/* floats_type.h - a call of any operation of an element type, and what the contract says of it.
 * SPDX-License-Identifier: MIT */

#include "numbers.h"

#include "contract.h"

static NUM T(x)[ROOM], T(more)[ROOM], T(rows)[3][ROOM], T(want)[ROOM], T(want_sums)[ROOM];
static ACC T(terms)[ROOM];

/* Draw numbers of a kind: of any bits, or with an exponent near a middle. */
static void T(draw)(NUM *to, size_t n, unsigned kind)
{
    enum { EXPONENTS = 1 << (8 * sizeof(BITS) - 2 - MANTISSA) };
    const BITS exponent = (BITS)((BITS)(2 * EXPONENTS - 1) << MANTISSA);
    fill(to, n * sizeof *to);
    for (size_t i = 0; kind != ANY && i < n; i++) {
        BITS b;
        memcpy(&b, to + i, sizeof b);
        const int near = (int)((b & exponent) >> MANTISSA) % 8;
        const BITS e = (BITS)((kind == SMALL ? EXPONENTS / 2 : EXPONENTS) - 5 + near);
        b = (BITS)((b & (BITS)~exponent) | (BITS)(e << MANTISSA));
        memcpy(to + i, &b, sizeof b);
    }
}

/* A number of the type of computation: of any bits. */
static ACC T(take_number)(void)
{
    const uint64_t bits = take_bytes(sizeof(ACC));
    const uint32_t low = (uint32_t)bits;
    ACC number;
    memcpy(&number, sizeof number == sizeof low ? (const void *)&low : &bits, sizeof number);
    return number;
}

static T(numbers) T(take_numbers)(const call *c)
{
    T(numbers) given = {T(take_number)(), T(take_number)(), T(take_number)()};
    given.gain = given.gain < 0 ? -given.gain : given.gain;
    if (!(given.gain > 0 && given.gain - given.gain == 0))
        given.gain = (ACC)1.25;
    if (c->operation == BIAS_BACKWARD && !(given.slope > 0 && given.slope - given.slope == 0))
        given.slope = (ACC)0.1;
    return given;
}

/* One element of the result. */
static NUM T(element)(const call *c, size_t at, size_t channel, T(numbers) given)
{
    const NUM x = T(x)[at], more = T(more)[at], *const residual = c->more ? &T(more)[at] : NULL;
    const NUM row0 = T(rows)[0][channel], row1 = T(rows)[1][channel], row2 = T(rows)[2][channel];
    switch (c->operation) {
    case LEAKY:
        return T(chosen)(x, x, given.slope);
    case LEAKY_BACKWARD:
        return T(chosen)(x, more, given.slope);
    case PRELU:
        return T(chosen)(x, x, W(row0));
    case PRELU_BACKWARD:
        return T(chosen)(x, more, W(row0));
    case BIAS:
        return T(biased)(x, row0, given);
    case BIAS_BACKWARD:
        return T(biased_backward)(more, x, given);
    case SCALE_SHIFT:
        return T(normalised)(x, row0, row1, residual, given.slope);
    default:
        return T(normalised)(x, row0, row1, residual, W(row2));
    }
}

static ACC T(term)(const call *c, size_t at)
{
    if (c->operation == BIAS_BACKWARD)
        return W(T(want)[at]);
    return W(T(x)[at]) > 0 ? 0 : T(product)(W(T(more)[at]), W(T(x)[at]));
}

static void T(specify)(const call *c, T(numbers) given)
{
    for (size_t channel = 0; channel < channels; channel++) {
        size_t have = 0;
        for (size_t o = 0; o < outer; o++)
            for (size_t i = 0; i < inner; i++) {
                const size_t at = (o * channels + channel) * inner + i;
                T(want)[at] = T(element)(c, at, channel, given);
                if (c->sums)
                    T(terms)[have++] = T(term)(c, at);
            }
        if (c->sums)
            T(want_sums)[channel] = T(ordered_sum)(T(terms), have);
    }
}

static void T(make)(const call *c, T(numbers) g, const NUM *x, const NUM *more, const NUM *const *rows, NUM *out,
                    NUM *sums)
{
    const size_t n = outer * channels * inner;
    switch (c->operation) {
    case LEAKY:
        T(fl_leaky_relu)(isa, x, out, n, g.slope);
        break;
    case LEAKY_BACKWARD:
        T(fl_leaky_relu_backward)(isa, more, x, out, n, g.slope);
        break;
    case PRELU:
        T(fl_prelu)(isa, x, rows[0], out, outer, channels, inner);
        break;
    case PRELU_BACKWARD:
        T(fl_prelu_backward)(isa, more, x, rows[0], out, sums, outer, channels, inner);
        break;
    case BIAS:
        T(fl_bias_leaky_relu)(isa, x, rows[0], out, outer, channels, inner, g.slope, g.gain, g.clamp);
        break;
    case BIAS_BACKWARD:
        T(fl_bias_leaky_relu_backward)(isa, more, x, out, sums, outer, channels, inner, g.slope, g.gain, g.clamp);
        break;
    case SCALE_SHIFT:
        T(fl_scale_shift_leaky_relu)(isa, x, c->more ? more : NULL, rows[0], rows[1], out, outer, channels, inner,
                                     g.slope);
        break;
    case SCALE_SHIFT_PRELU:
        T(fl_scale_shift_prelu)(isa, x, c->more ? more : NULL, rows[0], rows[1], rows[2], out, outer, channels, inner);
        break;
    }
}

/* Lay out the arrays, make the call, and compare. */
static void T(run)(call c)
{
    const T(numbers) given = T(take_numbers)(&c);
    const unsigned kinds = take();
    const size_t n = take_shape(), row = channels * sizeof(NUM), bytes = n * sizeof(NUM);
    const NUM *rows[3];
    T(draw)(T(x), n, kinds % 3);
    T(draw)(T(more), n, kinds / 3 % 3);
    if (c.places == BOTH_X)
        memcpy(T(more), T(x), bytes);
    for (size_t k = 0; k < 3; k++) {
        T(draw)(T(rows)[k], channels, kinds / 9 % 3);
        rows[k] = lay(arrays + ROWS + k, T(rows)[k], row, sizeof(NUM));
    }
    NUM *const x = lay(arrays + X, T(x), bytes, sizeof(NUM)), *more = x;
    if (c.places != BOTH_X)
        more = lay(arrays + MORE, T(more), bytes, sizeof(NUM));
    NUM *const out = c.places == IN_X ? x : c.places == IN_MORE ? more : lay(arrays + OUT, T(x), bytes, sizeof(NUM));
    NUM *const sums = lay(arrays + SUMS, T(rows)[0], row, sizeof(NUM));

    T(specify)(&c, given);
    T(make)(&c, given, x, more, rows, out, sums);
    see(T(same)(out, T(want), n), STRING(TYPE), "out");
    see(!c.sums || T(same)(sums, T(want_sums), channels), STRING(TYPE), "sums");
    see(out == x || !memcmp(x, T(x), bytes), STRING(TYPE), "x was written to");
    see(out == more || !memcmp(more, T(more), bytes), STRING(TYPE), "the second input was written to");
    for (size_t k = 0; k < 3; k++)
        see(!memcmp(rows[k], T(rows)[k], row), STRING(TYPE), "a parameter was written to");
    see_memory(STRING(TYPE));
}
