/* stand_in.h - for test_tflm.py: what examples/tflm/ uses of TensorFlow Lite Micro, and no more of it. Their headers
 * are in no package registry. SPDX-License-Identifier: MIT
 *
 * A context lends the three tensors of one layer, counts what is not given back, and hands out memory. */
#ifndef STAND_IN_H
#define STAND_IN_H

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

enum TfLiteStatus { kTfLiteOk, kTfLiteError };
enum TfLiteType { kTfLiteNoType, kTfLiteFloat32, kTfLiteInt8, kTfLiteInt16, kTfLiteUInt8 };

struct TfLiteIntArray {
    int size;
    int data[8];
};
struct TfLiteEvalTensor {
    TfLiteType type;
    TfLiteIntArray *dims;
    void *data;
};
struct TfLiteTensor {
    TfLiteType type;
    struct {
        float scale;
        int32_t zero_point;
    } params;
};
struct TfLiteLeakyReluParams {
    float alpha;
};
struct TfLiteNode {
    void *user_data, *builtin_data;
};
struct Layer { /* the inputs come first, then the output */
    int inputs;
    TfLiteEvalTensor eval[3];
    TfLiteTensor tensors[3];
    int lent;
    std::vector<std::unique_ptr<long double[]>> memory;
};
struct TfLiteContext {
    Layer layer;
    void *(*AllocatePersistentBuffer)(TfLiteContext *, size_t);
};
struct TFLMRegistration {
    void *init;
    TfLiteStatus (*prepare)(TfLiteContext *, TfLiteNode *);
    TfLiteStatus (*invoke)(TfLiteContext *, TfLiteNode *);
};

#define MicroPrintf(...) (void)std::fprintf(stderr, __VA_ARGS__)
#define TF_LITE_ENSURE(context, condition)                                                                             \
    if (!(condition))                                                                                                  \
    return (void)(context), kTfLiteError
#define TF_LITE_ENSURE_TYPES_EQ(context, a, b) TF_LITE_ENSURE(context, (a) == (b))

namespace tflite
{

struct MicroContext {
    Layer &layer;
    TfLiteTensor *lend(int index) { return layer.lent++, &layer.tensors[index]; }
    TfLiteTensor *AllocateTempInputTensor(const TfLiteNode *, int index) { return lend(index); }
    TfLiteTensor *AllocateTempOutputTensor(const TfLiteNode *, int) { return lend(layer.inputs); }
    void DeallocateTempTfLiteTensor(TfLiteTensor *) { layer.lent--; }
};

inline MicroContext *GetMicroContext(TfLiteContext *context)
{
    static std::unique_ptr<MicroContext> micro;
    micro.reset(new MicroContext{context->layer});
    return micro.get();
}

/* number = multiplier * 2^(shift - 31), with a multiplier of 31 bits. */
inline void QuantizeMultiplier(double number, int32_t *multiplier, int *shift)
{
    int64_t rounded = std::llround(std::ldexp(std::frexp(number, shift), 31));
    if (rounded == INT64_C(1) << 31 || rounded == -(INT64_C(1) << 31)) {
        rounded /= 2;
        ++*shift;
    }
    if (*shift < -31)
        rounded = *shift = 0;
    *multiplier = static_cast<int32_t>(rounded);
}

namespace micro
{

inline const TfLiteEvalTensor *GetEvalInput(TfLiteContext *context, const TfLiteNode *, int index)
{
    return &context->layer.eval[index];
}
inline TfLiteEvalTensor *GetEvalOutput(TfLiteContext *context, const TfLiteNode *, int)
{
    return &context->layer.eval[context->layer.inputs];
}
template <typename Number> Number *GetTensorData(TfLiteEvalTensor *tensor)
{
    return static_cast<Number *>(tensor->data);
}
template <typename Number> const Number *GetTensorData(const TfLiteEvalTensor *tensor)
{
    return static_cast<const Number *>(tensor->data);
}
inline TFLMRegistration RegisterOp(void *init, TfLiteStatus (*prepare)(TfLiteContext *, TfLiteNode *),
                                   TfLiteStatus (*invoke)(TfLiteContext *, TfLiteNode *))
{
    return {init, prepare, invoke};
}

} // namespace micro
} // namespace tflite

#endif
