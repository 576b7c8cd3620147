"""16-bit types for backends that do not know them: widened to float32, a piece at a time, and rounded once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastleaky._typing import Array, Kernels
from fastleaky.reference import quiet, rounded, wide

PIECE = 1 << 20  # elements
ROW = (1, 1, -1)  # (outer, channels, inner), where there are no channels


class Widened:
    """The four operations on arrays of 16-bit numbers, by another backend's on float32."""

    def __init__(self, kernels: Kernels) -> None:
        self.kernels = kernels

    @quiet
    def leaky_relu(self, x: Array, slope: float, out: Array) -> None:
        """Write ``leaky_relu(x)``."""
        for here, (values,) in _pieces(x):
            self.kernels.leaky_relu(values, slope, values)
            out.reshape(ROW)[here] = rounded(values, out.dtype)

    @quiet
    def leaky_relu_backward(self, grad: Array, x: Array, slope: float, dx: Array) -> None:
        """Write ``leaky_relu_backward(grad, x)``."""
        for here, (gradients, values) in _pieces(grad, x):
            self.kernels.leaky_relu_backward(gradients, values, slope, values)
            dx.reshape(ROW)[here] = rounded(values, dx.dtype)

    @quiet
    def prelu(self, x: Array, weight: Array, out: Array) -> None:
        """Write ``prelu(x)``."""
        values = wide(x)
        self.kernels.prelu(values, wide(weight), values)
        out[...] = rounded(values, out.dtype)

    @quiet
    def prelu_backward(self, grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
        """Write ``prelu_backward(grad, x)``."""
        values, sums = wide(x), np.empty(weight.shape)  # float64, to be rounded once
        self.kernels.prelu_backward(wide(grad), values, wide(weight), values, sums)
        dx[...] = rounded(values, dx.dtype)
        dweight[...] = rounded(sums, dweight.dtype)


def _pieces(*arrays: Array) -> Iterator[tuple[Any, list[Any]]]:
    rows = [array.reshape(ROW) for array in arrays]
    for start in range(0, rows[0].size, PIECE):
        here = np.s_[:, :, start : start + PIECE]
        yield here, [wide(array[here]) for array in rows]
