/* fused.h - the fused operations of an element type against their steps, one element at a time.
 * SPDX-License-Identifier: MIT */

static void T(check_fused)(size_t outer, size_t channels, size_t inner, size_t shift, T(numbers) given)
{
    const size_t n = outer * channels * inner;
    if (n > ROOM - 16)
        return;
    const NUM *const x = T(x) + shift, *const grad = T(grad) + 3 * shift;
    const NUM *const scale = T(slope), *const offset = T(slope) + 3, *const weight = T(slope) + 5;
    NUM *const want = T(want), *const out = T(out) + GUARD + shift, *const sums = T(dslope) + GUARD + shift;
#define CHECK(what, good) report(good, STRING(TYPE), what, outer, channels, inner)
#define CHANNEL (i / inner % channels)

    for (size_t i = 0; i < n; i++)
        want[i] = T(biased)(x[i], offset[CHANNEL], given);
    EACH_ISA
    {
        T(fill)(T(out), n);
        T(fl_bias_leaky_relu)(isa, x, offset, out, outer, channels, inner, given.slope, given.gain, given.clamp);
        CHECK("bias_leaky_relu", T(exactly)(T(out), shift, want, n));
        memcpy(out, x, n * sizeof(NUM));
        T(fl_bias_leaky_relu)(isa, out, offset, out, outer, channels, inner, given.slope, given.gain, given.clamp);
        CHECK("bias_leaky_relu in place", T(exactly)(T(out), shift, want, n));
    }

    for (size_t c = 0; c < channels; c++) {
        size_t have = 0;
        for (size_t o = 0; o < outer; o++)
            for (size_t i = 0; i < inner; i++) {
                const size_t at = (o * channels + c) * inner + i;
                want[at] = T(biased_backward)(grad[at], x[at], given);
                T(terms)[have++] = W(want[at]);
            }
        T(want_dslope)[c] = T(ordered_sum)(T(terms), have);
    }
    EACH_ISA
    {
        T(fill)(T(out), n);
        T(fill)(T(dslope), channels);
        T(fl_bias_leaky_relu_backward)(isa, grad, x, out, sums, outer, channels, inner, given.slope, given.gain,
                                       given.clamp);
        CHECK("bias_leaky_relu_backward dx", T(exactly)(T(out), shift, want, n));
        CHECK("bias_leaky_relu_backward dbias", T(exactly)(T(dslope), shift, T(want_dslope), channels));
        memcpy(out, x, n * sizeof(NUM));
        T(fl_bias_leaky_relu_backward)(isa, grad, out, out, sums, outer, channels, inner, given.slope, given.gain,
                                       given.clamp);
        CHECK("bias_leaky_relu_backward in place of y",
              T(exactly)(T(out), shift, want, n) && T(same)(sums, T(want_dslope), channels));
    }

    for (int more = 0; more < 2; more++) {
        const NUM *const residual = more ? grad : NULL;
        for (size_t i = 0; i < n; i++)
            want[i] = T(normalised)(x[i], scale[CHANNEL], offset[CHANNEL], more ? grad + i : NULL, given.slope);
        EACH_ISA
        {
            T(fill)(T(out), n);
            T(fl_scale_shift_leaky_relu)(isa, x, residual, scale, offset, out, outer, channels, inner, given.slope);
            CHECK("scale_shift_leaky_relu", T(exactly)(T(out), shift, want, n));
            memcpy(out, more ? grad : x, n * sizeof(NUM));
            T(fl_scale_shift_leaky_relu)(isa, more ? x : out, more ? out : NULL, scale, offset, out, outer, channels,
                                         inner, given.slope);
            CHECK("scale_shift_leaky_relu in place", T(exactly)(T(out), shift, want, n));
        }
        for (size_t i = 0; i < n; i++)
            want[i] = T(normalised)(x[i], scale[CHANNEL], offset[CHANNEL], more ? grad + i : NULL, W(weight[CHANNEL]));
        EACH_ISA
        {
            T(fill)(T(out), n);
            T(fl_scale_shift_prelu)(isa, x, residual, scale, offset, weight, out, outer, channels, inner);
            CHECK("scale_shift_prelu", T(exactly)(T(out), shift, want, n));
            memcpy(out, more ? grad : x, n * sizeof(NUM));
            T(fl_scale_shift_prelu)(isa, more ? x : out, more ? out : NULL, scale, offset, weight, out, outer, channels,
                                    inner);
            CHECK("scale_shift_prelu in place", T(exactly)(T(out), shift, want, n));
        }
    }
#undef CHANNEL
#undef CHECK
}
