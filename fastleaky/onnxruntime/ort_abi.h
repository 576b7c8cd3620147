/* ort_abi.h - the part of ONNX Runtime's C interface that the provider uses, declared anew.
 * SPDX-License-Identifier: MIT
 *
 * The interface is a few tables of pointers, which later versions only append to: what stands here is true from version
 * 24, that of ONNX Runtime 1.24, on. The names are theirs. SKIP stands for the entries that are not used here, and the
 * assertions at the end see that nothing was miscounted. A function that can fail returns NULL, or a status that the
 * caller owns. */
#ifndef FL_ORT_ABI_H
#define FL_ORT_ABI_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORT_VERSION = 24 };
enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2 };                              /* error codes */
enum { ORT_FLOAT = 1, ORT_FLOAT16 = 10, ORT_DOUBLE = 11, ORT_BFLOAT16 = 16 }; /* element types, as in ONNX */
enum { ORT_CPU = 0 };                                                         /* a type of hardware */

typedef struct OrtAllocator OrtAllocator;
typedef struct OrtDataTransferImpl OrtDataTransferImpl;
typedef struct OrtDataType OrtDataType;
typedef struct OrtEpDevice OrtEpDevice;
typedef struct OrtEpGraphSupportInfo OrtEpGraphSupportInfo;
typedef struct OrtGraph OrtGraph;
typedef struct OrtHardwareDevice OrtHardwareDevice;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtKernelDef OrtKernelDef;
typedef struct OrtKernelDefBuilder OrtKernelDefBuilder;
typedef struct OrtKernelInfo OrtKernelInfo;
typedef struct OrtKernelRegistry OrtKernelRegistry;
typedef struct OrtKeyValuePairs OrtKeyValuePairs;
typedef struct OrtLogger OrtLogger;
typedef struct OrtMemoryDevice OrtMemoryDevice;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtNode OrtNode;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtStatus OrtStatus;
typedef struct OrtSyncStreamImpl OrtSyncStreamImpl;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtValue OrtValue;
typedef struct OrtValueInfo OrtValueInfo;

typedef struct OrtApi OrtApi;
typedef struct OrtEpApi OrtEpApi;
typedef struct OrtEp OrtEp;
typedef struct OrtEpFactory OrtEpFactory;
typedef struct OrtKernelImpl OrtKernelImpl;
typedef OrtStatus *ort_create_kernel(void *state, const OrtKernelInfo *info, OrtKernelImpl **kernel);

typedef void (*ort_entry)(void);
#define SKIP(from, to) ort_entry skipped_##from[(to) - (from)] /* the next entry has the number `to` */

typedef struct {
    const OrtApi *(*GetApi)(uint32_t version); /* NULL: an older runtime */
    const char *(*GetVersionString)(void);
} OrtApiBase;

/* What ONNX Runtime offers to all. */
struct OrtApi {
    OrtStatus *(*CreateStatus)(int code, const char *message);
    SKIP(1, 51);
    OrtStatus *(*GetTensorMutableData)(OrtValue *value, void **data);
    SKIP(52, 55);
    OrtStatus *(*CastTypeInfoToTensorInfo)(const OrtTypeInfo *type, const OrtTensorTypeAndShapeInfo **info);
    SKIP(56, 61);
    OrtStatus *(*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo *info, size_t *rank);
    OrtStatus *(*GetDimensions)(const OrtTensorTypeAndShapeInfo *info, int64_t *dims, size_t rank); /* -1: unknown */
    SKIP(63, 85);
    OrtStatus *(*KernelInfoGetAttribute_float)(const OrtKernelInfo *info, const char *name, float *value);
    SKIP(86, 90);
    OrtStatus *(*KernelContext_GetInput)(const OrtKernelContext *context, size_t index, const OrtValue **value);
    OrtStatus *(*KernelContext_GetOutput)(OrtKernelContext *context, size_t index, const int64_t *dims, size_t rank,
                                          OrtValue **value);
    SKIP(92, 274);
    OrtStatus *(*KernelContext_ParallelFor)(const OrtKernelContext *context, void (*task)(void *data, size_t index),
                                            size_t tasks, size_t batches, void *data);
    SKIP(275, 290);
    OrtStatus *(*GetValueInfoTypeInfo)(const OrtValueInfo *value, const OrtTypeInfo **type);
    SKIP(291, 307);
    int (*HardwareDevice_Type)(const OrtHardwareDevice *device);
    SKIP(308, 317);
    const OrtEpApi *(*GetEpApi)(void);
    SKIP(318, 344);
    OrtStatus *(*Graph_GetNumNodes)(const OrtGraph *graph, size_t *count);
    OrtStatus *(*Graph_GetNodes)(const OrtGraph *graph, const OrtNode **nodes, size_t count);
    SKIP(346, 353);
    OrtStatus *(*Node_GetNumInputs)(const OrtNode *node, size_t *count);
    OrtStatus *(*Node_GetInputs)(const OrtNode *node, const OrtValueInfo **inputs, size_t count);
    SKIP(355, 390);
    bool (*TensorTypeAndShape_HasShape)(const OrtTensorTypeAndShapeInfo *info);
    SKIP(391, 414);
    OrtStatus *(*GetTensorElementTypeAndShapeDataReference)(const OrtValue *value, int *type, const int64_t **dims,
                                                            size_t *rank);
};

/* What it offers to execution providers. */
struct OrtEpApi {
    OrtStatus *(*CreateEpDevice)(OrtEpFactory *factory, const OrtHardwareDevice *hardware,
                                 const OrtKeyValuePairs *metadata, const OrtKeyValuePairs *options,
                                 OrtEpDevice **device);
    SKIP(1, 3);
    OrtStatus *(*EpGraphSupportInfo_AddSingleNode)(OrtEpGraphSupportInfo *support, const OrtNode *node);
    SKIP(4, 18);
    OrtStatus *(*CreateKernelRegistry)(OrtKernelRegistry **registry);
    void (*ReleaseKernelRegistry)(OrtKernelRegistry *registry);
    OrtStatus *(*KernelRegistry_AddKernel)(OrtKernelRegistry *registry, const OrtKernelDef *definition,
                                           ort_create_kernel *create, void *state);
    OrtStatus *(*CreateKernelDefBuilder)(OrtKernelDefBuilder **builder);
    void (*ReleaseKernelDefBuilder)(OrtKernelDefBuilder *builder);
    OrtStatus *(*KernelDefBuilder_SetOperatorType)(OrtKernelDefBuilder *builder, const char *type);
    OrtStatus *(*KernelDefBuilder_SetDomain)(OrtKernelDefBuilder *builder, const char *domain);
    OrtStatus *(*KernelDefBuilder_SetSinceVersion)(OrtKernelDefBuilder *builder, int first, int last);
    OrtStatus *(*KernelDefBuilder_SetExecutionProvider)(OrtKernelDefBuilder *builder, const char *name);
    SKIP(27, 29);
    OrtStatus *(*KernelDefBuilder_AddTypeConstraint)(OrtKernelDefBuilder *builder, const char *name,
                                                     const OrtDataType *const *types, size_t count);
    SKIP(30, 31);
    OrtStatus *(*KernelDefBuilder_AddInputOutputMutableAliases)(OrtKernelDefBuilder *builder, const int *inputs,
                                                                const int *outputs, size_t count);
    OrtStatus *(*KernelDefBuilder_Build)(OrtKernelDefBuilder *builder, OrtKernelDef **definition);
    void (*ReleaseKernelDef)(OrtKernelDef *definition);
    SKIP(34, 40);
    OrtStatus *(*GetTensorDataType)(int element_type, const OrtDataType **type);
    OrtStatus *(*EpGraphSupportInfo_LookUpKernel)(OrtEpGraphSupportInfo *support, const OrtNode *node,
                                                  const OrtKernelDef **definition); /* NULL: there is none */
};

/* What a provider implements. Each table begins with the version that its author knew: no entry of a later version is
 * read. An entry is NULL if there is nothing to say. */

/* The provider of one session. */
struct OrtEp {
    uint32_t version;
    const char *(*GetName)(const OrtEp *);
    OrtStatus *(*GetCapability)(OrtEp *, const OrtGraph *graph, OrtEpGraphSupportInfo *support);
    SKIP(3, 13);
    OrtStatus *(*GetKernelRegistry)(OrtEp *, const OrtKernelRegistry **registry);
    SKIP(14, 15);
};

/* Makes providers. Of its last entries some are called without a look whether they are NULL. */
struct OrtEpFactory {
    uint32_t version;
    const char *(*GetName)(const OrtEpFactory *);
    const char *(*GetVendor)(const OrtEpFactory *);
    OrtStatus *(*GetSupportedDevices)(OrtEpFactory *, const OrtHardwareDevice *const *hardware, size_t count,
                                      OrtEpDevice **devices, size_t max_devices, size_t *device_count);
    OrtStatus *(*CreateEp)(OrtEpFactory *, const OrtHardwareDevice *const *hardware,
                           const OrtKeyValuePairs *const *metadata, size_t count, const OrtSessionOptions *options,
                           const OrtLogger *logger, OrtEp **ep);
    void (*ReleaseEp)(OrtEpFactory *, OrtEp *ep);
    uint32_t (*GetVendorId)(const OrtEpFactory *);
    const char *(*GetVersion)(const OrtEpFactory *);
    SKIP(8, 9);
    OrtStatus *(*CreateAllocator)(OrtEpFactory *, const OrtMemoryInfo *info, const OrtKeyValuePairs *options,
                                  OrtAllocator **allocator);
    void (*ReleaseAllocator)(OrtEpFactory *, OrtAllocator *allocator);
    OrtStatus *(*CreateDataTransfer)(OrtEpFactory *, OrtDataTransferImpl **transfer);
    bool (*IsStreamAware)(const OrtEpFactory *);
    OrtStatus *(*CreateSyncStreamForDevice)(OrtEpFactory *, const OrtMemoryDevice *device,
                                            const OrtKeyValuePairs *options, OrtSyncStreamImpl **stream);
    SKIP(14, 18);
};

/* The kernel of one node. */
struct OrtKernelImpl {
    uint32_t version, flags; /* the flags are ONNX Runtime's own */
    OrtStatus *(*Compute)(OrtKernelImpl *, OrtKernelContext *context);
    void (*Release)(OrtKernelImpl *);
    SKIP(3, 5);
};

#undef SKIP
#define FL_ENTRIES(table, last, count)                                                                                 \
    static_assert(offsetof(table, last) == ((count) - 1) * sizeof(ort_entry), #table ": miscounted")
FL_ENTRIES(OrtApi, GetTensorElementTypeAndShapeDataReference, 415);
FL_ENTRIES(OrtEpApi, EpGraphSupportInfo_LookUpKernel, 42);
FL_ENTRIES(OrtEp, GetKernelRegistry, 14);
FL_ENTRIES(OrtEpFactory, CreateSyncStreamForDevice, 14);
#undef FL_ENTRIES

#endif
