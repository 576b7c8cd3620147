"""The types of the annotations, among them what a backend is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from fastleaky._operations import Operation

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Parameter: TypeAlias = Array | float | None  # None: a number that is optional

if TYPE_CHECKING:  # numpy.typing costs milliseconds at import
    from numpy.typing import ArrayLike

    from fastleaky.quantized._layer import Layer
else:
    ArrayLike = Any


class WrongAnswerError(ArithmeticError):
    """A backend has not computed what the specification says."""


class Backend(Protocol):
    """Two functions for floats and one for integers, on dense arrays of one type; nothing is checked."""

    def elementwise(
        self, operation: Operation, inputs: Sequence[Array], parameters: Sequence[Parameter], out: Array
    ) -> None:
        """Write the result of an operation.

        Arrays have the shape (outer, channels, inner), or any if no parameter is an array; a parameter is one number,
        or an array with one for each channel. One more input than the operation names may follow.
        """

    def gradients(
        self, operation: Operation, inputs: Sequence[Array], parameters: Sequence[Parameter], outs: Sequence[Array]
    ) -> None:
        """Write the gradients: with respect to x, and the ordered sum for each channel."""

    def integers(self, layer: Layer, q: Array, out: Array) -> None:
        """Write what a quantized layer gives."""


__all__ = ["Array", "ArrayLike", "Backend", "Parameter", "WrongAnswerError"]
