"""The parameters with a value for each channel, for Numba to compile. Sets of axes are integers with bits for them."""

from typing import Any

import numpy as np
from numba.extending import register_jitable

from fastleaky._njit.generated import generated, is_none
from fastleaky._njit.layouts import dense
from fastleaky._njit.overloads import NUMBERS

MISFIT = -1  # all bits, so that any set joined with it is it


@generated
def varying_axes(weight: Any, x: Any, axis: Any) -> Any:
    """Return the axes of x along which a parameter varies, or MISFIT: see _arguments.varying_axes."""

    def shared(weight: Any, x: Any, axis: int) -> int:
        return 0

    def no_fit(weight: Any, x: Any, axis: int) -> int:
        return 0 if weight.size == 1 else MISFIT

    if isinstance(weight, NUMBERS):
        return shared
    if weight.ndim == x.ndim:
        return _broadcast
    return _along_axis if weight.ndim == 1 and x.ndim else no_fit


def _broadcast(weight: Any, x: Any, axis: int) -> int:
    varying = 0
    for i in range(x.ndim):
        if weight.shape[i] != 1 and weight.size != 1:
            if weight.shape[i] != x.shape[i]:
                return MISFIT
            varying |= 1 << i
    return varying


def _along_axis(weight: Any, x: Any, axis: int) -> int:
    if weight.size == 1:
        return 0
    at = _from_first(axis, x)
    return 1 << at if 0 <= at < x.ndim and weight.size == x.shape[at] else MISFIT


@register_jitable
def _from_first(axis: int, x: Any) -> int:
    """Count an axis from the first. It may be out of range."""
    return axis + x.ndim if axis < 0 else axis


@generated
def summed_axis(x: Any, axis: Any) -> Any:
    """Return the axis of a sum without a parameter, or MISFIT."""

    def only(x: Any, axis: int) -> int:
        at = _from_first(axis, x)
        if not 0 <= at < x.ndim:
            return MISFIT
        return 0 if x.shape[at] == 1 else 1 << at

    def no_fit(x: Any, axis: int) -> int:
        return MISFIT

    return only if x.ndim else no_fit


@generated
def shape_of(array: Any, x: Any) -> Any:
    """Return the shape of an argument; of one that is left out, that of x."""

    def own(array: Any, x: Any) -> Any:
        return np.shape(array)

    def absent(array: Any, x: Any) -> Any:
        return x.shape

    return absent if is_none(array) else own


@generated
def is_positive(value: Any, x: Any) -> Any:
    """Is it positive and finite in the type of x, or left out?"""

    def given(value: Any, x: Any) -> bool:
        return bool(0 < x.dtype.type(value) < np.inf)

    def absent(value: Any, x: Any) -> bool:
        return True

    return absent if is_none(value) else given


@generated
def number(value: Any) -> Any:
    """Return it as a float, as a call from Python does; 0 if it is left out, as C takes that."""

    def given(value: Any) -> float:
        return float(value)

    def absent(value: Any) -> float:
        return 0.0

    return absent if is_none(value) else given


@generated
def row(weight: Any, own: Any, varying: Any, x: Any, channels: Any) -> Any:
    """Return a parameter's value for each channel, in the type of x.

    It varies along the axes `own`; all parameters together vary along the axes `varying`.
    """

    def number(weight: Any, own: int, varying: int, x: Any, channels: int) -> Any:
        return np.full(channels, np.float64(weight), x.dtype)

    def scalar(weight: Any, own: int, varying: int, x: Any, channels: int) -> Any:
        return np.full(channels, weight[()], x.dtype)

    def array(weight: Any, own: int, varying: int, x: Any, channels: int) -> Any:
        values = dense(weight, (c_order, (weight.size,)), x)
        if own == varying:
            return values
        repeated = np.empty(channels, x.dtype)
        for channel in range(channels):
            rest, at, step = channel, 0, 1
            for i in range(x.ndim):
                axis = x.ndim - 1 - i
                if varying >> axis & 1:
                    size = x.shape[axis]
                    if own >> axis & 1:
                        at += rest % size * step
                        step *= size
                    rest //= size
            repeated[channel] = values[at]
        return repeated

    if isinstance(weight, NUMBERS):
        return number
    c_order = tuple(range(weight.ndim))
    return array if weight.ndim else scalar


@generated
def in_shape_of(weight: Any, sums: Any) -> Any:
    """Return the sums for a parameter in its shape and type."""

    def number(weight: Any, sums: Any) -> Any:
        return sums.reshape(())

    def same_type(weight: Any, sums: Any) -> Any:
        return sums.reshape(weight.shape)

    def other_type(weight: Any, sums: Any) -> Any:
        return sums.astype(weight.dtype).reshape(weight.shape)

    if isinstance(weight, NUMBERS):
        return number
    return same_type if weight.dtype == sums.dtype else other_type
