"""fastleaky.torch on PyTorch's own samples: its derivatives of every order, transformed and compiled as well."""

import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")
pytest.importorskip("expecttest")

import torch
from tensors import both_ways, equal, one_thread
from torch.autograd import gradcheck, gradgradcheck

import fastleaky.torch
from fastleaky.torch import functional

# PyTorch's own forward-mode derivatives, and its compiler, still use torch.jit.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.*is deprecated:DeprecationWarning")
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture(autouse=True)
def _no_tensor_is_small(monkeypatch):
    monkeypatch.setattr(functional, "SMALL", 0)


@pytest.fixture(params=["prelu", "leaky_relu"])
def name(request):
    return request.param


def functions(name):
    """Our function, and PyTorch's."""
    return getattr(fastleaky.torch, name), getattr(torch.nn.functional, name)


def samples(name, dtype, **options):
    """PyTorch's own samples: the tensors of each."""
    from torch.testing._internal.common_methods_invocations import op_db

    (op,) = (op for op in op_db if op.name == f"nn.functional.{name}")
    found = list(op.sample_inputs("cpu", dtype, **options))
    assert len(found) >= 9
    return [(sample.input, *sample.args, *sample.kwargs.values()) for sample in found]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_samples(name, dtype):
    ours, theirs = functions(name)
    for given in samples(name, dtype):
        got, wanted = both_ways(ours, *given), both_ways(theirs, *given)
        assert equal(got[:2], wanted[:2])
        for dweight, other in zip(got[2:], wanted[2:], strict=True):
            assert dweight.dtype is other.dtype
            torch.testing.assert_close(dweight, other, rtol=2e-2 if dtype.itemsize == 2 else 1e-4, atol=1e-3)


def test_first_derivatives(name):
    checks = {
        f"check_{each}": True for each in ("forward_ad", "batched_grad", "batched_forward_grad", "undefined_grad")
    }
    for given in samples(name, torch.float64, requires_grad=True):
        assert gradcheck(functions(name)[0], given, **checks)


def test_second_derivatives(name):
    checks = {f"check_{each}": True for each in ("batched_grad", "fwd_over_rev", "rev_over_rev")}
    for given in samples(name, torch.float64, requires_grad=True):
        assert gradgradcheck(functions(name)[0], given, **checks)


def test_third_derivatives(name):
    def gradients(x, p):
        inputs = (x, p) if name == "prelu" else (x,)
        y = functions(name)[0](x, p).pow(3).sum()
        return torch.autograd.grad(
            torch.autograd.grad(y, inputs, create_graph=True)[0].pow(2).sum(), inputs, create_graph=True
        )

    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x, w: gradients(x, w if name == "prelu" else 0.3), (x, weight))


def test_first_derivatives_have_the_same_bits_when_differentiated_again(name):
    x, parameter, grad = torch.randn(3, 4, 100), torch.randn(4) if name == "prelu" else 0.3, torch.randn(3, 4, 100)
    x.requires_grad_()
    inputs = [x] if name == "leaky_relu" else [x, parameter.requires_grad_()]
    y = functions(name)[0](x, parameter)
    once = torch.autograd.grad(y, inputs, grad, retain_graph=True)
    again = torch.autograd.grad(y, inputs, grad, create_graph=True)
    assert equal(once, [each.detach() for each in again])


TRANSFORMED = {
    "vmap": lambda f: torch.vmap(f, (0, None)),
    "vmap of the weights": lambda f: torch.vmap(f, (None, 0)),
    "grad": lambda f: torch.func.grad(lambda *given: f(*given).pow(3).sum(), (0, 1)),
    "vmap of grad": lambda f: torch.vmap(torch.func.grad(lambda *given: f(*given).pow(3).sum(), (0, 1)), (0, None)),
    "hessian": lambda f: torch.func.hessian(lambda *given: f(*given).pow(3).sum(), (0, 1)),
    "jacrev": lambda f: torch.func.jacrev(f, (0, 1)),
    "jacfwd": lambda f: torch.func.jacfwd(f, (0, 1)),
    "vjp": lambda f: lambda x, w: torch.func.vjp(f, x, w)[1](x),
    "jvp": lambda f: lambda x, w: torch.func.jvp(f, (x, w), (x.cos(), w.cos())),
}


@pytest.mark.parametrize("transform", TRANSFORMED)
@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")  # as PyTorch's function does
def test_transformed(name, transform):
    x = torch.randn(2, 3, 3, 2, dtype=torch.float64)
    weight = torch.randn(3, 3, dtype=torch.float64) if "weights" in transform else torch.randn(3, dtype=torch.float64)

    def called(operation):
        return lambda x, w: operation(x, w) if name == "prelu" else operation(x, 0.3) * w.sum()

    ours, theirs = (TRANSFORMED[transform](called(each)) for each in functions(name))
    assert equal(ours(x, weight), theirs(x, weight))


@pytest.mark.parametrize("transform", [torch.vmap, torch.func.grad])
def test_a_graph_that_is_older_than_the_transform(name, transform):
    """The forward step was eager; what goes back is transformed."""
    x, p = torch.randn(2, 3, requires_grad=True), torch.randn(3, requires_grad=True) if name == "prelu" else 0.3
    ours, theirs = (each(x, p) for each in functions(name))

    def back(y):
        return lambda grad: torch.autograd.grad(y, x, grad, retain_graph=True)[0].square().sum()

    grads = torch.randn(5, 2, 3) if transform is torch.vmap else torch.randn(2, 3)
    assert torch.allclose(transform(back(ours))(grads), transform(back(theirs))(grads))


def test_jacobians_in_batches(name):
    x, p = torch.randn(2, 3), torch.randn(3)

    def jacobian(operation):
        return torch.autograd.functional.jacobian(
            lambda x, p: operation(x, p if name == "prelu" else 0.3) + p, (x, p), vectorize=True
        )

    ours, theirs = map(jacobian, functions(name))
    assert all(map(torch.allclose, ours, theirs))


def test_a_saved_input_that_was_modified(name):
    x, p = torch.randn(2, 3, requires_grad=True) * 1, torch.randn(3, requires_grad=True) if name == "prelu" else 0.3
    y = functions(name)[0](x, p)
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_saved_tensors_hooks(name):
    x, p = torch.randn(2, 3), torch.randn(3) if name == "prelu" else 0.3
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(1) or t.clone(), lambda t: t):
        ours = both_ways(functions(name)[0], x, p)
    assert packed
    assert torch.equal(ours[1], both_ways(functions(name)[1], x, p)[1])


def compiled(name, given, backend):
    torch.compiler.reset()  # after some compilations of a function it would stop
    return both_ways(torch.compile(functions(name)[0], fullgraph=True, backend=backend), *given)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled(name, backend):
    for given in samples(name, torch.float32):
        torch.testing.assert_close(compiled(name, given, backend), both_ways(functions(name)[1], *given))


@pytest.mark.skipif(not shutil.which("g++"), reason="Inductor needs g++")
def test_compiled_by_inductor(name):
    given = samples(name, torch.float32)[-1]
    torch.testing.assert_close(compiled(name, given, "inductor"), both_ways(functions(name)[1], *given))
