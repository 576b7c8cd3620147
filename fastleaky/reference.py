"""The specification: what every backend must compute, to the last bit, in the plainest NumPy.

Everything else in this package is this file, made fast. See :mod:`fastleaky` for the arguments, which are not checked
here. float16 and bfloat16 are computed in float32 and rounded once.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from fastleaky._typing import Array, ArrayLike

LANES, BLOCK, CHUNK = 16, 128, 128 * 128
HALF = 2  # bytes
NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2  # noqa: PLR2004

# NumPy's float32 loops flush subnormals to zero on 32-bit Arm with NEON: which of them, depends on its version.
_subnormal = np.full(16, 2.0**-140, np.float32)
FLUSHES = not all(function(_subnormal, _subnormal).view(np.int32).all() for function in (np.add, np.maximum))

Function = TypeVar("Function", bound=Callable[..., Any])


def quiet(function: Function) -> Function:
    """Let NumPy be silent in a function: overflow, underflow and NaN are results like any other.

    Before NumPy 2, an errstate that decorates is entered again by each call: it does not nest, nor is it safe for
    threads, and left the caller's state changed. So there each call has its own.
    """
    if NUMPY_2:
        return np.errstate(all="ignore")(function)

    @functools.wraps(function)
    def quietly(*args: Any, **options: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **options)

    return cast(Function, quietly)


@quiet
def leaky_relu(x: ArrayLike, negative_slope: float = 0.01) -> Array:
    """``x`` where it is positive, else ``negative_slope * x``; the slope is rounded to the compute type first."""
    return leaky_relu_backward(x, x, negative_slope)


@quiet
def leaky_relu_backward(grad: ArrayLike, x: ArrayLike, negative_slope: float = 0.01) -> Array:
    """``grad`` where ``x`` is positive, else ``negative_slope * grad``."""
    grad, x = np.asarray(grad), np.asarray(x)
    slope = wide(x).dtype.type(negative_slope)
    return np.where(x > 0, grad, rounded(exact(np.multiply, slope, wide(grad)), x.dtype))


@quiet
def prelu(x: ArrayLike, weight: ArrayLike, *, axis: int = 1) -> Array:
    """``x`` where it is positive, else ``weight * x``."""
    x = np.asarray(x)
    return np.where(x > 0, x, multiply(along(weight, x, axis), x))


@quiet
def prelu_backward(grad: ArrayLike, x: ArrayLike, weight: ArrayLike, *, axis: int = 1) -> tuple[Array, Array]:
    """``grad`` where ``x`` is positive, else ``weight * grad``; and the ordered sum of ``grad * x`` elsewhere."""
    grad, x, weight = np.asarray(grad), np.asarray(x), np.asarray(weight)
    slope = along(weight, x, axis)
    dx = np.where(x > 0, grad, multiply(slope, grad))

    terms = exact(np.multiply, wide(grad), wide(x))
    terms = np.where(x > 0, np.zeros_like(terms), terms)
    own = [i for i in range(x.ndim) if slope.shape[i] > 1]  # a slope has its own row of terms along these axes
    terms = np.moveaxis(terms, own, range(len(own))).reshape(slope.size, -1 if slope.size else 0)
    return dx, rounded(ordered_sum(terms), weight.dtype).reshape(weight.shape)


# Fused operations: each step has one rounding, to the type of x.


@quiet
def bias_leaky_relu(
    x: ArrayLike,
    bias: ArrayLike,
    negative_slope: float = 0.2,
    gain: float = 1.0,
    clamp: float | None = None,
    *,
    axis: int = 1,
) -> Array:
    """Leaky ReLU of ``x + bias``, times ``gain``, limited to ``-clamp`` ... ``clamp``."""
    x = np.asarray(x)
    y = multiply(leaky_relu(add(x, along(bias, x, axis)), negative_slope), gain)
    if clamp is None:
        return y
    limit = wide(x).dtype.type(clamp)
    return rounded(np.minimum(np.maximum(wide(y), -limit), limit), x.dtype)


@quiet
def bias_leaky_relu_backward(
    grad: ArrayLike,
    y: ArrayLike,
    negative_slope: float = 0.2,
    gain: float = 1.0,
    clamp: float | None = None,
    *,
    axis: int = 1,
) -> tuple[Array, Array]:
    """Gradients of :func:`bias_leaky_relu` from its output; that of the bias is the ordered sum of the other."""
    y = np.asarray(y)
    dx = gradient_from_output(np.asarray(grad, y.dtype), y, negative_slope, gain, clamp)
    terms = np.moveaxis(wide(dx), axis, 0)
    return dx, rounded(ordered_sum(terms.reshape(len(terms), -1 if terms.size else 0)), y.dtype)


@quiet
def gradient_from_output(grad: Array, y: Array, negative_slope: float, gain: float, clamp: float | None) -> Array:
    """``grad * gain``, or 0 where ``y`` was limited; times ``negative_slope`` where ``y`` is not positive."""
    d = multiply(grad, gain)
    if clamp is not None:
        d = np.where(abs(wide(y)) >= wide(y).dtype.type(clamp), np.zeros_like(d), d)
    return leaky_relu_backward(d, y, negative_slope)


@quiet
def scale_shift_leaky_relu(
    x: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    negative_slope: float = 0.1,
    *,
    residual: ArrayLike | None = None,
    axis: int = 1,
) -> Array:
    """Leaky ReLU of ``x * scale + shift + residual``."""
    return leaky_relu(_scaled_and_shifted(x, scale, shift, residual, axis), negative_slope)


@quiet
def scale_shift_prelu(
    x: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    weight: ArrayLike,
    *,
    residual: ArrayLike | None = None,
    axis: int = 1,
) -> Array:
    """PReLU of ``x * scale + shift + residual``."""
    return prelu(_scaled_and_shifted(x, scale, shift, residual, axis), weight, axis=axis)


def _scaled_and_shifted(
    x: ArrayLike, scale: ArrayLike, shift: ArrayLike, residual: ArrayLike | None, axis: int
) -> Array:
    x = np.asarray(x)
    t = add(multiply(x, along(scale, x, axis)), along(shift, x, axis))
    return t if residual is None else add(t, np.asarray(residual))


@quiet
def fold_batch_norm(
    gamma: ArrayLike, beta: ArrayLike, mean: ArrayLike, var: ArrayLike, eps: float
) -> tuple[Array, Array]:
    """``gamma / sqrt(var + eps)`` and ``beta - mean * scale`` in float64, each rounded once to the type of gamma."""
    dtype = np.asarray(gamma).dtype
    g, b, m, v = (np.asarray(array, np.float64) for array in (gamma, beta, mean, var))
    scale = g / np.sqrt(v + eps)
    return rounded(scale, dtype), rounded(b - m * scale, dtype)


def add(a: Array, b: Array) -> Array:
    """Return ``a + b``, rounded once to the type of ``a``."""
    return rounded(exact(np.add, wide(a), wide(b)), a.dtype)


def multiply(a: Array, b: Array | float) -> Array:
    """Return ``a * b``, rounded once to the type of ``a``; a number is rounded to the compute type first."""
    factor = wide(b) if isinstance(b, np.ndarray) else wide(a).dtype.type(b)
    return rounded(exact(np.multiply, wide(a), factor), a.dtype)


def exact(operation: np.ufunc, a: Array, b: Array) -> Array:
    """Return the sum or product, rounded once, subnormals too.

    Where NumPy flushes those of float32, float64 gives the same result, in which there is room for an exact product,
    and for so much of a sum that a second rounding changes nothing.
    """
    if FLUSHES and a.dtype == np.float32:
        return np.asarray(operation(a, b, dtype=np.float64), np.float32)
    return np.asarray(operation(a, b))


def wide(array: Array) -> Array:
    """Return the array in its compute type: float32 for 16-bit types, else its own."""
    return array.astype(np.float32) if array.itemsize == HALF else array


@quiet
def rounded(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """Return the numbers in another type, each rounded once, to nearest even.

    From float64 to 16 bits by way of float32, rounded to odd (the last bit is 1 if anything was lost): so a number
    beside the middle between two neighbours is not moved onto it and rounded a second time.
    """
    if numbers.dtype == np.float64 and dtype.itemsize == HALF:
        near = numbers.astype(np.float32)
        bits = near.view(np.int32)
        lost = (near != numbers) & ~np.isnan(numbers) & (bits % 2 == 0)
        bits += lost * np.where(abs(near) < abs(numbers), 1, -1)
        numbers = near
    return np.asarray(numbers, dtype.type)


def along(weight: ArrayLike, x: Array, axis: int) -> Array:
    """Return the weight in the type of ``x``, in a shape that broadcasts to it."""
    weight = np.asarray(weight, x.dtype)
    if weight.size == 1:
        return weight.reshape((1,) * x.ndim)
    if weight.ndim == x.ndim:
        return weight
    return weight.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


@quiet
def ordered_sum(terms: Array) -> Array:
    """Sum each row of ``terms``: in blocks of 16 lanes, then chunks of blocks, each in its order.

    A block is 128 terms. Lane ``l`` of its 16 adds terms ``l``, ``l + 16``, ... to +0; then the upper half of the
    lanes is added to the lower half until one is left. A chunk adds 128 block sums in float64, and the result adds
    the chunk sums.
    """
    rows, n = terms.shape
    chunks = -(-n // CHUNK)
    padded = np.zeros((rows, chunks * CHUNK), terms.dtype)
    padded[:, :n] = terms
    lanes = in_order(padded.reshape(rows, chunks, CHUNK // BLOCK, BLOCK // LANES, LANES), axis=3)
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = exact(np.add, lanes[..., :half], lanes[..., half:])
    blocks = lanes[..., 0].astype(np.float64)
    return in_order(in_order(blocks, axis=2), axis=1)


def in_order(terms: Array, axis: int) -> Array:
    """Return +0, plus the first along ``axis``, plus the second, ..."""
    terms = np.moveaxis(terms, axis, 0)
    total = np.zeros(terms.shape[1:], terms.dtype)
    for term in terms:
        total = exact(np.add, total, term)
    return total
