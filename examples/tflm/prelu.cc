/* prelu.cc - TensorFlow Lite Micro's PRELU by fastleaky, for float32, int8 and int16 (docs/tflm.md).
 * SPDX-License-Identifier: MIT */
#include "fastleaky.h"
#include "layer.h"

namespace
{

/* An axis, counted from the last; those that a tensor does not have are 1. */
size_t extent(const TfLiteEvalTensor *tensor, int axis)
{
    const TfLiteIntArray &dims = *tensor->dims;
    return axis < dims.size ? static_cast<size_t>(dims.data[dims.size - 1 - axis]) : 1;
}

struct Operands {
    const TfLiteEvalTensor *input, *alpha;
    TfLiteEvalTensor *output;
};

Operands operands_of(TfLiteContext *context, TfLiteNode *node)
{
    return {tflite::micro::GetEvalInput(context, node, 0), tflite::micro::GetEvalInput(context, node, 1),
            tflite::micro::GetEvalOutput(context, node, 0)};
}

/* The last axes of the output, as fastleaky takes them in one call: those with one slope, those with a slope each,
 * and again those with one. */
struct Block {
    size_t inner = 1, channels = 1, outer = 1;
    int axes = 0;
};

Block block_of(const Operands &tensors)
{
    Block block;
    size_t *const sizes[] = {&block.inner, &block.channels, &block.outer};
    for (size_t *size : sizes)
        for (; block.axes < tensors.output->dims->size; block.axes++) {
            const size_t here = extent(tensors.output, block.axes);
            const size_t slopes = size == &block.channels ? here : 1;
            if (extent(tensors.input, block.axes) != here || extent(tensors.alpha, block.axes) != slopes)
                break;
            *size *= here;
        }
    return block;
}

/* Where in a tensor, which is broadcast to the output, the output's block number k is. */
size_t offset_of(const TfLiteEvalTensor *tensor, const TfLiteEvalTensor *output, int axes, size_t k)
{
    size_t stride = 1, offset = 0;
    for (int axis = 0; axis < output->dims->size; axis++) {
        const size_t own = extent(tensor, axis), here = extent(output, axis);
        if (axis >= axes) {
            offset += own == 1 ? 0 : k % here * stride;
            k /= here;
        }
        stride *= own;
    }
    return offset;
}

/* Calls kernel(input, alpha, output, block) for each block; nearly always there is one. */
template <typename Number, typename Slope, typename Kernel> void for_blocks(const Operands &tensors, Kernel kernel)
{
    const Number *const input = tflite::micro::GetTensorData<Number>(tensors.input);
    const Slope *const alpha = tflite::micro::GetTensorData<Slope>(tensors.alpha);
    Number *const output = tflite::micro::GetTensorData<Number>(tensors.output);
    const Block block = block_of(tensors);
    const size_t size = block.outer * block.channels * block.inner;
    size_t blocks = 1;
    for (int axis = block.axes; axis < tensors.output->dims->size; axis++)
        blocks *= extent(tensors.output, axis);
    for (size_t k = 0; k < blocks; k++)
        kernel(input + offset_of(tensors.input, tensors.output, block.axes, k),
               alpha + offset_of(tensors.alpha, tensors.output, block.axes, k), output + k * size, block);
}

bool is_broadcast(const TfLiteEvalTensor *tensor, const TfLiteEvalTensor *output)
{
    bool good = tensor->dims->size <= output->dims->size;
    for (int axis = 0; axis < tensor->dims->size; axis++)
        good = good && (extent(tensor, axis) == 1 || extent(tensor, axis) == extent(output, axis));
    return good;
}

/* The integers keep the layer for the calls. */
TfLiteStatus prepare(TfLiteContext *context, TfLiteNode *node)
{
    tflite::MicroContext *const micro = tflite::GetMicroContext(context);
    const Tensor input = describe(micro, micro->AllocateTempInputTensor(node, 0));
    const Tensor alpha = describe(micro, micro->AllocateTempInputTensor(node, 1));
    const Tensor output = describe(micro, micro->AllocateTempOutputTensor(node, 0));
    const Operands tensors = operands_of(context, node);
    TF_LITE_ENSURE_TYPES_EQ(context, input.type, output.type);
    TF_LITE_ENSURE(context, is_broadcast(tensors.input, tensors.output) && is_broadcast(tensors.alpha, tensors.output));
    if (input.type == kTfLiteFloat32 && alpha.type == kTfLiteFloat32)
        return kTfLiteOk;
    TF_LITE_ENSURE(context, input.type == kTfLiteInt8 || input.type == kTfLiteInt16);
    TF_LITE_ENSURE_TYPES_EQ(context, alpha.type, kTfLiteInt8);

    fl_quantization layer;
    TF_LITE_ENSURE(context, to_layer(input, alpha, output, &layer));
    void *const kept = context->AllocatePersistentBuffer(context, sizeof layer);
    TF_LITE_ENSURE(context, kept != nullptr);
    *static_cast<fl_quantization *>(kept) = layer;
    node->user_data = kept;
    return kTfLiteOk;
}

TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node)
{
    const Operands tensors = operands_of(context, node);
    const fl_isa *const isa = fl_isa_best();
    const auto *const layer = static_cast<const fl_quantization *>(node->user_data);
    if (tensors.input->type == kTfLiteFloat32)
        for_blocks<float, float>(tensors, [=](const float *x, const float *slopes, float *out, const Block &b) {
            fl_prelu_f32(isa, x, slopes, out, b.outer, b.channels, b.inner);
        });
    else if (tensors.input->type == kTfLiteInt8)
        for_blocks<int8_t, int8_t>(tensors, [=](const int8_t *q, const int8_t *slopes, int8_t *out, const Block &b) {
            fl_prelu_i8(isa, layer, q, slopes, out, b.outer, b.channels, b.inner);
        });
    else
        for_blocks<int16_t, int8_t>(tensors, [=](const int16_t *q, const int8_t *slopes, int16_t *out, const Block &b) {
            fl_prelu_i16(isa, layer, q, slopes, out, b.outer, b.channels, b.inner);
        });
    return kTfLiteOk;
}

} // namespace

namespace FASTLEAKY_TFLM_NAMESPACE
{

TFLMRegistration Register_PRELU() { return tflite::micro::RegisterOp(nullptr, prepare, invoke); }

} // namespace FASTLEAKY_TFLM_NAMESPACE
