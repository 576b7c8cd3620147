/* registry.c - which operators the provider has kernels for, in which versions, for which types.
 * SPDX-License-Identifier: MIT */
#include "provider.h"

/* An operator from one version of its definition to another, and the types of x that the provider takes. */
typedef struct {
    const char *type;
    int first, last;
    int elements[4];
    size_t element_count;
    ort_create_kernel *create;
} op;

/* LeakyRelu of float is left to ONNX Runtime, which fuses it with the convolution before it. */
static const op ops[] = {
    {"PRelu", 7, 16, {ORT_FLOAT, ORT_DOUBLE, ORT_FLOAT16, ORT_BFLOAT16}, 4, create_prelu},
    {"LeakyRelu", 6, 16, {ORT_DOUBLE, ORT_FLOAT16, ORT_BFLOAT16}, 3, create_leaky_relu},
};

static OrtStatus *define(OrtKernelDefBuilder *builder, const op *o, OrtKernelDef **definition)
{
    const OrtDataType *types[4];
    const int first = 0; /* the output may overwrite the input */
    for (size_t i = 0; i < o->element_count; i++)
        TRY(ort_ep->GetTensorDataType(o->elements[i], &types[i]));
    TRY(ort_ep->KernelDefBuilder_SetOperatorType(builder, o->type));
    TRY(ort_ep->KernelDefBuilder_SetDomain(builder, ""));
    TRY(ort_ep->KernelDefBuilder_SetSinceVersion(builder, o->first, o->last));
    TRY(ort_ep->KernelDefBuilder_SetExecutionProvider(builder, FL_PROVIDER_NAME));
    TRY(ort_ep->KernelDefBuilder_AddTypeConstraint(builder, "T", types, o->element_count));
    TRY(ort_ep->KernelDefBuilder_AddInputOutputMutableAliases(builder, &first, &first, 1));
    return ort_ep->KernelDefBuilder_Build(builder, definition);
}

static OrtStatus *add_kernel(OrtKernelRegistry *registry, const op *o)
{
    OrtKernelDefBuilder *builder;
    OrtKernelDef *definition;
    TRY(ort_ep->CreateKernelDefBuilder(&builder));
    OrtStatus *failure = define(builder, o, &definition);
    ort_ep->ReleaseKernelDefBuilder(builder);
    if (failure)
        return failure;
    failure = ort_ep->KernelRegistry_AddKernel(registry, definition, o->create, NULL);
    ort_ep->ReleaseKernelDef(definition);
    return failure;
}

OrtStatus *add_kernels(OrtKernelRegistry *registry)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        TRY(add_kernel(registry, &ops[i]));
    return NULL;
}
