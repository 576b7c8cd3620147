"""The specification of the quantized operations: what every backend must compute, in the plainest NumPy.

See :mod:`fastleaky.quantized` for the arguments, which are not checked here. Everything is computed in 64-bit integers,
which do not overflow for any arguments that pass the checks. The operands and the result of each product fit 32 bits.
"""

import math

import numpy as np

from fastleaky._typing import Array, ArrayLike
from fastleaky.reference import along, quiet


def leaky_relu(
    q: ArrayLike,
    negative_slope: float,
    *,
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    rounding: str = "tflite",
) -> Array:
    """``x = q - input_zero_point``, times one factor where it is positive, and times another elsewhere."""
    q = np.asarray(q)
    x = q.astype(np.int64) - input_zero_point
    above, below = factors(input_scale, negative_slope, output_scale, rounding)
    y = np.where(x > 0, requantize(x, above, rounding), requantize(x, below, rounding))
    return saturate(y + output_zero_point, q.dtype)


def prelu(
    q: ArrayLike,
    weight: ArrayLike,
    *,
    input_scale: float,
    input_zero_point: int,
    weight_scale: float,
    weight_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    axis: int = 1,
    rounding: str = "tflite",
) -> Array:
    """The same, but elsewhere ``x * (weight - weight_zero_point)`` is multiplied."""
    q = np.asarray(q)
    x = q.astype(np.int64) - input_zero_point
    slope = along(weight, x, axis) - weight_zero_point
    above, below = factors(input_scale, weight_scale, output_scale, rounding)
    y = np.where(x > 0, requantize(x, above, rounding), requantize(x * slope, below, rounding))
    return saturate(y + output_zero_point, q.dtype)


@quiet
def factors(input_scale: float, slope: float, output_scale: float, rounding: str) -> tuple[np.float32, np.float32]:
    """The factor where ``x`` is positive, and the one elsewhere: computed in float32, in just this order."""
    s, a, t = np.float32(input_scale), np.float32(slope), np.float32(output_scale)
    return s / t, s / t * a if rounding == "xnnpack" else s * a / t


def requantize(x: Array, factor: np.float32, rounding: str) -> Array:
    """Return ``x * factor``, rounded to integers."""
    if rounding == "xnnpack":
        return shift_right(x * of_256ths(factor), 8)
    multiplier, shift = quantize_multiplier(float(factor))
    y = multiply(x, abs(multiplier), shift, rounding)
    return -y if multiplier < 0 else y  # so halves go the other way, too


def of_256ths(factor: np.float32) -> int:
    """How many 256ths XNNPACK takes for `factor`; halves go to the even number."""
    return int(np.rint(256 * factor))


def quantize_multiplier(factor: float) -> tuple[int, int]:
    """``factor`` as ``multiplier * 2**(shift - 31)``, with a multiplier of 31 bits and a sign; (0, 0) if it is tiny."""
    fraction, shift = math.frexp(factor)  # 0.5 <= abs(fraction) < 1, unless it is 0
    multiplier = math.floor(abs(fraction) * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if shift < -31:  # noqa: PLR2004
        return 0, 0
    return multiplier if factor > 0 else -multiplier, shift


def multiply(x: Array, multiplier: int, shift: int, rounding: str) -> Array:
    """``x * multiplier * 2**(shift - 31)``, rounded to integers; the multiplier is not negative.

    "tflite" rounds twice: first what lies above the product's lower 31 bits, then what is left of that after a shift to
    the right, and there halves go away from zero. "tflite-single" rounds once.
    """
    if rounding == "tflite-single":
        return shift_right(x * multiplier, 31 - shift)
    left, right = max(shift, 0), max(-shift, 0)
    high = shift_right((x << left) * multiplier, 31)
    y: Array = np.sign(high) * shift_right(np.abs(high), right)
    return y


def shift_right(x: Array, bits: int) -> Array:
    """``x / 2**bits``, rounded to the nearest integers; halves go up."""
    return (x + (1 << bits >> 1)) >> bits


def saturate(y: Array, dtype: np.dtype[np.integer]) -> Array:
    """``y`` in a type, where what is beyond its ends becomes its ends."""
    info = np.iinfo(dtype)
    return np.asarray(np.clip(y, info.min, info.max), dtype)
