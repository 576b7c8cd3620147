"""The quantized operations: the specification against worked numbers, and everything else against the specification."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import LAYOUTS, WRITABLE, Liar

import fastleaky
from fastleaky.quantized import LeakyReLU, PReLU, leaky_relu, prelu, reference

TYPES = ["int8", "uint8", "int16"]
ROUNDINGS = ["tflite", "tflite-single"]
SLOPES = [0.0, 0.01, 0.1, 0.3, 0.5, 1.0, 1.5, 3.0, -0.1, -0.5, -1.0, -2.5, 1e-30]
SCALES = [(0.05, 0.05), (0.1, 0.03), (0.02, 0.11), (1 / 3, 1 / 128), (1e-3, 7.0), (10.0, 1e-3)]


def every(dtype):
    info = np.iinfo(dtype)
    return np.arange(info.min, info.max + 1).astype(dtype)


def zero_points(dtype):
    info = np.iinfo(dtype)
    middle = (info.min + info.max + 1) // 2
    pairs = [(middle, middle), (info.min, info.max), (info.max, info.min), (middle + 5, middle - 3)]
    return pairs if dtype != "int16" else [(0, 0)]


def leaky_parameters(scales, points, rounding="tflite"):
    names = ("input_scale", "output_scale", "input_zero_point", "output_zero_point", "rounding")
    return dict(zip(names, (*scales, *points, rounding), strict=True))


def prelu_parameters(dtype, scales=(0.05, 0.04), weight_scale=0.01, weight_zero_point=None, points=None, **more):
    points = points or zero_points(dtype)[-1]
    if weight_zero_point is None:
        weight_zero_point = {"int8": 3, "uint8": 120, "int16": -2}[dtype]
    weight = {"weight_scale": weight_scale, "weight_zero_point": weight_zero_point}
    return {**leaky_parameters(scales, points), **weight, **more}


def weights_of(dtype):
    return "int8" if dtype == "int16" else dtype


def draw(shape, dtype, seed=0):
    info = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(info.min, info.max, shape, dtype, endpoint=True)


def same(a, b):
    return a.dtype.newbyteorder("=") == b.dtype and a.shape == b.shape and np.array_equal(a, b)


# The specification


@pytest.mark.parametrize(
    ("factor", "wanted"),
    [
        (0.0, (0, 0)),
        (-0.0, (0, 0)),
        (1.0, (2**30, 1)),
        (0.5, (2**30, 0)),
        (0.75, (3 * 2**29, 0)),
        (-0.75, (-3 * 2**29, 0)),
        (300.0, (300 * 2**22, 9)),
        ((2**30 + 0.5) / 2**31, (2**30 + 1, 0)),
        ((2**30 + 1.5) / 2**31, (2**30 + 2, 0)),
        (-(2**30 + 0.5) / 2**31, (-(2**30) - 1, 0)),
        ((2**30 + 0.499) / 2**31, (2**30, 0)),
        (1 - 2**-33, (2**30, 1)),
        (1 - 2**-31, (2**31 - 1, 0)),
        (2**-32, (2**30, -31)),
        (2**-32 * (1 - 2**-20), (0, 0)),
        (-(2**-33), (0, 0)),
        (5e-324, (0, 0)),
    ],
)
def test_quantize_multiplier(factor, wanted):
    assert reference.quantize_multiplier(factor) == wanted


def truncated(dividend, divisor):
    """Divide two integers as C does."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend >= 0) == (divisor >= 0) else -quotient


def twice_rounded(x, multiplier, shift):
    """Multiply as gemmlowp defines it in C, step by step, in integers without end."""
    left, right = max(shift, 0), max(-shift, 0)
    product = (x << left) * multiplier
    high = truncated(product + (2**30 if product >= 0 else 1 - 2**30), 2**31)
    mask = (1 << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def test_multiply():
    """Against what the C sources say, ties and ends included."""
    rng = np.random.default_rng(0)
    edges = [0, 1, 2, 3, 127, 128, 255, 256, 32767, 32768, 65025, 2**22, 2**23 - 1]
    xs = np.array([sign * x for x in edges for sign in (1, -1)] + rng.integers(-(2**23), 2**23, 60).tolist())
    multipliers = [2**30, 2**30 + 1, 3 * 2**29, 2**31 - 1, 2**31 - 128, *rng.integers(2**30, 2**31, 8).tolist()]
    for multiplier, shift in itertools.product([0, *multipliers], range(-31, 9)):
        exact = [x * multiplier for x in xs.tolist()]
        once = [(product + 2 ** (30 - shift)) // 2 ** (31 - shift) for product in exact]
        assert reference.multiply(xs, multiplier, shift, "tflite-single").tolist() == once
        twice = [twice_rounded(x, multiplier, shift) for x in xs.tolist()]
        assert reference.multiply(xs, multiplier, shift, "tflite").tolist() == twice


def test_halves():
    """Twice rounded, halves go away from zero, but the first rounding takes them up; once rounded, they go up."""
    x = np.array([-3, -2, -1, 1, 2, 3])
    half = reference.quantize_multiplier(0.5)
    assert reference.multiply(x, *half, "tflite").tolist() == [-1, -1, 0, 1, 1, 2]
    quarter = reference.quantize_multiplier(0.25)
    x = np.array([-6, -5, -2, 2, 5, 6])
    assert reference.multiply(x, *quarter, "tflite").tolist() == [-2, -1, -1, 1, 2, 2]
    assert reference.multiply(x, *quarter, "tflite-single").tolist() == [-1, -1, 0, 1, 1, 2]


def test_xnnpack_has_factors_of_256ths():
    """To the nearest of them, halves to the even one; and of the product, halves go up."""
    x = np.array([-256, -128, -3, -1, 1, 3, 128, 256])
    for factor, of_256 in ((0.01, 3), (2.5 / 256, 2), (3.5 / 256, 4), (-0.01, -3)):
        wanted = [(of_256 * n + 128) // 256 for n in x.tolist()]
        assert reference.rescale(x, np.float32(factor), "xnnpack").tolist() == wanted
    assert reference.rescale(np.array([-1, 1]), np.float32(0.5), "xnnpack").tolist() == [0, 1]


def test_a_negative_slope_mirrors():
    x = np.array([-3, -1, 1, 3])
    for rounding in ROUNDINGS:
        up = reference.rescale(x, np.float32(0.5), rounding)
        assert np.array_equal(reference.rescale(x, np.float32(-0.5), rounding), -up)


def test_the_order_of_the_factors():
    """Float32 products and quotients, one after the other: any other order gives other bits for some scales."""
    rng = np.random.default_rng(0)
    scales, slopes, wanted = rng.uniform(0.01, 1, (3, 1000)).astype("f")
    for s, a, o in zip(scales, slopes, wanted, strict=True):
        assert reference.factors(float(s), float(a), float(o), "tflite") == (s / o, s * a / o)
        assert reference.factors(float(s), float(a), float(o), "xnnpack") == (s / o, s / o * a)
    assert np.any(scales * slopes / wanted != scales / wanted * slopes)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rounding", [*ROUNDINGS, "xnnpack"])
def test_near_the_real_numbers(dtype, rounding):
    """Within a step of leaky ReLU in float64, or for XNNPACK as near as its 8 bits of slope allow."""
    if (dtype, rounding) == ("int16", "xnnpack"):
        return
    q = every(dtype)
    for slope in (0.1, -0.5, 1.5):
        given = leaky_parameters((0.05, 0.04), zero_points(dtype)[-1], rounding)
        x = 0.05 * (q.astype(float) - given["input_zero_point"])
        exact = np.where(x > 0, x, slope * x) / 0.04 + given["output_zero_point"]
        info = np.iinfo(dtype)
        far = np.abs(reference.leaky_relu(q, slope, **given) - np.clip(exact, info.min, info.max))
        assert far.max() <= (1.01 if rounding != "xnnpack" else 0.5 + 255 / 512)


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


# The public functions and layers: every number, every pair


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_number(dtype, rounding):
    q = every(dtype)
    for slope, scales, points in itertools.product(SLOPES, SCALES, zero_points(dtype)):
        given = leaky_parameters(scales, points, rounding)
        assert same(leaky_relu(q, slope, **given), reference.leaky_relu(q, slope, **given))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_every_number_as_xnnpack(dtype):
    q = every(dtype)
    for slope, scales, points in itertools.product((0.01, 0.3, 1.3, -0.1, -2.5), SCALES[:4], zero_points(dtype)):
        if scales[0] / scales[1] * abs(slope) >= 1 / 256:
            given = leaky_parameters(scales, points, "xnnpack")
            assert same(leaky_relu(q, slope, **given), reference.leaky_relu(q, slope, **given))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_pair(dtype, rounding):
    weight = every(dtype)
    q = np.repeat(every(dtype)[:, np.newaxis], 256, axis=1)
    for scales, weight_scale, points in itertools.product(SCALES[:4], (0.01, 1 / 3), zero_points(dtype)):
        for weight_zero_point in points:
            given = prelu_parameters(dtype, scales, weight_scale, weight_zero_point, points, rounding=rounding)
            assert same(prelu(q, weight, **given), reference.prelu(q, weight, **given))


@pytest.mark.usefixtures("engine")
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
        assert same(leaky_relu(q, slope, **given), reference.leaky_relu(q, slope, **given))


@pytest.mark.usefixtures("engine")
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
        assert same(prelu(q, weight, **given), reference.prelu(q, weight, **given))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_number_with_slopes_of_int8(rounding):
    weight = np.array([-128, -127, -50, -1, 0, 1, 2, 77, 127], np.int8)
    q = every("int16")[:, np.newaxis].repeat(weight.size, axis=1)
    for scales, weight_scale in itertools.product(SCALES[:3], (0.01, 1 / 3)):
        given = prelu_parameters("int16", scales, weight_scale, rounding=rounding)
        assert same(prelu(q, weight, **given), reference.prelu(q, weight, **given))


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


@pytest.mark.usefixtures("engine")
@settings(deadline=None, max_examples=200)
@given(st.sampled_from(TYPES), st.sampled_from([*ROUNDINGS, "xnnpack"]), st.floats(-3, 3), st.data())
def test_random_leaky_relu(dtype, rounding, slope, draws):
    points = draws.draw(st.tuples(*[st.sampled_from(every(dtype).tolist())] * 2)) if dtype != "int16" else (0, 0)
    given = leaky_parameters(draws.draw(st.tuples(PARAMETER, PARAMETER)), points, rounding)
    try:
        got = leaky_relu(every(dtype), slope, **given)
    except ValueError as error:
        assert re.search("scale is|rounding is|scale / output_scale is", str(error))  # noqa: PT017
    else:
        assert same(got, reference.leaky_relu(every(dtype), slope, **given))


@pytest.mark.usefixtures("engine")
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
        got = prelu(q, weight, **given)
    except ValueError as error:
        assert re.search("scale / output_scale is", str(error))  # noqa: PT017
    else:
        assert same(got, reference.prelu(q, weight, **given))


# Arrays


SHAPES = [
    # q, weight, axis
    ((), (), 1),
    ((1,), (1,), 1),
    ((5,), (5,), 0),
    ((0,), (1,), 1),
    ((3, 0), (1,), 1),
    ((3, 0, 2), (0,), 1),
    ((0, 4, 2), (4,), 1),
    ((4, 8, 16), (8,), 1),
    ((4, 8, 16), (16,), -1),
    ((4, 8, 16), (4,), 0),
    ((4, 8, 16), (1, 8, 1), 1),
    ((4, 8, 16), (4, 1, 16), 1),
    ((4, 8, 16), (4, 8, 16), 1),
    ((4, 8, 16), (1, 1, 1, 1, 1), 1),
    ((3, 1, 9), (1,), 1),
    ((2, 3, 70, 70), (3,), 1),
    ((2, 70, 70, 3), (3,), -1),
]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("shape", "weight_shape", "axis"), SHAPES, ids=str)
def test_shapes(dtype, shape, weight_shape, axis):
    q, weight = draw(shape, dtype), draw(weight_shape, weights_of(dtype))
    given = prelu_parameters(dtype, axis=axis)
    assert same(prelu(q, weight, **given), reference.prelu(q, weight, **given))
    given = leaky_parameters((0.05, 0.04), zero_points(dtype)[-1])
    assert same(leaky_relu(q, 0.1, **given), reference.leaky_relu(q, 0.1, **given))


def both(dtype, q, weight=None):
    """Return the two operations on `q`, as functions of it and of out, and their results by the specification."""
    if weight is None:
        weight = draw(q.shape[1] if q.ndim > 1 else (), weights_of(dtype))
    leaky = leaky_parameters((0.05, 0.04), zero_points(dtype)[-1])
    given = prelu_parameters(dtype)
    return [
        (lambda q, **out: leaky_relu(q, 0.1, **leaky, **out), reference.leaky_relu(q, 0.1, **leaky)),
        (lambda q, **out: prelu(q, weight, **given, **out), reference.prelu(q, weight, **given)),
        (LeakyReLU(0.1, dtype, **leaky), reference.leaky_relu(q, 0.1, **leaky)),
        (PReLU(weight, dtype, **given), reference.prelu(q, weight, **given)),
    ]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (37,), (5, 9), (3, 5, 7, 4)], ids=str)
def test_layouts(dtype, layout, shape):
    plain = draw(shape, dtype)
    q = LAYOUTS[layout](plain)
    for function, wanted in both(dtype, plain):
        assert same(function(q), wanted)
        assert np.array_equal(q, plain)
        if layout in WRITABLE:
            out = WRITABLE[layout](np.zeros_like(plain))
            assert function(plain, out=out) is out
            assert np.array_equal(out, wanted)
            out = WRITABLE[layout](plain)
            assert function(out, out=out) is out
            assert np.array_equal(out, wanted)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shift", [-9, -1, 1, 40])
@pytest.mark.parametrize("shape", [(1, 1, 300), (3, 5, 20), (150, 2, 1)], ids=str)
def test_partial_overlap(dtype, shift, shape):
    plain = draw(shape, dtype)
    for function, wanted in both(dtype, plain):
        room = np.zeros(plain.size + 80, dtype)
        room[40 : 40 + plain.size] = plain.ravel()
        q, out = room[40 : 40 + plain.size].reshape(shape), room[40 + shift :][: plain.size].reshape(shape)
        assert same(function(q, out=out), wanted)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_out_overlaps_the_weight(dtype):
    q, room, given = draw((6, 4, 3), dtype), draw(6 * 4 * 3, dtype, 1), prelu_parameters(dtype)
    weight = room[5:9]
    wanted = reference.prelu(q, weight.copy(), **given)
    assert same(prelu(q, weight, out=room.reshape(6, 4, 3), **given), wanted)


def test_a_layer_keeps_its_weight():
    weight = draw(4, "int8")
    layer, q = PReLU(weight, "int8", **prelu_parameters("int8")), draw((5, 4), "int8")
    wanted = layer(q)
    weight[:] = 0
    assert same(layer(q), wanted)
    assert layer.weight.any()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(300_001,), (2, 700, 300), (300_001, 2), (1, 3, 200_000), (10_000, 100)], ids=str)
def test_large_arrays(dtype, shape):
    """Several pieces; and where two numbers are looked up at a time, an odd number of them, at an odd address."""
    q = draw(shape, dtype)
    for function, wanted in both(dtype, q):
        assert same(function(q), wanted)
        out = LAYOUTS["off_by_one_element"](q)
        assert same(function(out, out=out), wanted)


def test_subclasses_and_lists():
    masked = np.ma.masked_array(np.array([-100, 100], np.int8), [True, False])
    given = leaky_parameters((1.0, 1.0), (0, 0))
    assert leaky_relu(masked, 0.5, **given).tolist() == [None, 100]
    assert leaky_relu(np.int8(-100), 0.5, **given) == -50


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
def test_subclasses_that_lie(dtype):
    q, weight, given = draw((4, 3), dtype), draw(3, weights_of(dtype)), prelu_parameters(dtype)
    wanted = reference.prelu(q, weight, **given)
    assert same(np.asarray(prelu(q.view(Liar), weight, **given)), wanted)
    assert same(prelu(q, weight.view(Liar), **given), wanted)
    out = np.zeros_like(q)
    prelu(q, weight, out=out.view(Liar), **given)
    assert same(out, wanted)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="is read-only"):
        prelu(q, weight, out=out.view(Liar), **given)


# Errors


GOOD_LEAKY = {"q": np.zeros(6, np.int8), "negative_slope": 0.1, **leaky_parameters((0.1, 0.1), (0, 0))}
GOOD_PRELU = {"q": np.zeros((2, 3), np.int8), "weight": np.zeros(3, np.int8), **prelu_parameters("int8")}
WIDE = {"q": np.zeros((2, 3), np.int16), "input_zero_point": 0, "output_zero_point": 0}


def both_ways(**changed):
    return [("leaky_relu", changed), ("prelu", changed)]


def read_only(a):
    a.flags.writeable = False
    return a


BAD = [
    # the operation and what is changed, the error, what its message must say
    *[
        (*case, TypeError, f"q has type {np.dtype(kind)}; it must be int8, uint8 or int16")
        for kind in ("float32", "int32", "uint16", "int64", "bool", "object")
        for case in both_ways(q=np.zeros((2, 3), kind))
    ],
    *[(*case, TypeError, "q has type int64") for case in both_ways(q=[1, 2, 3])],
    *[(*case, TypeError, "q cannot be made an array") for case in both_ways(q=[[1], [2, 3]])],
    *[
        (*case, error, f"{name} is {value!r}; {rule}")
        for name in ("input_scale", "output_scale")
        for value, error, rule in (
            (0.0, ValueError, "as a float32 it must be positive and finite"),
            (-0.1, ValueError, "as a float32 it must be positive and finite"),
            (float("inf"), ValueError, "as a float32 it must be positive and finite"),
            (float("nan"), ValueError, "as a float32 it must be positive and finite"),
            (1e-46, ValueError, "as a float32 it must be positive and finite"),
            (1e39, ValueError, "as a float32 it must be positive and finite"),
            ("0.1", TypeError, "it must be a real number"),
            (None, TypeError, "it must be a real number"),
            (True, TypeError, "it must be a real number"),
            ([0.1], TypeError, "it must be a real number"),
        )
        for case in both_ways(**{name: value})
    ],
    ("prelu", {"weight_scale": -1.0}, ValueError, "weight_scale is -1.0; as a float32 it must be positive and finite"),
    *[
        (*case, error, f"{name} is {value!r}; {rule}")
        for name in ("input_zero_point", "output_zero_point")
        for value, error, rule in (
            (128, ValueError, "it must be in -128 ... 127, the range of int8"),
            (-129, ValueError, "it must be in -128 ... 127, the range of int8"),
            (10**30, ValueError, "it must be in -128 ... 127, the range of int8"),
            (0.0, TypeError, "it must be an integer"),
            (1.5, TypeError, "it must be an integer"),
            (None, TypeError, "it must be an integer"),
            (True, TypeError, "it must be an integer"),
        )
        for case in both_ways(**{name: value})
    ],
    ("prelu", {"weight_zero_point": 128}, ValueError, "weight_zero_point is 128; it must be in -128 ... 127"),
    ("leaky_relu", {"q": np.zeros(3, "u1"), "input_zero_point": -1}, ValueError, "it must be in 0 ... 255, the range"),
    ("leaky_relu", {**WIDE, "input_zero_point": 1}, ValueError, "input_zero_point is 1; of int16 it must be 0"),
    ("leaky_relu", {**WIDE, "output_zero_point": -1}, ValueError, "output_zero_point is -1; of int16 it must be 0"),
    ("prelu", {**WIDE, "weight_zero_point": 128}, ValueError, "weight_zero_point is 128; it must be in -128 ... 127"),
    *[
        ("leaky_relu", {"negative_slope": slope}, error, f"negative_slope is {slope!r}; {rule}")
        for slope, error, rule in (
            (float("nan"), ValueError, "as a float32 it must be finite"),
            (float("-inf"), ValueError, "as a float32 it must be finite"),
            (1e39, ValueError, "as a float32 it must be finite"),
            ("0.1", TypeError, "it must be a real number"),
            (None, TypeError, "it must be a real number"),
            (1j, TypeError, "it must be a real number"),
        )
    ],
    *[
        (*case, ValueError, "rounding is 'nearest'; for int8 it must be one of 'tflite', 'tflite-single'")
        for case in both_ways(rounding="nearest")
    ],
    *[(*case, TypeError, "rounding is 1; it must be a string") for case in both_ways(rounding=1)],
    ("leaky_relu", {**WIDE, "rounding": "xnnpack"}, ValueError, "rounding is 'xnnpack'; for int16 it must be one"),
    ("prelu", {"rounding": "xnnpack"}, ValueError, "rounding is 'xnnpack'; for int8 it must be one"),
    # 8 bits: x has 8 bits and a sign, its product with a slope 16; int16: 15 and 23
    *[
        (*case, ValueError, "input_scale / output_scale is 4194304.0; without its sign it must be less than 2**22")
        for case in both_ways(input_scale=2.0**22, output_scale=1.0)
    ],
    ("leaky_relu", {"input_scale": 1e30, "output_scale": 1e-30}, ValueError, "input_scale / output_scale is inf"),
    (
        "leaky_relu",
        {"negative_slope": -(2.0**23), "input_scale": 0.5, "output_scale": 1.0},
        ValueError,
        "negative_slope * input_scale / output_scale is -4194304.0; without its sign it must be less than 2**22",
    ),
    (
        "leaky_relu",
        {**WIDE, "input_scale": 2.0**15, "output_scale": 1.0},
        ValueError,
        "input_scale / output_scale is 32768.0; without its sign it must be less than 2**15",
    ),
    (
        "prelu",
        {"input_scale": 1.0, "weight_scale": 2.0**14, "output_scale": 1.0},
        ValueError,
        "weight_scale * input_scale / output_scale is 16384.0; without its sign it must be less than 2**14",
    ),
    (
        "prelu",
        {**WIDE, "input_scale": 1.0, "weight_scale": 2.0**7, "output_scale": 1.0},
        ValueError,
        "weight_scale * input_scale / output_scale is 128.0; without its sign it must be less than 2**7",
    ),
    *[
        ("leaky_relu", {"rounding": "xnnpack", **changed}, ValueError, f"{formula}; for 'xnnpack' it must be in 1/256")
        for changed, formula in (
            ({"output_scale": 0.1 * 257}, "input_scale / output_scale is 0.0038910505827516317"),
            ({"output_scale": 0.1 / 129}, "input_scale / output_scale is 129.0"),
            ({"negative_slope": 0.0}, "negative_slope * input_scale / output_scale is 0.0"),
            ({"negative_slope": 0.0039}, "negative_slope * input_scale / output_scale is 0.0038999998942017555"),
            ({"negative_slope": -128.0}, "negative_slope * input_scale / output_scale is -128.0"),
            ({"negative_slope": 128.5}, "negative_slope * input_scale / output_scale is 128.5"),
        )
    ],
    ("prelu", {"weight": np.zeros(3, "u1")}, TypeError, "weight has type uint8; for int8 data it must be int8"),
    ("prelu", {"weight": np.zeros(3, "f4")}, TypeError, "weight has type float32; for int8 data it must be int8"),
    ("prelu", {"weight": [1, 2, 3]}, TypeError, "weight has type int64; for int8 data it must be int8"),
    ("prelu", {"weight": None}, TypeError, "weight has type object"),
    ("prelu", {**WIDE, "weight": np.zeros(3, "i2")}, TypeError, "weight has type int16; for int16 data it"),
    ("prelu", {"weight": np.zeros(2, "i1")}, ValueError, "weight has 2 values for 3 channels (axis 1 of x with shape"),
    ("prelu", {"weight": np.zeros((1, 4), "i1")}, ValueError, "weight with shape (1, 4) does not broadcast"),
    ("prelu", {"weight": np.zeros((1, 1, 3), "i1")}, ValueError, "weight has shape (1, 1, 3)"),
    ("prelu", {"axis": 2}, ValueError, "axis 2 is out of range"),
    ("prelu", {"axis": None}, TypeError, "axis is None; it must be an integer"),
    *[
        (*case, error, f"out {rule}")
        for out, error, rule in (
            (np.zeros((4, 4), np.int8), ValueError, "has shape (4, 4); it must have q's"),
            (np.zeros((2, 3), np.uint8), TypeError, "has type uint8; it must have q's, int8"),
            (read_only(np.zeros((2, 3), np.int8)), ValueError, "is read-only"),
            ([0, 0], TypeError, "is list; it must be an array"),
        )
        for case in both_ways(q=np.zeros((2, 3), np.int8), out=out)
    ],
]


@pytest.mark.parametrize(("name", "changed", "error", "message"), BAD, ids=range(len(BAD)))
def test_message(name, changed, error, message):
    arguments = {**(GOOD_LEAKY if name == "leaky_relu" else GOOD_PRELU), **changed}
    out = arguments.setdefault("out", np.full(np.shape(GOOD_PRELU["q"]), 7, np.int8))
    before = np.array(out)
    with pytest.raises(error, match=re.escape(f"quantized.{name}: ")) as caught:
        getattr(fastleaky.quantized, name)(**arguments)
    assert message in str(caught.value)
    assert np.array_equal(out, before)


def test_errors_of_layers():
    leaky = leaky_parameters((0.1, 0.1), (0, 0))
    layer = LeakyReLU(0.1, np.int8, **leaky)
    with pytest.raises(TypeError, match="q has type uint8; this layer is for int8"):
        layer(np.zeros(3, np.uint8))
    with pytest.raises(TypeError, match="dtype is float32; it must be int8, uint8 or int16"):
        LeakyReLU(0.1, "float32", **leaky)
    with pytest.raises(TypeError, match="dtype is float64; it must be int8, uint8 or int16"):
        PReLU(np.zeros(3, np.int8), float, **prelu_parameters("int8"))
    with pytest.raises(TypeError, match="dtype is 'int7'; it must be int8, uint8 or int16"):
        LeakyReLU(0.1, "int7", **leaky)


def test_importing_fastleaky_does_not_import_it():
    code = "import fastleaky, sys; print('fastleaky.quantized' in sys.modules, fastleaky.quantized.LeakyReLU.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "LeakyReLU"]
