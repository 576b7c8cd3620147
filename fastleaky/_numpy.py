"""The NumPy backend: the specification itself, written into arrays of (outer, channels, inner)."""

from fastleaky import reference
from fastleaky._typing import Array


def leaky_relu(x: Array, slope: float, out: Array) -> None:
    """Write ``leaky_relu(x)``."""
    out[...] = reference.leaky_relu(x, slope)


def leaky_relu_backward(grad: Array, x: Array, slope: float, dx: Array) -> None:
    """Write ``leaky_relu_backward(grad, x)``."""
    dx[...] = reference.leaky_relu_backward(grad, x, slope)


def prelu(x: Array, weight: Array, out: Array) -> None:
    """Write ``prelu(x)``."""
    out[...] = reference.prelu(x, weight)


def prelu_backward(grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
    """Write ``prelu_backward(grad, x)``."""
    dx[...], dweight[...] = reference.prelu_backward(grad, x, weight)
