"""Fused operations, as one writes them with NumPy's functions, for NumPy and for who offers the same functions."""

from __future__ import annotations

from typing import Any


def leaky(xp: Any, x: Any, slope: Any) -> Any:
    """Leaky ReLU or PReLU."""
    return xp.where(x > 0, x, slope * x)


def bias_leaky_relu(  # noqa: PLR0913, PLR0917 - the operation's own
    xp: Any, x: Any, bias: Any, negative_slope: float, gain: float, clamp: float
) -> Any:
    """A bias before, a gain and a limit behind."""
    return xp.clip(leaky(xp, x + bias, negative_slope) * gain, -clamp, clamp)


def bias_leaky_relu_backward(  # noqa: PLR0913, PLR0917
    xp: Any, grad: Any, y: Any, negative_slope: float, gain: float, clamp: float
) -> Any:
    """Both gradients, from the output."""
    limited = xp.where(abs(y) >= clamp, 0, grad * gain)
    dx = xp.where(y > 0, limited, negative_slope * limited)
    return dx, dx.sum((0, *range(2, dx.ndim)))


def scale_shift_leaky_relu(xp: Any, x: Any, scale: Any, shift: Any, negative_slope: float) -> Any:
    """A folded batch norm before."""
    return leaky(xp, x * scale + shift, negative_slope)


def scale_shift_prelu(xp: Any, x: Any, scale: Any, shift: Any, weight: Any) -> Any:
    """A folded batch norm before."""
    return leaky(xp, x * scale + shift, weight)


FORMULAS = {
    function.__name__: function
    for function in (bias_leaky_relu, bias_leaky_relu_backward, scale_shift_leaky_relu, scale_shift_prelu)
}
