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

/* Call the operation of a row: parameters p, which are arrays or single numbers. */
static void T(call)(const uint16_t *v, const NUM *const *p, NUM *out, NUM *sums)
{
    const NUM *const x = T(x), *const grad = T(grad), *const residual = v[FL_GRAD] ? grad : NULL;
    const size_t outer = v[FL_OUTER], channels = v[FL_CHANNELS], inner = v[FL_INNER], n = outer * channels * inner;
    switch (v[FL_OPERATION]) {
    case FL_LEAKY_RELU:
        T(fl_leaky_relu)(isa, x, out, n, W(*p[0]));
        break;
    case FL_LEAKY_RELU_BACKWARD:
        T(fl_leaky_relu_backward)(isa, grad, x, out, n, W(*p[0]));
        break;
    case FL_PRELU:
        T(fl_prelu)(isa, x, p[0], out, outer, channels, inner);
        break;
    case FL_PRELU_BACKWARD:
        T(fl_prelu_backward)(isa, grad, x, p[0], out, sums, outer, channels, inner);
        break;
    case FL_BIAS_LEAKY_RELU:
        T(fl_bias_leaky_relu)(isa, x, p[0], out, outer, channels, inner, W(*p[1]), W(*p[2]), W(*p[3]));
        break;
    case FL_BIAS_LEAKY_RELU_BACKWARD:
        T(fl_bias_leaky_relu_backward)(isa, grad, x, out, sums, outer, channels, inner, W(*p[0]), W(*p[1]), W(*p[2]));
        break;
    case FL_SCALE_SHIFT_LEAKY_RELU:
        T(fl_scale_shift_leaky_relu)(isa, x, residual, p[0], p[1], out, outer, channels, inner, W(*p[2]));
        break;
    case FL_SCALE_SHIFT_PRELU:
        T(fl_scale_shift_prelu)(isa, x, residual, p[0], p[1], p[2], out, outer, channels, inner);
        break;
    }
}

static void T(golden)(void)
{
    static const char *const names[] = {FL_NAMES};
    NUM *const out = T(out) + GUARD, *const sums = T(dslope) + GUARD;
    for (size_t row = 0; row < sizeof T(fl_vectors) / sizeof *T(fl_vectors); row++, vector++) {
        const uint16_t *const v = T(fl_vectors)[row];
        const size_t outer = v[FL_OUTER], channels = v[FL_CHANNELS], inner = v[FL_INNER], n = outer * channels * inner;
        const size_t have_sums = v[FL_SUM] ? channels : 0;
        const NUM *parameters[FL_COLUMNS - FL_PARAMETER_0];
        if (n > ROOM) {
            left_out++;
            continue;
        }
        T(repeat)(T(x), v[FL_X], v[FL_PERIOD], n);
        T(repeat)(T(grad), v[FL_GRAD], v[FL_PERIOD], n);
        for (size_t k = 0; k < FL_COLUMNS - FL_PARAMETER_0; k++) {
            parameters[k] = T(slope) + k * channels;
            T(repeat)(T(slope) + k * channels, v[FL_PARAMETER_0 + k], channels, channels);
        }
        T(repeat)(T(want), v[FL_OUT], v[FL_OUT_PERIOD], n);
        T(repeat)(T(want_dslope), v[FL_SUM], channels, have_sums);
        T(fill)(T(out), n);
        T(fill)(T(dslope), have_sums);
        T(call)(v, parameters, out, sums);
        if (RESULTS) {
            print_number();
            T(results)(out, n);
            T(results)(sums, have_sums);
            continue;
        }
        report(T(exactly)(T(out), 0, T(want), n) && T(exactly)(T(dslope), 0, T(want_dslope), have_sums), STRING(TYPE),
               names[v[FL_OPERATION]], outer, channels, inner);
    }
}
