/* check.c - every instruction set of this build against the contract in fastleaky.h, bit for bit.
 * SPDX-License-Identifier: MIT
 *
 * It needs nothing but the library, states the contract once more in the plainest C, and ends in a line
 * `N passed, N failed`. The file includes itself once for each element type. */
#ifndef TYPE

#include "fastleaky.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef ROOM
#define ROOM (3 * 16384 + 600) /* elements in an array; a small board takes less, and larger cases are left out */
#endif
enum { GUARD = 8 };
static unsigned long passed, failed;
static const fl_isa *isa;
enum kind { CALM, WILD, SMALL, CANCEL };

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

#define PASTE_(a, b, c) a##b##c
#define PASTE(a, b, c) PASTE_(a, b, c)
#define T(name) PASTE(name, _, TYPE)
#define STRING_(a) #a
#define STRING(a) STRING_(a)

#define TYPE f32
#define NUM float
#define BITS uint32_t
#define MANTISSA 23
#include "check.c"

#define TYPE f64
#define NUM double
#define BITS uint64_t
#define MANTISSA 52
#include "check.c"

int main(void)
{
    for (size_t i = 0; (isa = fl_isa_at(i)) != NULL; i++) {
        if (!fl_isa_available(isa)) {
            printf("%s: this processor cannot run it\n", fl_isa_name(isa));
            continue;
        }
        check_f32();
        check_f64();
        printf("%s: checked\n", fl_isa_name(isa));
    }
    printf("best: %s\n%lu passed, %lu failed\n", fl_isa_name(fl_isa_best()), passed, failed);
    return failed != 0;
}

#else

static NUM T(of_bits)(BITS b)
{
    NUM v;
    memcpy(&v, &b, sizeof v);
    return v;
}

/* Moderate numbers of random sign; one in eight is a zero or next to the smallest (CALM) or next to the largest,
 * infinite or NaN (WILD); or all are so small that products and sums are hardly normal (SMALL), or that all products
 * are normal, but not what they cancel to (CANCEL). Wild numbers make most sums NaN, which any NaN equals: so they must
 * not be all. */
static NUM T(draw)(enum kind kind)
{
    const BITS sign = (BITS)1 << (sizeof(BITS) * 8 - 1), normal = (BITS)1 << MANTISSA;
    const BITS inf = (~sign >> MANTISSA) << MANTISSA;
    const BITS calm[] = {0, 1, normal - 1, normal, normal + 1}, wild[] = {0, 1, inf - 1, inf, inf + normal / 2};
    const uint64_t r = random64();
    const unsigned half = (unsigned)(inf >> MANTISSA) / 4; /* 2^-half squared is the smallest normal number */
    NUM small = 1;
    for (unsigned i = 0; kind >= SMALL && i < (kind == SMALL ? half - 15 + (unsigned)(r / 8 % 27) : half); i++)
        small /= 2;
    if (kind == CANCEL)
        return small * (1 + (NUM)(r >> 44) / (1 << 20)) * (r & 1 ? 1 : -1);
    if (r % 8 == 0)
        return T(of_bits)((kind == WILD ? wild : calm)[(r >> 8) % 5] | (r >> 32 & 1 ? sign : 0));
    return small * (NUM)((int64_t)random64() % 1000003) / (NUM)(1 + (random64() & 0xfffff));
}

static int T(same)(const NUM *a, const NUM *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof(NUM)) != 0 && !(a[i] != a[i] && b[i] != b[i]))
            return 0;
    return 1;
}

/* The contract, one element and one block at a time. `volatile` keeps every product and sum a rounding. */

static NUM T(product)(NUM a, NUM b)
{
    volatile NUM p = a * b;
    return p;
}

static NUM T(plus)(NUM a, NUM b)
{
    volatile NUM s = a + b;
    return s;
}

static NUM T(block)(const NUM *terms, size_t n)
{
    NUM lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] = T(plus)(lane[i % 16], terms[i]);
    for (size_t half = 8; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] = T(plus)(lane[l], lane[l + half]);
    return lane[0];
}

static NUM T(ordered_sum)(const NUM *terms, size_t n)
{
    double total = 0;
    for (size_t start = 0; start < n; start += 128 * 128) {
        double chunk = 0;
        for (size_t i = start; i < n && i < start + 128 * 128; i += 128)
            chunk += (double)T(block)(terms + i, n - i < 128 ? n - i : 128);
        total += chunk;
    }
    return (NUM)total;
}

static NUM T(x)[ROOM], T(grad)[ROOM], T(slope)[ROOM], T(want)[ROOM], T(terms)[ROOM];
static NUM T(out)[ROOM + 2 * GUARD], T(dslope)[ROOM + 2 * GUARD], T(want_dslope)[ROOM];

/* Is `buffer + GUARD + shift` equal to `want`, and everything around it still as it was filled? */
static int T(exactly)(const NUM *buffer, size_t shift, const NUM *want, size_t n)
{
    const NUM untouched = 77;
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
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        buffer[i] = 77;
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
        T(want)[i] = x[i] > 0 ? x[i] : T(product)(T(slope)[i / inner % channels], x[i]);
    T(fill)(T(out), n);
    T(fl_prelu)(isa, x, T(slope), out, outer, channels, inner);
    CHECK("prelu", T(exactly)(T(out), shift, T(want), n));
    memcpy(out, x, n * sizeof(NUM));
    T(fl_prelu)(isa, out, T(slope), out, outer, channels, inner);
    CHECK("prelu in place", T(exactly)(T(out), shift, T(want), n));
    if (channels == 1) {
        T(fill)(T(out), n);
        T(fl_leaky_relu)(isa, x, out, n, T(slope)[0]);
        CHECK("leaky_relu", T(exactly)(T(out), shift, T(want), n));
    }

    for (size_t c = 0; c < channels; c++) {
        size_t have = 0;
        for (size_t o = 0; o < outer; o++)
            for (size_t i = 0; i < inner; i++) {
                const size_t at = (o * channels + c) * inner + i;
                T(want)[at] = x[at] > 0 ? grad[at] : T(product)(T(slope)[c], grad[at]);
                T(terms)[have++] = x[at] > 0 ? 0 : T(product)(grad[at], x[at]);
            }
        T(want_dslope)[c] = T(ordered_sum)(T(terms), have);
    }
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
    if (channels == 1) {
        T(fill)(T(out), n);
        T(fl_leaky_relu_backward)(isa, grad, x, out, n, T(slope)[0]);
        CHECK("leaky_relu_backward", T(exactly)(T(out), shift, T(want), n));
    }
#undef CHECK
}

static void T(check)(void)
{
    static const size_t big[] = {4096, 16383, 16384, 16385, 32768, 32769, 3 * 16384 + 77};
    static const size_t shapes[][3] = {{3, 5, 7},   {2, 64, 49},  {5, 3, 128},  {5, 2, 129},  {2, 3, 300},
                                       {7, 2, 64},  {130, 3, 5},  {17, 16, 1},  {127, 17, 1}, {128, 9, 1},
                                       {129, 3, 1}, {300, 65, 1}, {4096, 4, 1}, {2700, 2, 9}, {0, 3, 4},
                                       {2, 0, 3},   {2, 3, 0},    {24000, 2, 1}};
    const NUM slopes[] = {(NUM)0.01, (NUM)0.2, (NUM)-0.3, (NUM)1e-30, (NUM)1e-40, 3, 0, (NUM)-0.0, (NUM)1e38, 1};
    enum { SLOPES = sizeof slopes / sizeof *slopes };
    for (enum kind kind = CALM; kind <= CANCEL; kind++) {
        for (size_t i = 0; i < ROOM; i++) {
            T(x)[i] = T(draw)(kind);
            T(grad)[i] = T(draw)(kind);
            T(slope)[i] = i < SLOPES ? slopes[i] : T(draw)(kind == WILD ? WILD : CALM);
        }
        for (size_t n = 0; n <= 330; n++) {
            T(slope)[0] = slopes[n % SLOPES];
            T(check_shape)(1, 1, n, n % 5);
        }
        for (size_t i = 0; i < sizeof big / sizeof *big; i++)
            T(check_shape)(1, 1, big[i], i % 3);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            T(check_shape)(shapes[i][0], shapes[i][1], shapes[i][2], i % 4);
    }
}

#undef TYPE
#undef NUM
#undef BITS
#undef MANTISSA
#endif
