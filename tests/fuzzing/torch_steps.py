"""The functions of fastleaky.torch as PyTorch's operations compute them, step by step."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, prelu

__all__ = ["bias_leaky_relu", "leaky_relu", "prelu", "scale_shift_leaky_relu", "scale_shift_prelu"]


def along(values: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return values for each channel in a shape that broadcasts to x."""
    return values if values.numel() == 1 else values.reshape([-1 if i == axis % x.dim() else 1 for i in range(x.dim())])


def bias_leaky_relu(x: Tensor, bias: Tensor, *numbers: Any, axis: int) -> Tensor:
    slope, gain, clamp = numbers
    y = leaky_relu(x + along(bias, x, axis), slope) * gain
    return y if clamp is None else y.clamp(-clamp, clamp)


def scale_shift_leaky_relu(x: Tensor, scale: Tensor, shift: Tensor, slope: float, **options: Any) -> Tensor:
    return leaky_relu(scale_shift(x, scale, shift, **options), slope)


def scale_shift_prelu(x: Tensor, scale: Tensor, shift: Tensor, weight: Tensor, **options: Any) -> Tensor:
    t = scale_shift(x, scale, shift, **options)
    return torch.where(t > 0, t, along(weight, t, options["axis"]) * t)


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor, *, residual: Tensor | None, axis: int) -> Tensor:
    t = x * along(scale, x, axis) + along(shift, x, axis)
    return t if residual is None else t + residual
