"""The checks of the quantized parameters, before anything is computed from them."""

import operator
from typing import Any

import numpy as np

from fastleaky._arguments import number as real
from fastleaky.quantized._layer import Layer
from fastleaky.reference import quiet

# By type: how many bits `q - zero_point` has, besides its sign.
BITS = {np.dtype("int8"): 8, np.dtype("uint8"): 8, np.dtype("int16"): 15}
INT16 = np.dtype("int16")

TFLITE = ("tflite", "tflite-single")
XNNPACK = ("xnnpack",)


def element_type(op: str, what: str, dtype: Any) -> np.dtype[Any]:
    """Return a quantized type in native byte order."""
    native: np.dtype[Any] | None
    try:
        native = np.dtype(dtype).newbyteorder("=")
    except Exception:  # noqa: BLE001 - TypeError, ValueError, SyntaxError: as NumPy likes
        native = None
    if native is None or native not in BITS:
        raise TypeError(f"{op}: {what} {native or repr(dtype)}; it must be int8, uint8 or int16")
    return native


def weight_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of PReLU's weight for data of a type."""
    return np.dtype(np.int8) if dtype == INT16 else dtype


def numbers(op: str, dtype: np.dtype[Any], **given: Any) -> dict[str, Any]:
    """Return slopes, scales and zero points by their names, each checked."""
    rules = {"slope": _slope, "scale": _scale, "point": _zero_point}
    return {name: rules[name.rpartition("_")[2]](op, name, value, dtype) for name, value in given.items()}


@quiet
def _slope(op: str, name: str, value: Any, _: np.dtype[Any]) -> float:
    number = real(op, name, value)
    if not np.isfinite(np.float32(number)):
        raise ValueError(f"{op}: {name} is {value!r}; as a float32 it must be finite")
    return number


@quiet
def _scale(op: str, name: str, value: Any, _: np.dtype[Any]) -> float:
    number = real(op, name, value)
    if not 0 < np.float32(number) < np.inf:
        raise ValueError(f"{op}: {name} is {value!r}; as a float32 it must be positive and finite")
    return number


def _zero_point(op: str, name: str, value: Any, dtype: np.dtype[Any]) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{op}: {name} is {value!r}; it must be an integer")
    if dtype == INT16 and number != 0:
        raise ValueError(f"{op}: {name} is {number}; of int16 it must be 0")
    info = np.iinfo(dtype)
    if not info.min <= number <= info.max:
        raise ValueError(f"{op}: {name} is {number}; it must be in {info.min} ... {info.max}, the range of {dtype}")
    return number


def rounding(op: str, value: Any, names: tuple[str, ...], dtype: np.dtype[Any]) -> str:
    """Return the rounding, which must be one that the operation has for arrays of `dtype`."""
    if not isinstance(value, str):
        raise TypeError(f"{op}: rounding is {value!r}; it must be a string")
    if value not in names:
        raise ValueError(f"{op}: rounding is {value!r}; for {dtype} it must be one of {', '.join(map(repr, names))}")
    return value


def factors(op: str, slope_name: str, bits: tuple[int, int], layer: Layer) -> None:
    """See that both factors can be represented, for numbers of so many `bits` and a sign."""
    above, below = map(float, layer.factors)
    formula = "input_scale / output_scale"
    _factor(op, formula, above, bits[0], layer.parameters["rounding"])
    _factor(op, f"{slope_name} * {formula}", below, bits[1], layer.parameters["rounding"])


def _factor(op: str, formula: str, factor: float, bits: int, rounding: str) -> None:
    if rounding == "xnnpack":
        fits = 1 / 256 <= abs(factor) <= 128 and factor >= -127.99609375  # noqa: PLR2004
        rule = "for 'xnnpack' it must be in 1/256 ... 128, or if negative in -127.99609375 ... -1/256"
    else:
        fits = abs(factor) < 2 ** (30 - bits)
        rule = f"without its sign it must be less than 2**{30 - bits}, or products would overflow 32 bits"
    if not fits:
        raise ValueError(f"{op}: {formula} is {factor}; {rule}")
