/* shapes.h - every operation of an element type on arrays of many shapes, against contract.h.
 * SPDX-License-Identifier: MIT */

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
    static const double gains[] = {1, 1.4142135623730951, 1e-3, 1e-9}, clamps[] = {0, 0.5, 256, 1};
    enum { SLOPES = sizeof slopes / sizeof *slopes };
    size_t call = 0;
#define FUSED(outer, channels, inner, shift)                                                                           \
    T(check_fused)(outer, channels, inner, shift,                                                                      \
                   (T(numbers)){(ACC)slopes[call % SLOPES], (ACC)gains[call % 4], (ACC)clamps[call / 4 % 4]}),         \
        call++
    for (enum kind kind = FINITE; kind <= CANCEL; kind++) {
        for (size_t i = 0; i < ROOM; i++) {
            T(x)[i] = T(draw)(kind);
            T(grad)[i] = T(draw)(kind);
            T(slope)[i] = i < SLOPES ? N(slopes[i]) : T(draw)(kind == SPECIAL ? SPECIAL : FINITE);
        }
        for (size_t n = 0; n <= 330; n++) {
            T(slope)[0] = N(slopes[n % SLOPES]);
            T(check_shape)(1, 1, n, n % 5);
            if (n % 9 < 2)
                FUSED(1, 1, n, n % 5);
        }
        for (size_t i = 0; i < sizeof big / sizeof *big; i++)
            T(check_shape)(1, 1, big[i], i % 3);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            T(check_shape)(shapes[i][0], shapes[i][1], shapes[i][2], i % 4);
            FUSED(shapes[i][0], shapes[i][1], shapes[i][2], i % 4);
        }
    }
#undef FUSED
#ifdef HALF
    T(check_one_rounding)();
#endif
}
