/* isa.h - an instruction set, its kernels' tables, and what the operating system adds.
 * SPDX-License-Identifier: MIT
 *
 * An instruction set is one file, isa/NAME.c, and one line of isas.def. The file defines FL_NAME and FL_TARGET,
 * includes this header, and defines fl_available(). Then, for each element type, it defines the vector operations that
 * float/kernels.h lists, and includes that; FL_ISA_END ends the file. */
#ifndef FL_ISA_H
#define FL_ISA_H

#include "fastleaky.h"
#include "target.h"

/* A part of a job: elements, or other items, begin ... end. */
typedef void fl_task(const void *arguments, size_t begin, size_t end);

/* What an operating system adds (threads/threads.c); without it the caller does all the work.
 * threads: the number of threads for a job of so many elements. run: they call task(arguments, begin, end) for parts
 * that together are 0 ... n; each is a multiple of `grain`. nontemporal: 1 if a job that touches so many bytes should
 * use non-temporal stores. */
typedef struct {
    int (*threads)(size_t elements);
    void (*run)(int threads, fl_task *task, const void *arguments, size_t n, size_t grain);
    int (*nontemporal)(size_t bytes);
} fl_platform;

struct fl_isa {
    const char *name;
    int (*available)(void);
    int index; /* in isas.def, and in each table of kernels (kernel_table.h) */
    const fl_platform *platform;
};

static inline int fl_threads(const fl_isa *isa, size_t elements)
{
    return FL_THREADS && isa->platform ? isa->platform->threads(elements) : 1;
}

static inline void fl_run(const fl_isa *isa, int threads, fl_task *task, const void *arguments, size_t n, size_t grain)
{
    if (FL_THREADS && threads > 1)
        isa->platform->run(threads, task, arguments, n, grain);
    else
        task(arguments, 0, n);
}
enum { FL_GRAIN = 1024 }; /* elements, of an element-wise job: whole cache lines, and vectors */

/* The channels that a kernel takes at a time. Their state is on the stack, which firmware has little of; elsewhere
 * memory is read in longer pieces, twice to three times as fast as in rows of a few channels. */
#if defined(__linux__) || defined(__APPLE__)
enum { FL_CHANNEL_TILE = 512 };
#else
enum { FL_CHANNEL_TILE = 64 };
#endif

/* A table of kernels is referred to by one public function only, and where there is one set, that function calls the
 * kernel directly: so a linker drops the kernels that a program does not use. */
#define FL_ISA(name, condition) FL_IF(condition, FL_INDEX_##name, )
enum {
#include "isas.def"
    FL_ISAS
};
#undef FL_ISA
#define FL_OF(isa, table) ((table)[FL_ISAS == 1 ? 0 : (isa)->index])
#define FL_KERNEL(word) FL_PASTE(FL_PASTE(fl, FL_TYPE), FL_PASTE(word, FL_NAME))

#define FL_ISA_END                                                                                                     \
    extern const fl_isa FL_PASTE(fl_isa, FL_NAME);                                                                     \
    const fl_isa FL_PASTE(fl_isa, FL_NAME) = {FL_STRING(FL_NAME), fl_available, FL_PASTE(FL_INDEX, FL_NAME), NULL};

#endif
