"""Tensors for the tests of fastleaky.torch: from arrays and back, in all memory formats, their gradients; threads."""

import contextlib
import itertools

import ml_dtypes
import numpy as np
import torch

import fastleaky

FORMATS = {
    "contiguous": lambda x: x,
    "channels_last": lambda x: x.transpose(1, -1).contiguous().transpose(1, -1),
    "transposed": lambda x: x.transpose(0, -1).contiguous().transpose(0, -1),
    "strided": lambda x: x.repeat_interleave(2, dim=-1)[..., ::2],
    "offset": lambda x: torch.cat([x.reshape(-1)[:1], x.reshape(-1)])[1:].view(x.shape),
    "expanded": lambda x: x[:1].expand(x.shape),
    "scalar, expanded": lambda x: x.reshape(-1)[:1].view([1] * x.dim()).expand(x.shape),
}


@contextlib.contextmanager
def one_thread():
    """Let PyTorch, and so fastleaky, use one thread: others spin while they wait, which other tests would pay for."""
    before = torch.get_num_threads(), fastleaky.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    fastleaky.set_num_threads(before[1])


def tensor(array):
    array = np.array(array)
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def array(tensor):
    if tensor.dtype is torch.bfloat16:
        return tensor.detach().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.detach().numpy()


def both_ways(function, *given, grad=None):
    """The output of a function, and the gradients with respect to all tensors that it is given."""
    given = [each.detach().requires_grad_() if isinstance(each, torch.Tensor) else each for each in given]
    y = function(*given)
    inputs = [each for each in given if isinstance(each, torch.Tensor)]
    return [y.detach(), *torch.autograd.grad(y, inputs, torch.ones_like(y) if grad is None else grad)]


def equal(ours, theirs):
    """Are two trees of tensors equal, their types, memory formats and NaNs, too?"""
    if isinstance(ours, torch.Tensor):
        assert (type(ours), ours.dtype, ours.layout) == (type(theirs), theirs.dtype, theirs.layout)
        if ours.layout is torch.strided:
            assert ours.stride() == theirs.stride() or not ours.numel()
        else:
            ours, theirs = ours.to_dense(), theirs.to_dense()
        return torch.equal(ours.isnan(), theirs.isnan()) and torch.equal(ours.nan_to_num(), theirs.nan_to_num())
    return len(ours) == len(theirs) and all(itertools.starmap(equal, zip(ours, theirs, strict=True)))
