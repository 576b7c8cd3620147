/* quantized_type.h - a quantized call of any operation of an element type, and what the contract says of it.
 * SPDX-License-Identifier: MIT */

enum { T(MOST) = LEAST + (1 << 8 * sizeof(NUM)) - 1 };
static NUM T(q)[ROOM], T(want)[ROOM];
static SLOPE T(weight)[ROOM];

#if EIGHT
/* Look numbers up in the table that leaky ReLU has, all of which is compared; or in any. */
static void T(look_up)(const NUM *q, NUM *out, size_t n)
{
    const int any = take() % 2;
    NUM table[256];
    fill(table, sizeof table);
    if (!any)
        T(fl_leaky_relu_table)(isa, &how, table);
    for (int i = 0; !any && i < 256; i++)
        see(table[i] == (NUM)wanted(&how, (NUM)i, 1, LEAST, T(MOST)), STRING(TYPE), "the table");
    for (size_t i = 0; i < n; i++)
        T(want)[i] = table[(uint8_t)T(q)[i]];
    T(fl_look_up)(isa, q, lay(arrays + TABLE, table, sizeof table, 1), out, n);
}
#endif

static void T(run)(void)
{
    take_quantization(EIGHT, LEAST);
    const unsigned in_place = take() % 2;
    const size_t n = take_shape(), bytes = n * sizeof(NUM);
    fill(T(q), bytes);
    fill(T(weight), channels * sizeof(SLOPE));
    NUM *const q = lay(arrays + Q, T(q), bytes, sizeof(NUM));
    const SLOPE *const weight = lay(arrays + WEIGHT, T(weight), channels * sizeof(SLOPE), sizeof(SLOPE));
    NUM *const out = in_place ? q : lay(arrays + OUT, T(q), bytes, sizeof(NUM));
    if (which == LEAKY) {
        for (size_t i = 0; i < n; i++)
            T(want)[i] = (NUM)wanted(&how, T(q)[i], 1, LEAST, T(MOST));
        T(fl_leaky_relu)(isa, &how, q, out, n);
    } else if (which == PRELU) {
        for (size_t i = 0; i < n; i++) {
            const int slope = T(weight)[i / inner % channels] - how.weight_zero_point;
            T(want)[i] = (NUM)wanted(&how, T(q)[i], slope, LEAST, T(MOST));
        }
        T(fl_prelu)(isa, &how, q, weight, out, outer, channels, inner);
    }
#if EIGHT
    if (which == LOOK_UP)
        T(look_up)(q, out, n);
#endif
    see(!memcmp(out, T(want), bytes), STRING(TYPE), "out");
    see(in_place || !memcmp(q, T(q), bytes), STRING(TYPE), "q was written to");
    see(!memcmp(weight, T(weight), channels * sizeof(SLOPE)), STRING(TYPE), "the weight was written to");
    see_memory(STRING(TYPE));
}

#undef TYPE
#undef NUM
#undef SLOPE
#undef LEAST
#undef EIGHT
