"""The fused functions of fastleaky.torch: the bits of PyTorch's separate operations, and derivatives of every order."""

import doctest
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")

import torch
from tensors import FORMATS, array, both_ways, equal, one_thread, tensor
from test_pytorch import LEFT
from torch.autograd import gradcheck, gradgradcheck

import fastleaky.torch
from fastleaky import reference
from fastleaky._backends.selftest import data, same_bits
from fastleaky.torch import _kernels, fused

# PyTorch's own forward-mode derivatives, and its compiler, still use torch.jit.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
F = torch.nn.functional
SHAPES = [((7,), 0), ((0,), -1), ((4, 6), 1), ((4, 6), -2), ((2, 0, 3), 1), ((0, 3), 1), ((5, 1, 4), 1)]
SHAPES += [((2, 3, 4, 5), 1), ((2, 3, 4, 5), 3), ((2, 3, 2, 2, 3), -4)]
NUMBERS = [(0.2, 2**0.5, None), (0.2, 2**0.5, 0.5), (1.5, 0.1, 256.0)]


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture
def calls(monkeypatch):
    """The names of the operations that are ours, in the order in which they are computed."""
    names, compute = [], _kernels._fused  # noqa: SLF001 - behind it nothing is PyTorch's
    monkeypatch.setattr(_kernels, "_fused", lambda name, *rest: names.append(name) or compute(name, *rest))
    return names


def along(values, x, axis):
    """Values for each channel, in a shape that broadcasts to x."""
    return values.reshape([-1 if at == axis % x.dim() else 1 for at in range(x.dim())])


def bias_in_steps(x, bias, numbers=(0.2, 1.0, None), axis=1):
    slope, gain, clamp = numbers
    y = F.leaky_relu(x + along(bias, x, axis), slope) * gain
    return y if clamp is None else y.clamp(-clamp, clamp)


def leaky_in_steps(x, parameters, residual=None, axis=1):
    """With a slope of 0.3."""
    scale, shift = (along(values, x, axis) for values in parameters)
    t = x * scale + shift
    return F.leaky_relu(t if residual is None else t + residual, 0.3)


def prelu_in_steps(x, parameters, residual=None, axis=1):
    scale, shift, weight = (along(values, x, axis) for values in parameters)
    t = x * scale + shift
    t = t if residual is None else t + residual
    return torch.where(t > 0, t, weight * t)


def drawn(shape, dtype, kind, layout="contiguous", axis=1):
    """Arrays for the specification, and tensors of them in a layout."""
    given = data(np.random.default_rng(0), shape, dtype, axis=axis, kind=kind)
    tensors = {name: tensor(value) for name, value in given.items() if isinstance(value, np.ndarray)}
    tensors |= {name: FORMATS[layout](tensors[name]) for name in ("x", "grad", "residual")}
    return {name: array(value) for name, value in tensors.items()}, tensors


def check_bias(shape, dtype, kind, layout="contiguous", axis=1):
    a, t = drawn(shape, dtype, kind, layout, axis)
    for numbers in NUMBERS:
        ours = both_ways(
            lambda x, bias, numbers=numbers: fastleaky.torch.bias_leaky_relu(x, bias, *numbers, axis=axis),
            *(t["x"], t["bias"]),
            grad=t["grad"],
        )
        y = reference.bias_leaky_relu(a["x"], a["bias"], *numbers, axis=axis)
        wanted = [y, *reference.bias_leaky_relu_backward(a["grad"], y, *numbers, axis=axis)]
        assert all(map(same_bits, map(array, ours), wanted)), numbers
        assert equal(ours[0], bias_in_steps(t["x"], t["bias"], numbers, axis))


def check_scale_shift(shape, dtype, kind, layout="contiguous", axis=1):
    a, t = drawn(shape, dtype, kind, layout, axis)
    names = ("scale", "shift", "weight")
    for residual in (None, "residual"):
        options = {"axis": axis, "residual": residual and t[residual]}
        parameters, specified = [t[name] for name in names], [a[name] for name in ("x", *names)]
        ours = [
            fastleaky.torch.scale_shift_leaky_relu(t["x"], *parameters[:2], 0.3, **options),
            fastleaky.torch.scale_shift_prelu(t["x"], *parameters, **options),
        ]
        theirs = [leaky_in_steps(t["x"], parameters[:2], **options), prelu_in_steps(t["x"], parameters, **options)]
        assert equal(ours, theirs)
        options["residual"] = residual and a[residual]
        assert same_bits(array(ours[0]), reference.scale_shift_leaky_relu(*specified[:3], 0.3, **options))
        assert same_bits(array(ours[1]), reference.scale_shift_prelu(*specified, **options))


@pytest.mark.parametrize("kind", ["finite", "special"])
@pytest.mark.parametrize("layout", FORMATS)
def test_bits_and_strides(dtype, layout, kind, calls):
    check_bias((2, 3, 5, 6), dtype, kind, layout)
    assert calls == ["bias_leaky_relu", "bias_leaky_relu_backward"] * len(NUMBERS)
    calls.clear()
    check_scale_shift((2, 3, 5, 6), dtype, kind, layout)
    assert calls == ["scale_shift_leaky_relu", "scale_shift_prelu"] * 2


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_shapes(dtype, shape, axis, calls):
    check_bias(shape, dtype, "finite", axis=axis)
    check_scale_shift(shape, dtype, "finite", axis=axis)
    assert len(calls) == 2 * len(NUMBERS) + 4


@pytest.mark.usefixtures("backend")
def test_every_backend(dtype):
    for _ in range(2):  # the first call of a type tests the backend, and never takes the fast path
        check_bias((3, 4, 50), dtype, "finite")
        check_scale_shift((3, 4, 50), dtype, "finite")


@pytest.mark.parametrize("bias_shape", [(), (1,)], ids=str)
def test_one_value_for_all_channels(bias_shape, calls):
    x, one = torch.randn(2, 3, 4), torch.randn(bias_shape)
    ours = both_ways(lambda x, b: fastleaky.torch.bias_leaky_relu(x, b, 0.2, 2.0, 1.0), x, one)
    wanted = both_ways(lambda x, b: bias_in_steps(x, b.expand(3), (0.2, 2.0, 1.0)), x, one)
    assert equal(ours[:2], wanted[:2])
    assert torch.allclose(ours[2], wanted[2])
    assert equal(fastleaky.torch.scale_shift_prelu(x, one, one, one), prelu_in_steps(x, [one.expand(3)] * 3))
    assert calls == []


@pytest.mark.parametrize("needed", ["x", "bias", "neither", "no_grad", "inference_mode"])
def test_what_needs_a_gradient(needed, calls):
    x, bias = torch.randn(2, 3, 4), torch.randn(3)
    theirs = bias_in_steps(x, bias)
    x.requires_grad_(needed not in ("bias", "neither"))
    bias.requires_grad_(needed not in ("x", "neither"))
    with {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}.get(needed, torch.enable_grad)():
        y = fastleaky.torch.bias_leaky_relu(x, bias)
        z = fastleaky.torch.scale_shift_prelu(x, bias, bias, bias)
    assert equal(y.detach(), theirs)
    assert equal(z.detach(), prelu_in_steps(x, [bias] * 3).detach())
    differentiable = needed in ("x", "bias")
    assert y.requires_grad == z.requires_grad == differentiable
    assert y.is_inference() == z.is_inference() == (needed == "inference_mode")
    if differentiable:
        y.sum().backward()
        assert (x.grad is not None, bias.grad is not None) == (needed == "x", needed == "bias")
    assert calls == ["bias_leaky_relu", "bias_leaky_relu_backward" if differentiable else "scale_shift_prelu"]


@pytest.mark.parametrize("name", ["scale", "shift", "weight", "residual"])
def test_gradients_of_a_batch_norm_are_pytorchs(name, calls):
    """Each argument by itself may be what needs one."""
    _, t = drawn((2, 3, 4), "float32", "normal")
    leaf = t[name].requires_grad_()
    x, *parameters, residual = (t[key] for key in ("x", "scale", "shift", "weight", "residual"))
    prelu = fastleaky.torch.scale_shift_prelu(x, *parameters, residual=residual)
    pairs = [(prelu, prelu_in_steps(x, parameters, residual))]
    if name != "weight":
        leaky = fastleaky.torch.scale_shift_leaky_relu(x, *parameters[:2], 0.3, residual=residual)
        pairs.append((leaky, leaky_in_steps(x, parameters[:2], residual)))
    for pair in pairs:
        ours, theirs = (torch.autograd.grad(y, leaf, t["grad"]) for y in pair)
        assert equal(pair[0].detach(), pair[1].detach())
        assert equal(ours, theirs)
    assert calls == []


@pytest.mark.parametrize("slope", [0.0, -0.3, -0.0])
def test_slopes_that_are_not_positive(slope, calls):
    """The output does not tell the sign of the input, so gradients are PyTorch's."""
    x, bias, grad = torch.randn(3, 7), torch.randn(7), torch.randn(3, 7)
    ours = both_ways(lambda x, b: fastleaky.torch.bias_leaky_relu(x, b, slope, 2.0, 1.0), x, bias, grad=grad)
    assert equal(ours, both_ways(lambda x, b: bias_in_steps(x, b, (slope, 2.0, 1.0)), x, bias, grad=grad))
    assert calls == []
    for _ in range(2):  # the second takes the fast path
        y = fastleaky.torch.bias_leaky_relu(x, bias, slope)
        assert same_bits(array(y), array(bias_in_steps(x, bias, (slope, 1.0, None))))
    assert calls == ["bias_leaky_relu"] * 2


@pytest.mark.parametrize("layout_of_grad", [*FORMATS, "zero"])
def test_gradients_in_another_memory_format(layout_of_grad, calls):
    x, bias, grad = torch.randn(2, 3, 4, 4), torch.randn(3), torch.randn(2, 3, 4, 4)
    zero = layout_of_grad == "zero"
    grad = torch._efficientzerotensor(grad.shape) if zero else FORMATS[layout_of_grad](grad)  # noqa: SLF001 - autograd's own
    ours, theirs = (both_ways(f, x, bias, grad=grad) for f in (fastleaky.torch.bias_leaky_relu, bias_in_steps))
    assert all(map(torch.equal, ours[:2], theirs[:2]))
    assert torch.allclose(ours[2], theirs[2], rtol=1e-4, atol=1e-5)
    assert calls == ["bias_leaky_relu", "bias_leaky_relu_backward"]


HOW = LEFT.keys() - {"sparse", "mkldnn", "escaped"}  # PyTorch's operations for these are not those of our expressions


@pytest.mark.parametrize("how", sorted(HOW))
def test_left_to_pytorch(how, calls):
    pairs = [
        (lambda x, p: fastleaky.torch.bias_leaky_relu(x, p, *NUMBERS[1]), lambda x, p: bias_in_steps(x, p, NUMBERS[1])),
        (lambda x, p: fastleaky.torch.scale_shift_leaky_relu(x, p, p, 0.3), lambda x, p: leaky_in_steps(x, [p, p])),
        (lambda x, p: fastleaky.torch.scale_shift_prelu(x, p, p, p), lambda x, p: prelu_in_steps(x, [p, p, p])),
    ]
    x, parameter = torch.randn(2, 3, 4), torch.randn(3)
    for ours, theirs in pairs:
        wanted = theirs(x, parameter) if how == "symbolic_trace" else LEFT[how](theirs, x, parameter)
        assert equal(LEFT[how](ours, x, parameter), wanted)
    assert calls == []


@pytest.mark.parametrize("kinds", [(torch.float32, torch.float64), (torch.bfloat16, torch.float32)], ids=str)
def test_types_that_differ_are_pytorchs(kinds, calls):
    x, bias = torch.randn(2, 3).to(kinds[0]), torch.randn(3).to(kinds[1])
    assert equal(fastleaky.torch.bias_leaky_relu(x, bias), bias_in_steps(x, bias))
    residual = x.to(kinds[1])
    ours = fastleaky.torch.scale_shift_leaky_relu(x, x[0], x[1], 0.3, residual=residual)
    assert equal(ours, leaky_in_steps(x, x, residual))
    assert calls == []


# Derivatives


@pytest.fixture(params=[((2, 3, 4), 1), ((5, 3), -1), ((4,), 0), ((2, 2, 3), 2)], ids=str)
def differentiated(request):
    """The function of two double tensors, none of whose results is at the limit."""
    shape, axis = request.param
    rng = np.random.default_rng(3)
    x, bias = (torch.from_numpy(rng.standard_normal(size)).requires_grad_() for size in (shape, shape[axis]))
    return lambda x, bias: fastleaky.torch.bias_leaky_relu(x, bias, 0.2, 1.5, 1.0, axis=axis), (x, bias)


def test_first_derivatives(differentiated, calls):
    names = ("forward_ad", "batched_grad", "batched_forward_grad", "undefined_grad")
    assert gradcheck(*differentiated, **{f"check_{name}": True for name in names})
    assert {"bias_leaky_relu", "bias_leaky_relu_backward"} <= set(calls)


def test_second_derivatives(differentiated):
    checks = {f"check_{name}": True for name in ("batched_grad", "fwd_over_rev", "rev_over_rev")}
    assert gradgradcheck(*differentiated, **checks)


def test_a_gradient_penalty(calls):
    """R1, of a discriminator with two such layers: the gradients of PyTorch's steps, all by ours."""
    rng = np.random.default_rng(4)
    x, w, b = (torch.from_numpy(rng.standard_normal(shape)).requires_grad_() for shape in ((6, 5), (5, 5), (5,)))

    def gradients(function):
        y = function(function(x @ w, b, 0.2, 2**0.5, 2.0) @ w, b, 0.2, 2**0.5, 2.0).sum()
        (dx,) = torch.autograd.grad(y, x, create_graph=True)
        return torch.autograd.grad(dx.square().sum(), [w, b])

    ours = gradients(fastleaky.torch.bias_leaky_relu)
    theirs = gradients(lambda x, bias, *numbers: bias_in_steps(x, bias, numbers))
    assert all(map(torch.allclose, ours, theirs))
    assert calls == ["bias_leaky_relu"] * 2 + ["bias_leaky_relu_backward"] * 6  # the last two of zeros, through y


def test_first_derivatives_have_the_same_bits_when_differentiated_again():
    x, bias, grad = torch.randn(3, 4, 100), torch.randn(4), torch.randn(3, 4, 100)
    x.requires_grad_(), bias.requires_grad_()
    y = fastleaky.torch.bias_leaky_relu(x, bias, 0.2, 1.5, 1.0)
    once = torch.autograd.grad(y, [x, bias], grad, retain_graph=True)
    again = torch.autograd.grad(y, [x, bias], grad, create_graph=True)
    assert equal(once, [each.detach() for each in again])


def test_what_is_kept_is_the_output():
    x, bias = torch.randn(2, 3), torch.randn(3, requires_grad=True)
    wanted = both_ways(fastleaky.torch.bias_leaky_relu, x, bias)[2]
    kept = x.clone()
    y = fastleaky.torch.bias_leaky_relu(kept, bias)
    kept.zero_()
    y.sum().backward(retain_graph=True)
    assert torch.equal(bias.grad, wanted)
    with torch.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_compiled(backend, calls):
    if backend == "inductor" and not shutil.which("g++"):
        pytest.skip("Inductor needs g++")
    torch.compiler.reset()
    x, p = torch.randn(2, 3, 4), torch.randn(3)

    def all_of_them(module):
        return lambda x, p: module[0](x, p, 0.2, 1.5, 0.7) + module[1](x, p, p) + module[2](x, p, p, p, residual=x)

    ours = all_of_them([getattr(fastleaky.torch, name) for name in fused_names()])
    wanted = both_ways(ours, x, p)
    calls.clear()
    compiled = torch.compile(ours, fullgraph=True, backend=backend)
    torch.testing.assert_close(both_ways(compiled, x, p), wanted)
    assert calls == []


def fused_names():
    return ["bias_leaky_relu", "scale_shift_leaky_relu", "scale_shift_prelu"]


# Errors

X, P = torch.randn(2, 3, 4), torch.randn(3)
WRONG = {
    "bias_leaky_relu: gain is 0.0; as a float32 it must be positive and finite": (X, P, 0.2, 0.0),
    "bias_leaky_relu: gain is nan; as a float32 it must be positive and finite": (X, P, 0.2, float("nan")),
    "bias_leaky_relu: gain is 1e-46; as a float32 it must be positive and finite": (X, P, 0.2, 1e-46),
    "bias_leaky_relu: gain is '1'; it must be a real number": (X, P, 0.2, "1"),
    "bias_leaky_relu: clamp is -1; as a float32 it must be positive and finite, or None": (X, P, 0.2, 1.0, -1),
    "bias_leaky_relu: bias has shape (4,); it must have one value, or one for each of the 3 channels (axis 1 of x": (
        X,
        torch.randn(4),
    ),
    "bias_leaky_relu: bias has shape (1, 3, 1); it must have one value": (X, P[:, None][None]),
    "bias_leaky_relu: bias is float; it must be a tensor": (X, 0.5),
    "bias_leaky_relu: x is ndarray; it must be a tensor": (X.numpy(), P),
    "scale_shift_leaky_relu: shift has shape (2,)": (X, P, P[:2]),
    "scale_shift_leaky_relu: scale is NoneType; it must be a tensor": (X, None, P),
    "scale_shift_prelu: weight has shape (2,)": (X, P, P, P[:2]),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("message", WRONG)
def test_errors(message, device, calls):
    given = [value.to(device) if isinstance(value, torch.Tensor) else value for value in WRONG[message]]
    with pytest.raises((TypeError, ValueError)) as caught:
        getattr(fastleaky.torch, message.partition(":")[0])(*given)
    assert message in str(caught.value)
    assert calls == []


@pytest.mark.parametrize("name", fused_names())
def test_errors_of_options(name, calls):
    function, given = getattr(fastleaky.torch, name), [X, *[P] * (1 + name.count("_") - name.count("leaky"))]
    for axis in (3, -4):
        with pytest.raises(ValueError, match=rf"{name}: axis {axis} is out of range for x with shape \(2, 3, 4\)"):
            function(*given, axis=axis)
    if "residual" in function.__kwdefaults__:
        with pytest.raises(ValueError, match=f"{name}: residual has shape .*; it must have x's"):
            function(*given, residual=X[:1])
        with pytest.raises(TypeError, match=f"{name}: residual is float; it must be a tensor"):
            function(*given, residual=1.0)
    assert calls == []


def test_integers_are_refused_as_by_pytorch():
    x = torch.ones(2, 3, dtype=torch.int32)
    with pytest.raises((RuntimeError, NotImplementedError)):
        bias_in_steps(x, x[0])
    with pytest.raises((RuntimeError, NotImplementedError)):
        fastleaky.torch.bias_leaky_relu(x, x[0])


def test_examples_of_the_docstrings():
    assert doctest.testmod(fused).failed == 0
