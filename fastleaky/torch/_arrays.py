"""Tensors as the NumPy arrays that fastleaky takes, and its four operations on tensors, without autograd."""

import ml_dtypes
import torch
from torch import Tensor

import fastleaky
from fastleaky._typing import Array


def leaky_relu(x: Tensor, negative_slope: float) -> Tensor:
    """Leaky ReLU, as a new tensor."""
    y = _new_like(x)
    fastleaky.leaky_relu(_array(x), negative_slope, out=_array(y))
    return y


def leaky_relu_backward(grad: Tensor, x: Tensor, negative_slope: float) -> Tensor:
    """Gradient of leaky ReLU, as a new tensor."""
    dx = _new_like(x)
    fastleaky.leaky_relu_backward(_array(grad), _array(x), negative_slope, out=_array(dx))
    return dx


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """PReLU, as a new tensor."""
    y = _new_like(x)
    fastleaky.prelu(_array(x), _array(weight), out=_array(y))
    return y


def prelu_backward(grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of PReLU with respect to its input and its weight, as new tensors."""
    dx, dweight = _new_like(x), torch.empty_like(weight)
    fastleaky.prelu_backward(_array(grad), _array(x), _array(weight), out=(_array(dx), _array(dweight)))
    return dx, dweight


def _array(tensor: Tensor) -> Array:
    """Return an array that shares the tensor's memory."""
    if tensor.dtype is torch.bfloat16:  # NumPy has it from ml_dtypes
        bits: Array = tensor.detach().resolve_neg().view(torch.int16).numpy()
        return bits.view(ml_dtypes.bfloat16)
    array: Array = tensor.numpy(force=True)
    return array


def _new_like(x: Tensor) -> Tensor:
    """Return a tensor for a result, in PyTorch's choice of memory format; and let PyTorch's threads be ours."""
    threads = torch.get_num_threads()
    if threads != fastleaky.get_num_threads():
        fastleaky.set_num_threads(threads)
    return torch.empty_like(x)
