"""The quantized operations: samples of others' tests; every number and every pair against the specification."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quantized_examples import (
    ENGINES,
    ROUNDINGS,
    SCALES,
    TYPES,
    draw,
    every,
    leaky_parameters,
    prelu_parameters,
    same,
    weights_of,
    zero_points,
)

import fastleaky
from fastleaky.quantized import leaky_relu, prelu, reference

SLOPES = [0.0, 0.01, 0.1, 0.3, 0.5, 1.0, 1.5, 3.0, -0.1, -0.5, -1.0, -2.5, 1e-30]

# The samples of LiteRT's and TensorFlow Lite Micro's own tests that have exact results

PIXELS = [[0.0] * 3, [0.5] * 3, [-1.0] * 3, [-0.25] * 3]
PRELUS = {
    # type: zero point, scale, results
    "uint8": (128, 1 / 128, [[128] * 3, [192] * 3, [128, 64, 192], [128, 112, 144]]),
    "int8": (0, 1 / 128, [[0] * 3, [64] * 3, [0, -64, 64], [0, -16, 16]]),
    "int16": (0, 1 / 32768, [[0] * 3, [16384] * 3, [0, -16384, 16384], [0, -4096, 4096]]),
}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_prelu_samples(dtype, rounding):
    point, scale, wanted = PRELUS[dtype]
    q = (np.array(PIXELS) / scale + point).astype(dtype).reshape(1, 2, 2, 3)
    weight = (np.array([0, 0.5, -0.5]) * 128 + point).astype(weights_of(dtype))
    given = prelu_parameters(dtype, (scale, scale), 1 / 128, point, (point, point), rounding=rounding)
    for shaped in (weight, weight.reshape(1, 1, 1, 3)):
        assert prelu(q, shaped, axis=-1, **given).reshape(4, 3).tolist() == wanted


@pytest.mark.usefixtures("engine")
def test_prelu_sample_of_five_axes():
    q = np.array([192, 192, 0, 0, 96, 96, 128, 128], np.uint8).reshape(1, 2, 1, 2, 2)
    given = prelu_parameters("uint8", (1 / 128, 1 / 128), 1 / 128, 128, (128, 128))
    got = prelu(q, np.array([192, 64], np.uint8), axis=-1, **given)
    assert got.ravel().tolist() == [192, 192, 64, 192, 112, 144, 128, 128]


@pytest.mark.usefixtures("engine")
def test_leaky_relu_samples():
    x = np.array([0, 1, 3, 1, -1, -2])
    given = leaky_parameters((1 / 16, 1 / 16), (128, 128))
    assert leaky_relu((x * 16 + 128).astype("u1"), 0.5, **given).tolist() == [128, 144, 176, 144, 120, 112]
    assert leaky_relu((x * 16 + 128).astype("u1"), -0.5, **given).tolist() == [128, 144, 176, 144, 136, 144]
    given = leaky_parameters((0.1, 0.1), (0, 0))
    assert leaky_relu((x * 10).astype("i1"), 0.5, **given).tolist() == [0, 10, 30, 10, -5, -10]
    given = leaky_parameters((0.01, 0.01), (0, 0))
    assert leaky_relu((x * 100).astype("i2"), 0.5, **given).tolist() == [0, 100, 300, 100, -50, -100]


def agree(function, q, slope, **given):
    """Does every engine give the specification's numbers?"""
    results = []
    for engine in ENGINES:
        with fastleaky.use(engine):
            results.append(function(q, slope, **given))
    wanted = getattr(reference, function.__name__)(q, slope, **given)
    return [engine for engine, got in zip(ENGINES, results, strict=True) if same(got, wanted)] == ENGINES


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_number(dtype, rounding):
    q = every(dtype)
    for slope, scales, points in itertools.product(SLOPES, SCALES, zero_points(dtype)):
        given = leaky_parameters(scales, points, rounding)
        assert agree(leaky_relu, q, slope, **given)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_every_number_as_xnnpack(dtype):
    q = every(dtype)
    for slope, scales, points in itertools.product((0.01, 0.3, 1.3, -0.1, -2.5), SCALES[:4], zero_points(dtype)):
        if scales[0] / scales[1] * abs(slope) >= 1 / 256:
            given = leaky_parameters(scales, points, "xnnpack")
            assert agree(leaky_relu, q, slope, **given)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_pair(dtype, rounding):
    weight = every(dtype)
    q = np.repeat(every(dtype)[:, np.newaxis], 256, axis=1)
    for scales, weight_scale, points in itertools.product(SCALES[:4], (0.01, 1 / 3), zero_points(dtype)):
        for weight_zero_point in points:
            given = prelu_parameters(dtype, scales, weight_scale, weight_zero_point, points, rounding=rounding)
            assert agree(prelu, q, weight, **given)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("rounding", [*ROUNDINGS, "xnnpack"])
def test_every_number_in_random_runs(dtype, rounding):
    """Where C's two lines are nearly parallel, rounding may let the wrong one be the larger: that must be noticed."""
    rng, q = np.random.default_rng(0), np.tile(every(dtype), 5)[:-7]
    for _ in range(150):
        scales = rng.uniform(0.05, 0.2) * rng.uniform(0.6, 2, 2)
        points = rng.integers(0, 256, 2, np.uint8).view(dtype).tolist()
        given = leaky_parameters(scales, points, rounding)
        slope = rng.choice([0.02, 0.2, 0.7, 0.9, 1.0, 1.2, -0.5, rng.uniform(0.1, 1)])
        assert agree(leaky_relu, q, slope, **given)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_number_in_random_channels(dtype, rounding):
    """So many that C's products in 32 bits, if one were taken that does not hold, would be seen."""
    rng = np.random.default_rng(0)
    q = np.repeat(every(dtype)[:, np.newaxis], 100, axis=1)
    for _ in range(100):
        scales, weight_scale = rng.uniform(0.01, 0.2, 2), rng.uniform(0.001, 0.03)
        points = rng.integers(0, 256, 3, np.uint8).view(dtype).tolist()
        given = prelu_parameters(dtype, scales, weight_scale, points[0], points[1:], rounding=rounding)
        weight = rng.integers(0, 256, 100, np.uint8).view(dtype)
        assert agree(prelu, q, weight, **given)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_number_with_slopes_of_int8(rounding):
    weight = np.array([-128, -127, -50, -1, 0, 1, 2, 77, 127], np.int8)
    q = every("int16")[:, np.newaxis].repeat(weight.size, axis=1)
    for scales, weight_scale in itertools.product(SCALES[:3], (0.01, 1 / 3)):
        given = prelu_parameters("int16", scales, weight_scale, rounding=rounding)
        assert agree(prelu, q, weight, **given)


def saturated(got, exact):
    """Is it the real number, rounded; or the end of the type that this is beyond?"""
    info = np.iinfo(got.dtype)
    beyond = (exact < info.min - 1) | (exact > info.max + 1)
    off = np.abs(got - np.clip(exact, info.min, info.max))
    return bool(np.any(beyond) and off[beyond].max() == 0 and off.max() <= 1)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_saturation(dtype, rounding):
    """Also with the largest factors there are, what is beyond an end is that end, and nothing wraps around."""
    bits = 15 if dtype == "int16" else 8
    most = float(np.nextafter(np.float32(2 ** (30 - bits)), np.float32(0)))
    weights = every(weights_of(dtype))[[0, 1, 127, 128, 254, 255]]
    for points, scale in itertools.product(zero_points(dtype), (2.0, 100.0, most)):
        x = every(dtype).astype(float) - points[0]
        given = leaky_parameters((scale, 1.0), points, rounding)
        for slope in (1.0, -1.0, 0.75):
            exact = np.where(x > 0, x, slope * x) * scale + points[1]
            assert saturated(leaky_relu(every(dtype), slope, **given), exact)
        given = prelu_parameters(dtype, (scale, 1.0), 1 / 256, 0, points, rounding=rounding)
        q = every(dtype)[:, np.newaxis].repeat(weights.size, axis=1)
        x = x[:, np.newaxis]
        exact = np.where(x > 0, x, weights / 256 * x) * scale + points[1]
        assert saturated(prelu(q, weights, **given), exact)


PARAMETER = st.floats(1e-6, 1e3)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(TYPES), st.sampled_from([*ROUNDINGS, "xnnpack"]), st.floats(-3, 3), st.data())
def test_random_leaky_relu(dtype, rounding, slope, draws):
    points = draws.draw(st.tuples(*[st.sampled_from(every(dtype).tolist())] * 2)) if dtype != "int16" else (0, 0)
    given = leaky_parameters(draws.draw(st.tuples(PARAMETER, PARAMETER)), points, rounding)
    try:
        assert agree(leaky_relu, every(dtype), slope, **given)
    except ValueError as error:
        assert re.search("scale is|rounding is|scale / output_scale is", str(error))  # noqa: PT017


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(TYPES), st.sampled_from(ROUNDINGS), st.data())
def test_random_prelu(dtype, rounding, draws):
    numbers = st.sampled_from(every(weights_of(dtype)).tolist())
    points = draws.draw(st.tuples(numbers, numbers, numbers))
    points = points if dtype != "int16" else (0, 0, points[2])
    scales = draws.draw(st.tuples(PARAMETER, PARAMETER))
    given = prelu_parameters(dtype, scales, draws.draw(PARAMETER), points[2], points[:2], rounding=rounding)
    seed = draws.draw(st.integers(0, 99))
    q, weight = draw((50, 9), dtype, seed), draw(9, weights_of(dtype), seed)
    try:
        assert agree(prelu, q, weight, **given)
    except ValueError as error:
        assert re.search("scale / output_scale is", str(error))  # noqa: PT017


def test_importing_fastleaky_does_not_import_it():
    code = "import fastleaky, sys; print('fastleaky.quantized' in sys.modules, fastleaky.quantized.LeakyReLU.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "LeakyReLU"]
