"""The formulas of the Numba kernels, on LANES numbers or one. The number of parameters tells them apart.

They must be chosen while the kernels are compiled, and by names that Numba's cache on disk finds again.
"""

from typing import Any

from numba.core import types
from numba.extending import overload

from fastleaky._backends.numba_intrinsics import add, clamp, load, mul, select, within, zero

# ruff: noqa: ARG001 - all formulas of a kind have the same arguments


def step(v: Any, x: Any, parameters: Any, at: int) -> Any:
    """Return the result of an element-wise operation; `v`: another input, or None."""
    raise NotImplementedError


def terms(grad: Any, x: Any, parameters: Any, at: int) -> Any:
    """Return a gradient and the terms of an ordered sum."""
    raise NotImplementedError


def _leaky(v: Any, x: Any, parameters: Any, at: int) -> Any:
    (slope,) = parameters
    value = load(v, at, slope)
    return select(load(x, at, slope), value, mul(slope, value))


def _bias_leaky(v: Any, x: Any, parameters: Any, at: int) -> Any:
    bias, slope, gain, limit = parameters
    t = add(load(x, at, bias), bias)
    return clamp(mul(select(t, t, mul(slope, t)), gain), limit)


def _scale_shift(v: Any, x: Any, parameters: Any, at: int) -> Any:
    scale, shift, slope = parameters
    t = add(mul(load(x, at, scale), scale), shift)
    return select(t, t, mul(slope, t))


def _scale_shift_residual(v: Any, x: Any, parameters: Any, at: int) -> Any:
    scale, shift, slope = parameters
    t = add(add(mul(load(x, at, scale), scale), shift), load(v, at, scale))
    return select(t, t, mul(slope, t))


def _prelu_backward(grad: Any, x: Any, parameters: Any, at: int) -> Any:
    (slope,) = parameters
    g, here = load(grad, at, slope), load(x, at, slope)
    return select(here, g, mul(slope, g)), select(here, zero(slope), mul(g, here))


def _bias_leaky_backward(grad: Any, x: Any, parameters: Any, at: int) -> Any:
    slope, gain, limit = parameters
    y = load(x, at, slope)
    d = within(y, limit, mul(load(grad, at, slope), gain))
    dx = select(y, d, mul(slope, d))
    return dx, dx


@overload(step)
def _step(v: Any, x: Any, parameters: Any, at: int) -> Any:
    scaled = _scale_shift if isinstance(v, types.NoneType) else _scale_shift_residual
    return {1: _leaky, 3: scaled, 4: _bias_leaky}[len(parameters)]


@overload(terms)
def _terms(grad: Any, x: Any, parameters: Any, at: int) -> Any:
    return {1: _prelu_backward, 3: _bias_leaky_backward}[len(parameters)]
