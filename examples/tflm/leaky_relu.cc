/* leaky_relu.cc - TensorFlow Lite Micro's LEAKY_RELU by fastleaky, for float32, int8 and int16 (docs/tflm.md).
 * SPDX-License-Identifier: MIT */
#include "fastleaky.h"
#include "layer.h"

#include "tensorflow/lite/c/builtin_op_data.h"

namespace
{

float slope_of(const TfLiteNode *node) { return static_cast<const TfLiteLeakyReluParams *>(node->builtin_data)->alpha; }

/* What is kept for the calls: of int8 the result for each number, of int16 the layer, of float32 nothing. */
TfLiteStatus prepare(TfLiteContext *context, TfLiteNode *node)
{
    tflite::MicroContext *const micro = tflite::GetMicroContext(context);
    const Tensor input = describe(micro, micro->AllocateTempInputTensor(node, 0));
    const Tensor output = describe(micro, micro->AllocateTempOutputTensor(node, 0));
    const bool is_int8 = input.type == kTfLiteInt8;
    TF_LITE_ENSURE_TYPES_EQ(context, input.type, output.type);
    if (input.type == kTfLiteFloat32)
        return kTfLiteOk;
    TF_LITE_ENSURE(context, is_int8 || input.type == kTfLiteInt16);

    fl_quantization layer;
    TF_LITE_ENSURE(context, to_layer(input, {kTfLiteFloat32, slope_of(node), 0}, output, &layer));
    void *const kept = context->AllocatePersistentBuffer(context, is_int8 ? 256 : sizeof layer);
    TF_LITE_ENSURE(context, kept != nullptr);
    if (is_int8)
        fl_leaky_relu_table_i8(fl_isa_best(), &layer, static_cast<int8_t *>(kept));
    else
        *static_cast<fl_quantization *>(kept) = layer;
    node->user_data = kept;
    return kTfLiteOk;
}

TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node)
{
    using tflite::micro::GetTensorData;
    const TfLiteEvalTensor *const input = tflite::micro::GetEvalInput(context, node, 0);
    TfLiteEvalTensor *const output = tflite::micro::GetEvalOutput(context, node, 0);
    const fl_isa *const isa = fl_isa_best();
    size_t n = 1;
    for (int axis = 0; axis < input->dims->size; axis++)
        n *= static_cast<size_t>(input->dims->data[axis]);

    if (input->type == kTfLiteFloat32)
        fl_leaky_relu_f32(isa, GetTensorData<float>(input), GetTensorData<float>(output), n, slope_of(node));
    else if (input->type == kTfLiteInt8)
        fl_look_up_i8(isa, GetTensorData<int8_t>(input), static_cast<const int8_t *>(node->user_data),
                      GetTensorData<int8_t>(output), n);
    else
        fl_leaky_relu_i16(isa, static_cast<const fl_quantization *>(node->user_data), GetTensorData<int16_t>(input),
                          GetTensorData<int16_t>(output), n);
    return kTfLiteOk;
}

} // namespace

namespace FASTLEAKY_TFLM_NAMESPACE
{

TFLMRegistration Register_LEAKY_RELU() { return tflite::micro::RegisterOp(nullptr, prepare, invoke); }

} // namespace FASTLEAKY_TFLM_NAMESPACE
