/* fastleaky_threads.h - fastleaky where there are POSIX threads, as MinGW has them on Windows: a thread pool and
 * non-temporal stores.
 * SPDX-License-Identifier: MIT
 *
 * The functions of fastleaky.h use both, with the same bits, when they are given an instruction set from here:
 *
 *     const fl_isa *isa = fl_isa_threaded(fl_isa_best());
 *     fl_set_num_threads(4);
 *
 * The workers are started when they are first needed, and sleep when they are idle. A forked child starts its own. The
 * caller works too. When several threads call at once, the workers help one of them; the others work alone. */
#ifndef FASTLEAKY_THREADS_H
#define FASTLEAKY_THREADS_H

#include "fastleaky.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The same kernels, with threads and non-temporal stores. */
const fl_isa *fl_isa_threaded(const fl_isa *isa);

/* The number of threads that a call may use, the caller included: at first 1. It is clamped to 1 ... 64. */
void fl_set_num_threads(int threads);

/* The number of elements from which on a call uses several threads. */
void fl_set_parallel_threshold(size_t elements);

/* The number of bytes, read and written, from which on the output is stored by non-temporal (streaming) stores: at
 * first 3/4 of the last-level cache. */
void fl_set_nontemporal_threshold(size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
