/* input.h - a fuzzer's input: its first bytes are the parameters of a call, the rest are numbers, over and over again.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HEADER = 48 }; /* bytes for parameters */
static uint8_t header[HEADER];
static size_t taken;
static const uint8_t *pool; /* the rest */
static size_t pool_size;

static void begin(const uint8_t *data, size_t size)
{
    const size_t have = size < HEADER ? size : HEADER;
    memset(header, 0, HEADER);
    memcpy(header, data, have);
    taken = 0;
    pool = size > HEADER ? data + HEADER : header;
    pool_size = size > HEADER ? size - HEADER : HEADER;
}

static unsigned take(void) { return taken < HEADER ? header[taken++] : 0; }
static unsigned take_below(unsigned end) { return take() % end; }
static uint64_t take_bytes(int bytes)
{
    uint64_t bits = 0;
    while (bytes--)
        bits = bits << 8 | take();
    return bits;
}

/* Fill an array with the numbers, from any of the pool's bytes on. */
static void fill(void *array, size_t bytes)
{
    uint8_t *const to = array;
    const size_t first = take() % pool_size, once = bytes < pool_size ? bytes : pool_size;
    const size_t head = once < pool_size - first ? once : pool_size - first;
    memcpy(to, pool + first, head);
    memcpy(to + head, pool, once - head);
    for (size_t have = once, more; have < bytes; have += more) {
        more = have < bytes - have ? have : bytes - have;
        memcpy(to + have, to, more);
    }
}
