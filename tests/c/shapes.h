/* shapes.h - every operation of an element type on arrays of many shapes, against contract.h.
 * SPDX-License-Identifier: MIT */

static int T(same)(const NUM *a, const NUM *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof(NUM)) != 0 && !(W(a[i]) != W(a[i]) && W(b[i]) != W(b[i])))
            return 0;
    return 1;
}

static NUM T(x)[ROOM], T(grad)[ROOM], T(slope)[ROOM], T(want)[ROOM];
static ACC T(terms)[ROOM];
static NUM T(out)[ROOM + 2 * GUARD], T(dslope)[ROOM + 2 * GUARD], T(want_dslope)[ROOM];

/* Is `buffer + GUARD + shift` equal to `want`, and everything around it still as it was filled? */
static int T(exactly)(const NUM *buffer, size_t shift, const NUM *want, size_t n)
{
    const NUM untouched = N(77);
    for (size_t i = 0; i < GUARD; i++) {
        if (i < GUARD + shift && buffer[i] != untouched)
            return 0;
        if (buffer[GUARD + shift + n + i - shift] != untouched && i >= shift)
            return 0;
    }
    return T(same)(buffer + GUARD + shift, want, n);
}

static void T(fill)(NUM *buffer, size_t n)
{
    const NUM untouched = N(77);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        buffer[i] = untouched;
}

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

#ifdef HALF
/* A sum just above the middle between 1 and the next half: rounded to float first, it would be the middle. */
static void T(check_one_rounding)(void)
{
    const size_t n = 256;
    for (size_t i = 0; i < n; i++)
        T(x)[i] = T(grad)[i] = N(1);
    T(x)[0] = T(x)[1] = T(grad)[0] = N(-1);
    T(grad)[1] = N(-0.5 / (1 << MANTISSA));
    T(x)[n - 1] = T(grad)[n - 1] = N(-1.0 / (1 << 20));
    EACH_ISA
    {
        T(fl_prelu_backward)(isa, T(grad), T(x), T(slope), T(out), T(dslope), 1, 1, n);
        report(T(dslope)[0] == N(1 + 1.0 / (1 << MANTISSA)), STRING(TYPE), "dweight, rounded once", 1, 1, n);
    }
}
#endif

static void T(check)(void)
{
    static const size_t big[] = {4096, 16383, 16384, 16385, 32768, 32769, 3 * 16384 + 77};
    static const size_t shapes[][3] = {{3, 5, 7},   {2, 64, 49},  {5, 3, 128},   {5, 2, 129},  {2, 3, 300},
                                       {7, 2, 64},  {130, 3, 5},  {17, 16, 1},   {127, 17, 1}, {128, 9, 1},
                                       {129, 3, 1}, {300, 65, 1}, {4096, 4, 1},  {2700, 2, 9}, {0, 3, 4},
                                       {2, 0, 3},   {2, 3, 0},    {24000, 2, 1}, {1, 3, 16500}};
    static const double slopes[] = {0.01, 0.2, -0.3, 1e-30, 1e-40, 3, 0, -0.0, 1e38, 1};
    enum { SLOPES = sizeof slopes / sizeof *slopes };
    for (enum kind kind = FINITE; kind <= CANCEL; kind++) {
        for (size_t i = 0; i < ROOM; i++) {
            T(x)[i] = T(draw)(kind);
            T(grad)[i] = T(draw)(kind);
            T(slope)[i] = i < SLOPES ? N(slopes[i]) : T(draw)(kind == SPECIAL ? SPECIAL : FINITE);
        }
        for (size_t n = 0; n <= 330; n++) {
            T(slope)[0] = N(slopes[n % SLOPES]);
            T(check_shape)(1, 1, n, n % 5);
        }
        for (size_t i = 0; i < sizeof big / sizeof *big; i++)
            T(check_shape)(1, 1, big[i], i % 3);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            T(check_shape)(shapes[i][0], shapes[i][1], shapes[i][2], i % 4);
    }
#ifdef HALF
    T(check_one_rounding)();
#endif
}
