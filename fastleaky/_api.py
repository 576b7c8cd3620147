"""The public functions of leaky ReLU and PReLU, and all others: the general ones, for any arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastleaky._apply import apply, regular
from fastleaky._fused import (
    bias_leaky_relu,
    bias_leaky_relu_backward,
    fold_batch_norm,
    scale_shift_leaky_relu,
    scale_shift_prelu,
)
from fastleaky._operations import OPERATIONS
from fastleaky._typing import Array, ArrayLike

__all__ = [
    "bias_leaky_relu",
    "bias_leaky_relu_backward",
    "fold_batch_norm",
    "leaky_relu",
    "leaky_relu_backward",
    "prelu",
    "prelu_backward",
    "scale_shift_leaky_relu",
    "scale_shift_prelu",
]


def leaky_relu(x: ArrayLike, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Leaky ReLU: ``x`` where ``x > 0``, else ``negative_slope * x``.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16 (of ml_dtypes), of any shape and layout. A list of Python floats becomes
        float64.
    negative_slope : float, default 0.01
        The slope for everything that is not positive: +0, -0 and NaN too. Any number, also negative, above 1, infinite
        or NaN. It is rounded to the type of `x` first; for 16-bit types to float32, in which they are computed.
    out : ndarray, optional
        Where to write: an array of the shape and type of `x`. It may be `x` itself, or overlap it in any way.

    Returns
    -------
    ndarray
        `out`, or a new array with the shape, type and memory order of `x`.

    Raises
    ------
    TypeError
        If `x` is not of a floating-point type above (convert integers yourself: ``x.astype(np.float32)``), if
        `negative_slope` is not a real number, or if `out` is not an array of the type of `x`.
    ValueError
        If `out` has another shape than `x`, or is read-only.

    Notes
    -----
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    The specification is :func:`fastleaky.reference.leaky_relu`.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.leaky_relu([10.0, -5.0, 0.0], 0.1)
    array([10. , -0.5,  0. ])
    """
    if out is None and type(negative_slope) is float and (found := regular(x)):  # as _try_fast, in half the time
        array: Any = x
        out = np.empty(array.shape, array.dtype)
        found.elementwise(OPERATIONS["leaky_relu"], (array,), (negative_slope,), out)
        return out
    return apply("leaky_relu", (x, negative_slope), out)[0]


def leaky_relu_backward(
    grad: ArrayLike, x: ArrayLike, negative_slope: float = 0.01, *, out: Array | None = None
) -> Array:
    """Gradient of leaky ReLU: ``grad`` where ``x > 0``, else ``negative_slope * grad``.

    Parameters
    ----------
    grad : array_like
        The gradient with respect to the output of :func:`leaky_relu`, with the shape of `x`. Its type is that of `x`,
        or one that casts to it safely.
    x : array_like
        The input of :func:`leaky_relu`, of any type, shape and layout that it takes.
    negative_slope : float, default 0.01
        As for :func:`leaky_relu`.
    out : ndarray, optional
        Where to write: an array of the shape and type of `x`. It may be `grad` or `x`, or overlap them in any way.

    Returns
    -------
    ndarray
        The gradient with respect to `x`: `out`, or a new array with the shape, type and memory order of `x`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`leaky_relu`; also if `grad` has another shape than `x`.

    Notes
    -----
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    The specification is :func:`fastleaky.reference.leaky_relu_backward`.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.leaky_relu_backward([1.0, 1.0, 1.0], [10.0, -5.0, 0.0], 0.1)
    array([1. , 0.1, 0.1])
    """
    return apply("leaky_relu_backward", (grad, x, negative_slope), out)[0]


def prelu(x: ArrayLike, weight: ArrayLike, *, axis: int = 1, out: Array | None = None) -> Array:
    """PReLU: ``x`` where ``x > 0``, else ``weight * x``.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16 (of ml_dtypes), of any shape and layout.
    weight : array_like
        The slopes. One element is shared by all of `x`; a 1-d array has a slope for each place along `axis` of `x`; an
        array with as many dimensions as `x` broadcasts to it, as in NumPy. Its type is that of `x`, or one that casts
        to it safely; a Python number takes the type of `x`.
    axis : int, default 1
        The channel axis of `x`: 1 for NCHW, -1 for NHWC. Looked at only for a 1-d weight of several values and an `x`
        of several dimensions.
    out : ndarray, optional
        Where to write: an array of the shape and type of `x`. It may be `x` itself, or overlap any input in any way.

    Returns
    -------
    ndarray
        `out`, or a new array with the shape, type and memory order of `x`.

    Raises
    ------
    TypeError
        If `x`, `weight` or `out` has a type other than said above, or `axis` is not an integer.
    ValueError
        If the shape of `weight` or of `out` does not fit, `axis` is out of range, or `out` is read-only.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.
    The specification is :func:`fastleaky.reference.prelu`.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.prelu([[1.0, -1.0, -1.0]], [0.5, 0.5, 0.25])
    array([[ 1.  , -0.5 , -0.25]])
    """
    return apply("prelu", (x, weight), out, axis)[0]


def prelu_backward(
    grad: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike,
    *,
    axis: int = 1,
    out: tuple[Array | None, Array | None] | None = None,
) -> tuple[Array, Array]:
    """Gradients of PReLU with respect to its input and its weight.

    ``dx`` is ``grad`` where ``x > 0``, else ``weight * grad``. ``dweight`` is, for each slope, the sum of ``grad * x``
    over all places that share it and where ``x`` is not positive. That sum has a fixed order (see
    :func:`fastleaky.reference.ordered_sum`): its bits depend neither on the memory layout nor on the processor nor on
    the number of threads. Its error is at most about ``12 * 2**-24 * sum(abs(terms))`` for float32.

    Parameters
    ----------
    grad : array_like
        The gradient with respect to the output of :func:`prelu`, with the shape of `x`. Its type is that of `x`, or one
        that casts to it safely.
    x : array_like
        The input of :func:`prelu`, of any type, shape and layout that it takes.
    weight : array_like
        The slopes, as for :func:`prelu`.
    axis : int, default 1
        The channel axis of `x`, as for :func:`prelu`.
    out : tuple of two ndarrays, optional
        Where to write ``(dx, dweight)``: arrays with the shape and type of `x` and of `weight`. Either may be None. The
        first may be `grad` or `x`, or overlap any input in any way; the two may not overlap each other.

    Returns
    -------
    dx : ndarray
        The gradient with respect to `x`, with its shape, type and memory order.
    dweight : ndarray
        The gradient with respect to `weight`, with its shape and type.

    Raises
    ------
    TypeError, ValueError
        As for :func:`prelu`; also if `grad` has another shape than `x`, or the two arrays of `out` overlap.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.
    The specification is :func:`fastleaky.reference.prelu_backward`.

    Examples
    --------
    >>> import fastleaky
    >>> dx, dweight = fastleaky.prelu_backward([[1.0, 1.0]], [[3.0, -2.0]], [0.5, 0.25])
    >>> dx, dweight
    (array([[1.  , 0.25]]), array([ 0., -2.]))
    """
    dx, dweight = apply("prelu_backward", (grad, x, weight), out, axis)
    return dx, dweight
