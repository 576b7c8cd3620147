/* calls.h - what both fuzzers have: the shape of a call, its instruction set and threads, and what is said of a
 * difference. SPDX-License-Identifier: MIT */
#define THREADS /* common.h: every instruction set with what csrc/threads adds */
#include "common.h"
#include "fuzz/input.h"
#include "fuzz/memory.h"

enum { ROOM = 16384 + 600, LONG = 77 }; /* elements; the byte that makes a long array */
static const char *operation;
static size_t outer, channels, inner;

static void take_isa(void)
{
    size_t have = 0;
    if (!usable[0]) {
        make_arrays();
        find_usable();
    }
    while (usable[have])
        have++;
    isa = usable[take() % have];
    const unsigned threads = take();
    fl_set_parallel_threshold(1);
    fl_set_num_threads(threads % 32 < 31 ? 1 : 2 + threads / 32 % 2);
    fl_set_nontemporal_threshold(threads / 64 ? (size_t)-1 : 1);
}

/* Sizes whose product is mostly small, since time is better spent on more calls; one in 256 is longer than a chunk of
 * the ordered sum. */
static size_t take_shape(void)
{
    size_t *const sizes[] = {&outer, &channels, &inner};
    const unsigned length = take(), first = take();
    size_t most = length == LONG ? ROOM : ((size_t)2 << length % 8) + length / 8;
    for (unsigned k = 0; k < 3; k++) {
        size_t *const size = sizes[(first + k) % 3];
        const size_t drawn = (size_t)take_bytes(2);
        *size = k == 2 && first / 8 % 4 ? most : (drawn + 1) % (most + 1);
        most /= *size ? *size : 1;
    }
    return outer * channels * inner;
}

static void see(int good, const char *type, const char *what)
{
    if (good)
        return;
    printf("DIFFERS %s %s %s (%zu, %zu, %zu): %s\n", fl_isa_name(isa), type, operation, outer, channels, inner, what);
    fflush(stdout);
    abort();
}

static void see_memory(const char *type)
{
    for (const array *a = arrays; a < arrays + ARRAYS; a++)
        see(borders_are_kept(a), type, "something was written outside of the arrays");
}
