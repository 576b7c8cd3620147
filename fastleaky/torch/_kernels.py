"""The operations on regular tensors, without autograd.

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
_NUMBERS = {name: number for number, name in enumerate(OPERATIONS)}
_LEAKY_RELU, _LEAKY_RELU_BACKWARD, _PRELU, _PRELU_BACKWARD = map(
    _NUMBERS.__getitem__, ("leaky_relu", "leaky_relu_backward", "prelu", "prelu_backward")
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


Given = tuple[Tensor | float | None, ...]  # the positional arguments of a fused operation


def fused(name: str, given: Given, axis: int, residual: Tensor | None = None) -> Tensor:
    """Return the result of a fused operation, as a new tensor."""
    x = given[0]
    y = _new_like(x)
    _fused(name, given, (y,), axis, residual)
    return y


def bias_leaky_relu_backward(grad: Tensor, y: Tensor, numbers: Given, axis: int) -> tuple[Tensor, Tensor]:
    """Gradients of leaky ReLU with a bias with respect to its input and its bias, from its output, as new tensors."""
    dx, dbias = _new_like(y), y.new_empty(y.shape[axis])
    _fused("bias_leaky_relu_backward", (grad, y, *numbers), (dx, dbias), axis)
    return dx, dbias


def _fused(name: str, given: Given, results: tuple[Tensor, ...], axis: int, residual: Tensor | None = None) -> None:
    """Compute a fused operation."""
    tensors, x = [value for value in given if isinstance(value, Tensor)], results[0]
    numbers = [value for value in given if not isinstance(value, Tensor)]
    if (
        axis == 1
        and residual is None
        and all(tensor.is_contiguous() for tensor in tensors)
        and _compute_at(
            _NUMBERS[name],
            TYPES[x.dtype],
            x.shape,
            x.shape[1],
            *(tensor.data_ptr() for tensor in (*tensors, *results)),
            *(0.0 if number is None else number for number in numbers),
        )
    ):
        return
    arrays, outs = map(_array, tensors), tuple(map(_array, results))
    options = {} if residual is None else {"residual": _array(residual)}
    out = outs if len(outs) > 1 else outs[0]
    getattr(fastleaky, name)(*arrays, *numbers, **options, axis=axis, out=out)


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
