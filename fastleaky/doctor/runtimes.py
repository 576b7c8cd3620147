"""Where runtimes give other bits than the specification: float32, a slope, the special inputs.

A runtime is written down as its formula; tests/doors/test_doctor_runtimes.py compares these with the runtimes.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from fastleaky._typing import Array
from fastleaky.doctor.model import Activation
from fastleaky.reference import prelu, quiet

INPUTS = {"-inf": -np.inf, "-1": -1.0, "-0": -0.0, "+0": 0.0, "1": 1.0, "inf": np.inf, "NaN": np.nan}
LEAST_NORMAL = np.finfo(np.float32).tiny


def specified(x: Array, slope: Array) -> Array:
    """The specification: both zeros are multiplied."""
    return prelu(x, slope)


def zeros_kept(x: Array, slope: Array) -> Array:
    """Neither zero is multiplied."""
    return np.where(x >= 0, x, x * slope)


def sign_selects(x: Array, slope: Array) -> Array:
    """What has the sign bit is multiplied, and so is NaN: of the zeros, -0."""
    return np.where(np.signbit(x) | np.isnan(x), x * slope, x)


def flushed(formula: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """Return a formula where subnormal slopes and results are zeros of their signs."""

    def flushing(x: Array, slope: Array) -> Array:
        return _flush(formula(x, _flush(slope)))

    return flushing


def _flush(values: Array) -> Array:
    return np.where(np.abs(values) < LEAST_NORMAL, np.copysign(np.float32(0), values), values)


class Runtime(NamedTuple):
    """A program that runs models of a format, by the formulas of an operator: which one may depend on the processor."""

    name: str
    format: str
    operators: frozenset[str]
    formulas: tuple[Callable[[Array, Array], Array], ...]
    normal: bool = False  # it leaves slopes that are 0, subnormal, infinite or NaN to the runtime beneath


XNNPACK = (flushed(zeros_kept), flushed(sign_selects))
RUNTIMES = (
    Runtime("LiteRT, TensorFlow Lite Micro", "tflite", frozenset({"PRELU"}), (zeros_kept,)),
    Runtime("LiteRT with XNNPACK", "tflite", frozenset({"PRELU"}), XNNPACK),
    Runtime("LiteRT with XNNPACK", "tflite", frozenset({"LEAKY_RELU"}), XNNPACK, normal=True),
    Runtime("ONNX Runtime, OpenVINO", "onnx", frozenset({"LeakyRelu", "PRelu"}), (zeros_kept,)),
)


@quiet
def disagreements(activation: Activation, format_: str) -> dict[str, dict[str, int]]:
    """Return the runtimes that give other bits, with the inputs of which they do, and for how many slopes."""
    if activation.x.dtype != "float32" or activation.slopes is None or activation.slopes.dtype != np.float32:
        return {}
    found = {}
    slopes, times = np.unique(activation.slopes.view(np.uint32), return_counts=True)
    for runtime in RUNTIMES:
        if runtime.format == format_ and activation.operator in runtime.operators:
            counts = _other_bits(runtime, slopes.view(np.float32)) @ times
            if counts.any():
                found[runtime.name] = {name: int(n) for name, n in zip(INPUTS, counts, strict=True) if n}
    return found


def hints(activation: Activation, format_: str) -> Iterator[str]:
    """Yield what else runtimes do not agree on."""
    x, slopes = activation.x, activation.slopes
    if format_ == "onnx" and x.dtype == "bfloat16":
        yield "ONNX Runtime does not run it in bfloat16; fastleaky.onnxruntime does"
    if slopes is None or slopes.ndim != 1 or slopes.size == 1 or x.shape is None:
        return
    if format_ == "onnx" and x.shape[1:2] == slopes.shape and len(x.shape) > 2:  # noqa: PLR2004 - else it is the last
        yield "OpenVINO takes the slopes along axis 1, where ONNX has them along the last"


def _other_bits(runtime: Runtime, slopes: Array) -> Array:
    """For each of the inputs and of the slopes: does a formula of the runtime give other bits than are specified?"""
    x = np.array(list(INPUTS.values()), np.float32)[:, np.newaxis]
    slope = np.broadcast_to(slopes, (x.size, slopes.size))
    wanted = specified(x, slope)
    differ = np.zeros(wanted.shape, bool)
    for formula in runtime.formulas:
        differ |= ~same(formula(x, slope), wanted)
    if runtime.normal:
        differ &= np.isfinite(slopes) & (np.abs(slopes) >= LEAST_NORMAL)
    return differ


def same(a: Array, b: Array) -> Array:
    """Are the bits the same? Any NaN is as good as any other."""
    equal: Array = (a.view(np.uint32) == b.view(np.uint32)) | (np.isnan(a) & np.isnan(b))
    return equal
