"""The fused functions: ours for eager tensors, PyTorch's own operations for all else."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fastleaky import _arguments
from fastleaky._operations import OPERATIONS
from fastleaky.torch import _autograd, _kernels
from fastleaky.torch._eager import is_ours, is_regular
from fastleaky.torch.functional import is_slope, leaky_relu


def bias_leaky_relu(
    x: Tensor,
    bias: Tensor,
    negative_slope: float = 0.2,
    gain: float = 1.0,
    clamp: float | None = None,
    *,
    axis: int = 1,
) -> Tensor:
    """Leaky ReLU of ``x + bias``, times a gain, and clamped: StyleGAN's ``bias_act``, ``fused_leaky_relu``.

    Eager calls on dense CPU tensors of float32, float64, float16 or bfloat16 are computed by fastleaky in one pass,
    with the bits of PyTorch's separate operations, and with derivatives of every order. All other calls are those
    operations.

    Parameters
    ----------
    x : torch.Tensor
        Of any shape and memory format.
    bias : torch.Tensor
        One value, or one for each channel, in the type of `x`.
    negative_slope : float, default 0.2
        The slope for what is not positive.
    gain : float, default 1.0
        A positive, finite factor; StyleGAN's is ``sqrt(2)``.
    clamp : float, optional
        The largest magnitude of the result, positive and finite. NaN stays NaN.
    axis : int, default 1
        The channel axis of `x`.

    Returns
    -------
    torch.Tensor
        A new tensor with the shape, type and memory format of `x`.

    Raises
    ------
    TypeError, ValueError
        If `gain` or `clamp` is not positive and finite, or `bias` does not fit the channels.
    RuntimeError, NotImplementedError
        As PyTorch's operations raise them.

    Notes
    -----
    Gradients are computed from the output, see :func:`fastleaky.bias_leaky_relu_backward`, and `x` is not kept: so
    nothing passes where the output is just the limit. Where `negative_slope` is not positive they are PyTorch's. The
    gradient with respect to `bias` is an ordered sum: it does not depend on the number of threads.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> fastleaky.torch.bias_leaky_relu(torch.tensor([[1.0, -3.0, 9.0]]), torch.ones(3), 0.5, 2.0, clamp=10.0)
    tensor([[ 4., -2., 10.]])
    """
    if isinstance(x, Tensor):
        gain, clamp = _limits(gain, clamp, x)
    if _is_ours("bias_leaky_relu", x, axis, bias=bias) and is_slope(negative_slope):
        numbers = (negative_slope, gain, clamp)
        if not _is_differentiable(x, bias):
            return _kernels.fused("bias_leaky_relu", (x, bias, *numbers), axis)
        if negative_slope > 0:
            return _autograd.bias_leaky_relu(x, bias, numbers, axis)
    y = leaky_relu(_along(axis, x, torch.add, bias), negative_slope) * gain
    return y if clamp is None else y.clamp(-clamp, clamp)


def scale_shift_leaky_relu(
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    negative_slope: float = 0.1,
    *,
    residual: Tensor | None = None,
    axis: int = 1,
) -> Tensor:
    """Leaky ReLU of ``x * scale + shift``: a batch normalisation at inference and its activation.

    Eager calls on dense CPU tensors of float32, float64, float16 or bfloat16 that need no gradient are computed by
    fastleaky in one pass, with the bits of PyTorch's separate operations. All other calls are those operations.

    Parameters
    ----------
    x : torch.Tensor
        Of any shape and memory format.
    scale, shift : torch.Tensor
        One value, or one for each channel, in the type of `x`; :func:`fastleaky.fold_batch_norm` computes them.
    negative_slope : float, default 0.1
        The slope for what is not positive. Darknet's is 0.1.
    residual : torch.Tensor, optional
        What is added before the activation, with the shape and the type of `x`.
    axis : int, default 1
        The channel axis of `x`.

    Returns
    -------
    torch.Tensor
        A new tensor with the shape, type and memory format of `x`.

    Raises
    ------
    TypeError, ValueError
        If `scale` or `shift` does not fit the channels, or `residual` has another shape than `x`.
    RuntimeError, NotImplementedError
        As PyTorch's operations raise them.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> x, scale, shift = torch.tensor([[1.0, 2.0]]), torch.tensor([2.0, 2.0]), torch.tensor([1.0, -24.0])
    >>> fastleaky.torch.scale_shift_leaky_relu(x, scale, shift, 0.5)
    tensor([[  3., -10.]])
    """
    ours = _is_ours("scale_shift_leaky_relu", x, axis, residual, scale=scale, shift=shift)
    if not ours or _is_differentiable(x, scale, shift, residual) or not is_slope(negative_slope):
        return leaky_relu(_scaled_and_shifted(x, scale, shift, residual, axis), negative_slope)
    return _kernels.fused("scale_shift_leaky_relu", (x, scale, shift, negative_slope), axis, residual)


def scale_shift_prelu(
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    weight: Tensor,
    *,
    residual: Tensor | None = None,
    axis: int = 1,
) -> Tensor:
    """PReLU of ``x * scale + shift``: a batch normalisation at inference and its activation.

    What :func:`scale_shift_leaky_relu` computes by fastleaky, this function does, too.

    Parameters
    ----------
    x : torch.Tensor
        Of any shape and memory format.
    scale, shift, weight : torch.Tensor
        One value, or one for each channel, in the type of `x`.
    residual : torch.Tensor, optional
        What is added before the activation, with the shape and the type of `x`.
    axis : int, default 1
        The channel axis of `x`.

    Returns
    -------
    torch.Tensor
        A new tensor with the shape, type and memory format of `x`.

    Raises
    ------
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for :func:`scale_shift_leaky_relu`.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> x, scale, shift = torch.tensor([[1.0, 2.0]]), torch.tensor([2.0, 2.0]), torch.tensor([1.0, -24.0])
    >>> fastleaky.torch.scale_shift_prelu(x, scale, shift, torch.tensor([0.5, 0.25]))
    tensor([[ 3., -5.]])
    """
    ours = _is_ours("scale_shift_prelu", x, axis, residual, scale=scale, shift=shift, weight=weight)
    if not ours or _is_differentiable(x, scale, shift, weight, residual):
        t = _scaled_and_shifted(x, scale, shift, residual, axis)
        return torch.where(t > 0, t, _along(axis, t, torch.mul, weight))
    return _kernels.fused("scale_shift_prelu", (x, scale, shift, weight), axis, residual)


def _limits(gain: float, clamp: float | None, x: Tensor) -> tuple[Any, ...]:
    """Check the gain and the limit, and return them as floats, whatever kind of number they are."""
    operation, given = OPERATIONS["bias_leaky_relu"], {"gain": gain, "clamp": clamp}
    return tuple(_arguments.number_of(operation, *named, x.itemsize) for named in given.items())


def _is_ours(op: str, x: Tensor, axis: int, residual: Tensor | None = None, **channel: Tensor) -> bool:
    """Check the shapes. Is the operation just computed, of tensors of one type, and by us?"""
    given = {"x": x, **channel} | ({} if residual is None else {"residual": residual})
    for name, value in given.items():
        if not hasattr(value, "movedim"):
            raise TypeError(f"{op}: {name} is {type(value).__name__}; it must be a tensor")
    if not isinstance(x, Tensor) or torch.jit.is_tracing():  # no tensor yet: its shape is not to be looked at
        return False
    if not -x.dim() <= axis < x.dim():
        raise ValueError(f"{op}: axis {axis} is out of range for x with shape {tuple(x.shape)}")
    channels = x.shape[axis]
    for name, values in channel.items():
        if values.dim() > 1 or values.numel() not in (1, channels):
            raise ValueError(
                f"{op}: {name} has shape {tuple(values.shape)}; it must have one value, or one for each of the "
                f"{channels} channels (axis {axis} of x with shape {tuple(x.shape)})"
            )
    if residual is not None:
        _arguments.check_shape(op, "residual", residual, x)
    return (
        is_ours(x)
        and all(is_regular(value) and value.dtype is x.dtype for value in given.values())
        and all(values.shape == (channels,) for values in channel.values())
    )


def _is_differentiable(*given: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given)


def _scaled_and_shifted(x: Tensor, scale: Tensor, shift: Tensor, residual: Tensor | None, axis: int) -> Tensor:
    t = _along(axis, _along(axis, x, torch.mul, scale), torch.add, shift)
    return t if residual is None else t + residual


def _along(axis: int, x: Tensor, operation: Callable[[Tensor, Tensor], Tensor], values: Tensor) -> Tensor:
    """Apply one of PyTorch's operations to x and a value for each channel."""
    return operation(x.movedim(axis, -1), values).movedim(-1, axis)
