"""fastleaky.torch gives the specification's bits, in PyTorch's types and memory formats; all else is PyTorch's own."""

import copy
import io
import pickle

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")

import ml_dtypes
import torch

import fastleaky.torch
from fastleaky import reference
from fastleaky._backends.selftest import data, same_bits

F, nn = torch.nn.functional, torch.nn
DTYPES = {"float32": torch.float32, "float64": torch.float64, "float16": torch.float16, "bfloat16": torch.bfloat16}


def tensor(array):
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(np.array(array).view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def array(tensor):
    if tensor.dtype is torch.bfloat16:
        return tensor.detach().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.detach().numpy()


def strided(x):
    return x.repeat_interleave(2, dim=-1)[..., ::2]


LAYOUTS = {
    "contiguous": lambda x: x,
    "channels_last": lambda x: x.to(memory_format=torch.channels_last),
    "transposed": lambda x: x.transpose(0, -1).contiguous().transpose(0, -1),
    "strided": strided,
    "negative": lambda x: torch._neg_view(-x),  # noqa: SLF001 - no public function sets the bit for every type
    "offset": lambda x: torch.cat([x.reshape(-1)[:1], x.reshape(-1)])[1:].view(x.shape),
    "expanded": lambda x: x[:1].expand(x.shape),
}


def both_ways(functions, x, grad, parameter):
    """The output, and the gradients with respect to x and to the weight."""
    x = x.detach().requires_grad_()
    inputs = [x]
    if isinstance(parameter, torch.Tensor):
        parameter = parameter.detach().requires_grad_()
        inputs.append(parameter)
    y = functions(x, parameter)
    return [y.detach(), *torch.autograd.grad(y, inputs, grad)]


@pytest.mark.parametrize("kind", ["finite", "special"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bits_and_strides(dtype, layout, kind):
    given = data(np.random.default_rng(0), (2, 3, 5, 6), dtype, kind=kind)
    lay = LAYOUTS[layout]
    x, grad, weight = lay(tensor(given["x"])), lay(tensor(given["grad"])), tensor(given["weight"])
    a = {"x": array(x.resolve_neg()), "grad": array(grad.resolve_neg()), "weight": given["weight"]}

    wanted = [reference.prelu(a["x"], a["weight"]), *reference.prelu_backward(a["grad"], a["x"], a["weight"])]
    ours = both_ways(fastleaky.torch.prelu, x, grad, weight)
    theirs = both_ways(F.prelu, x, grad, weight)
    assert all(map(same_bits, map(array, ours), wanted))
    assert [t.stride() for t in ours] == [t.stride() for t in theirs]

    wanted = [reference.leaky_relu(a["x"], 0.3), reference.leaky_relu_backward(a["grad"], a["x"], 0.3)]
    ours = both_ways(fastleaky.torch.leaky_relu, x, grad, 0.3)
    theirs = both_ways(F.leaky_relu, x, grad, 0.3)
    assert all(map(same_bits, map(array, ours), wanted))
    assert [t.stride() for t in ours] == [t.stride() for t in theirs]


def saved(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.PReLU(8), nn.Conv2d(8, 8, 3), nn.LeakyReLU(0.2), nn.PReLU())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), saved])
def test_convert_and_restore(copied):
    theirs = net()
    ours = copy.deepcopy(theirs)
    assert fastleaky.torch.convert(ours) == 3
    assert fastleaky.torch.convert(ours) == 0
    assert [type(module) is not type(own) for module, own in zip(ours, theirs, strict=True)] == [
        False,
        True,
        False,
        True,
        True,
    ]
    x = torch.randn(2, 3, 8, 8)
    other = copied(ours)
    other.load_state_dict(theirs.state_dict())
    assert [type(module) for module in other] == [type(module) for module in ours]
    assert torch.equal(other(x), theirs(x))
    assert fastleaky.torch.restore(other) == 3
    assert [type(module) for module in other] == [type(module) for module in theirs]


def test_a_slope_beyond_float32():
    """PyTorch takes it for float64 only."""
    with pytest.raises(RuntimeError, match="cannot be converted to type float without overflow"):
        fastleaky.torch.leaky_relu(torch.ones(3), 1e39)
    assert fastleaky.torch.leaky_relu(-torch.ones(3, dtype=torch.float64), 1e39).tolist() == [-1e39] * 3
