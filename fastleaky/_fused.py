"""The public fused operations: what stands before an activation, and the activation, in one pass."""

from __future__ import annotations

from fastleaky import _arguments, reference
from fastleaky._apply import apply
from fastleaky._typing import Array, ArrayLike


def bias_leaky_relu(
    x: ArrayLike,
    bias: ArrayLike,
    negative_slope: float = 0.2,
    gain: float = 1.0,
    clamp: float | None = None,
    *,
    axis: int = 1,
    out: Array | None = None,
) -> Array:
    """Leaky ReLU of ``x + bias``, times a gain, and clamped: StyleGAN's ``bias_act``, ``fused_leaky_relu``.

    ``t = x + bias; y = t if t > 0 else negative_slope * t; y = y * gain; y = min(max(y, -clamp), clamp)``, in one pass.
    Each step is rounded as if it were alone, so these are the bits of the four steps.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16 (of ml_dtypes), of any shape and layout.
    bias : array_like
        A value for each channel, in any form that :func:`prelu` takes for its weight.
    negative_slope : float, default 0.2
        As for :func:`leaky_relu`.
    gain : float, default 1.0
        A positive, finite factor; StyleGAN's is ``sqrt(2)``.
    clamp : float, optional
        The largest magnitude of the result, positive and finite. NaN stays NaN.
    axis : int, default 1
        The channel axis of `x`, as for :func:`prelu`.
    out : ndarray, optional
        Where to write: an array of the shape and type of `x`. It may be `x` itself, or overlap any input in any way.

    Returns
    -------
    ndarray
        `out`, or a new array with the shape, type and memory order of `x`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`prelu`; also if `gain` or `clamp` is not positive and finite.

    Notes
    -----
    Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020.
    The specification is :func:`fastleaky.reference.bias_leaky_relu`.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.bias_leaky_relu([[1.0, -3.0, 9.0]], [1.0, 1.0, 1.0], 0.5, 2.0, clamp=10.0)
    array([[ 4., -2., 10.]])
    """
    return apply("bias_leaky_relu", (x, bias, negative_slope, gain, clamp), out, axis)[0]


def bias_leaky_relu_backward(
    grad: ArrayLike,
    y: ArrayLike,
    negative_slope: float = 0.2,
    gain: float = 1.0,
    clamp: float | None = None,
    *,
    axis: int = 1,
    out: tuple[Array | None, Array | None] | None = None,
) -> tuple[Array, Array]:
    """Gradients of :func:`bias_leaky_relu` with respect to its input and its bias, from its output.

    ``d = 0 if abs(y) >= clamp else grad * gain; dx = d if y > 0 else negative_slope * d``; ``dbias`` is the sum of
    ``dx`` for each channel, in the order that :func:`prelu_backward` describes. The sign of the output `y` is that of
    the input where the slope is positive, so the input need not be kept. Applied once more, to a gradient with respect
    to ``dx`` and with the same `y`, it gives the second derivative.

    Parameters
    ----------
    grad : array_like
        The gradient with respect to `y`, with its shape. Its type is that of `y`, or one that casts to it safely.
    y : array_like
        The output of :func:`bias_leaky_relu`, of any type, shape and layout.
    negative_slope, gain, clamp : float
        What :func:`bias_leaky_relu` was called with; the slope must be positive and finite, too.
    axis : int, default 1
        The channel axis of `y`.
    out : tuple of two ndarrays, optional
        Where to write ``(dx, dbias)``, as for :func:`prelu_backward`.

    Returns
    -------
    dx : ndarray
        The gradient with respect to ``x``, with the shape, type and memory order of `y`.
    dbias : ndarray
        The gradient with respect to a bias of the shape ``(y.shape[axis],)``, in the type of `y`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`prelu_backward`; also if `negative_slope`, `gain` or `clamp` is not positive and finite.

    Notes
    -----
    The specification is :func:`fastleaky.reference.bias_leaky_relu_backward`.

    Examples
    --------
    >>> import fastleaky
    >>> dx, dbias = fastleaky.bias_leaky_relu_backward([[1.0, 1.0, 1.0]], [[4.0, -2.0, 10.0]], 0.5, 2.0, clamp=10.0)
    >>> dx, dbias
    (array([[2., 1., 0.]]), array([2., 1., 0.]))
    """
    dx, dbias = apply("bias_leaky_relu_backward", (grad, y, negative_slope, gain, clamp), out, axis)
    return dx, dbias


def scale_shift_leaky_relu(
    x: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    negative_slope: float = 0.1,
    *,
    residual: ArrayLike | None = None,
    axis: int = 1,
    out: Array | None = None,
) -> Array:
    """Leaky ReLU of ``x * scale + shift``: a batch normalisation at inference and its activation, in one pass.

    ``t = x * scale + shift``, in two roundings; ``t + residual``, if there is one; then leaky ReLU. Each step is
    rounded as if it were alone. :func:`fold_batch_norm` gives the scale and the shift.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16 (of ml_dtypes), of any shape and layout.
    scale, shift : array_like
        A value for each channel, in any form that :func:`prelu` takes for its weight.
    negative_slope : float, default 0.1
        As for :func:`leaky_relu`. Darknet's is 0.1.
    residual : array_like, optional
        What is added before the activation, with the shape of `x`. Its type is that of `x`, or one that casts to it
        safely.
    axis : int, default 1
        The channel axis of `x`, as for :func:`prelu`.
    out : ndarray, optional
        Where to write: an array of the shape and type of `x`. It may be `x` or `residual`, or overlap any input in any
        way.

    Returns
    -------
    ndarray
        `out`, or a new array with the shape, type and memory order of `x`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`prelu`; also if `residual` has another shape than `x`.

    Notes
    -----
    Inference only: there is no backward step. Ioffe and Szegedy, "Batch Normalization", 2015.
    The specification is :func:`fastleaky.reference.scale_shift_leaky_relu`.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.scale_shift_leaky_relu([[1.0, 2.0]], [2.0, 2.0], [1.0, -24.0], 0.5)
    array([[  3., -10.]])
    """
    return apply("scale_shift_leaky_relu", (x, scale, shift, negative_slope), out, axis, residual)[0]


def scale_shift_prelu(
    x: ArrayLike,
    scale: ArrayLike,
    shift: ArrayLike,
    weight: ArrayLike,
    *,
    residual: ArrayLike | None = None,
    axis: int = 1,
    out: Array | None = None,
) -> Array:
    """PReLU of ``x * scale + shift``: a batch normalisation at inference and its activation, in one pass.

    Parameters
    ----------
    x : array_like
        float32, float64, float16 or bfloat16 (of ml_dtypes), of any shape and layout.
    scale, shift, weight : array_like
        A value for each channel, in any form that :func:`prelu` takes for its weight.
    residual : array_like, optional
        As for :func:`scale_shift_leaky_relu`.
    axis : int, default 1
        The channel axis of `x`, as for :func:`prelu`.
    out : ndarray, optional
        As for :func:`scale_shift_leaky_relu`.

    Returns
    -------
    ndarray
        `out`, or a new array with the shape, type and memory order of `x`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`scale_shift_leaky_relu`.

    Notes
    -----
    Inference only: there is no backward step.
    The specification is :func:`fastleaky.reference.scale_shift_prelu`.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.scale_shift_prelu([[1.0, 2.0]], [2.0, 2.0], [1.0, -24.0], [0.5, 0.25])
    array([[ 3., -5.]])
    """
    return apply("scale_shift_prelu", (x, scale, shift, weight), out, axis, residual)[0]


def fold_batch_norm(
    gamma: ArrayLike, beta: ArrayLike, mean: ArrayLike, var: ArrayLike, eps: float
) -> tuple[Array, Array]:
    """Fold a batch normalisation at inference to a scale and a shift: ``scale = gamma / sqrt(var + eps)``.

    Parameters
    ----------
    gamma, beta, mean, var : array_like
        Its factor, its shift, its running mean and its running variance: one floating-point value a channel, all of
        one shape and type.
    eps : float
        What is added to the variance.

    Returns
    -------
    scale, shift : ndarray
        ``gamma / sqrt(var + eps)`` and ``beta - mean * scale``, computed in float64 and rounded once to the type of
        `gamma`.

    Raises
    ------
    TypeError
        If an argument is not of a floating-point type, or the types differ.
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import fastleaky
    >>> fastleaky.fold_batch_norm([2.0], [1.0], [3.0], [0.75], 0.25)
    (array([2.]), array([-5.]))
    """
    given = {"gamma": gamma, "beta": beta, "mean": mean, "var": var}
    arrays = [_arguments.floats("fold_batch_norm", *named) for named in given.items()]
    for name, array in zip(given, arrays, strict=True):
        if array.dtype != arrays[0].dtype:
            raise TypeError(f"fold_batch_norm: {name} has type {array.dtype}; it must have gamma's, {arrays[0].dtype}")
        if array.shape != arrays[0].shape:
            raise ValueError(
                f"fold_batch_norm: {name} has shape {array.shape}; it must have gamma's, {arrays[0].shape}"
            )
    factor, offset, center, spread = arrays
    return reference.fold_batch_norm(factor, offset, center, spread, _arguments.number("fold_batch_norm", "eps", eps))
