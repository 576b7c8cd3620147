"""The operations with their derivatives, of every order, for PyTorch's autograd."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from fastleaky.torch import _kernels
from fastleaky.torch._eager import is_ours

Numbers = tuple[float, float, float | None]  # a slope, a gain, a limit


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


class BiasLeakyReLU(Function):
    """Leaky ReLU with a bias, a gain and a limit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor, numbers: Numbers, axis: int) -> Tensor:
        """Return the output, which is all that is kept."""
        y = _kernels.fused("bias_leaky_relu", (x, bias, *numbers), axis)
        ctx.save_for_backward(y)
        ctx.numbers, ctx.axis = numbers, axis
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients with respect to x and to the bias."""
        (y,) = ctx.saved_tensors
        return *_bias_gradients(grad, y, ctx.numbers, ctx.axis), None, None


class BiasLeakyReLUBackward(Function):
    """The gradients of leaky ReLU with a bias. They are linear in the gradient, so they are their own derivatives."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, y: Tensor, numbers: Numbers, axis: int) -> tuple[Tensor, Tensor]:
        """Return the gradients with respect to x and to the bias."""
        ctx.save_for_backward(y)
        ctx.numbers, ctx.axis = numbers, axis
        return _kernels.bias_leaky_relu_backward(grad, y, numbers, axis)

    @staticmethod
    def backward(ctx: Any, ddx: Tensor, ddbias: Tensor) -> tuple[Tensor, None, None, None]:
        """Return the gradient with respect to the gradient of the output."""
        (y,), axis = ctx.saved_tensors, ctx.axis
        total = (ddx.movedim(axis, -1) + ddbias).movedim(-1, axis)
        return _bias_gradients(total, y, ctx.numbers, axis)[0], None, None, None


def _bias_gradients(grad: Tensor, y: Tensor, numbers: Numbers, axis: int) -> tuple[Tensor, Tensor]:
    """Return them, to be differentiated or not, for a gradient of any kind."""
    if is_ours(grad):
        compute = BiasLeakyReLUBackward.apply if torch.is_grad_enabled() else _kernels.bias_leaky_relu_backward
        dx, dbias = compute(grad, y, numbers, axis)
        return dx, dbias
    slope, gain, clamp = numbers
    d = grad * gain if clamp is None else torch.where(y.abs() >= clamp, 0, grad * gain)
    dx = torch.where(y > 0, d, slope * d)
    others = [at for at in range(dx.dim()) if at != axis % dx.dim()]
    return dx, dx.sum(others) if others else dx


# Function.apply itself would look once more for what is_ours() excludes, for two microseconds.
leaky_relu = super(Function, LeakyReLU).apply
prelu = super(Function, PReLU).apply
bias_leaky_relu = super(Function, BiasLeakyReLU).apply
