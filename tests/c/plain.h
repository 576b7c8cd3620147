/* plain.h - leaky ReLU and PReLU of an element type on an array of any shape, against contract.h.
 * SPDX-License-Identifier: MIT */

static void T(check_shape)(size_t outer, size_t channels, size_t inner, size_t shift)
{
    const size_t n = outer * channels * inner;
    if (n > ROOM - 16)
        return;
    const NUM *const x = T(x) + shift, *const grad = T(grad) + 3 * shift;
    NUM *const out = T(out) + GUARD + shift, *const dslope = T(dslope) + GUARD + shift;
#define CHECK(what, good) report(good, STRING(TYPE), what, outer, channels, inner)

    for (size_t i = 0; i < n; i++)
        T(want)[i] = T(chosen)(x[i], x[i], W(T(slope)[i / inner % channels]));
    EACH_ISA
    {
        T(fill)(T(out), n);
        T(fl_prelu)(isa, x, T(slope), out, outer, channels, inner);
        CHECK("prelu", T(exactly)(T(out), shift, T(want), n));
        memcpy(out, x, n * sizeof(NUM));
        T(fl_prelu)(isa, out, T(slope), out, outer, channels, inner);
        CHECK("prelu in place", T(exactly)(T(out), shift, T(want), n));
    }

    for (size_t c = 0; c < channels; c++) {
        size_t have = 0;
        for (size_t o = 0; o < outer; o++)
            for (size_t i = 0; i < inner; i++) {
                const size_t at = (o * channels + c) * inner + i;
                T(want)[at] = T(chosen)(x[at], grad[at], W(T(slope)[c]));
                T(terms)[have++] = W(x[at]) > 0 ? 0 : T(product)(W(grad[at]), W(x[at]));
            }
        T(want_dslope)[c] = T(ordered_sum)(T(terms), have);
    }
    EACH_ISA
    {
        T(fill)(T(out), n);
        T(fill)(T(dslope), channels);
        T(fl_prelu_backward)(isa, grad, x, T(slope), out, dslope, outer, channels, inner);
        CHECK("prelu_backward dx", T(exactly)(T(out), shift, T(want), n));
        CHECK("prelu_backward dweight", T(exactly)(T(dslope), shift, T(want_dslope), channels));
        memcpy(out, grad, n * sizeof(NUM));
        T(fl_prelu_backward)(isa, out, x, T(slope), out, dslope, outer, channels, inner);
        CHECK("prelu_backward in place of grad",
              T(exactly)(T(out), shift, T(want), n) && T(same)(dslope, T(want_dslope), channels));
        memcpy(out, x, n * sizeof(NUM));
        T(fl_prelu_backward)(isa, grad, out, T(slope), out, dslope, outer, channels, inner);
        CHECK("prelu_backward in place of x",
              T(exactly)(T(out), shift, T(want), n) && T(same)(dslope, T(want_dslope), channels));
    }
    if (channels != 1)
        return;

    const ACC slope = W(T(slope)[0]) * (ACC)1.001; /* a slope of leaky ReLU need not be a half */
    for (size_t i = 0; i < n; i++)
        T(want)[i] = T(chosen)(x[i], x[i], slope);
    EACH_ISA
    {
        T(fill)(T(out), n);
        T(fl_leaky_relu)(isa, x, out, n, slope);
        CHECK("leaky_relu", T(exactly)(T(out), shift, T(want), n));
    }
    for (size_t i = 0; i < n; i++)
        T(want)[i] = T(chosen)(x[i], grad[i], slope);
    EACH_ISA
    {
        T(fill)(T(out), n);
        T(fl_leaky_relu_backward)(isa, grad, x, out, n, slope);
        CHECK("leaky_relu_backward", T(exactly)(T(out), shift, T(want), n));
    }
#undef CHECK
}
