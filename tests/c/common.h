/* common.h - what check.c and check_quantized.c share: instruction sets, random bits, checksums, names for a type.
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef THREADS
#include "fastleaky_threads.h"
#define ISA(isa) fl_isa_threaded(isa)
#else
#define ISA(isa) (isa)
#endif

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define T(name) PASTE(name, TYPE) /* of an element type */
#define STRING_(a) #a
#define STRING(a) STRING_(a)

enum { GUARD = 8 }; /* elements before and after a result, which must stay as they were */
static unsigned long passed, failed;

static const fl_isa *isa, *usable[16]; /* those that this processor can run, and NULL */
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

/* CRC-32, continued over the bytes of one more number, least significant first. */
static inline uint32_t crc(uint32_t before, uint64_t number, size_t bytes)
{
    uint32_t c = ~before;
    for (; bytes--; number >>= 8) {
        c ^= number & 0xff;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}
