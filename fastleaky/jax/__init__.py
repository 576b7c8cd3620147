"""Leaky ReLU and PReLU for JAX: under jit, grad, vmap and their combinations.

On CPUs the C kernels compute them and their gradients, to the bits of :mod:`fastleaky.reference`; on other platforms
JAX's own operations do. :func:`fastleaky.set_num_threads` and :func:`fastleaky.use` hold here too, also for what is
compiled already; where another backend than C is in use, the best instruction set of C does the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastleaky import _arguments
from fastleaky._backends.choice import backend
from fastleaky._extras import extra
from fastleaky._layout import plan
from fastleaky.reference import HALF, rounded

with extra("jax"):
    import jax
    import jax.numpy as jnp

from fastleaky.jax import _functions

__all__ = ["leaky_relu", "prelu"]


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """Leaky ReLU: ``x`` where ``x > 0``, else ``negative_slope * x``.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16, of any shape.
    negative_slope : float or jax.Array, default 0.01
        The slope for everything that is not positive: +0, -0 and NaN too. A Python or NumPy number is rounded to the
        type of `x`; for 16-bit types to float32, in which they are computed. An array of JAX with one element, traced
        or not, is the weight of a PReLU: it must fit the type of `x` as there, and has a gradient.

    Returns
    -------
    jax.Array
        A new array with the shape and type of `x`.

    Raises
    ------
    TypeError
        If `x` is not of a floating-point type above, or `negative_slope` is neither a real number nor an array of JAX
        with a type that casts safely to that of `x`.
    ValueError
        If `negative_slope` has several elements.

    Notes
    -----
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    It is :func:`fastleaky.reference.leaky_relu`, and its gradient :func:`fastleaky.reference.leaky_relu_backward`.

    Examples
    --------
    >>> import fastleaky.jax
    >>> import jax.numpy as jnp
    >>> fastleaky.jax.leaky_relu(jnp.array([10.0, -5.0, 0.0]), 0.1)
    Array([10. , -0.5,  0. ], dtype=float32)
    """
    x = _input("leaky_relu", x)
    if not isinstance(negative_slope, jax.Array):
        number = np.asarray(_arguments.number("leaky_relu", "negative_slope", negative_slope))
        compute_type = np.dtype(np.float32) if x.dtype.itemsize == HALF else x.dtype
        return _compiled_leaky_relu(x, rounded(number, compute_type))
    slope = _parameter("leaky_relu", "negative_slope", negative_slope, x)
    if slope.size != 1:
        raise ValueError(
            f"leaky_relu: negative_slope has shape {slope.shape}; it must have one element (prelu takes several)"
        )
    return _compiled_prelu(x, slope, ())


def prelu(x: Any, weight: Any, *, axis: int = 1) -> Any:
    """PReLU: ``x`` where ``x > 0``, else ``weight * x``.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16, of any shape.
    weight : array_like
        The slopes. One element is shared by all of `x`; a 1-d array has a slope for each place along `axis` of `x`; an
        array with as many dimensions as `x` broadcasts to it, as in NumPy. Its type is that of `x`, or one that casts
        to it safely; a Python number takes the type of `x`.
    axis : int, default 1
        The channel axis of `x`: 1 for NCHW, -1 for NHWC. Looked at only for a 1-d weight of several values.

    Returns
    -------
    jax.Array
        A new array with the shape and type of `x`.

    Raises
    ------
    TypeError
        If `x` or `weight` has a type other than said above, or `axis` is not an integer.
    ValueError
        If the shape of `weight` does not fit, or `axis` is out of range.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.
    It is :func:`fastleaky.reference.prelu`, and its gradients :func:`fastleaky.reference.prelu_backward`: the bits of
    the gradient of `weight` do not depend on threads or processor. Under ``jax.vmap``, that holds for each element of
    the batch.

    Examples
    --------
    >>> import fastleaky.jax
    >>> import jax
    >>> import jax.numpy as jnp
    >>> x, weight = jnp.array([[1.0, -1.0, -2.0]]), jnp.array([0.5, 0.5, 0.25])
    >>> fastleaky.jax.prelu(x, weight)
    Array([[ 1. , -0.5, -0.5]], dtype=float32)
    >>> jax.grad(lambda weight: fastleaky.jax.prelu(x, weight).sum())(weight)
    Array([ 0., -1., -2.], dtype=float32)
    """
    x = _input("prelu", x)
    weight = _parameter("prelu", "weight", weight, x)
    return _compiled_prelu(x, weight, _arguments.varying_axes("prelu", "weight", weight, x, axis))


def _input(op: str, x: Any) -> Any:
    """Return `x` as an array of JAX; the first one of a type tests its kernels."""
    x = _floats(op, "x", x)
    backend(x.dtype)
    return x


def _floats(op: str, name: str, value: Any) -> Any:
    """Return `value` as an array of JAX of one of our types."""
    try:
        array = value if isinstance(value, jax.Array) else jnp.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{op}: {name} cannot be made an array: {error}") from error
    _arguments.check_type(op, name, array.dtype)
    return array


def _parameter(op: str, name: str, value: Any, x: Any) -> Any:
    """Return `value` as an array of JAX with the type of `x`, if that loses nothing."""
    if isinstance(value, jax.Array) and value.dtype == x.dtype:
        return value
    if type(value) in (int, float):
        return jnp.asarray(_arguments.parameter(op, name, value, x))
    if getattr(value, "weak_type", False) and jnp.result_type(value, x) == x.dtype:
        return value.astype(x.dtype)  # a number of Python that is traced
    array = _floats(op, name, value)
    if array.dtype != x.dtype:
        _arguments.check_cast(op, name, array.dtype, x.dtype)
    return array.astype(x.dtype)


def _leaky_relu(x: Any, slope: Any) -> Any:
    return _functions.leaky_relu(x.reshape(1, 1, -1), slope).reshape(x.shape)


def _prelu(x: Any, weight: Any, varying: tuple[int, ...]) -> Any:
    """PReLU with a weight that varies along these axes of x. As XLA sees an array, it lies in C order."""
    layout = plan(x.shape, tuple(range(x.ndim, 0, -1)), varying, ordered=True)
    y = _functions.prelu(x.transpose(layout.axes).reshape(layout.shape), weight.reshape(-1))
    return y.reshape([x.shape[axis] for axis in layout.axes]).transpose(np.argsort(layout.axes))


_compiled_leaky_relu = jax.jit(_leaky_relu)
_compiled_prelu = jax.jit(_prelu, static_argnums=2)
