"""PyTorch agrees: bit for bit on the outputs and dx, and within rounding on the weight's gradient."""

import numpy as np
import pytest

import fastleaky
from fastleaky._backends.selftest import data, draw, same_bits

torch = pytest.importorskip("torch")
F = torch.nn.functional


@pytest.fixture(params=["float32", "float64"])  # test_halves.py has the others
def dtype(request):
    return request.param


SLOPES = [0.01, 0.2, -0.3, 0.0, 1.0, 1.5, 1e-30, 1e-40, 1e38]
SHAPES = [(0,), (1,), (7,), (4, 1), (3, 5), (2, 64, 7, 7), (1, 16, 52, 52), (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_leaky_relu(dtype, shape, slope):
    rng = np.random.default_rng(0)
    x, grad = draw(rng, shape, dtype), draw(rng, shape, dtype)
    assert same_bits(fastleaky.leaky_relu(x, slope), F.leaky_relu(torch.from_numpy(x), slope).numpy())
    wanted = torch.ops.aten.leaky_relu_backward(torch.from_numpy(grad), torch.from_numpy(x), slope, False)
    assert same_bits(fastleaky.leaky_relu_backward(grad, x, slope), wanted.numpy())


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if len(shape) > 1], ids=str)
def test_prelu(dtype, shape, shared):
    given = data(np.random.default_rng(1), shape, dtype, kind="normal")
    weight = given["weight"][:1] if shared else given["weight"]
    x, w = torch.from_numpy(given["x"]).requires_grad_(), torch.from_numpy(weight).requires_grad_()
    y = F.prelu(x, w)
    y.backward(torch.from_numpy(given["grad"]))
    assert same_bits(fastleaky.prelu(given["x"], weight), y.detach().numpy())
    dx, dweight = fastleaky.prelu_backward(given["grad"], given["x"], weight)
    assert same_bits(dx, x.grad.numpy())

    terms = np.where(given["x"] > 0, 0, given["grad"].astype(float) * given["x"].astype(float))
    axes = tuple(i for i in range(len(shape)) if shared or i != 1)
    exact, size = terms.sum(axis=axes), np.abs(terms).sum(axis=axes)
    bound = 16 * np.finfo(dtype).eps / 2 * size
    assert np.all(np.abs(dweight - exact) <= bound)
    assert np.allclose(dweight, w.grad.numpy(), rtol=1e-3, atol=1e-3)


def test_samples_of_its_own_suite():
    """PyTorch's OpInfo samples for the two operations."""
    pytest.importorskip("expecttest")
    from torch.testing._internal.common_methods_invocations import op_db

    seen = 0
    for op in op_db:
        if op.name not in ("nn.functional.leaky_relu", "nn.functional.prelu"):
            continue
        for kind in (torch.float32, torch.float64):
            for sample in op.sample_inputs("cpu", kind):
                x, *rest = (tensor.detach().numpy() for tensor in (sample.input, *sample.args))
                wanted = op(sample.input, *sample.args, **sample.kwargs).detach().numpy()
                ours = fastleaky.prelu if op.name.endswith("prelu") else fastleaky.leaky_relu
                assert same_bits(ours(x, *rest, **sample.kwargs), np.asarray(wanted))
                seen += 1
    assert seen >= 60
