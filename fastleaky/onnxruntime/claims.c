/* claims.c - which nodes of a graph the provider takes; all others stay with ONNX Runtime's own.
 * SPDX-License-Identifier: MIT */
#include "broadcast.h"
#include "provider.h"
#include <stdlib.h>

/* The shape of a value, if at least its rank is known; some sizes in it may be unknown. `dims` is where to put them. */
static OrtStatus *get_shape(const OrtValueInfo *value, int64_t dims[MAX_RANK], shape *s, bool *known)
{
    const OrtTypeInfo *type;
    const OrtTensorTypeAndShapeInfo *info;
    *s = (shape){dims, 0};
    *known = false;
    TRY(ort->GetValueInfoTypeInfo(value, &type));
    TRY(ort->CastTypeInfoToTensorInfo(type, &info));
    if (!info || !ort->TensorTypeAndShape_HasShape(info))
        return NULL;
    TRY(ort->GetDimensionsCount(info, &s->rank));
    if (s->rank > MAX_RANK)
        return NULL;
    *known = true;
    return ort->GetDimensions(info, dims, s->rank);
}

/* ONNX wants the slope of PRelu to be broadcast to x. ONNX Runtime broadcasts either to the other, so a node is taken
 * only if the shapes show that the slope is not the larger one. Sizes of x along which it does not vary may be unknown.
 */
static OrtStatus *is_well_shaped(const OrtNode *node, bool *answer)
{
    const OrtValueInfo *inputs[2];
    int64_t x_dims[MAX_RANK], slope_dims[MAX_RANK];
    shape x, slope;
    bool x_known, slope_known;
    size_t count;
    TRY(ort->Node_GetNumInputs(node, &count));
    *answer = count == 1; /* LeakyRelu */
    if (count != 2)
        return NULL;
    TRY(ort->Node_GetInputs(node, inputs, 2));
    TRY(get_shape(inputs[0], x_dims, &x, &x_known));
    TRY(get_shape(inputs[1], slope_dims, &slope, &slope_known));
    *answer = x_known && slope_known && broadcasts(slope, x);
    return NULL;
}

static OrtStatus *claim_node(const OrtNode *node, OrtEpGraphSupportInfo *support)
{
    const OrtKernelDef *definition = NULL;
    bool well_shaped;
    TRY(ort_ep->EpGraphSupportInfo_LookUpKernel(support, node, &definition)); /* by operator, version and type */
    if (!definition)
        return NULL;
    TRY(is_well_shaped(node, &well_shaped));
    return well_shaped ? ort_ep->EpGraphSupportInfo_AddSingleNode(support, node) : NULL;
}

OrtStatus *claim_nodes(OrtEp *ep, const OrtGraph *graph, OrtEpGraphSupportInfo *support)
{
    size_t count;
    (void)ep;
    TRY(ort->Graph_GetNumNodes(graph, &count));
    if (!count)
        return NULL;
    const OrtNode **const nodes = calloc(count, sizeof *nodes);
    if (!nodes)
        return out_of_memory();
    OrtStatus *failure = ort->Graph_GetNodes(graph, nodes, count);
    for (size_t i = 0; i < count && !failure; i++)
        failure = claim_node(nodes[i], support);
    free(nodes);
    return failure;
}
