/* memory.h - arrays that nobody may leave: each ends, or begins, where a page is that cannot be read.
 * SPDX-License-Identifier: MIT
 *
 * AddressSanitizer also sees what is read or written elsewhere around them, but for up to seven bytes before an array
 * that does not begin at a multiple of eight. A pattern shows what is written there. */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, MOST_BYTES = 34 * PAGE, BORDER = 16, PATTERN = 0xa5, ARRAYS = 7 };
typedef struct {
    volatile uint8_t *room, *at;
    size_t bytes;
} array;
static array arrays[ARRAYS];

/* The bytes around an array, as far as there are pages. */
static size_t before(const array *a) { return a->at - a->room < BORDER ? (size_t)(a->at - a->room) : BORDER; }
static size_t behind(const array *a)
{
    const size_t left = (size_t)(a->room + MOST_BYTES - a->at) - a->bytes;
    return left < BORDER ? left : BORDER;
}

__attribute__((no_sanitize("address"))) static void draw_borders(const array *a)
{
    for (size_t i = 1; i <= before(a); i++)
        a->at[-(ptrdiff_t)i] = PATTERN;
    for (size_t i = 0; i < behind(a); i++)
        a->at[a->bytes + i] = PATTERN;
}

__attribute__((no_sanitize("address"))) static int borders_are_kept(const array *a)
{
    int kept = 1;
    for (size_t i = 1; i <= before(a); i++)
        kept &= a->at[-(ptrdiff_t)i] == PATTERN;
    for (size_t i = 0; i < behind(a); i++)
        kept &= a->at[a->bytes + i] == PATTERN;
    return kept;
}

static void make_arrays(void)
{
    for (array *a = arrays; a < arrays + ARRAYS; a++) {
        uint8_t *const pages = mmap(NULL, MOST_BYTES + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED || mprotect(pages + PAGE, MOST_BYTES, PROT_READ | PROT_WRITE))
            abort();
        a->room = a->at = pages + PAGE;
        draw_borders(a);
        ASAN_POISON_MEMORY_REGION(a->room, MOST_BYTES);
    }
}

/* Lay an array of so many bytes anywhere that suits its elements. */
static void *lay(array *a, const void *contents, size_t bytes, size_t element)
{
    const unsigned where = take();
    const size_t shift = where / 2 % 16 * element;
    ASAN_POISON_MEMORY_REGION((uint8_t *)((uintptr_t)a->at / 8 * 8), a->bytes + 8);
    a->bytes = bytes;
    a->at = where % 2 ? a->room + shift : a->room + MOST_BYTES - bytes - shift;
    ASAN_UNPOISON_MEMORY_REGION(a->at, bytes);
    draw_borders(a);
    memcpy((void *)a->at, contents, bytes);
    return (void *)a->at;
}
