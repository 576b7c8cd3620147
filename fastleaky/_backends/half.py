"""float16 and bfloat16 for the backends in Python: widened to float32, a piece at a time, and rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastleaky._backends import numpy_backend
from fastleaky._operations import LEAKY, Operation
from fastleaky._typing import Array, Backend
from fastleaky.reference import quiet, rounded, wide

PIECE = 1 << 20  # elements


class Half:
    """A backend for 16-bit floats, by the functions of another for float32."""

    def __init__(self, backend: Backend) -> None:
        self.backend, self.integers = backend, backend.integers

    @quiet
    def elementwise(self, operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], out: Array) -> None:
        """Write the result of an operation."""
        if operation.formula != LEAKY:  # each of its steps is rounded
            numpy_backend.elementwise(operation, inputs, parameters, out)
            return
        parameters = [wide(values) if isinstance(values, np.ndarray) else values for values in parameters]
        if not operation.channel:
            inputs, out = [array.reshape(1, 1, -1) for array in inputs], out.reshape(1, 1, -1)
        outer, channels, inner = out.shape
        step = max(1, PIECE // max(1, outer * channels))
        for start in range(0, inner, step):
            here = np.s_[:, :, start : start + step]
            values = [wide(array[here]) for array in inputs]
            self.backend.elementwise(operation, values, parameters, values[-1])
            out[here] = rounded(values[-1], out.dtype)

    @quiet
    def gradients(
        self, operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], outs: Sequence[Array]
    ) -> None:
        """Write the gradients: with respect to x, and the ordered sum for each channel."""
        if operation.formula != LEAKY:
            numpy_backend.gradients(operation, inputs, parameters, outs)
            return
        (grad, x), (slope,), (dx, dslope) = inputs, parameters, outs
        values, sums = wide(x), np.empty(slope.shape)  # float64, to be rounded once
        self.backend.gradients(operation, (wide(grad), values), (wide(slope),), (values, sums))
        dx[...] = rounded(values, dx.dtype)
        dslope[...] = rounded(sums, dslope.dtype)
