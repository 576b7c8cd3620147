"""The operations with their derivatives, of any order, for PyTorch's autograd."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from fastleaky.torch import _arrays
from fastleaky.torch._eager import is_eager, is_regular


class LeakyReLU(Function):
    """Leaky ReLU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, negative_slope: float) -> Tensor:
        """Return the output."""
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return _arrays.leaky_relu(x, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to x."""
        (x,) = ctx.saved_tensors
        return _leaky_relu_backward(grad, x, ctx.negative_slope), None


class LeakyReLUBackward(Function):
    """The gradient of leaky ReLU: linear in `grad`, so that it is its own derivative."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, negative_slope: float) -> Tensor:
        """Return the gradient with respect to x."""
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return _arrays.leaky_relu_backward(grad, x, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient with respect to `grad`; it does not depend on x but for the sign."""
        (x,) = ctx.saved_tensors
        return _leaky_relu_backward(grad, x, ctx.negative_slope), None, None


class PReLU(Function):
    """PReLU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Return the output."""
        ctx.save_for_backward(x, weight)
        return _arrays.prelu(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients with respect to x and to the weight."""
        x, weight = ctx.saved_tensors
        if not is_eager() or not is_regular(grad):
            return _prelu_backward(grad, x, weight)
        if torch.is_grad_enabled():
            dx, dweight = PReLUBackward.apply(grad, x, weight)
            return dx, dweight
        return _arrays.prelu_backward(grad, x, weight)


class PReLUBackward(Function):
    """The gradients of PReLU."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients with respect to x and to the weight."""
        ctx.save_for_backward(grad, x, weight)
        return _arrays.prelu_backward(grad, x, weight)

    @staticmethod
    def backward(ctx: Any, ddx: Tensor, ddweight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients with respect to `grad`, x and the weight."""
        grad, x, weight = ctx.saved_tensors
        positive, slope, dslope = x > 0, _along(weight, x), _along(ddweight, x)
        dgrad = torch.where(positive, ddx, slope * ddx + x * dslope)
        return dgrad, torch.where(positive, 0, grad * dslope), _sum(torch.where(positive, 0, grad * ddx), weight)


def _leaky_relu_backward(grad: Tensor, x: Tensor, negative_slope: float) -> Tensor:
    if not is_eager() or not is_regular(grad):
        return torch.where(x > 0, grad, negative_slope * grad)
    if torch.is_grad_enabled():
        return LeakyReLUBackward.apply(grad, x, negative_slope)
    return _arrays.leaky_relu_backward(grad, x, negative_slope)


def _prelu_backward(grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of PReLU in PyTorch's operations, for what is not an eager tensor."""
    positive = x > 0
    dx = torch.where(positive, grad, _along(weight, x) * grad)
    return dx, _sum(torch.where(positive, 0, grad * x), weight)


def _along(weight: Tensor, x: Tensor) -> Tensor:
    """Return the weight in a shape that broadcasts to x."""
    return weight.reshape(()) if weight.numel() == 1 else weight.reshape(-1, *[1] * (x.dim() - 2))


def _sum(terms: Tensor, weight: Tensor) -> Tensor:
    """Return the sum of the terms of each slope."""
    if weight.numel() == 1:
        return terms.sum().reshape(weight.shape)
    return terms.sum([axis for axis in range(terms.dim()) if axis != 1])
