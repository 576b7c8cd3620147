"""The specification against worked numbers, finite differences and its special values."""

import math

import numpy as np
import pytest

from examples import every_case
from fastleaky import reference
from fastleaky._backends import numpy_backend
from fastleaky._backends.selftest import draw, known_answers, same_bits, see_known_answers
from fastleaky._dtypes import limits

X = np.array([10.0, -5.0, 0.0])


def test_worked_numbers(dtype):
    x = X.astype(dtype)
    grad = np.array([1.0, 2.0, 3.0], dtype)
    slope, kind = reference.wide(x).dtype.type(0.1), x.dtype.type
    assert reference.leaky_relu(x, 0.1).tolist() == [10.0, kind(slope * float(x[1])), 0.0]
    assert reference.leaky_relu_backward(grad, x, 0.1).tolist() == [1.0, *(kind(slope * float(g)) for g in grad[1:])]
    assert reference.prelu(x, [0.5]).tolist() == [10.0, -2.5, 0.0]
    dx, dweight = reference.prelu_backward(grad, x, np.array([0.5], dtype))
    assert dx.tolist() == [1.0, 1.0, 1.5]
    assert dweight.tolist() == [-10.0]


def test_slopes_along_an_axis():
    x = -np.ones((2, 3, 4))
    assert np.array_equal(reference.prelu(x, [1.0, 2.0, 3.0])[0, :, 0], [-1, -2, -3])
    assert np.array_equal(reference.prelu(x, [1.0, 2.0, 3.0, 4.0], axis=-1)[0, 0], [-1, -2, -3, -4])
    assert np.array_equal(reference.prelu(x, np.arange(12.0).reshape(1, 3, 4))[1], -np.arange(12.0).reshape(3, 4))
    _, dweight = reference.prelu_backward(np.ones_like(x), x, np.zeros((2, 1, 4)))
    assert np.array_equal(dweight, np.full((2, 1, 4), -3.0))


def test_derivatives():
    rng = np.random.default_rng(0)
    x, grad = rng.standard_normal((2, 3, 5, 4))
    weight = rng.standard_normal(5)
    x[np.abs(x) < 1e-3] = 1  # away from the kink
    step = 1e-6

    def loss(x, weight):
        return np.sum(grad * reference.prelu(x, weight))

    dx, dweight = reference.prelu_backward(grad, x, weight)
    for at in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[at] = step
        assert math.isclose((loss(x + shift, weight) - loss(x - shift, weight)) / (2 * step), dx[at], abs_tol=1e-8)
    for c in range(5):
        shift = np.zeros_like(weight)
        shift[c] = step
        assert math.isclose((loss(x, weight + shift) - loss(x, weight - shift)) / (2 * step), dweight[c], abs_tol=1e-8)
    assert same_bits(reference.leaky_relu_backward(grad, x, 0.3), reference.prelu_backward(grad, x, np.array([0.3]))[0])


@pytest.mark.parametrize("slope", [0.0, 1.0, 1.5, -0.3, 0.01])
def test_special_values(dtype, slope):
    info = limits(dtype)
    tiny = info.smallest_subnormal
    x = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, tiny, -tiny, -info.max], dtype)
    y = reference.leaky_relu(x, slope)
    s = reference.wide(x).dtype.type(slope)

    def times(numbers):
        return reference.rounded(s * reference.wide(numbers), x.dtype)

    assert y[3] == np.inf
    assert np.isnan(y[2])
    assert y[5] == tiny, "a positive subnormal is positive"
    assert same_bits(y[:2], times(x[:2]))
    assert np.signbit(y[0]) == np.signbit(s), "+0 takes the slope side"
    assert np.signbit(y[1]) != np.signbit(s)
    if slope == 0:
        assert np.isnan(y[4])
    else:
        assert y[4] == -np.inf * s
    assert y[6] == times(x[6:7])[0]
    dx = reference.leaky_relu_backward(np.ones_like(x), x, slope)
    assert np.array_equal(dx, np.where([0, 0, 0, 1, 0, 1, 0, 0], x.dtype.type(1), times(np.ones_like(x))))


def test_one_rounding():
    x = np.float32([-1.1])
    assert reference.leaky_relu(x, 0.1)[0] == np.float32(np.float32(0.1) * np.float64(x[0]))
    assert reference.leaky_relu(x, 1e300)[0] == -np.inf, "the slope is rounded to the type of x first"


def test_nothing_warns(recwarn):
    x = np.float32([np.nan, -np.inf, 3e38, -3e38, 1e-45])
    for slope in (0.0, np.inf, np.nan, 1e300, 1e-45):
        reference.leaky_relu(x, slope)
        reference.prelu_backward(x, x, np.float32([slope if slope < 1e39 else 2]))
    assert not recwarn.list


def ordered_sum_in_words(terms):
    """P3 again, one term at a time."""
    real = terms.dtype.type
    total = np.float64(0)
    for chunk_start in range(0, len(terms), 128 * 128):
        chunk = np.float64(0)
        for start in range(chunk_start, min(len(terms), chunk_start + 128 * 128), 128):
            lanes = [real(0)] * 16
            for i, term in enumerate(terms[start : start + 128]):
                lanes[i % 16] = lanes[i % 16] + term
            while len(lanes) > 1:
                half = len(lanes) // 2
                lanes = [low + high for low, high in zip(lanes[:half], lanes[half:], strict=True)]
            chunk += np.float64(lanes[0])
        total += chunk
    return total


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 127, 128, 129, 1000, 16383, 16384, 16385, 40000])
def test_ordered_sum(dtype, n):
    terms = reference.wide(np.random.default_rng(n).standard_normal((2, n)).astype(dtype))
    sums = reference.ordered_sum(terms)
    assert sums.dtype == np.float64
    assert [float(s) for s in sums] == [float(ordered_sum_in_words(row)) for row in terms]


def test_the_sums_are_tested():
    """Many sums are numbers other than 0; NaN, which equals any NaN, would prove nothing."""
    for name in ("prelu_backward", "bias_leaky_relu_backward"):
        sums = np.concatenate([case.wanted[1] for case in every_case() if case.operation.name == name])
        assert np.mean(np.isfinite(sums) & (sums != 0)) > 0.45, name


def test_ordered_sum_is_never_minus_zero_and_keeps_its_bound(dtype):
    assert not np.signbit(reference.ordered_sum(reference.wide(np.full((1, 300), -0.0, dtype))))[0]
    terms = reference.wide(draw(np.random.default_rng(0), (4, 50_000), dtype, kind="normal"))
    exact = np.array([math.fsum(row.tolist()) for row in terms])
    bound = 12 * float(limits(terms.dtype).eps) / 2 * np.abs(terms.astype(float)).sum(axis=1)
    assert np.all(np.abs(reference.ordered_sum(terms) - exact) <= bound)


def test_where_numpy_flushes_subnormals(dtype, monkeypatch):
    """The specification and the NumPy backend go other ways there, to the same bits."""
    known = known_answers(np.dtype(dtype))
    monkeypatch.setattr(reference, "FLUSHES", True)
    see_known_answers(numpy_backend, known)
    for (_, wanted), (_, results) in zip(known, known_answers(np.dtype(dtype)), strict=True):
        assert all(all(map(same_bits, results[name], wanted[name])) for name in wanted)
