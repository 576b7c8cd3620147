"""The fused operations beyond the tests of all operations: against PyTorch, from the output, at the limits."""

import functools
import itertools

import numpy as np
import pytest

import fastleaky
from fastleaky import reference
from fastleaky._backends.selftest import draw, same_bits
from fastleaky._dtypes import limits

SHAPES = [(2, 3, 5, 7), (1, 64, 14, 14), (300, 5), (4, 1, 9)]
NUMBERS = [(0.2, 2**0.5, None), (0.2, 2**0.5, 0.5), (0.01, 1.0, 256.0), (1.5, 1e-3, 1e-3)]


@pytest.mark.parametrize("kind", ["finite", "special"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_of_pytorchs_steps(dtype, kind):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for shape, (slope, gain, clamp) in itertools.product(SHAPES, NUMBERS):
        x, grad, residual = (draw(rng, shape, dtype, kind) for _ in range(3))
        bias, scale, weight = (draw(rng, shape[1], dtype, kind) for _ in range(3))
        along = (1, -1, *[1] * (len(shape) - 2))
        t = torch.from_numpy(x).requires_grad_()
        y = torch.nn.functional.leaky_relu(t + torch.from_numpy(bias).reshape(along), slope) * gain
        limited = y if clamp is None else y.clamp(-clamp, clamp)
        ours = fastleaky.bias_leaky_relu(x, bias, slope, gain, clamp)
        assert same_bits(ours, limited.detach().numpy()), (shape, slope)
        (dx,) = torch.autograd.grad(limited, t, torch.from_numpy(grad))
        got, _ = fastleaky.bias_leaky_relu_backward(grad, ours, slope, gain, clamp)
        underflowed = (ours == 0) & (x > -bias.reshape(along))  # the output does not tell the sign
        stopped = np.isnan(ours) & (clamp is not None)  # by PyTorch's clamp
        known = ~(underflowed | stopped)
        assert same_bits(got[known], dx.numpy()[known]), (shape, slope)

        norm = torch.from_numpy(x) * torch.from_numpy(scale).reshape(along) + torch.from_numpy(bias).reshape(along)
        for more, total in ((None, norm), (residual, norm + torch.from_numpy(residual))):
            wanted = torch.nn.functional.leaky_relu(total, slope).numpy()
            assert same_bits(fastleaky.scale_shift_leaky_relu(x, scale, bias, slope, residual=more), wanted), shape
            wanted = torch.nn.functional.prelu(total, torch.from_numpy(weight)).numpy()
            assert same_bits(fastleaky.scale_shift_prelu(x, scale, bias, weight, residual=more), wanted), shape


def test_the_biass_gradient_is_within_its_bound(dtype):
    rng = np.random.default_rng(1)
    y, grad = draw(rng, (40, 3, 500), dtype, "normal"), draw(rng, (40, 3, 500), dtype, "normal")
    dx, dbias = fastleaky.bias_leaky_relu_backward(grad, y, 0.2, 2**0.5, 1.0)
    terms, wide = np.moveaxis(dx.astype(float), 1, 0).reshape(3, -1), limits(dtype)
    rounded_once = float(wide.eps) / 2 * abs(dbias.astype(float))
    bound = 12 * 2**-24 * abs(terms).sum(axis=1) + rounded_once
    assert np.all(abs(dbias.astype(float) - terms.sum(axis=1)) <= bound)


def test_applied_again_it_is_the_second_derivative():
    """The gradient penalty of a GAN: d/dgrad of sum(u * dx(grad)), by finite differences."""
    rng = np.random.default_rng(2)
    y, grad, u, direction = (rng.standard_normal((3, 4, 5)) for _ in range(4))
    numbers = (0.2, 2**0.5, 1.0)

    def penalty(at):
        return np.sum(u * fastleaky.bias_leaky_relu_backward(at, y, *numbers)[0])

    step = 1e-3
    numeric = (penalty(grad + step * direction) - penalty(grad - step * direction)) / (2 * step)
    (exact, _) = fastleaky.bias_leaky_relu_backward(u, y, *numbers)
    assert np.isclose(np.sum(exact * direction), numeric, rtol=1e-9)


def test_the_limit_itself_passes_no_gradient(dtype):
    one = np.dtype(dtype).type(1)
    y = np.array([[one, -one, np.nextafter(1, 0, dtype=np.float32), -0.5, np.nan]], dtype)
    inside = y.astype(float) != 1  # rounded to 16 bits, the third is the limit too
    inside[0, 1] = False
    for module in (fastleaky, reference):
        dx, _ = module.bias_leaky_relu_backward(np.ones_like(y), y, 0.5, 1.0, 1.0)
        assert np.array_equal(dx != 0, inside)
        assert np.isnan(module.bias_leaky_relu(np.full_like(y, np.nan), y[0], clamp=1.0)).all()


SLOPES = [1e-45, 1e-40, 1e-8, 0.01, 0.2, 1.0, 3.0, 1e38]


@functools.cache  # for all backends
def gradients(dtype):
    """All numbers of 16 bits, or a million others by their bits; gradients; and for each slope those of the input."""
    rng = np.random.default_rng(3)
    bits = np.dtype(f"u{np.dtype(dtype).itemsize}")
    every = np.arange(1 << 16, dtype=np.uint16)
    drawn = rng.integers(0, np.iinfo(bits).max, 1_000_000, bits, endpoint=True)
    x = (every if bits.itemsize == reference.HALF else drawn).view(dtype)
    grad = draw(rng, x.shape, dtype)
    return x, grad, [(slope, reference.leaky_relu_backward(grad, x, slope)) for slope in SLOPES]


@pytest.mark.usefixtures("backend")
def test_leaky_relus_gradient_from_its_output(dtype):
    """The output has the input's sign, also where the product underflows: so it may take the input's place."""
    x, grad, cases = gradients(dtype)
    for slope, wanted in cases:
        y = x.copy()
        fastleaky.leaky_relu(y, slope, out=y)
        assert same_bits(fastleaky.leaky_relu_backward(grad, y, slope), wanted), slope
        assert same_bits(fastleaky.leaky_relu_backward(grad, y, slope, out=y), wanted), slope


def test_fold_batch_norm():
    rng = np.random.default_rng(4)
    gamma, beta, mean = (rng.standard_normal(7).astype(np.float32) for _ in range(3))
    var = rng.random(7).astype(np.float32)
    scale, shift = fastleaky.fold_batch_norm(gamma, beta, mean, var, 1e-5)
    exact = gamma / np.sqrt(var.astype(float) + 1e-5)
    assert same_bits(scale, exact.astype(np.float32))
    assert same_bits(shift, (beta - mean * exact).astype(np.float32))
    with pytest.raises(TypeError, match="beta has type float64; it must have gamma's, float32"):
        fastleaky.fold_batch_norm(gamma, beta.astype(float), mean, var, 1e-5)
    with pytest.raises(ValueError, match=r"var has shape \(6,\); it must have gamma's, \(7,\)"):
        fastleaky.fold_batch_norm(gamma, beta, mean, var[:6], 1e-5)
    with pytest.raises(ValueError, match=r"mean has shape \(1, 7\); it must have gamma's, \(7,\)"):
        fastleaky.fold_batch_norm(gamma, beta, mean[None], var, 1e-5)
    with pytest.raises(TypeError, match="eps is None"):
        fastleaky.fold_batch_norm(gamma, beta, mean, var, None)
    with pytest.raises(TypeError, match="mean has type int64"):
        fastleaky.fold_batch_norm(gamma, beta, mean.astype(int), var, 1e-5)
