/* layers.cc - for test_tflm.py: one layer through Register_LEAKY_RELU() or Register_PRELU(), as an interpreter calls
 * them. SPDX-License-Identifier: MIT */
#include "stand_in.h"

namespace tflite
{
TFLMRegistration Register_LEAKY_RELU();
TFLMRegistration Register_PRELU();
} // namespace tflite

namespace
{

void *allocate(TfLiteContext *context, size_t bytes)
{
    auto &memory = context->layer.memory;
    memory.emplace_back(new long double[bytes / sizeof(long double) + 1]);
    return memory.back().get();
}

} // namespace

extern "C" {

struct Operand {
    int type, rank, dims[8];
    float scale;
    int32_t zero_point;
    void *data;
};

/* Returns 0; 1 if the layer was refused; 2 if a tensor was not given back. A leaky ReLU has no alpha. */
int run_layer(const Operand *input, const Operand *alpha, const Operand *output, float negative_slope)
{
    TfLiteLeakyReluParams parameters = {negative_slope};
    TfLiteNode node = {nullptr, &parameters};
    TfLiteContext context = {{alpha ? 2 : 1, {}, {}, 0, {}}, allocate};
    TfLiteIntArray dims[3];
    int count = 0;
    for (const Operand *operand : {input, alpha, output})
        if (operand) {
            const auto type = static_cast<TfLiteType>(operand->type);
            dims[count].size = operand->rank;
            for (int axis = 0; axis < operand->rank; axis++)
                dims[count].data[axis] = operand->dims[axis];
            context.layer.eval[count] = {type, &dims[count], operand->data};
            context.layer.tensors[count] = {type, {operand->scale, operand->zero_point}};
            count++;
        }
    const TFLMRegistration layer = alpha ? tflite::Register_PRELU() : tflite::Register_LEAKY_RELU();
    const bool good = layer.prepare(&context, &node) == kTfLiteOk && layer.invoke(&context, &node) == kTfLiteOk;
    return context.layer.lent ? 2 : !good;
}
}
