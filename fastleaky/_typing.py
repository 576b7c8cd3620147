"""The types of the annotations."""

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

if TYPE_CHECKING:  # numpy.typing costs milliseconds at import
    from numpy.typing import ArrayLike
else:
    ArrayLike = Any


class WrongAnswerError(ArithmeticError):
    """A backend has not computed what the specification says."""


class Kernels(Protocol):
    """A backend: the four operations on dense arrays of (outer, channels, inner), of which nothing is checked."""

    def leaky_relu(self, x: Array, slope: float, out: Array) -> None:
        """Write ``leaky_relu(x)``."""

    def leaky_relu_backward(self, grad: Array, x: Array, slope: float, dx: Array) -> None:
        """Write ``leaky_relu_backward(grad, x)``."""

    def prelu(self, x: Array, weight: Array, out: Array) -> None:
        """Write ``prelu(x)``."""

    def prelu_backward(self, grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
        """Write ``prelu_backward(grad, x)``."""


__all__ = ["Array", "ArrayLike", "Kernels", "WrongAnswerError"]
