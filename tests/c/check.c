/* check.c - every instruction set of this build against the contract in fastleaky.h, bit for bit.
 * SPDX-License-Identifier: MIT
 *
 * It needs the library and the headers beside it, states the contract once more in scalar C, and ends in a line
 * `N passed, N failed`. If vectors.h is there (`python -m fastleaky vectors`), it also compares with what the Python
 * specification computed; with -DRESULTS it prints the library's own results for those vectors instead, for
 * `python -m fastleaky verify`. With -DTHREADS, and csrc/threads/threads.c, three threads share every array, however
 * small: first with regular stores, then with non-temporal ones. */
#include "fastleaky.h"
#include "common.h"

#if defined(__has_include)
#if __has_include("vectors.h")
#include "vectors.h"
#if FL_VECTORS_FORMAT != 3
#error "vectors.h is of another version than check.c, which reads format 3: write it with the fastleaky of this check.c"
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
enum kind { FINITE, SPECIAL, SMALL, CANCEL }; /* of numbers: see draw.h */

static void report(int good, const char *type, const char *what, size_t outer, size_t channels, size_t inner)
{
    passed += good != 0;
    failed += !good;
    if (!good && failed <= 20)
        printf("DIFFERS %s %s %s (%lu, %lu, %lu)\n", fl_isa_name(isa), type, what, (unsigned long)outer,
               (unsigned long)channels, (unsigned long)inner);
}

#ifdef FL_VECTORS_FORMAT
/* Results are printed as hexadecimal words, eight a line. Each line is marked, so that it is found in a log of anything
 * else. */
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

#define FOR_A_TYPE "check_type.h"
#include "types.h"

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
