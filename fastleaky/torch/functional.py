"""The functions: ours for eager tensors, PyTorch's own for all else."""

import torch
from torch import Tensor
from torch.nn import functional

from fastleaky.torch import _autograd, _kernels
from fastleaky.torch._eager import is_inference, is_ours, is_regular

SMALL = 1 << 16  # elements: below, PyTorch's functions give the same bits sooner, but for the gradient of a weight
_LARGEST = torch.finfo(torch.float32).max


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """PReLU: ``input`` where it is positive, else ``weight * input``; ``torch.nn.functional.prelu`` by fastleaky.

    Eager calls on dense CPU tensors of float32, float64, float16 or bfloat16 are computed by fastleaky, with
    derivatives of every order. All other calls go to PyTorch's function. So do those that need no gradient where they
    are small, or under ``torch.no_grad`` in float32 and float64: it is as fast there.

    Parameters
    ----------
    input : torch.Tensor
        Of any shape and memory format.
    weight : torch.Tensor
        The slopes, of the type of `input`: one value, or one for each channel, along axis 1 of `input`.

    Returns
    -------
    torch.Tensor
        A new tensor with the shape, type and memory format that PyTorch's function gives it.

    Raises
    ------
    RuntimeError
        As PyTorch's function raises it.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015. The output and the gradient with respect to `input`
    have PyTorch's bits. The gradient with respect to `weight` is an ordered sum, see :func:`fastleaky.prelu_backward`:
    it does not depend on the number of threads.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> fastleaky.torch.prelu(torch.tensor([[1.0, -1.0, -1.0]]), torch.tensor([0.5, 0.5, 0.25]))
    tensor([[ 1.0000, -0.5000, -0.2500]])
    """
    if torch.jit.is_scripting():
        return functional.prelu(input, weight)
    else:  # noqa: RET505 - TorchScript compiles what is not in the other branch
        if is_inference(input) or not is_ours(input) or not is_regular(weight):
            return functional.prelu(input, weight)
        differentiable = torch.is_grad_enabled() and (input.requires_grad or weight.requires_grad)
        if not differentiable and input.numel() < SMALL:
            return functional.prelu(input, weight)
        if torch.is_autocast_enabled("cpu"):
            input, weight = _autocast(input), _autocast(weight)
        if weight.dtype is not input.dtype or weight.shape not in ((), (1,), input.shape[1:2]):
            return functional.prelu(input, weight)
        return _autograd.prelu(input, weight) if differentiable else _kernels.prelu(input, weight)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Leaky ReLU: ``input`` where it is positive, else ``negative_slope * input``, computed by fastleaky.

    It takes the arguments of ``torch.nn.functional.leaky_relu``. What :func:`prelu` leaves to PyTorch, this function
    does, too; and all small calls, and those in place.

    Parameters
    ----------
    input : torch.Tensor
        Of any shape and memory format.
    negative_slope : float, default 0.01
        The slope for what is not positive.
    inplace : bool, default False
        Write the result to `input`.

    Returns
    -------
    torch.Tensor
        `input`, or a new tensor with the shape, type and memory format that PyTorch's function gives it.

    Raises
    ------
    RuntimeError, NotImplementedError, TypeError
        As PyTorch's function raises them.

    Notes
    -----
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Examples
    --------
    >>> import torch, fastleaky.torch
    >>> fastleaky.torch.leaky_relu(torch.tensor([1.0, -1.0]), 0.5)
    tensor([ 1.0000, -0.5000])
    """
    if torch.jit.is_scripting():
        return functional.leaky_relu(input, negative_slope, inplace)
    else:  # noqa: RET505 - as above
        if inplace or is_inference(input) or not is_ours(input):
            return functional.leaky_relu(input, negative_slope, inplace)
        if input.numel() < SMALL or not is_slope(negative_slope):
            return functional.leaky_relu(input, negative_slope)
        if torch.is_grad_enabled() and input.requires_grad:
            return _autograd.leaky_relu(input, negative_slope)
        return _kernels.leaky_relu(input, negative_slope)


def is_slope(value: float) -> bool:
    """Is it a float that PyTorch takes for every type? A finite one beyond float32 is for float64 only."""
    return isinstance(value, float) and not abs(value) > _LARGEST


def _autocast(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype is torch.float64 else tensor.to(torch.get_autocast_dtype("cpu"))
