"""The four operations on regular tensors, without autograd.

Tensors in C order go straight to C by their addresses: by way of NumPy's arrays, a small call takes twice as long.
Those are for other tensors, and for other backends than C.
"""

import ml_dtypes
import torch
from torch import Tensor

import fastleaky
from fastleaky._backends import native
from fastleaky._operations import OPERATIONS
from fastleaky._typing import Array

_compute_at = native.compute_at()
_LEAKY_RELU, _LEAKY_RELU_BACKWARD, _PRELU, _PRELU_BACKWARD = map(
    list(OPERATIONS).index, ("leaky_relu", "leaky_relu_backward", "prelu", "prelu_backward")
)
TYPES = {torch.float32: 0, torch.float64: 1, torch.float16: 2, torch.bfloat16: 3}  # as in fastleaky._operations


def leaky_relu(x: Tensor, slope: float) -> Tensor:
    """Leaky ReLU, as a new tensor."""
    y = _new_like(x)
    if not x.is_contiguous() or not _compute_at(
        _LEAKY_RELU, TYPES[x.dtype], x.shape, 1, x.data_ptr(), y.data_ptr(), slope
    ):
        fastleaky.leaky_relu(_array(x), slope, out=_array(y))
    return y


def leaky_relu_backward(grad: Tensor, x: Tensor, slope: float) -> Tensor:
    """Gradient of leaky ReLU, as a new tensor."""
    dx = _new_like(x)
    if not (x.is_contiguous() and grad.is_contiguous()) or not _compute_at(
        _LEAKY_RELU_BACKWARD, TYPES[x.dtype], x.shape, 1, grad.data_ptr(), x.data_ptr(), dx.data_ptr(), slope
    ):
        fastleaky.leaky_relu_backward(_array(grad), _array(x), slope, out=_array(dx))
    return dx


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """PReLU, as a new tensor."""
    y = _new_like(x)
    if not (x.is_contiguous() and weight.is_contiguous()) or not _compute_at(
        _PRELU, TYPES[x.dtype], x.shape, weight.numel(), x.data_ptr(), weight.data_ptr(), y.data_ptr()
    ):
        fastleaky.prelu(_array(x), _array(weight), out=_array(y))
    return y


def prelu_backward(grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of PReLU with respect to its input and its weight, as new tensors."""
    dx, dweight = _new_like(x), torch.empty_like(weight)
    if not (x.is_contiguous() and grad.is_contiguous() and weight.is_contiguous()) or not _compute_at(
        _PRELU_BACKWARD,
        TYPES[x.dtype],
        x.shape,
        weight.numel(),
        grad.data_ptr(),
        x.data_ptr(),
        weight.data_ptr(),
        dx.data_ptr(),
        dweight.data_ptr(),
    ):
        fastleaky.prelu_backward(_array(grad), _array(x), _array(weight), out=(_array(dx), _array(dweight)))
    return dx, dweight


def _new_like(x: Tensor) -> Tensor:
    """Return a tensor for a result, in PyTorch's choice of memory format; and let PyTorch's threads be ours."""
    threads = torch.get_num_threads()
    if threads != fastleaky.get_num_threads():
        fastleaky.set_num_threads(threads)
    return torch.empty_like(x)


def _array(tensor: Tensor) -> Array:
    """Return an array that shares the tensor's memory."""
    if tensor.dtype is torch.bfloat16:  # NumPy has it from ml_dtypes
        bits: Array = tensor.detach().view(torch.int16).numpy()
        return bits.view(ml_dtypes.bfloat16)
    array: Array = tensor.numpy(force=True)
    return array
