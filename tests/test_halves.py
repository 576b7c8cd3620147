"""float16 and bfloat16: every input there is, against the specification and against PyTorch."""

import functools
import importlib.util

import numpy as np
import pytest

import fastleaky
from examples import VARIANTS
from fastleaky import reference
from fastleaky._backends.selftest import draw, same_bits
from fastleaky._dtypes import limits
from fastleaky._operations import PLAIN

HAS_BFLOAT16 = importlib.util.find_spec("ml_dtypes") is not None
ALL = np.arange(1 << 16, dtype=np.uint16)


@pytest.fixture(params=["float16", "bfloat16"])
def half(request):
    if request.param == "bfloat16":
        return np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    return np.dtype(np.float16)


def slopes(half):
    """Special ones; those at which products become subnormal, nothing, or infinite; and any."""
    info = limits(half)
    special = [0.01, 0.1, 0.2, 0.25, 0.3, 0.5, 1, 1.5, 2, 3, 0, np.inf, np.nan]
    edge = [info.smallest_subnormal, info.tiny, info.max, info.eps, 1 + info.eps, 1 - info.eps, 1e-40, 3e38, 65520]
    drawn = 2.0 ** np.random.default_rng(0).uniform(-30, 30, 10)
    full = float(np.array(0x7FFFFFFF, np.uint32).view(np.float32))  # NaN; rounded by its bits it would be -0
    both = [full, *special, *map(float, edge), *drawn]
    return [*both, *(-slope for slope in both)]


@functools.cache  # for all backends
def every_input(half):
    """Every number, and for each slope this as a float and as a weight, and the results of the specification."""
    x = ALL.view(half)
    weights = [(slope, reference.rounded(np.array([slope]), half)) for slope in slopes(half)]
    return x, [(slope, weight, reference.leaky_relu(x, slope), reference.prelu(x, weight)) for slope, weight in weights]


@pytest.mark.usefixtures("backend")
def test_every_input(half):
    x, cases = every_input(half)
    assert len(cases) >= 64
    for slope, weight, leaky, prelu in cases:
        assert same_bits(fastleaky.leaky_relu(x, slope), leaky), slope
        assert same_bits(fastleaky.prelu(x, weight), prelu), slope


@functools.cache
def every_gradient(half):
    """Every number as a gradient, at numbers of all signs; slopes with their results; and a weight with its."""
    grad = np.concatenate([ALL.view(half)] * 3)
    x = np.repeat(reference.rounded(np.array([-2, 0.5, np.nan]), half), ALL.size)
    wanted = [(slope, reference.leaky_relu_backward(grad, x, slope)) for slope in slopes(half)[::4]]
    weight = np.array([0.3]).astype(half)
    return grad, x, wanted, weight, reference.prelu_backward(grad, x, weight)


@pytest.mark.usefixtures("backend")
def test_every_gradient(half):
    grad, x, cases, weight, both = every_gradient(half)
    for slope, wanted in cases:
        assert same_bits(fastleaky.leaky_relu_backward(grad, x, slope), wanted), slope
    assert all(map(same_bits, fastleaky.prelu_backward(grad, x, weight), both))


@functools.cache
def every_fused(half):
    """Every number in the place of each array, in some order; and the results of each variant that is fused."""
    rng = np.random.default_rng(0)
    given = {name: rng.permutation(ALL).view(half).reshape(256, 256) for name in ("x", "grad", "y", "residual")}
    given |= {name: draw(rng, 256, half, "special") for name in ("bias", "scale", "shift", "weight")}
    given |= {"negative_slope": 0.2, "gain": 2**0.5, "clamp": 30.0}
    fused = [variant for variant in VARIANTS.values() if variant.name not in PLAIN]
    return given, [(variant, variant(reference, given)) for variant in fused]


@pytest.mark.usefixtures("backend")
def test_every_input_of_what_is_fused(half):
    given, cases = every_fused(half)
    for variant, wanted in cases:
        assert all(map(same_bits, variant(fastleaky, given), wanted)), variant


@pytest.mark.usefixtures("backend")
def test_a_sum_is_rounded_once(half):
    """Rounded to float32 first, it would lie in the middle between two halves."""
    step = float(limits(half).eps)
    x = np.full((1, 1, 300), -1).astype(half)
    grad = np.zeros((1, 1, 300)).astype(half)
    grad[0, 0, :2] = [-1, -step / 2]
    grad[0, 0, 299] = x[0, 0, 299] = -(2.0**-15)
    _, dweight = fastleaky.prelu_backward(grad, x, np.ones(1).astype(half))
    assert float(dweight[0]) == 1 + step


def test_the_specification_rounds_to_the_nearest(half):
    """Between any two neighbours: the middle goes to the even one, all beside it to the nearer."""
    numbers = ALL[: int(np.array([np.inf]).astype(half).view(np.uint16)[0]) - 1].view(half).astype(np.float64)
    middle = (numbers[:-1] + numbers[1:]) / 2
    for off, wanted in ((0, numbers[:-1]), (-1, numbers[:-1]), (1, numbers[1:])):
        moved = middle if not off else np.nextafter(middle, off * np.inf)
        right = np.where(ALL[: wanted.size] % 2 == 0, numbers[:-1], numbers[1:]) if not off else wanted
        for sign in (1, -1):
            got = reference.rounded(sign * moved, half)
            assert np.array_equal(got.astype(np.float64), sign * right)


def test_pytorch(half):
    torch = pytest.importorskip("torch")
    x = ALL.view(half)
    kind = torch.float16 if half == np.float16 else torch.bfloat16

    def tensor(array):
        return torch.from_numpy(array.view(np.int16).copy()).view(kind)

    def array(tensor):
        return tensor.view(torch.int16).numpy().view(half)

    for slope in slopes(half):
        theirs = torch.nn.functional.leaky_relu(tensor(x), slope)
        assert same_bits(fastleaky.leaky_relu(x, slope), array(theirs)), slope
        weight = reference.rounded(np.array([slope]), half)
        theirs = torch.nn.functional.prelu(tensor(x), tensor(weight))
        assert same_bits(fastleaky.prelu(x, weight), array(theirs)), slope
        for sign in (1, -1):
            where = np.full(x.shape, sign).astype(half)
            theirs = torch.ops.aten.leaky_relu_backward(tensor(x), tensor(where), slope, self_is_result=False)
            assert same_bits(fastleaky.leaky_relu_backward(x, where, slope), array(theirs)), slope
