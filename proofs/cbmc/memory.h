/* memory.h - the arrays of a kernel, and what it may do with them, seen for one byte that stands for all.
 * SPDX-License-Identifier: MIT
 *
 * `watched` is any number, so what is proved of it is proved of each byte in and around the arrays. */
#include <stddef.h>
#include <stdint.h>

#define REQUIRE(condition, text) __CPROVER_assert(condition, text)
#define ASSUME(condition) __CPROVER_assume(condition)
/* check.py wants this to fail: else what follows from nothing would be proved. */
#define REACHED(condition, text) __CPROVER_assert(!(condition), "REACHED: " text)

size_t nondet_size(void);
int nondet_int(void);

static const size_t NOWHERE = SIZE_MAX, MIXED = SIZE_MAX - 1;

static struct {
    const void *x, *grad; /* arrays, all as far behind their objects' begin as each other */
    void *out;
    size_t watched;
    int asked, written; /* Is the watched byte one that the kernel is to compute? Has it been? */
    int streamed, flushed;
} memory;

static inline int is_input(const void *p)
{
    return __CPROVER_same_object(p, memory.x) || __CPROVER_same_object(p, memory.grad);
}
static inline int covers_watched(size_t place, size_t bytes) { return memory.watched - place < bytes; }

/* A load of n elements; their place. */
static inline size_t model_read(const void *p, size_t n, size_t itemsize)
{
    const size_t place = (size_t)__CPROVER_POINTER_OFFSET(p);
    REQUIRE(is_input(p), "an input is read");
    if (covers_watched(place, n * itemsize)) {
        REQUIRE(memory.asked, "read inside of the run");
        REQUIRE(!__CPROVER_same_object(p, memory.out) || !memory.written, "read before it is written");
    }
    return place;
}

/* A store of n elements that were computed from those at `from`. */
static inline void model_write(void *p, size_t n, size_t itemsize, size_t from)
{
    const size_t place = (size_t)__CPROVER_POINTER_OFFSET(p);
    REQUIRE(__CPROVER_same_object(p, memory.out), "the output is written");
    REQUIRE(from == place, "computed from the elements of its place");
    if (covers_watched(place, n * itemsize)) {
        REQUIRE(memory.asked, "written inside of the run");
        REQUIRE(!memory.written, "written once");
        memory.written = 1;
    }
}
