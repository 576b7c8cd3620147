"""The operations with their derivatives, of every order, for PyTorch's autograd."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from fastleaky.torch import _kernels
from fastleaky.torch._eager import is_ours


class LeakyReLU(Function):
    """Leaky ReLU; its second derivatives are PyTorch's, which have the same bits."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, negative_slope: float) -> Tensor:
        """Return the output."""
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return _kernels.leaky_relu(x, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to x."""
        (x,) = ctx.saved_tensors
        if is_ours(grad) and not torch.is_grad_enabled():
            return _kernels.leaky_relu_backward(grad, x, ctx.negative_slope), None
        return torch.ops.aten.leaky_relu_backward(grad, x, ctx.negative_slope, False), None  # noqa: FBT003 - its order


class PReLU(Function):
    """PReLU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Return the output."""
        ctx.save_for_backward(x, weight)
        return _kernels.prelu(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients with respect to x and to the weight."""
        x, weight = ctx.saved_tensors
        if not is_ours(grad):
            return _in_operations_of_pytorch(grad, x, weight)
        if torch.is_grad_enabled():
            dx, dweight = PReLUBackward.apply(grad, x, weight)
            return dx, dweight
        return _kernels.prelu_backward(grad, x, weight)


class PReLUBackward(Function):
    """The gradients of PReLU, where they will be differentiated themselves."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients with respect to x and to the weight."""
        ctx.save_for_backward(grad, x, weight)
        return _kernels.prelu_backward(grad, x, weight)

    @staticmethod
    def backward(ctx: Any, ddx: Tensor, ddweight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients with respect to the gradient of the output, to x and to the weight."""
        grad, x, weight = ctx.saved_tensors
        positive, slope, dslope = x > 0, _along(weight, x), _along(ddweight, x)
        dgrad = torch.where(positive, ddx, slope * ddx + x * dslope)
        return dgrad, torch.where(positive, 0, grad * dslope), _sum(torch.where(positive, 0, grad * ddx), weight)


def _in_operations_of_pytorch(grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of PReLU for a gradient that is no regular tensor, such as a batch of gradients."""
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


# Function.apply itself would look once more for what is_ours() excludes, for two microseconds.
leaky_relu = super(Function, LeakyReLU).apply
prelu = super(Function, PReLU).apply
