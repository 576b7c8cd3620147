/* check_quantized.c - every instruction set of this build against the contract in fastleaky_quantized.h, bit for bit.
 * SPDX-License-Identifier: MIT
 *
 * It needs the library and the headers beside it, of which quantized_contract.h states the contract once more in scalar
 * C, and ends in a line `N passed, N failed`. If quantized.h is there (`python -m fastleaky vectors`), checksums also
 * compare the result for every number with what the Python specification computed. With -DTHREADS, and
 * csrc/threads/threads.c, three threads share every array, however small. The file includes itself once for each
 * element type. */
#ifndef TYPE

#include "fastleaky_quantized.h"
#include "common.h"
#include "quantized_contract.h"

#if defined(__has_include)
#if __has_include("quantized.h")
#include "quantized.h"
#if FL_QUANTIZED_FORMAT != 1
#error "quantized.h is of another version than check_quantized.c, which reads format 1"
#endif
#endif
#endif

#ifndef ROOM
#define ROOM 4200 /* elements in an array: on a small board fewer, but at least 300; what is larger is left out */
#endif
static uint32_t random32(void) { return (uint32_t)(random64() >> 16); }

static void report(int good, const char *type, const char *what, const fl_quantization *how, size_t n)
{
    passed += good != 0;
    failed += !good;
    if (!good && failed <= 20)
        printf("DIFFERS %s %s %s: rounding %d, %ld * 2^%d, %ld * 2^%d, %lu elements\n", fl_isa_name(isa), type, what,
               (int)how->rounding, (long)how->positive.multiplier, (int)how->positive.shift - 31,
               (long)how->negative.multiplier, (int)how->negative.shift - 31, (unsigned long)n);
}

static const fl_factor factors[] = {
    {1 << 30, 1},      {1 << 30, 0},     {1 << 30, -1},   {1431655765, -2}, {1717986918, -3}, {1374389535, -6},
    {2147483647, 0},   {2147483647, -1}, {1073741825, 2}, {1999999999, 7},  {0, 0},           {1288490189, -31},
    {1073741825, -12}, {1610612736, -1}, {1610612736, 0}, {2147483646, -9}, {1999999999, -8}, {1999999999, -15},
};
/* The largest shifts that a factor may have, or the smallest, with any multiplier, the ends among them. */
static fl_factor extreme(int most)
{
    const int32_t multipliers[] = {1 << 30, 2147483647, (1 << 30) + (int32_t)(random32() >> 2)};
    const int far = (int)(random32() % 4);
    return (fl_factor){multipliers[random32() % 3], random32() % 2 ? most - far : -31 + far};
}

static const fl_factor factors_of_256ths[] = {{256, 0}, {1, 0}, {3, 0}, {77, 0}, {25, 0}, {32767, 0}, {128, 0}};

#define TYPE i8
#define NUM int8_t
#define WEIGHT int8_t
#define LEAST (-128)
#define EIGHT
#include "check_quantized.c"

#define TYPE u8
#define NUM uint8_t
#define WEIGHT uint8_t
#define LEAST 0
#define EIGHT
#include "check_quantized.c"

#define TYPE i16
#define NUM int16_t
#define WEIGHT int8_t
#define LEAST (-32768)
#include "check_quantized.c"

#ifdef FL_QUANTIZED_FORMAT
static void check_golden(void)
{
    const fl_quantized_row *row = fl_quantized_rows;
    size_t rows = 0;
    for (; row->type; row++, rows++)
        EACH_ISA
        {
            const uint32_t crc = row->type == 'b'   ? golden_i8(row->prelu, &row->how)
                                 : row->type == 'B' ? golden_u8(row->prelu, &row->how)
                                                    : golden_i16(row->prelu, &row->how);
            report(crc == row->crc, row->type == 'h' ? "i16" : "8 bits", row->prelu ? "golden prelu" : "golden leaky",
                   &row->how, 0);
        }
    printf("%lu golden rows\n", (unsigned long)rows);
}
#else
static void check_golden(void) { printf("no quantized.h: the contract alone is checked\n"); }
#endif

static void check_all(void)
{
    check_i8();
    check_u8();
    check_i16();
    check_golden();
}

int main(void)
{
    find_usable();
#ifdef THREADS
    fl_set_num_threads(3);
    fl_set_parallel_threshold(1);
#endif
    check_all();
    EACH_ISA
    printf("%s: checked\n", fl_isa_name(isa));
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed != 0;
}

#else

enum { T(MOST) = LEAST + (1 << 8 * sizeof(NUM)) - 1 };
static NUM T(q)[ROOM], T(out)[ROOM + 2 * GUARD], T(want)[ROOM];
static WEIGHT T(weight)[ROOM];

/* Is `buffer + GUARD` equal to `want`, and everything around it still as it was filled? */
static int T(exactly)(size_t n)
{
    for (size_t i = 0; i < GUARD; i++)
        if (T(out)[i] != 77 || T(out)[GUARD + n + i] != 77)
            return 0;
    return memcmp(T(out) + GUARD, T(want), n * sizeof(NUM)) == 0;
}

static void T(fill)(size_t n)
{
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        T(out)[i] = 77;
}

static void T(check_prelu)(const fl_quantization *how, size_t outer, size_t channels, size_t inner)
{
    const size_t n = outer * channels * inner;
    NUM *const out = T(out) + GUARD;
    if (n > ROOM - 8)
        return;
    for (size_t i = 0; i < n; i++)
        T(want)
    [i] = (NUM)wanted(how, T(q)[i], T(weight)[i / inner % channels] - how->weight_zero_point, LEAST, T(MOST));
    EACH_ISA
    {
        T(fill)(n);
        T(fl_prelu)(isa, how, T(q), T(weight), out, outer, channels, inner);
        report(T(exactly)(n), STRING(TYPE), "prelu", how, n);
        memcpy(out, T(q), n * sizeof(NUM));
        T(fl_prelu)(isa, how, out, T(weight), out, outer, channels, inner);
        report(T(exactly)(n), STRING(TYPE), "prelu in place", how, n);
    }
}

static void T(check_leaky)(const fl_quantization *how, const NUM *q, size_t n)
{
    NUM *const out = T(out) + GUARD;
    if (n > ROOM - 8)
        return;
    for (size_t i = 0; i < n; i++)
        T(want)[i] = (NUM)wanted(how, q[i], 1, LEAST, T(MOST));
    EACH_ISA
    {
        T(fill)(n);
        T(fl_leaky_relu)(isa, how, q, out, n);
        report(T(exactly)(n), STRING(TYPE), "leaky_relu", how, n);
        memcpy(out, q, n * sizeof(NUM));
        T(fl_leaky_relu)(isa, how, out, out, n);
        report(T(exactly)(n), STRING(TYPE), "leaky_relu in place", how, n);
#ifdef EIGHT
        NUM table[256];
        T(fl_leaky_relu_table)(isa, how, table);
        T(fill)(n);
        T(fl_look_up)(isa, q, table, out, n);
        report(T(exactly)(n), STRING(TYPE), "look_up", how, n);
#endif
    }
}

/* Parameters, also with extreme factors; `most` is the largest shift that `below` may have. */
static void T(draw)(fl_quantization *how, unsigned roundings, int most)
{
    const int eight = sizeof(NUM) == 1;
    const size_t count = sizeof factors / sizeof *factors,
                 count_256 = sizeof factors_of_256ths / sizeof *factors_of_256ths;
    how->rounding = (fl_rounding)(random32() % roundings);
    how->positive =
        how->rounding == FL_XNNPACK ? factors_of_256ths[random32() % count_256] : factors[random32() % count];
    how->negative =
        how->rounding == FL_XNNPACK ? factors_of_256ths[random32() % count_256] : factors[random32() % count];
    if (how->rounding != FL_XNNPACK && random32() % 4 == 0)
        how->positive = extreme(eight ? 22 : 15);
    if (how->rounding != FL_XNNPACK && random32() % 4 == 0)
        how->negative = extreme(most);
    if (random32() % 4 == 0)
        how->negative.multiplier = -how->negative.multiplier;
    how->input_zero_point = eight ? LEAST + (int32_t)(random32() % 256) : 0;
    how->output_zero_point = eight ? LEAST + (int32_t)(random32() % 256) : 0;
    how->weight_zero_point = (WEIGHT)random32();
    for (size_t i = 0; i < ROOM; i++) {
        T(q)[i] = (NUM)random32();
        T(weight)[i] = (WEIGHT)random32();
    }
}

#ifdef EIGHT
/* Layers with a slope for which short products (requantize32.h) are right for all numbers but the last, above or below.
 */
static void T(check_last)(void)
{
    static const fl_quantization layers[] = {
        {FL_TFLITE_SINGLE, {2137515351, -3}, {1772255298, 0}, 50, 18, 0},
        {FL_TFLITE, {1543883805, -1}, {1644982765, -2}, 54, 108, 0},
        {FL_TFLITE, {1170053673, 0}, {1557795920, -10}, 130, 44, 0},
        {FL_TFLITE_SINGLE, {1980343133, -1}, {1653551632, -11}, 157, 35, 0},
    };
    static const int slopes[] = {170, 246, 38, 144};
    for (size_t i = 0; i < sizeof slopes / sizeof *slopes; i++) {
        fl_quantization how = layers[i];
        how.input_zero_point += LEAST;
        how.output_zero_point += LEAST;
        how.weight_zero_point = LEAST;
        for (size_t k = 0; k < 520 && k < ROOM; k++) {
            T(q)[k] = (NUM)(LEAST + (int)(k / 2 % 256));
            T(weight)[k] = (WEIGHT)(LEAST + slopes[i]);
        }
        T(check_prelu)(&how, 260, 2, 1);
    }
}
#endif

static void T(check)(void)
{
    static const size_t shapes[][3] = {{3, 5, 7},   {2, 64, 16}, {1, 3, 1025}, {4, 2, 257}, {200, 3, 1}, {17, 16, 1},
                                       {40, 17, 1}, {9, 129, 1}, {1500, 2, 1}, {0, 3, 4},   {2, 0, 3},   {2, 3, 0}};
    fl_quantization how;
    for (size_t n = 0; n <= 200; n++) {
        T(draw)(&how, 2 + (sizeof(NUM) == 1), sizeof(NUM) == 1 ? 22 : 15);
        T(check_leaky)(&how, T(q) + n % 5, n % 8 ? n : 4096 - n);
        T(draw)(&how, 2, sizeof(NUM) == 1 ? 14 : 7); /* PReLU has none of XNNPACK's */
        T(check_prelu)(&how, 1, 1, n);
        for (size_t i = 0; n % 8 == 0 && i < sizeof shapes / sizeof *shapes; i++)
            T(check_prelu)(&how, shapes[i][0], shapes[i][1], shapes[i][2]);
    }
#ifdef EIGHT
    T(check_last)();
#endif
}

#ifdef FL_QUANTIZED_FORMAT
/* The checksum of the results for all numbers in the order of their bits; of PReLU, for each of the weights. */
static uint32_t T(golden)(int prelu, const fl_quantization *how)
{
    enum { PIECE = 256, PIECES = sizeof(NUM) == 1 ? 1 : 256 };
    uint32_t c = 0;
    for (size_t w = 0; w < (prelu ? sizeof fl_quantized_weights : 1); w++)
        for (unsigned piece = 0; piece < PIECES; piece++) {
            for (unsigned i = 0; i < PIECE; i++)
                T(q)[i] = (NUM)(PIECE * piece + i);
            T(weight)[0] = (WEIGHT)fl_quantized_weights[w];
            if (prelu)
                T(fl_prelu)(isa, how, T(q), T(weight), T(out), 1, 1, PIECE);
            else
                T(fl_leaky_relu)(isa, how, T(q), T(out), PIECE);
            for (size_t i = 0; i < PIECE; i++)
                c = crc(c, (uint64_t)T(out)[i], sizeof(NUM));
        }
    return c;
}
#endif

#undef TYPE
#undef NUM
#undef WEIGHT
#undef LEAST
#undef EIGHT
#endif
