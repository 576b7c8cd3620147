/* fastleaky_host.h - fastleaky with an operating system (POSIX): several threads, and stores past the cache.
 * SPDX-License-Identifier: MIT
 *
 * The functions of fastleaky.h do it all, with the same bits, given an instruction set from here:
 *
 *     const fl_isa *isa = fl_isa_hosted(fl_isa_best());
 *     fl_set_num_threads(4);
 *
 * The other threads are started when first needed, sleep when idle, and are not there in a forked child, which starts
 * its own. Callers work too; when several call at once, one of them is helped, and the others work alone. */
#ifndef FASTLEAKY_HOST_H
#define FASTLEAKY_HOST_H

#include "fastleaky.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The same kernels, with threads. */
const fl_isa *fl_isa_hosted(const fl_isa *isa);

/* How many threads a call may use, the caller among them: 1 at first, 64 at most. Fewer than 1 means 1, more than 64
 * means 64. */
void fl_set_num_threads(int threads);

/* From how many elements on the work of a call is shared out. */
void fl_set_parallel_from(size_t elements);

/* From how many bytes on, read and written, the output is stored past the cache: 3/4 of the last cache at first. */
void fl_set_past_from(size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
