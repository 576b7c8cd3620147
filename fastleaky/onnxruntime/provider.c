/* provider.c - fastleaky as an execution provider of ONNX Runtime: what it asks of a plugin.
 * SPDX-License-Identifier: MIT
 *
 * ONNX Runtime loads this library by RegisterExecutionProviderLibrary and calls the two functions at the end. A session
 * creates a provider, offers it the graph, and creates a kernel for each node that it takes. The memory is that of the
 * CPU provider, so nothing is copied between the two. */
#include "provider.h"
#include <stdio.h>
#include <stdlib.h>

const OrtApi *ort;
const OrtEpApi *ort_ep;
const fl_isa *isa;
static OrtKernelRegistry *registry;

OrtStatus *out_of_memory(void) { return ort->CreateStatus(ORT_FAIL, "fastleaky: out of memory"); }

/* The provider of a session */

static const char *provider_name(const OrtEp *self)
{
    (void)self;
    return FL_PROVIDER_NAME;
}

static OrtStatus *get_registry(OrtEp *self, const OrtKernelRegistry **kernels)
{
    (void)self;
    *kernels = registry;
    return NULL;
}

static OrtStatus *create_provider(OrtEpFactory *self, const OrtHardwareDevice *const *hardware,
                                  const OrtKeyValuePairs *const *metadata, size_t count,
                                  const OrtSessionOptions *options, const OrtLogger *logger, OrtEp **created)
{
    OrtEp *const made = calloc(1, sizeof *made);
    (void)self, (void)hardware, (void)metadata, (void)count, (void)options, (void)logger;
    if (!made)
        return out_of_memory();
    *made = (OrtEp){.version = ORT_VERSION,
                    .GetName = provider_name,
                    .GetCapability = claim_nodes,
                    .GetKernelRegistry = get_registry};
    *created = made;
    return NULL;
}

static void release_provider(OrtEpFactory *self, OrtEp *released)
{
    (void)self;
    free(released);
}

/* What makes it */

static const char *factory_name(const OrtEpFactory *self)
{
    (void)self;
    return FL_PROVIDER_NAME;
}

static const char *vendor(const OrtEpFactory *self)
{
    (void)self;
    return "fastleaky";
}

static uint32_t vendor_id(const OrtEpFactory *self)
{
    (void)self;
    return 0; /* no number of the PCI consortium */
}

static const char *version(const OrtEpFactory *self)
{
    (void)self;
    return FL_VERSION;
}

static OrtStatus *supported_devices(OrtEpFactory *self, const OrtHardwareDevice *const *hardware, size_t count,
                                    OrtEpDevice **devices, size_t max_devices, size_t *device_count)
{
    *device_count = 0;
    for (size_t i = 0; i < count && *device_count < max_devices; i++)
        if (ort->HardwareDevice_Type(hardware[i]) == ORT_CPU) {
            TRY(ort_ep->CreateEpDevice(self, hardware[i], NULL, NULL, &devices[*device_count]));
            ++*device_count;
        }
    return NULL;
}

/* Neither memory nor streams of its own: */

static OrtStatus *create_allocator(OrtEpFactory *self, const OrtMemoryInfo *info, const OrtKeyValuePairs *options,
                                   OrtAllocator **allocator)
{
    (void)self, (void)info, (void)options;
    *allocator = NULL;
    return NULL;
}

static void release_allocator(OrtEpFactory *self, OrtAllocator *allocator) { (void)self, (void)allocator; }

static OrtStatus *create_data_transfer(OrtEpFactory *self, OrtDataTransferImpl **transfer)
{
    (void)self;
    *transfer = NULL;
    return NULL;
}

static bool is_stream_aware(const OrtEpFactory *self)
{
    (void)self;
    return false;
}

static OrtStatus *create_stream(OrtEpFactory *self, const OrtMemoryDevice *device, const OrtKeyValuePairs *options,
                                OrtSyncStreamImpl **stream)
{
    (void)self, (void)device, (void)options;
    *stream = NULL;
    return NULL;
}

static OrtEpFactory factory = {.version = ORT_VERSION,
                               .GetName = factory_name,
                               .GetVendor = vendor,
                               .GetSupportedDevices = supported_devices,
                               .CreateEp = create_provider,
                               .ReleaseEp = release_provider,
                               .GetVendorId = vendor_id,
                               .GetVersion = version,
                               .CreateAllocator = create_allocator,
                               .ReleaseAllocator = release_allocator,
                               .CreateDataTransfer = create_data_transfer,
                               .IsStreamAware = is_stream_aware,
                               .CreateSyncStreamForDevice = create_stream};

/* What ONNX Runtime calls */

#define EXPORTED __attribute__((visibility("default")))
EXPORTED OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base, const OrtLogger *logger,
                                      OrtEpFactory **factories, size_t max_factories, size_t *count);
EXPORTED OrtStatus *ReleaseEpFactory(OrtEpFactory *released);

/* A status can be made by any version. */
static OrtStatus *too_old(const OrtApiBase *base)
{
    char message[200];
    snprintf(message, sizeof message, "fastleaky needs ONNX Runtime 1.%d or later, and this is %s", ORT_VERSION,
             base->GetVersionString());
    return base->GetApi(1)->CreateStatus(ORT_FAIL, message);
}

static OrtStatus *start(const OrtApi *api)
{
    OrtKernelRegistry *kernels;
    ort = api;
    ort_ep = api->GetEpApi();
    isa = fl_isa_best();
    TRY(ort_ep->CreateKernelRegistry(&kernels));
    OrtStatus *const failure = add_kernels(kernels);
    if (failure)
        ort_ep->ReleaseKernelRegistry(kernels);
    else
        registry = kernels;
    return failure;
}

OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base, const OrtLogger *logger,
                             OrtEpFactory **factories, size_t max_factories, size_t *count)
{
    const OrtApi *const api = base->GetApi(ORT_VERSION);
    (void)name, (void)logger;
    *count = 0;
    if (!api)
        return too_old(base);
    if (registry && api != ort)
        return api->CreateStatus(ORT_FAIL, "fastleaky serves another copy of ONNX Runtime in this process");
    if (!registry)
        TRY(start(api));
    if (max_factories)
        factories[(*count)++] = &factory;
    return NULL;
}

/* All stays: there may be sessions that outlive the registration. */
OrtStatus *ReleaseEpFactory(OrtEpFactory *released)
{
    (void)released;
    return NULL;
}
