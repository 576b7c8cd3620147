"""The public functions: check once, choose the walk, delegate to the backend.

Backends trust what they get. So everything that can be wrong with an argument is found here, before anything is
written.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np

from fastleaky._backends.choice import kernels
from fastleaky._dtypes import name_in_c
from fastleaky._layout import plan, row
from fastleaky._typing import Array, ArrayLike
from fastleaky.reference import HALF, quiet, rounded


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

    See Also
    --------
    fastleaky.reference.leaky_relu : the specification; every backend gives its bits.

    References
    ----------
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.leaky_relu([10.0, -5.0, 0.0], 0.1)
    array([10. , -0.5,  0. ])
    """
    op = "leaky_relu"
    xs = _floats(op, "x", x)
    slope = _number(op, "negative_slope", negative_slope)
    _check_out(op, "out", out, xs, "x")
    layout = plan(xs.shape, xs.strides, (), ordered=False)
    dense = layout.dense(xs)
    target = layout.target(out, [dense])
    kernels(dense.dtype).leaky_relu(dense, slope, target)
    return layout.result(target, out, x)


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

    See Also
    --------
    fastleaky.reference.leaky_relu_backward : the specification; every backend gives its bits.

    References
    ----------
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.leaky_relu_backward([1.0, 1.0, 1.0], [10.0, -5.0, 0.0], 0.1)
    array([1. , 0.1, 0.1])
    """
    op = "leaky_relu_backward"
    xs = _floats(op, "x", x)
    grads = _gradient(op, grad, xs)
    slope = _number(op, "negative_slope", negative_slope)
    _check_out(op, "out", out, xs, "x")
    layout = plan(xs.shape, xs.strides, (), ordered=False)
    dense_grad, dense = layout.dense(grads), layout.dense(xs)
    target = layout.target(out, [dense_grad, dense])
    kernels(dense.dtype).leaky_relu_backward(dense_grad, dense, slope, target)
    return layout.result(target, out, grad, x)


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

    See Also
    --------
    fastleaky.reference.prelu : the specification; every backend gives its bits.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.prelu([[1.0, -1.0, -1.0]], [0.5, 0.5, 0.25])
    array([[ 1.  , -0.5 , -0.25]])
    """
    op = "prelu"
    xs = _floats(op, "x", x)
    _, slopes, varying = _weight(op, weight, xs, axis)
    _check_out(op, "out", out, xs, "x")
    layout = plan(xs.shape, xs.strides, varying, ordered=False)
    dense = layout.dense(xs)
    target = layout.target(out, [dense], slopes)
    kernels(dense.dtype).prelu(dense, slopes, target)
    return layout.result(target, out, x)


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

    See Also
    --------
    fastleaky.reference.prelu_backward : the specification; every backend gives its bits.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import fastleaky
    >>> dx, dweight = fastleaky.prelu_backward([[1.0, 1.0]], [[3.0, -2.0]], [0.5, 0.25])
    >>> dx, dweight
    (array([[1.  , 0.25]]), array([ 0., -2.]))
    """
    op = "prelu_backward"
    xs = _floats(op, "x", x)
    grads = _gradient(op, grad, xs)
    weights, slopes, varying = _weight(op, weight, xs, axis)
    dx_out, dweight_out = _pair(op, out)
    _check_out(op, "out[0]", dx_out, xs, "x")
    _check_out(op, "out[1]", dweight_out, weights, "weight")
    both = dx_out is not None and dweight_out is not None
    if both and np.shares_memory(np.asarray(dx_out), np.asarray(dweight_out)):
        raise ValueError(f"{op}: out[0] and out[1] share memory; each needs its own")

    layout = plan(xs.shape, xs.strides, varying, ordered=True)
    dense_grad, dense = layout.dense(grads), layout.dense(xs)
    target = layout.target(dx_out, [dense_grad, dense], slopes)
    dslopes = np.empty_like(slopes)
    kernels(dense.dtype).prelu_backward(dense_grad, dense, slopes, target, dslopes)
    dx = layout.result(target, dx_out, grad, x)
    return dx, _dweight(dslopes, weights, dweight_out)


def _dweight(dslopes: Array, weight: Array, out: Array | None) -> Array:
    """The slopes' gradients in the shape and type of the weight."""
    if dslopes.dtype.type is not weight.dtype.type:
        dslopes = rounded(dslopes, weight.dtype.newbyteorder("="))
    if out is None:
        return dslopes.reshape(weight.shape)
    np.asarray(out)[...] = dslopes.reshape(weight.shape)
    return out


@quiet  # this costs a microsecond, so only what changes its type pays for it
def _as_type(value: ArrayLike, dtype: np.dtype[Any]) -> Array:
    return np.asarray(value, dtype)


def _array(op: str, name: str, value: ArrayLike) -> Array:
    """`value` as an ndarray with its type and byte order. What a subclass says of itself need not be so."""
    try:
        return np.asarray(value)
    except Exception as error:
        raise TypeError(f"{op}: {name} cannot be made an array: {error}") from error


def _floats(op: str, name: str, value: ArrayLike) -> Array:
    """`value` as an ndarray of a type that we have, in its byte order."""
    value = _array(op, name, value)
    if not name_in_c(value.dtype):
        raise TypeError(
            f"{op}: {name} has type {value.dtype}; it must be float32, float64, float16 or bfloat16 (convert it, as "
            f"with {name}.astype(np.float32))"
        )
    return value


def _cast(op: str, name: str, array: Array, x: Array) -> Array:
    """`array` in the type of `x`, if that loses nothing."""
    dtype = x.dtype.newbyteorder("=")
    if array.dtype == dtype:
        return array
    if array.dtype.type is not dtype.type and array.itemsize == HALF:
        raise TypeError(
            f"{op}: {name} has type {array.dtype}, and x has {x.dtype}; 16 bits go with their own type only"
        )
    if not np.can_cast(array.dtype, dtype, "safe"):
        raise TypeError(f"{op}: {name} has type {array.dtype}, which does not cast safely to x's {x.dtype}")
    return _as_type(array, dtype)


def _gradient(op: str, grad: ArrayLike, x: Array) -> Array:
    grads = _cast(op, "grad", _floats(op, "grad", grad), x)
    if grads.shape != x.shape:
        raise ValueError(f"{op}: grad has shape {grads.shape}; it must have x's, {x.shape}")
    return grads


def _number(op: str, name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, float):  # its value, as C, NumPy and math take it, whatever a subclass converts to
        return float.__float__(value)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{op}: {name} is {value!r}; it must be a real number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{op}: {name} is {value!r}; it must fit a float") from None


def _weight(op: str, weight: ArrayLike, x: Array, axis: int) -> tuple[Array, Array, tuple[int, ...]]:
    """Return the weight, its values in a row in the type of `x`, and the axes of `x` along which they vary."""
    if type(weight) in (int, float):
        weights = _as_type(_number(op, "weight", weight), x.dtype.newbyteorder("="))
    else:
        weights = _floats(op, "weight", weight)
    return weights, row(_cast(op, "weight", weights, x)), _varying(op, weights, x, axis)


def _varying(op: str, weights: Array, x: Array, axis: int) -> tuple[int, ...]:
    """Return the axes of `x` along which the weight varies."""
    try:
        axis = operator.index(axis)
    except TypeError:
        raise TypeError(f"{op}: axis is {axis!r}; it must be an integer") from None

    if weights.size == 1:
        return ()
    if weights.ndim == x.ndim:
        varying = [i for i in range(x.ndim) if weights.shape[i] != 1]
        if any(weights.shape[i] != x.shape[i] for i in varying):
            raise ValueError(f"{op}: weight with shape {weights.shape} does not broadcast to x with shape {x.shape}")
        return tuple(i for i in varying if x.shape[i] != 1)
    if weights.ndim != 1:
        raise ValueError(
            f"{op}: weight has shape {weights.shape}; for x with shape {x.shape} it must have one element, "
            f"one dimension or {x.ndim} dimensions"
        )
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{op}: axis {axis} is out of range for x with shape {x.shape}")
    channels = x.shape[axis]
    if weights.size != channels:
        raise ValueError(
            f"{op}: weight has {weights.size} values for {channels} channels (axis {axis} of x with shape {x.shape})"
        )
    return (axis % x.ndim,)


def _pair(op: str, out: Any) -> tuple[Any, Any]:
    if out is None:
        return None, None
    if not isinstance(out, tuple):
        raise TypeError(f"{op}: out is {type(out).__name__}; it must be a tuple of two arrays, (dx, dweight)")
    if len(out) != 2:  # noqa: PLR2004
        raise ValueError(f"{op}: out has {len(out)} elements; it must be a pair of arrays, (dx, dweight)")
    return out


def _check_out(op: str, name: str, out: Any, like: Array, like_name: str) -> None:
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{op}: {name} is {type(out).__name__}; it must be an array")
    out = np.asarray(out)  # as it is, whatever a subclass says
    if out.dtype.type is not like.dtype.type:
        raise TypeError(f"{op}: {name} has type {out.dtype}; it must have {like_name}'s, {like.dtype}")
    if out.shape != like.shape:
        raise ValueError(f"{op}: {name} has shape {out.shape}; it must have {like_name}'s, {like.shape}")
    if not out.flags.writeable:
        raise ValueError(f"{op}: {name} is read-only; it must be writeable")
