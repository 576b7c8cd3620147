/* check.c - every instruction set of this build against the contract in fastleaky.h, bit for bit.
 * SPDX-License-Identifier: MIT
 *
 * It needs nothing but the library, states the contract once more in the plainest C, and ends in a line
 * `N passed, N failed`. If vectors.h is there (`python -m fastleaky vectors`), it compares with what the Python
 * specification computed, too; with -DRESULTS it prints the library's own results for those vectors instead, for
 * `python -m fastleaky verify`. With -DTHREADS, and csrc/threads/threads.c, all is shared out to three threads, however
 * small, and then stored past the cache, too. The file includes itself once for each element type. */
#ifndef TYPE

#include "fastleaky.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef THREADS
#include "fastleaky_threads.h"
#define ISA(isa) fl_isa_threaded(isa)
#else
#define ISA(isa) (isa)
#endif

#if defined(__has_include)
#if __has_include("vectors.h")
#include "vectors.h"
#if FL_VECTORS_FORMAT != 2
#error "vectors.h is of another version than check.c, which reads format 2: write it with the fastleaky of this check.c"
#elif !defined(FL_VECTORS_END)
#error "vectors.h is truncated: write it again with python -m fastleaky vectors"
#endif
#endif
#endif
#ifndef RESULTS
#define RESULTS 0
#elif !defined(FL_VECTORS_FORMAT)
#error "results of what? vectors.h is not here: write it with python -m fastleaky vectors"
#endif

#ifndef ROOM
#define ROOM (3 * 16384 + 600) /* elements in an array; a small board takes less, and larger cases are left out */
#endif
enum { GUARD = 8 };
static unsigned long passed, failed;
static const fl_isa *isa;
enum kind { CALM, WILD, SMALL, CANCEL };

/* Those that this processor can run, and NULL. */
static const fl_isa *usable[16];
#define EACH_ISA for (size_t k = 0; (isa = usable[k]) != NULL; k++)

static void find_usable(void)
{
    size_t have = 0;
    for (size_t i = 0; (isa = ISA(fl_isa_at(i))) != NULL; i++)
        if (fl_isa_available(isa))
            usable[have++] = isa;
        else
            printf("%s: this processor cannot run it\n", fl_isa_name(isa));
}

static uint64_t random64(void)
{
    static uint64_t s = 88172645463325252u;
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    return s;
}

static void report(int good, const char *type, const char *what, size_t outer, size_t channels, size_t inner)
{
    passed += good != 0;
    failed += !good;
    if (!good && failed <= 20)
        printf("DIFFERS %s %s %s (%lu, %lu, %lu)\n", fl_isa_name(isa), type, what, (unsigned long)outer,
               (unsigned long)channels, (unsigned long)inner);
}

#ifdef FL_VECTORS_FORMAT
/* CRC-32, continued over the bytes of one more number, least first. */
static uint32_t crc(uint32_t before, uint64_t number, size_t bytes)
{
    uint32_t c = ~before;
    for (; bytes--; number >>= 8) {
        c ^= number & 0xff;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

/* Results go out as hexadecimal words, eight a line, each line marked, so that a log of anything else may surround
 * them. */
static unsigned long vector, left_out;
static uint32_t results_crc;

static void print_number(void)
{
    printf("\nfl vector %lu", vector);
    results_crc = crc(results_crc, vector, 4);
}

static void print_word(uint64_t word, size_t bytes, size_t i)
{
    printf(i % 8 ? " " : "\nfl ");
    if (bytes == 8)
        printf("%08lx", (unsigned long)(word >> 32));
    printf(bytes == 2 ? "%04lx" : "%08lx", (unsigned long)(word & 0xffffffff));
    results_crc = crc(results_crc, word, bytes);
}
#endif

#define PASTE_(a, b, c) a##b##c
#define PASTE(a, b, c) PASTE_(a, b, c)
#define T(name) PASTE(name, _, TYPE)
#define STRING_(a) #a
#define STRING(a) STRING_(a)

/* ACC is what is computed with; W and N turn a number into it and back. */
#define TYPE f32
#define NUM float
#define ACC float
#define BITS uint32_t
#define MANTISSA 23
#define W(number) (number)
#define N(value) ((float)(value))
#include "check.c"

#define TYPE f64
#define NUM double
#define ACC double
#define BITS uint64_t
#define MANTISSA 52
#define W(number) (number)
#define N(value) (value)
#include "check.c"

#define ACC float
#define BITS uint16_t
#define HALF
#define NUM uint16_t
#define W(number) T(value)(number)
#define N(value) T(nearest)(value)

#define TYPE f16
#define MANTISSA 10
#define LEAST (-14)
#include "check.c"

#define TYPE bf16
#define MANTISSA 7
#define LEAST (-126)
#include "check.c"

#ifdef FL_VECTORS_FORMAT
static void check_golden(void)
{
    const uint32_t digest = crc_bf16(crc_f16(crc_f64(crc_f32(0))));
    if (digest != FL_VECTORS_DIGEST) {
        printf("vectors.h is damaged: its digest is %08lx, that of its numbers %08lx\n",
               (unsigned long)FL_VECTORS_DIGEST, (unsigned long)digest);
        failed++;
        return;
    }
    vector = 0, results_crc = 0, left_out = 0;
    if (RESULTS)
        printf("fl results %d %08lx %s", FL_VECTORS_FORMAT, (unsigned long)FL_VECTORS_DIGEST, fl_isa_name(isa));
    golden_f32();
    golden_f64();
    golden_f16();
    golden_bf16();
    if (RESULTS)
        printf("\nfl end %08lx\n", (unsigned long)results_crc);
    printf("%s: %lu golden vectors, %lu more have no room here\n", fl_isa_name(isa), vector - left_out, left_out);
}
#else
static void check_golden(void) { printf("no vectors.h: the contract alone is checked\n"); }
#endif

static void check_all(void)
{
    EACH_ISA
    check_golden();
    if (!RESULTS) {
        check_f32();
        check_f64();
        check_f16();
        check_bf16();
    }
}

int main(void)
{
    fill_powers_f16();
    fill_powers_bf16();
    find_usable();
#ifdef THREADS
    fl_set_num_threads(3);
    fl_set_parallel_threshold(1);
    fl_set_nontemporal_threshold((size_t)-1);
    check_all();
    fl_set_nontemporal_threshold(1);
#endif
    check_all();
    EACH_ISA
    printf("%s: checked\n", fl_isa_name(isa));
    isa = usable[0];
    report(strcmp(fl_isa_name(fl_isa_best()), fl_isa_name(isa)) == 0, "any type:", "the best is the first of all", 0, 0,
           0);
    printf("best: %s\n%lu passed, %lu failed\n", fl_isa_name(fl_isa_best()), passed, failed);
    return failed != 0;
}

#else

#ifdef HALF
enum { T(INF) = 0x7fff >> MANTISSA << MANTISSA };
static double T(power)[(0x7fff >> MANTISSA) + 1]; /* what the last bit of the fraction is worth, for each exponent */
static void T(fill_powers)(void)
{
    T(power)[0] = 1;
    for (int e = LEAST - MANTISSA; e; e++)
        T(power)[0] /= 2;
    T(power)[1] = T(power)[0];
    for (size_t e = 2; e < sizeof T(power) / sizeof *T(power); e++)
        T(power)[e] = 2 * T(power)[e - 1];
}

/* The value of a half; of infinity, the number that would follow the largest. */
static double T(size)(unsigned h)
{
    const unsigned exponent = h >> MANTISSA, fraction = h & ((1u << MANTISSA) - 1);
    return (fraction + (exponent ? 1u << MANTISSA : 0)) * T(power)[exponent];
}
static float T(value)(uint16_t h)
{
    const uint32_t bits = h & 0x8000 ? 0xff800000 : 0x7f800000, nan = 0x7fc00000;
    float value = (float)T(size)(h & 0x7fff) * (h & 0x8000 ? -1 : 1);
    if ((h & 0x7fff) >= T(INF))
        memcpy(&value, (h & 0x7fff) == T(INF) ? &bits : &nan, sizeof value);
    return value;
}

/* The half that is nearest, from a guess on, which may be too large. */
static uint16_t T(nearest)(double v)
{
    const double size = v < 0 ? -v : v;
    const float near = (float)size;
    uint32_t bits;
    memcpy(&bits, &near, sizeof bits);
    bits &= 0x7fffffff; /* -0 */
    const uint16_t sign = v < 0 || (v == 0 && 1 / v < 0) ? 0x8000 : 0;
    unsigned low = (unsigned)((int)(bits >> (23 - MANTISSA)) - (int)((LEAST + 126u) << MANTISSA));
    if (v != v)
        return T(INF) + 1;
    if ((int)(bits >> 23) - 127 < LEAST) /* then the halves are all the same distance apart */
        low = (unsigned)(size / T(power)[0]);
    if (low >= T(INF))
        low = T(INF) - 1;
    while (low && T(size)(low) > size)
        low--;
    const double below = size - T(size)(low), above = T(size)(low + 1) - size;
    return (uint16_t)(sign | (above < below || (above == below && low % 2) ? low + 1 : low));
}
static uint16_t T(of_bits)(uint16_t b) { return b; }
#else
static NUM T(of_bits)(BITS b)
{
    NUM v;
    memcpy(&v, &b, sizeof v);
    return v;
}
#endif

/* 2 to the power of -(most + more), at most 1. Most of it is always the same, and computed once: an
 * emulated processor takes its time. */
static ACC T(small)(int most, int more)
{
    static ACC start;
    if (start == 0) {
        start = 1;
        for (int i = 0; i < most; i++)
            start /= 2;
    }
    ACC power = start;
    for (int i = most < 0 ? -most : 0; i < more; i++)
        power /= 2;
    return power;
}

/* Moderate numbers of random sign; one in eight is a zero or next to the smallest (CALM) or next to the largest,
 * infinite or NaN (WILD); or all are so small that products and sums are hardly normal (SMALL), or that all products
 * are normal, but not what they cancel to (CANCEL). Wild numbers make most sums NaN, which any NaN equals: so they must
 * not be all. */
static NUM T(draw)(enum kind kind)
{
    const BITS sign = (BITS)((BITS)1 << (sizeof(BITS) * 8 - 1)), normal = (BITS)((BITS)1 << MANTISSA);
    const BITS inf = (BITS)((BITS)~sign >> MANTISSA << MANTISSA);
    const BITS calm[] = {0, 1, (BITS)(normal - 1), normal, (BITS)(normal + 1)},
               wild[] = {0, 1, (BITS)(inf - 1), inf, (BITS)(inf + 1), (BITS)(inf + normal / 2)};
    const uint64_t r = random64();
    const int half = (int)(inf >> MANTISSA) / 4; /* 2^-half squared is the smallest normal number */
    const ACC small = kind < SMALL ? 1 : T(small)(half - 15, kind == SMALL ? (int)(r / 8 % 27) : 15);
    if (kind == CANCEL)
        return N(small * (1 + (ACC)(r >> 44) / (1 << 20)) * (r & 1 ? 1 : -1));
    if (r % 8 == 0)
        return T(of_bits)((BITS)((kind == WILD ? wild[(r >> 8) % 6] : calm[(r >> 8) % 5]) | (r >> 32 & 1 ? sign : 0)));
    return N(small * (ACC)((int64_t)random64() % 1000003) / (ACC)(1 + (random64() & 0xfffff)));
}

static int T(same)(const NUM *a, const NUM *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof(NUM)) != 0 && !(W(a[i]) != W(a[i]) && W(b[i]) != W(b[i])))
            return 0;
    return 1;
}

/* The contract, one element and one block at a time. `volatile` keeps every product and sum a rounding. */

static ACC T(product)(ACC a, ACC b)
{
    volatile ACC p = a * b;
    return p;
}

static NUM T(chosen)(NUM x, NUM v, ACC slope) { return W(x) > 0 ? v : N(T(product)(slope, W(v))); }

static ACC T(plus)(ACC a, ACC b)
{
    volatile ACC s = a + b;
    return s;
}

static ACC T(block)(const ACC *terms, size_t n)
{
    ACC lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] = T(plus)(lane[i % 16], terms[i]);
    for (size_t half = 8; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] = T(plus)(lane[l], lane[l + half]);
    return lane[0];
}

static NUM T(ordered_sum)(const ACC *terms, size_t n)
{
    double total = 0;
    for (size_t start = 0; start < n; start += 128 * 128) {
        double chunk = 0;
        for (size_t i = start; i < n && i < start + 128 * 128; i += 128)
            chunk += (double)T(block)(terms + i, n - i < 128 ? n - i : 128);
        total += chunk;
    }
    return N(total);
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
    for (enum kind kind = CALM; kind <= CANCEL; kind++) {
        for (size_t i = 0; i < ROOM; i++) {
            T(x)[i] = T(draw)(kind);
            T(grad)[i] = T(draw)(kind);
            T(slope)[i] = i < SLOPES ? N(slopes[i]) : T(draw)(kind == WILD ? WILD : CALM);
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

#ifdef FL_VECTORS_FORMAT
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
#endif

#undef TYPE
#undef MANTISSA
#ifdef HALF
#undef LEAST
#else
#undef NUM
#undef ACC
#undef BITS
#undef W
#undef N
#endif
#endif
