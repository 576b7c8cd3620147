"""fastleaky.torch gives the specification's bits in PyTorch's memory formats, and leaves the rest to PyTorch."""

import doctest

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")

import torch
from children import HIDE, python
from tensors import FORMATS, array, both_ways, equal, one_thread, tensor
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import fastleaky.torch
from fastleaky import reference
from fastleaky._backends.selftest import data, draw, same_bits
from fastleaky.torch import _kernels, functional, modules

F = torch.nn.functional
OURS = {"prelu": fastleaky.torch.prelu, "leaky_relu": fastleaky.torch.leaky_relu}
SHAPES = [(), (1,), (7,), (0,), (3, 1), (4, 6), (2, 0, 3), (0, 3), (2, 3, 5), (1, 1, 4), (2, 3, 4, 5), (2, 3, 2, 2, 3)]


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture
def calls(monkeypatch):
    """The names of our functions in the order in which they are called; no tensor is too small for them."""
    names = []

    def recorded(name):
        function = getattr(_kernels, name)
        return lambda *args: names.append(name) or function(*args)

    for name in ("leaky_relu", "leaky_relu_backward", "prelu", "prelu_backward"):
        monkeypatch.setattr(_kernels, name, recorded(name))
    monkeypatch.setattr(functional, "SMALL", 0)
    return names


def wanted(given, slope):
    """What the specification gives for both operations, forward and backward."""
    x, grad, weight = (given[name] for name in ("x", "grad", "weight"))
    prelu = [reference.prelu(x, weight), *reference.prelu_backward(grad, x, weight)]
    return prelu, [reference.leaky_relu(x, slope), reference.leaky_relu_backward(grad, x, slope)]


@pytest.mark.parametrize("kind", ["finite", "special"])
@pytest.mark.parametrize("layout", FORMATS)
def test_bits_and_strides(dtype, layout, kind, calls):
    given = data(np.random.default_rng(0), (2, 3, 5, 6), dtype, kind=kind)
    x, grad = (FORMATS[layout](tensor(given[name])) for name in ("x", "grad"))
    weight = tensor(given["weight"])
    prelu, leaky = wanted({"x": array(x), "grad": array(grad), "weight": given["weight"]}, 0.3)
    for name, parameter, bits in (("prelu", weight, prelu), ("leaky_relu", 0.3, leaky)):
        ours = both_ways(OURS[name], x, parameter, grad=grad)
        theirs = both_ways(getattr(F, name), x, parameter, grad=grad)
        assert all(map(same_bits, map(array, ours), bits))
        assert [each.stride() for each in ours] == [each.stride() for each in theirs]
        assert calls == [name, f"{name}_backward"]
        calls.clear()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("slopes", ["scalar", "shared", "each"])
def test_shapes(dtype, shape, slopes, calls):
    channels = shape[1] if len(shape) > 1 else 1
    given = data(np.random.default_rng(0), shape, dtype, axis=min(1, len(shape) - 1))
    given["weight"] = draw(np.random.default_rng(1), {"scalar": (), "shared": 1, "each": channels}[slopes], dtype)
    x, grad, weight = (tensor(given[name]) for name in ("x", "grad", "weight"))
    ours, theirs = both_ways(OURS["prelu"], x, weight, grad=grad), both_ways(F.prelu, x, weight, grad=grad)
    assert calls == ["prelu", "prelu_backward"]
    assert all(map(same_bits, map(array, ours), wanted(given, 0.1)[0]))
    assert equal(ours[:2], theirs[:2])
    assert equal(both_ways(OURS["leaky_relu"], x, 0.1, grad=grad), both_ways(F.leaky_relu, x, 0.1, grad=grad))


@pytest.mark.parametrize("slope", [0.0, -0.0, 1.5, -0.3, 1e-40, float("nan"), np.float64(0.25)])
def test_slopes(slope, calls):
    x = torch.randn(3, 7)
    assert equal(both_ways(OURS["leaky_relu"], x, slope), both_ways(F.leaky_relu, x, slope))
    assert calls == ["leaky_relu", "leaky_relu_backward"]


@pytest.mark.usefixtures("calls")
def test_every_backend(backend, dtype):
    given = data(np.random.default_rng(0), (3, 4, 50), dtype)
    prelu, leaky = wanted(given, 0.3)
    x, grad, weight = (tensor(given[name]) for name in ("x", "grad", "weight"))
    for _ in range(2):  # the first call of a type tests the backend, and never takes the fast path
        assert all(map(same_bits, map(array, both_ways(OURS["prelu"], x, weight, grad=grad)), prelu)), backend
        assert all(map(same_bits, map(array, both_ways(OURS["leaky_relu"], x, 0.3, grad=grad)), leaky))


def test_small_tensors_are_left_to_pytorch_where_the_bits_are_the_same(dtype, calls, monkeypatch):
    monkeypatch.setattr(functional, "SMALL", 30)
    for shape, ours in (((2, 3, 4), False), ((2, 3, 5), True)):
        given = data(np.random.default_rng(0), shape, dtype, kind="special")
        prelu, leaky = wanted(given, 0.3)
        x, grad, weight = (tensor(given[name]) for name in ("x", "grad", "weight"))
        assert all(map(same_bits, map(array, both_ways(OURS["leaky_relu"], x, 0.3, grad=grad)), leaky))
        assert same_bits(array(OURS["prelu"](x, weight)), prelu[0])
        assert bool(calls) == ours
        calls.clear()
        assert all(map(same_bits, map(array, both_ways(OURS["prelu"], x, weight, grad=grad)), prelu))
        assert calls == ["prelu", "prelu_backward"]
        calls.clear()


def test_threads_are_those_of_pytorch():
    x, weight = torch.randn(4, 8, 1 << 15), torch.randn(8)
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results.append(both_ways(OURS["prelu"], x, weight, grad=x))
        assert fastleaky.get_num_threads() == threads
    assert equal(results[0], results[1])
    assert equal(results[0], results[2])


@pytest.mark.parametrize("needed", ["x", "weight", "neither", "no_grad", "inference_mode"])
def test_what_needs_a_gradient(needed, calls):
    x, weight = torch.randn(2, 3, 4), torch.randn(3)
    theirs = F.prelu(x, weight)
    x.requires_grad_(needed not in ("weight", "neither"))
    weight.requires_grad_(needed not in ("x", "neither"))
    with {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}.get(needed, torch.enable_grad)():
        y = OURS["prelu"](x, weight)
        z = OURS["leaky_relu"](x, 0.1)
    assert equal(y.detach(), theirs)
    assert y.requires_grad == (needed in ("x", "weight"))
    assert z.requires_grad == (needed == "x")
    assert y.is_inference() == (needed == "inference_mode")
    if y.requires_grad:
        y.sum().backward()
        assert (x.grad is not None, weight.grad is not None) == (needed == "x", needed == "weight")
    assert ("prelu" in calls) == (needed in ("x", "weight", "neither"))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_inference_is_left_to_pytorch_where_that_is_as_fast(dtype, mode, calls):
    given = data(np.random.default_rng(0), (2, 3, 5), dtype, kind="special")
    prelu, leaky = wanted(given, 0.3)
    x, weight = tensor(given["x"]), tensor(given["weight"])
    with mode():
        assert same_bits(array(OURS["prelu"](x, weight)), prelu[0])
        assert same_bits(array(OURS["leaky_relu"](x, 0.3)), leaky[0])
    assert calls == (["prelu", "leaky_relu"] if x.itemsize == 2 else [])


@pytest.mark.parametrize("parameter", [torch.randn(3), 0.1], ids=["prelu", "leaky_relu"])
@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("layout_of_grad", [*FORMATS, "zero"])
def test_gradients_in_another_memory_format(layout, layout_of_grad, parameter, calls):
    name = "leaky_relu" if isinstance(parameter, float) else "prelu"
    x, grad = FORMATS[layout](torch.randn(2, 3, 4, 4)), torch.randn(2, 3, 4, 4)
    grad = (
        torch._efficientzerotensor(grad.shape) if layout_of_grad == "zero" else FORMATS[layout_of_grad](grad)  # noqa: SLF001 - autograd's own
    )
    ours = both_ways(OURS[name], x, parameter, grad=grad)
    theirs = both_ways(getattr(F, name), x, parameter, grad=grad)
    assert all(map(torch.equal, ours[:2], theirs[:2]))
    assert torch.allclose(ours[-1], theirs[-1], rtol=1e-4, atol=1e-5)
    assert calls == [name, f"{name}_backward"]


class Functions(TorchFunctionMode):
    """It changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class Dispatched(TorchDispatchMode):
    """It changes nothing."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class Subclass(torch.Tensor):
    """It differs in nothing."""


def within(mode):
    def entered(function, x, parameter):
        with mode:
            return function(x, parameter)

    return entered


def dual(function, x, parameter):
    with forward_ad.dual_level():
        y = function(forward_ad.make_dual(x, x.cos()), parameter)
        return [each.clone() for each in forward_ad.unpack_dual(y)]


def fake(function, x, parameter):
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode() as mode:
        parameter = mode.from_tensor(parameter) if isinstance(parameter, torch.Tensor) else parameter
        shape = tuple(function(mode.from_tensor(x), parameter).shape)
    return torch.zeros(shape)


def sparse(function, x, parameter):
    with pytest.raises((NotImplementedError, RuntimeError)) as caught:
        function(x.to_sparse(), parameter)
    return torch.tensor(len(str(caught.value)))


def mkldnn(function, x, parameter):
    inputs = [each.to_mkldnn() if isinstance(each, torch.Tensor) else each for each in (x, parameter)]
    return function(*inputs) if isinstance(parameter, torch.Tensor) else x


def escaped(function, x, parameter):
    """Outside of a transform, with a tensor from inside."""
    inside = []
    torch.vmap(lambda t: inside.append(t) or t)(x)
    with pytest.raises(RuntimeError) as caught:
        function(inside[0], parameter)
    return torch.tensor(len(str(caught.value)))


LEFT = {
    "vmap": lambda f, x, p: torch.vmap(lambda t: f(t, p), in_dims=2, out_dims=2)(x),
    "grad": lambda f, x, p: torch.func.grad(lambda t: f(t, p).square().sum())(x),
    "vmap of grad": lambda f, x, p: torch.vmap(torch.func.grad(lambda t: f(t, p).square().sum()))(x[:, None]),
    "functionalize": lambda f, x, p: torch.func.functionalize(lambda t: f(t, p))(x),
    "closed over": lambda f, x, p: torch.vmap(lambda t: f(x, p) + t)(x),
    "forward AD": dual,
    "jvp": lambda f, x, p: torch.func.jvp(lambda t: f(t, p), (x,), (x.cos(),)),
    "trace": lambda f, x, p: torch.jit.trace(lambda t: f(t, p), x, check_trace=False)(x),
    "make_fx": lambda f, x, p: torch.fx.experimental.proxy_tensor.make_fx(lambda t: f(t, p))(x)(x),
    "symbolic_trace": lambda f, x, p: torch.fx.symbolic_trace(lambda t: f(t, p))(x),
    "compile": lambda f, x, p: torch.compile(lambda t: f(t, p), fullgraph=True, backend="eager")(x),
    "subclass": lambda f, x, p: f(x.as_subclass(Subclass), p),
    "function mode": within(Functions()),
    "dispatch mode": within(Dispatched()),
    "fake": fake,
    "meta": lambda f, x, p: torch.zeros(f(x.to("meta"), p.to("meta") if isinstance(p, torch.Tensor) else p).shape),
    "sparse": sparse,
    "mkldnn": mkldnn,
    "lazily negated": lambda f, x, p: f(torch._neg_view(x), p),  # noqa: SLF001 - as complex conjugation makes them
    "escaped": escaped,
}


@pytest.mark.parametrize("how", LEFT)
@pytest.mark.parametrize("parameter", [torch.randn(3), 0.1], ids=["prelu", "leaky_relu"])
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
def test_left_to_pytorch(how, parameter, calls):
    name = "leaky_relu" if isinstance(parameter, float) else "prelu"
    x = torch.randn(2, 3, 4)
    assert equal(LEFT[how](OURS[name], x, parameter), LEFT[how](getattr(F, name), x, parameter))
    assert calls == []


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
def test_scripted(calls):
    modules = torch.nn.Sequential(fastleaky.torch.PReLU(3), fastleaky.torch.LeakyReLU(0.2))
    x = torch.randn(2, 3, 4)
    ours = modules(x)
    calls.clear()
    assert equal(torch.jit.script(modules)(x), ours)
    assert calls == []


def test_in_place(calls):
    leaf = torch.randn(2, 3, requires_grad=True)
    x = leaf * 1
    y = OURS["leaky_relu"](x, 0.1, True)
    assert y is x
    assert calls == []
    with pytest.raises(RuntimeError, match="leaf Variable"):
        fastleaky.torch.LeakyReLU(0.1, inplace=True)(leaf)


@pytest.mark.parametrize("autocast", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_autocast(autocast, kind, calls):
    x, weight = torch.randn(2, 3, 5).to(kind), torch.randn(3)
    weight = weight if kind is torch.bfloat16 else weight.to(kind)  # autocast reconciles them
    with torch.autocast("cpu", autocast):
        ours, theirs = both_ways(OURS["prelu"], x, weight), both_ways(F.prelu, x, weight)
    assert equal(ours[:2], theirs[:2])
    assert ours[2].dtype is theirs[2].dtype
    assert torch.allclose(ours[2], theirs[2], rtol=2e-2, atol=1e-2)
    assert calls == ["prelu", "prelu_backward"]


WRONG = {
    "channels": (torch.randn(2, 3), torch.randn(2)),
    "no channels": (torch.randn(3), torch.randn(3)),
    "scalar": (torch.randn(()), torch.randn(3)),
    "2-d weight": (torch.randn(2, 3), torch.randn(1, 3)),
    "empty weight": (torch.randn(2, 3), torch.randn(0)),
    "types": (torch.randn(2, 3).double(), torch.randn(3)),
    "half": (torch.randn(2, 3).bfloat16(), torch.randn(3).half()),
    "integers": (torch.ones(2, 3, dtype=torch.int32), torch.ones(3, dtype=torch.int32)),
    "complex": (torch.randn(2, 3, dtype=torch.complex64), torch.randn(3, dtype=torch.complex64)),
    "device": (torch.randn(2, 3), torch.randn(3, device="meta")),
    "number": (torch.randn(2, 3), 0.25),
    "array": (torch.randn(2, 3), np.ones(3, np.float32)),
    "array for input": (np.ones((2, 3), np.float32), torch.randn(3)),
    "None": (None, None),
}
WRONG_LEAKY = {
    "integers": (torch.ones(2, 3, dtype=torch.int32), 0.1),
    "bool": (torch.ones(2, 3, dtype=torch.bool), 0.1),
    "string": (torch.randn(2, 3), "0.1"),
    "None": (torch.randn(2, 3), None),
    "complex": (torch.randn(2, 3), 1j),
    "tensor": (torch.randn(2, 3), torch.randn(3)),
    "list": ([1.0], 0.1),
    "too large": (torch.randn(2, 3), 1e39),
}
WRONG = [("prelu", *given) for given in WRONG.items()] + [("leaky_relu", *given) for given in WRONG_LEAKY.items()]


def error(function, given):
    with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
        function(*given)
    return caught.value


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name, _, given in WRONG], ids=[f"{a}-{b}" for a, b, _ in WRONG]
)
def test_errors_are_those_of_pytorch(name, given, calls):
    theirs, ours = error(getattr(F, name), given), error(OURS[name], given)
    assert (type(ours), str(ours)) == (type(theirs), str(theirs))
    assert calls == []


@pytest.mark.parametrize("slope", [1, True, torch.tensor(0.5), np.float32(0.5), float("inf")])
def test_other_numbers_are_as_pytorch_takes_them(slope, calls):
    x = torch.randn(2, 3)
    assert equal(OURS["leaky_relu"](x, slope), F.leaky_relu(x, slope))
    assert calls == []


@pytest.mark.parametrize("module", [functional, modules])
def test_examples_of_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_without_c():
    """Where there is no compiled module, NumPy's arrays do."""
    code = """
import torch, fastleaky, fastleaky.torch
assert not fastleaky.backend.startswith("c"), fastleaky.backend
x, w = torch.randn(2, 3, 4, requires_grad=True), torch.full((3,), 0.25, requires_grad=True)
y = fastleaky.torch.prelu(x, w)
y.sum().backward()
assert torch.equal(y, torch.nn.functional.prelu(x, w))
assert torch.equal(x.grad, torch.where(x > 0, 1, 0.25))
"""
    child = python(HIDE.format(hidden=["fastleaky._ffi"]) + code)
    assert child.returncode == 0, child.stderr
