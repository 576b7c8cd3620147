/* provider.h - what the provider's files share.
 * SPDX-License-Identifier: MIT */
#ifndef FL_PROVIDER_H
#define FL_PROVIDER_H

#include "fastleaky.h"
#include "ort_abi.h"

#define FL_PROVIDER_NAME "FastleakyExecutionProvider"

/* ONNX Runtime's functions, and the instruction set of this processor: the same for all sessions of a process. */
extern const OrtApi *ort;
extern const OrtEpApi *ort_ep;
extern const fl_isa *isa;

/* Return from a function that cannot go on. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        OrtStatus *const failure = (call);                                                                             \
        if (failure)                                                                                                   \
            return failure;                                                                                            \
    } while (0)

/* provider.c: the status of a failed allocation. */
OrtStatus *out_of_memory(void);

/* kernels.c: the kernel of a node. */
ort_create_kernel create_prelu, create_leaky_relu;

/* registry.c: add the kernels of all operators. */
OrtStatus *add_kernels(OrtKernelRegistry *registry);

/* claims.c: say which nodes of a graph the provider takes. */
OrtStatus *claim_nodes(OrtEp *ep, const OrtGraph *graph, OrtEpGraphSupportInfo *support);

#endif
