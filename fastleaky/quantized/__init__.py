"""Leaky ReLU and PReLU on quantized numbers: the integers that TensorFlow Lite computes, bit for bit.

An integer ``q`` of a quantized array stands for the real number ``scale * (q - zero_point)``. The operations take and
return arrays of int8, uint8 or int16::

    scales = dict(input_scale=0.05, input_zero_point=-3, output_scale=0.04, output_zero_point=5)
    y = fastleaky.quantized.leaky_relu(q, 0.1, **scales)
    y = fastleaky.quantized.prelu(q, weight, weight_scale=0.01, weight_zero_point=0, axis=-1, **scales)

A layer that is called again and again is an object, which computes its tables once::

    layer = fastleaky.quantized.LeakyReLU(0.1, "int8", **scales)
    y = layer(q)

``rounding`` says which of the programs that run such networks gives the bits:

- "tflite": LiteRT and TensorFlow Lite Micro, in their reference kernels, as they are built by default;
- "tflite-single": the same, built with ``TFLITE_SINGLE_ROUNDING``;
- "xnnpack": LiteRT when it leaves leaky ReLU of int8 or uint8 to XNNPACK.

All of them give the bits of :mod:`fastleaky.quantized.reference`, the specification.
"""

from fastleaky.quantized import reference
from fastleaky.quantized._api import LeakyReLU, PReLU, leaky_relu, prelu

__all__ = ["LeakyReLU", "PReLU", "leaky_relu", "prelu", "reference"]
