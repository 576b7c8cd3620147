/* golden.h - the golden vectors of an element type: compared, or computed and printed.
 * SPDX-License-Identifier: MIT */

static uint32_t T(crc)(uint32_t c)
{
    for (size_t row = 0; row < sizeof T(fl_vectors) / sizeof *T(fl_vectors); row++)
        for (size_t column = 0; column < FL_COLUMNS; column++)
            c = crc(c, T(fl_vectors)[row][column], 4);
    for (size_t i = 0; i < sizeof T(fl_words) / sizeof *T(fl_words); i++)
        c = crc(c, T(fl_words)[i], sizeof(NUM));
    return c;
}

static void T(repeat)(NUM *to, size_t from, size_t period, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = T(of_bits)(T(fl_words)[from + i % period]);
}

static void T(results)(const NUM *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        BITS word;
        memcpy(&word, results + i, sizeof word);
        print_word(word, sizeof word, i);
    }
}

static void T(golden)(void)
{
    static const char *const names[] = {"golden leaky_relu", "golden leaky_relu_backward", "golden prelu",
                                        "golden prelu_backward"};
    NUM *const x = T(x), *const grad = T(grad), *const slope = T(slope), *const out = T(out) + GUARD;
    NUM *const dslope = T(dslope) + GUARD;
    for (size_t row = 0; row < sizeof T(fl_vectors) / sizeof *T(fl_vectors); row++, vector++) {
        const uint16_t *const v = T(fl_vectors)[row];
        const size_t outer = v[FL_OUTER], channels = v[FL_CHANNELS], inner = v[FL_INNER], n = outer * channels * inner;
        const size_t sums = v[FL_OPERATION] == FL_PRELU_BACKWARD ? channels : 0;
        if (n > ROOM) {
            left_out++;
            continue;
        }
        T(repeat)(x, v[FL_X], v[FL_PERIOD], n);
        T(repeat)(grad, v[FL_GRAD], v[FL_PERIOD], n);
        T(repeat)(slope, v[FL_SLOPE], channels, channels);
        T(repeat)(T(want), v[FL_OUT], v[FL_OUT_PERIOD], n);
        T(repeat)(T(want_dslope), v[FL_DSLOPE], channels, sums);
        T(fill)(T(out), n);
        T(fill)(T(dslope), sums);
        switch (v[FL_OPERATION]) {
        case FL_LEAKY_RELU:
            T(fl_leaky_relu)(isa, x, out, n, W(*slope));
            break;
        case FL_LEAKY_RELU_BACKWARD:
            T(fl_leaky_relu_backward)(isa, grad, x, out, n, W(*slope));
            break;
        case FL_PRELU:
            T(fl_prelu)(isa, x, slope, out, outer, channels, inner);
            break;
        case FL_PRELU_BACKWARD:
            T(fl_prelu_backward)(isa, grad, x, slope, out, dslope, outer, channels, inner);
            break;
        }
        if (RESULTS) {
            print_number();
            T(results)(out, n);
            T(results)(dslope, sums);
            continue;
        }
        report(T(exactly)(T(out), 0, T(want), n) && T(exactly)(T(dslope), 0, T(want_dslope), sums), STRING(TYPE),
               names[v[FL_OPERATION]], outer, channels, inner);
    }
}
