"""What a quantized layer computes once, whatever the data: factors, tables, and its parameters as C takes them."""

import functools
from typing import Any

import numpy as np

from fastleaky._typing import Array
from fastleaky.quantized import reference

ROUNDINGS = ("tflite", "tflite-single", "xnnpack")  # in the order of fl_rounding


class Layer:
    """A leaky ReLU or, with a weight, a PReLU of integers of a type; nothing is checked.

    The factors are what positive numbers are multiplied by; and what others are, of PReLU besides their slope.
    """

    def __init__(self, dtype: np.dtype[Any], parameters: dict[str, Any], weight: Array | None = None) -> None:
        self.dtype, self.parameters, self.weight = dtype, parameters, weight
        slope = parameters["negative_slope" if weight is None else "weight_scale"]
        self.factors = reference.factors(
            parameters["input_scale"], slope, parameters["output_scale"], parameters["rounding"]
        )

    @functools.cached_property
    def table(self) -> Array:
        """Of leaky ReLU, the result for each number, in the order of the numbers' bits."""
        return reference.leaky_relu(every(self.dtype), **self.parameters)

    @functools.cached_property
    def slopes(self) -> tuple[Array, Array]:
        """Each weight there is, in order; and for each place of `weight`, which of them it has."""
        found: tuple[Array, Array] = np.unique(np.ravel(np.asarray(self.weight)), return_inverse=True)
        return found

    @functools.cached_property
    def tables(self) -> Array:
        """Of PReLU, for each of the slopes, and for int16 for a slope of 0, the results for each number."""
        slopes = self.slopes[0] if self.dtype.itemsize == 1 else np.full(1, self.parameters["weight_zero_point"])
        return reference.prelu(every(self.dtype)[np.newaxis], slopes[:, np.newaxis], **self.parameters)

    @functools.cached_property
    def fixed_point(self) -> dict[str, Any]:
        """The members of C's fl_quantization, in their order."""
        rounding, zero_points = self.parameters["rounding"], {"weight_zero_point": 0, **self.parameters}
        if rounding == "xnnpack":
            above, below = ((reference.of_256ths(factor), 0) for factor in self.factors)
        else:
            above, below = (reference.quantize_multiplier(float(factor)) for factor in self.factors)
        return {
            "rounding": ROUNDINGS.index(rounding),
            "positive": above,
            "negative": below,
            **{f"{name}_zero_point": zero_points[f"{name}_zero_point"] for name in ("input", "output", "weight")},
        }

    @property
    def in_c(self) -> str:
        """The initializer of an fl_quantization in C."""
        rounding, *members = self.fixed_point.values()
        name = ROUNDINGS[rounding].upper().replace("-", "_")
        return f"{{FL_{name}, {', '.join(map(str, members))}}}".replace("(", "{").replace(")", "}")  # factors are pairs

    def requantize_negative(self, products: Array) -> Array:
        """Multiply what is not positive, times its slope, by the second factor, and round it."""
        return reference.requantize(products, self.factors[1], self.parameters["rounding"])


def every(dtype: np.dtype[Any]) -> Array:
    """Each number of a type, in the order of its bits."""
    return np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype)
