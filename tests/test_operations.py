"""The table of operations: what no backend has a kernel for is computed as the specification says."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

import fastleaky
from fastleaky import _api, _apply, reference
from fastleaky._backends.selftest import draw, same_bits
from fastleaky._operations import OPERATIONS, Operation
from fastleaky.reference import along, quiet, rounded, wide

TRIAL = Operation("trial", ("grad", "x"), channel=("weight", "bias"), numbers=("negative_slope",))
SHAPES = {  # of x, of the weight and of the bias
    "a value a channel": ((3, 4, 50), (4,), (4,)),
    "a shared weight": ((3, 4, 50), (1,), (4,)),
    "along other axes": ((3, 4, 50), (1, 4, 1), (3, 1, 50)),
    "some pieces": ((5, 700, 300), (700,), ()),
    "empty": ((0, 4), (4,), (4,)),
}


@quiet
def trial(grad, x, weight, bias, negative_slope=0.5, *, axis=1):  # noqa: PLR0913
    """``grad`` where ``x`` is positive, else ``negative_slope * grad * weight + bias``."""
    slope = wide(x).dtype.type(negative_slope)
    return np.where(
        x > 0, grad, rounded(slope * wide(grad) * wide(along(weight, x, axis)) + along(bias, x, axis), x.dtype)
    )


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", [name for name in fastleaky.backends() if not name.startswith("c:")])
def test_an_operation_without_kernels(monkeypatch, name, dtype, shapes):
    rng = np.random.default_rng(0)
    x, grad, weight, bias = (draw(rng, shape, dtype) for shape in (shapes[0], *shapes))
    public = SimpleNamespace(trial=lambda *given, out=None: _apply.apply("trial", given, out)[0])
    with fastleaky.use(name):
        fastleaky.leaky_relu(x)  # proves the backend before the table has an operation that it cannot have
        monkeypatch.setitem(OPERATIONS, "trial", TRIAL)
        monkeypatch.setattr(reference, "trial", trial, raising=False)
        given = {"x": x, "grad": grad, "weight": weight, "bias": bias, "negative_slope": -0.3}
        (wanted,) = TRIAL(reference, given)
        (got,) = TRIAL(public, given)
        assert same_bits(got, wanted)
        (got,) = TRIAL(public, given, out=x)
        assert got is x
        assert same_bits(got, wanted)


def test_public_functions_have_the_arguments_of_the_table():
    assert set(OPERATIONS) <= set(fastleaky.__all__)
    for name, operation in OPERATIONS.items():
        assert tuple(inspect.signature(getattr(_api, name)).parameters) == operation.positional + operation.keywords
