"""The integers of a quantized activation, by each of the programs that may run it, and how many of them differ."""

from typing import Any

import numpy as np

from fastleaky._typing import Array
from fastleaky.doctor.model import Activation, Tensor
from fastleaky.quantized import LeakyReLU, PReLU, reference
from fastleaky.quantized._layer import every
from fastleaky.reference import quiet

Report = dict[str, Any]
# The first is what all others are compared with: what a program for models of the format gives.
ROUNDINGS = {
    "tflite": ("tflite", "tflite-single", "xnnpack", "tflite-signed"),
    "onnx": ("onnx", "tflite", "tflite-single", "xnnpack"),
}


def layer(activation: Activation, rounding: str) -> LeakyReLU | PReLU:
    """Return an activation as a layer of ours; a ValueError or a TypeError says why it is none."""
    slopes = activation.slopes
    if slopes is None:
        raise ValueError("its slopes are computed at run time")
    if activation.x.dtype != activation.y.dtype:
        raise ValueError(f"it makes {activation.y.dtype} of {activation.x.dtype}")
    given: Report = {**_scale("input", activation.x), **_scale("output", activation.y), "rounding": rounding}
    if activation.weight is None:
        return LeakyReLU(float(slopes), activation.x.dtype, **given)
    return PReLU(slopes, activation.x.dtype, **given, **_scale("weight", activation.weight))


@quiet
def comparison(activation: Activation, format_: str) -> Report | None:
    """Count the numbers of which the roundings make other integers; None if the activation is not quantized.

    Of PReLU, those of each slope count. `impossible` has the reasons why something cannot be computed.
    """
    if not activation.quantized:
        return None
    report: Report = {"base": ROUNDINGS[format_][0], "of": 0, "different": {}, "impossible": {}}
    base = None
    for rounding in ROUNDINGS[format_]:
        if not _exists(activation, rounding):
            continue
        try:
            found, times = integers(activation, rounding)
        except (TypeError, ValueError) as error:
            report["impossible"][rounding] = str(error).partition(": ")[2] or str(error)
            continue
        if base is None:
            base, report["base"], report["of"] = found, rounding, found.shape[1] * int(times.sum())
        else:
            report["different"][rounding] = int(np.count_nonzero(found != base, axis=1) @ times)
    return report


def integers(activation: Activation, rounding: str) -> tuple[Array, Array]:
    """Return the results for each number, in a row for each slope that occurs; and how often it does."""
    compute = {"onnx": _onnx, "tflite-signed": _tflite_signed}.get(rounding)
    how = layer(activation, "tflite" if compute else rounding)
    slopes, times = np.unique(np.asarray(activation.slopes), return_counts=True)
    q = np.broadcast_to(every(how.dtype), (slopes.size, 1 << 8 * how.dtype.itemsize))
    if isinstance(how, PReLU):
        parameters = how.parameters
        how = PReLU(slopes[:, np.newaxis], how.dtype, axis=0, **parameters)
    return (compute(how, q) if compute else how(q)), times


def _exists(activation: Activation, rounding: str) -> bool:
    """Does a program round so for this operation, type and sign?"""
    leaky = activation.weight is None
    if rounding == "xnnpack":
        return leaky and activation.x.dtype != "int16"
    if rounding == "tflite-signed":
        return leaky and activation.slopes is not None and bool(activation.slopes < 0)
    return True


def _scale(role: str, tensor: Tensor) -> Report:
    scales = tensor.scales
    if scales is None or scales.scale.size != 1:
        raise ValueError(f"its {role} has {0 if scales is None else scales.scale.size} scales")
    return {f"{role}_scale": float(scales.scale[0]), f"{role}_zero_point": int(scales.zero_point[0])}


def _onnx(how: LeakyReLU | PReLU, q: Array) -> Array:
    """As ONNX defines DequantizeLinear, the operation in float32, and QuantizeLinear."""
    given = how.parameters
    slope: Any = np.float32(given.get("negative_slope", 0))
    if how.weight is not None:
        weight = how.weight.astype(np.int32) - given["weight_zero_point"]
        slope = weight.astype(np.float32) * np.float32(given["weight_scale"])
    x = (q.astype(np.int32) - given["input_zero_point"]).astype(np.float32) * np.float32(given["input_scale"])
    y = np.where(x >= 0, x, x * slope) / np.float32(given["output_scale"])
    return reference.saturate(np.rint(y) + np.float32(given["output_zero_point"]), q.dtype)


def _tflite_signed(how: LeakyReLU | PReLU, q: Array) -> Array:
    """As "tflite", but a negative multiplier keeps its sign, so that halves go the other way."""
    given = how.parameters
    x = q.astype(np.int64) - given["input_zero_point"]
    above = reference.requantize(x, how.factors[0], "tflite")
    below = reference.multiply(x, *reference.quantize_multiplier(float(how.factors[1])), "tflite")
    return reference.saturate(np.where(x > 0, above, below) + given["output_zero_point"], q.dtype)
