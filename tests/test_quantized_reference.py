"""The specification of the quantized operations against worked numbers and what others' C sources say."""

import itertools

import numpy as np
import pytest
from quantized_examples import ROUNDINGS, TYPES, every, leaky_parameters, zero_points

from fastleaky.quantized import reference


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
        assert reference.requantize(x, np.float32(factor), "xnnpack").tolist() == wanted
    assert reference.requantize(np.array([-1, 1]), np.float32(0.5), "xnnpack").tolist() == [0, 1]


def test_a_negative_slope_mirrors():
    x = np.array([-3, -1, 1, 3])
    for rounding in ROUNDINGS:
        up = reference.requantize(x, np.float32(0.5), rounding)
        assert np.array_equal(reference.requantize(x, np.float32(-0.5), rounding), -up)


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
