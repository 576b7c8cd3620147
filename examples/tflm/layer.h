/* layer.h - what Prepare makes of a quantized layer of TensorFlow Lite Micro: its parameters for fastleaky.
 * SPDX-License-Identifier: MIT */
#ifndef FASTLEAKY_TFLM_LAYER_H
#define FASTLEAKY_TFLM_LAYER_H

#include "fastleaky_quantized.h"

#include "tensorflow/lite/kernels/internal/quantization_util.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_log.h"

/* The functions replace TensorFlow Lite Micro's. With another name here, give them to the resolver instead. */
#ifndef FASTLEAKY_TFLM_NAMESPACE
#define FASTLEAKY_TFLM_NAMESPACE tflite
#endif

#if defined(TFLITE_SINGLE_ROUNDING) && TFLITE_SINGLE_ROUNDING
#define FASTLEAKY_TFLM_ROUNDING FL_TFLITE_SINGLE
#else
#define FASTLEAKY_TFLM_ROUNDING FL_TFLITE
#endif

namespace
{

struct Tensor {
    TfLiteType type;
    float scale;
    int32_t zero_point;
};

/* Describes a tensor that Prepare was lent, and gives it back. */
inline Tensor describe(tflite::MicroContext *micro, TfLiteTensor *lent)
{
    if (!lent)
        return {kTfLiteNoType, 0, 0};
    const Tensor tensor = {lent->type, lent->params.scale, lent->params.zero_point};
    micro->DeallocateTempTfLiteTensor(lent);
    return tensor;
}

inline bool to_factor(float number, int largest_shift, fl_factor *factor)
{
    int shift = 0;
    tflite::QuantizeMultiplier(static_cast<double>(number), &factor->multiplier, &shift);
    factor->shift = shift;
    return shift <= largest_shift;
}

/* Returns whether fastleaky's kernels can take a layer (fastleaky_quantized.h), and its parameters. The slope is leaky
 * ReLU's number, or describes PReLU's tensor. Factors are computed in float32, as TensorFlow Lite does on a PC. */
inline bool to_layer(const Tensor &input, const Tensor &slope, const Tensor &output, fl_quantization *layer)
{
    const bool is_int16 = input.type == kTfLiteInt16, is_prelu = slope.type == kTfLiteInt8;
    const int largest_shift = is_int16 ? 15 : 22, largest_slope_shift = is_prelu ? largest_shift - 8 : largest_shift;
    *layer = {};
    layer->rounding = FASTLEAKY_TFLM_ROUNDING;
    layer->input_zero_point = input.zero_point;
    layer->output_zero_point = output.zero_point;
    layer->weight_zero_point = slope.zero_point;
    const bool good = to_factor(input.scale / output.scale, largest_shift, &layer->positive) &&
                      to_factor(input.scale * slope.scale / output.scale, largest_slope_shift, &layer->negative) &&
                      (!is_int16 || (input.zero_point == 0 && output.zero_point == 0));
    if (!good)
        MicroPrintf("fastleaky: the scales or zero points are out of range.");
    return good;
}

} // namespace

#endif
