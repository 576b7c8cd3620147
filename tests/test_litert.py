"""LiteRT agrees without one mismatch: its reference kernels with "tflite", and XNNPACK, its delegate, with "xnnpack".

Each model is one operator, built in memory.
"""

import functools
import itertools

import numpy as np
import pytest
import quantized_examples
from quantized_examples import every
from quantized_examples import leaky_parameters as parameters

pytest.importorskip("flatbuffers", reason="LiteRT is not tested: pip install '.[litert]'")
interpreters = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="LiteRT is not tested: pip install '.[litert]' (not every machine has a wheel)"
)

from benchmarks.peers.litert_model import Operator, Tensor, model  # noqa: E402
from fastleaky import quantized  # noqa: E402

SLOPES = [0.0, 0.01, 0.1, 0.3, 0.5, 1.0, 1.5, 7.3, -0.1, -0.3, -0.5, -1.0, -2.5, 1e-12]
SCALES = [(0.05, 0.05), (0.1, 0.03), (0.02, 0.11), (1 / 3, 1 / 128), (1e-3, 7.0), (30.0, 1e-3), (500.0, 1e-3)]


def zero_points(dtype):
    middle = 0 if dtype == "int8" else 128
    return [*quantized_examples.zero_points(dtype), (middle - 77, middle)]


def between(dtype):
    """Yield slopes, scales and zero points with a factor half way between two 256ths: the last bit of it counts."""
    rng = np.random.default_rng(0)
    for points in zero_points(dtype) * 6:
        s, t = rng.uniform(0.01, 0.1, 2).astype("f")
        yield float((rng.integers(5, 200) + 0.5) / 256 * t / s), (float(s), float(t)), points


def run(operator, q, resolver):
    """Return what LiteRT computes."""
    resolvers = interpreters.OpResolverType
    interpreter = interpreters.Interpreter(
        model_content=model([operator]), experimental_op_resolver_type=getattr(resolvers, resolver), num_threads=1
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], q)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def tensors(q, given):
    """Return the declarations of the input and the output."""
    declare = functools.partial(Tensor, q.shape, q.dtype.name)
    return (
        declare(given["input_scale"], given["input_zero_point"]),
        declare(given["output_scale"], given["output_zero_point"]),
    )


def leaky(q, slope, given, resolver="BUILTIN_REF"):
    return run(Operator(*tensors(q, given), negative_slope=slope), q, resolver)


def prelu(q, weight, given):
    alpha = Tensor(weight.shape, weight.dtype.name, given["weight_scale"], given["weight_zero_point"], weight)
    return run(Operator(*tensors(q, given), weight=alpha), q, "BUILTIN_REF")


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_leaky_relu(dtype):
    q, cases, wrong = every(dtype), 0, 0
    for slope, scales, points in itertools.product(SLOPES, SCALES, zero_points(dtype)):
        given = parameters(scales, points)
        wrong += np.count_nonzero(leaky(q, slope, given) != quantized.leaky_relu(q, slope, **given))
        cases += q.size
    assert wrong == 0, f"{wrong} of {cases}"


def test_leaky_relu_of_int16():
    q, cases, wrong = every("int16"), 0, 0
    for slope, scales in itertools.product(SLOPES, SCALES[:5]):
        given = parameters(scales, (0, 0))
        wrong += np.count_nonzero(leaky(q, slope, given) != quantized.leaky_relu(q, slope, **given))
        cases += q.size
    assert wrong == 0, f"{wrong} of {cases}"


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_leaky_relu_by_xnnpack(dtype):
    q, cases, wrong, unlike = every(dtype), 0, 0, 0
    for slope, scales, points in (*itertools.product(SLOPES, SCALES[:4], zero_points(dtype)), *between(dtype)):
        given = parameters(scales, points)
        try:
            ours = quantized.leaky_relu(q, slope, **(given | {"rounding": "xnnpack"}))
        except ValueError:  # XNNPACK would leave it to the other kernels
            continue
        theirs = leaky(q, slope, given, "AUTO")
        wrong += np.count_nonzero(theirs != ours)
        unlike += np.count_nonzero(theirs != quantized.leaky_relu(q, slope, **given))
        cases += q.size
    assert wrong == 0, f"{wrong} of {cases}"
    assert unlike > cases / 50, "XNNPACK was not used: the results are those of the reference kernels"


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_prelu(dtype):
    """Every pair of a number and a slope."""
    weight, cases, wrong = every(dtype), 0, 0
    q = np.repeat(weight[:, np.newaxis], weight.size, axis=1)[np.newaxis]
    for scales, weight_scale, points in itertools.product(SCALES[:4], (0.01, 1 / 3, 1 / 128), zero_points(dtype)):
        given = parameters(scales, points) | {"weight_scale": weight_scale, "weight_zero_point": points[1]}
        wrong += np.count_nonzero(prelu(q, weight, given) != quantized.prelu(q, weight, axis=-1, **given))
        cases += q.size
    assert wrong == 0, f"{wrong} of {cases}"


def test_prelu_of_int16():
    """Every number with some slopes."""
    weight, cases, wrong = np.array([-128, -127, -50, -1, 0, 1, 2, 77, 126, 127], np.int8), 0, 0
    q = np.repeat(every("int16")[:, np.newaxis], weight.size, axis=1)[np.newaxis]
    for scales, weight_scale, point in itertools.product(SCALES[:4], (0.01, 1 / 128), (0, -3, 127)):
        given = parameters(scales, (0, 0)) | {"weight_scale": weight_scale, "weight_zero_point": point}
        wrong += np.count_nonzero(prelu(q, weight, given) != quantized.prelu(q, weight, axis=-1, **given))
        cases += q.size
    assert wrong == 0, f"{wrong} of {cases}"


def test_prelu_of_several_shapes():
    rng = np.random.default_rng(0)
    given = parameters((0.05, 0.04), (3, -5)) | {"weight_scale": 0.01, "weight_zero_point": 7}
    for shape, weight_shape in (
        ((1, 10, 10, 3), (1, 1, 3)),
        ((1, 10, 10, 3), (10, 10, 3)),
        ((1, 10, 10, 3), (10, 1, 1)),
        ((2, 5, 4, 3), (1, 1, 1)),
    ):
        q, weight = (rng.integers(-128, 128, size, np.int8) for size in (shape, weight_shape))
        assert np.array_equal(prelu(q, weight, given), quantized.prelu(q, weight[np.newaxis], **given))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_up_to_the_largest_factors(dtype):
    """Right below our limits LiteRT's reference kernels do not overflow either, and saturate as we do."""
    q, bits = every(dtype), 15 if dtype == "int16" else 8
    most = float(np.nextafter(np.float32(2 ** (30 - bits)), np.float32(0)))
    for points in zero_points(dtype) if bits == 8 else [(0, 0)]:
        given = parameters((most, 1.0), points)
        for slope in (1.0, -1.0, 0.37):
            assert np.array_equal(leaky(q, slope, given), quantized.leaky_relu(q, slope, **given))
        weight = every("int8" if bits == 15 else dtype)[[0, 1, 127, 128, 254, 255]]
        x = np.repeat(q[:, np.newaxis], weight.size, axis=1)[np.newaxis]
        given = parameters((most / 256, 1.0), points) | {"weight_scale": 0.999, "weight_zero_point": points[1]}
        assert np.array_equal(prelu(x, weight, given), quantized.prelu(x, weight, axis=-1, **given))
