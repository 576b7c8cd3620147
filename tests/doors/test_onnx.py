"""fastleaky.onnx: ONNX's own tests through fastleaky, the specification's bits, and what is left to ONNX."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import TensorProto
from onnx.reference import ReferenceEvaluator
from onnx_models import declared, model, own_tests

import fastleaky
import fastleaky.onnx
from fastleaky import reference
from fastleaky._backends.selftest import draw, same_bits

SLOPES = [(), (1,), (5,), (4, 5), (3, 1, 1), (1, 3, 1, 1), (2, 1, 4, 1), (2, 3, 4, 5), (1, 1, 1, 1)]


@pytest.fixture
def called(monkeypatch):
    """The names of fastleaky's functions that were called."""
    names = []

    def recorded(name):
        function = getattr(fastleaky, name)
        return lambda *given: names.append(name) or function(*given)

    for name in ("leaky_relu", "prelu"):
        monkeypatch.setattr(fastleaky, name, recorded(name))
    return names


def run(made, **inputs):
    return ReferenceEvaluator(made, new_ops=fastleaky.onnx.OPS).run(None, inputs)[0]


def run_prelu(x, slope, opset=16):
    return run(model("PRelu", {"x": declared(x), "slope": declared(slope)}, opset), x=x, slope=slope)


@pytest.mark.parametrize("name", own_tests())
def test_own_tests(called, name):
    made, data, tolerance = own_tests()[name]
    evaluator = ReferenceEvaluator(made, new_ops=fastleaky.onnx.OPS)
    for inputs, outputs in data:
        given = dict(zip(evaluator.input_names, inputs, strict=False))  # some tests give initializers, too
        for got, wanted in zip(evaluator.run(None, given), outputs, strict=True):
            np.testing.assert_allclose(got, wanted, **tolerance)
            assert got.dtype == wanted.dtype
    assert len(called) == len(data) > 0


def test_own_tests_are_there():
    assert len(own_tests()) == 13


@pytest.mark.parametrize("slope_shape", SLOPES, ids=str)
def test_prelu(called, dtype, slope_shape):
    rng = np.random.default_rng(0)
    x, slope = draw(rng, (2, 3, 4, 5), dtype), draw(rng, slope_shape, dtype)
    wanted = reference.prelu(x, slope.reshape((1,) * (4 - slope.ndim) + slope.shape))
    assert same_bits(run_prelu(x, slope), wanted)
    assert called == ["prelu"]


def test_prelu_before_numpy_broadcasting(called):
    """Up to operator set 6 a slope lies along axis 1, also if it could lie along the last."""
    x, slope = np.float32(np.arange(-9, 9).reshape(2, 3, 3)), np.float32([1, 2, 3])
    assert same_bits(run_prelu(x, slope, opset=6), reference.prelu(x, slope))
    assert same_bits(run_prelu(x, slope, opset=7), reference.prelu(x, slope, axis=2))
    assert called == ["prelu"] * 2


@pytest.mark.parametrize("alpha", [None, 0.0, 0.1, -2.0])
def test_leaky_relu(called, dtype, alpha):
    x = draw(np.random.default_rng(1), (3, 4, 5), dtype)
    given = {} if alpha is None else {"alpha": alpha}
    got = run(model("LeakyRelu", {"x": declared(x)}, **given), x=x)
    assert same_bits(got, reference.leaky_relu(x, np.float32(0.01 if alpha is None else alpha)))
    assert called == ["leaky_relu"]


@pytest.mark.parametrize(
    ("x_shape", "slope_shape"),
    [((3,), (2, 3)), ((1, 3), (2, 1)), ((), (1,)), ((2, 3, 4), (3,))],
    ids=str,
)
def test_slopes_left_to_onnx(called, x_shape, slope_shape):
    x, slope = -np.ones(x_shape, np.float32), np.full(slope_shape, 2, np.float32)
    made = model("PRelu", {"x": declared(x), "slope": declared(slope)})
    wanted = ReferenceEvaluator(made).run(None, {"x": x, "slope": slope})[0]
    assert same_bits(run(made, x=x, slope=slope), wanted)
    assert called == []


def test_integers_are_left_to_onnx(called):
    x, slope = np.int32([-3, 4]), np.int32([2, 2])
    assert run_prelu(x, slope).tolist() == [-6, 4]
    assert called == []


def test_a_wrong_type():
    made = model("LeakyRelu", {"x": (TensorProto.INT32, (2,))})
    with pytest.raises(TypeError) as caught:
        run(made, x=np.int32([1, 2]))
    assert "leaky_relu: x has type int32" in str(caught.value.__cause__)
