"""The door to Dask: leaky ReLU and PReLU, forward and backward, on dask arrays, lazily and chunk by chunk.

    y = fastleaky.dask.prelu(x, weight)
    dx, dweight = fastleaky.dask.prelu_backward(grad, x, weight)

The arguments are those of :mod:`fastleaky`, and the results have the bits of its functions, whatever the chunks, the
scheduler and the workers: except for ``dweight``, which is a sum of one sum for each chunk. Its bits depend on the
chunks of ``x``, and on nothing else.
"""

import math
from operator import itemgetter
from typing import Any

import numpy as np

import fastleaky
from fastleaky import _arguments, reference
from fastleaky._extras import extra
from fastleaky._typing import Array, ArrayLike

with extra("dask"):
    import dask.array as da
    from dask.array.utils import meta_from_array

FAN_IN = 4  # a task adds so many sums of chunks along each axis; this fixes their order, so it is no setting


def leaky_relu(x: da.Array, negative_slope: float = 0.01) -> da.Array:
    """Leaky ReLU: ``x`` where ``x > 0``, else ``negative_slope * x``.

    Parameters
    ----------
    x : dask.array.Array
        float32, float64, float16 or bfloat16, of any shape and chunks, also of unknown size.
    negative_slope : float, default 0.01
        As for :func:`fastleaky.leaky_relu`.

    Returns
    -------
    dask.array.Array
        With the shape, type and chunks of `x`, and the bits of :func:`fastleaky.leaky_relu`.

    Raises
    ------
    TypeError
        If an argument has a type that :func:`fastleaky.leaky_relu` does not take. This is seen at once, not when the
        result is computed.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastleaky.dask
    >>> fastleaky.dask.leaky_relu(da.from_array([10.0, -5.0, 0.0], chunks=2), 0.1).compute()
    array([10. , -0.5,  0. ])
    """
    return _by_chunks(fastleaky.leaky_relu, da.asarray(x), negative_slope=negative_slope)


def leaky_relu_backward(grad: da.Array, x: da.Array, negative_slope: float = 0.01) -> da.Array:
    """Gradient of leaky ReLU: ``grad`` where ``x > 0``, else ``negative_slope * grad``.

    Parameters
    ----------
    grad : dask.array.Array
        The gradient with respect to the output of :func:`leaky_relu`, with the shape of `x`. Where its chunks are
        others, they become those of `x`.
    x : dask.array.Array
        The input of :func:`leaky_relu`.
    negative_slope : float, default 0.01
        As for :func:`fastleaky.leaky_relu`.

    Returns
    -------
    dask.array.Array
        The gradient with respect to `x`, with its shape, type and chunks, and the bits of
        :func:`fastleaky.leaky_relu_backward`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`fastleaky.leaky_relu_backward`. Shapes that are unknown are checked when a chunk is computed.
    """
    x = da.asarray(x)
    grad = _like_x("leaky_relu_backward", grad, x)
    return _by_chunks(fastleaky.leaky_relu_backward, grad, x, negative_slope=negative_slope)


def prelu(x: da.Array, weight: da.Array | ArrayLike, *, axis: int = 1) -> da.Array:
    """PReLU: ``x`` where ``x > 0``, else ``weight * x``.

    Parameters
    ----------
    x : dask.array.Array
        float32, float64, float16 or bfloat16, of any shape and chunks. Sizes may be unknown but along the axes where
        `weight` has several values.
    weight : dask.array.Array or array_like
        The slopes, as for :func:`fastleaky.prelu`: of a known shape, in any chunks.
    axis : int, default 1
        The channel axis of `x`, as for :func:`fastleaky.prelu`.

    Returns
    -------
    dask.array.Array
        With the shape, type and chunks of `x`, and the bits of :func:`fastleaky.prelu`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`fastleaky.prelu`.
    """
    x = da.asarray(x)
    slope, _ = _channel("prelu", weight, x, axis)
    return _by_chunks(fastleaky.prelu, x, slope)


def prelu_backward(
    grad: da.Array, x: da.Array, weight: da.Array | ArrayLike, *, axis: int = 1
) -> tuple[da.Array, da.Array]:
    """Gradients of PReLU with respect to its input and its weight.

    Both come from one pass over each chunk, so compute them together: ``dask.compute(dx, dweight)``.

    Parameters
    ----------
    grad : dask.array.Array
        The gradient with respect to the output of :func:`prelu`, with the shape of `x`. Where its chunks are others,
        they become those of `x`.
    x : dask.array.Array
        The input of :func:`prelu`.
    weight : dask.array.Array or array_like
        The slopes, as for :func:`prelu`.
    axis : int, default 1
        The channel axis of `x`, as for :func:`fastleaky.prelu`.

    Returns
    -------
    dx : dask.array.Array
        The gradient with respect to `x`, with its shape, type and chunks, and the bits of
        :func:`fastleaky.prelu_backward`.
    dweight : dask.array.Array
        The gradient with respect to `weight`, with its shape and type. Each chunk of `x` has the ordered sum of
        :func:`fastleaky.prelu_backward`, in float32 for 16-bit types. They are added in float64, as a tree that the
        chunks of `x` determine: so the bits depend on these chunks, but on no scheduler, worker or thread. Where no
        two chunks share a slope, float32 and float64 have the bits of :func:`fastleaky.prelu_backward`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`fastleaky.prelu_backward`. Shapes that are unknown are checked when a chunk is computed.
    """
    x = da.asarray(x)
    grad = _like_x("prelu_backward", grad, x)
    slope, weight = _channel("prelu_backward", weight, x, axis)
    meta, _ = fastleaky.prelu_backward(*map(meta_from_array, (grad, x, slope)))
    pairs = _blockwise(_backward, grad, x, slope, meta=meta.astype(object))
    dx = _blockwise(itemgetter(0), pairs, meta=meta)
    shared = [i for i, n in enumerate(slope.shape) if n == 1]
    one_each, fan_in = dict.fromkeys(shared, 1), dict.fromkeys(shared, FAN_IN)
    sums = _blockwise(itemgetter(1), pairs, adjust_chunks=one_each, meta=meta.astype(np.float64))
    total = da.reduction(sums, _add, _add, axis=shared, keepdims=True, dtype=np.float64, split_every=fan_in)
    dtype = weight.dtype.newbyteorder("=")
    return dx, total.map_blocks(reference.rounded, dtype, dtype=dtype).reshape(weight.shape)


def _by_chunks(function: Any, *arrays: da.Array, **options: Any) -> da.Array:
    """Apply a function of fastleaky. On empty metadata, it checks the types, and tells that of the result."""
    return _blockwise(function, *arrays, meta=function(*map(meta_from_array, arrays), **options), **options)


def _blockwise(function: Any, *arrays: da.Array, **options: Any) -> da.Array:
    """Apply a function to the chunks of arrays of one shape, or of size 1 where they are not of that."""
    axes = tuple(range(arrays[0].ndim))
    return da.blockwise(function, axes, *(given for array in arrays for given in (array, axes)), **options)


def _like_x(op: str, grad: da.Array, x: da.Array) -> da.Array:
    """Return the gradient in the chunks of `x`."""
    grad = da.asarray(grad)
    if grad.ndim != x.ndim or not math.isnan(grad.size + x.size):
        _arguments.check_shape(op, "grad", grad, x)
    return grad.rechunk(x.chunks)


def _channel(op: str, weight: da.Array | ArrayLike, x: da.Array, axis: int) -> tuple[da.Array, da.Array]:
    """Return the weight in a shape that broadcasts to `x`, in its chunks; and as it was given."""
    _arguments.check_type(op, "x", x.dtype)
    if not isinstance(weight, da.Array):
        weight = da.from_array(_arguments.parameter(op, "weight", weight, meta_from_array(x)), chunks=-1)
    varying = _arguments.varying_axes(op, "weight", weight, x, axis)
    slope = weight.reshape([x.shape[i] if i in varying else 1 for i in range(x.ndim)])
    return slope.rechunk({i: x.chunks[i] for i in varying}), weight


@reference.quiet
def _backward(grad: Array, x: Array, slope: Array) -> tuple[Array, Array]:
    """Return dx of a chunk, and its ordered sums, which are not rounded to 16 bits before they are added."""
    wide_x = reference.wide(x)
    dx, sums = fastleaky.prelu_backward(reference.wide(grad), wide_x, slope.astype(wide_x.dtype))
    return dx.astype(x.dtype.type, copy=False), sums.astype(np.float64)


@reference.quiet
def _add(sums: Array, axis: tuple[int, ...], keepdims: bool) -> Array:  # noqa: ARG001, FBT001 - Dask's signature
    """Return the sums along the axes, added in their order; the axes keep the size 1."""
    shape = [1 if i in axis else n for i, n in enumerate(sums.shape)]
    terms = np.moveaxis(sums, axis, range(len(axis)))
    return reference.in_order(terms.reshape(math.prod(terms.shape[: len(axis)]), -1), axis=0).reshape(shape)
