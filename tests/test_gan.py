"""The GAN: its gradients against finite differences, what it prints and draws, and that its backends are compared."""

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

import numpy as np

import fastleaky
import gan


@pytest.fixture(params=[0.0, gan.NEGATIVE_SLOPE], ids=["ReLU", "leaky ReLU"])
def network(request):
    """A small network in float64, whose activations are away from their kink."""
    rng = np.random.default_rng(0)
    result = gan.Network([6, 8, 7, 3], request.param, rng)
    result.weights = [weight.astype(np.float64) for weight in result.weights]
    result.biases = [rng.standard_normal(bias.shape) for bias in result.biases]
    return result


def difference(function, parameter, step=1e-5):
    """The gradient of the function of a parameter, by central differences."""
    result = np.empty_like(parameter)
    for place in np.ndindex(parameter.shape):
        before = parameter[place]
        parameter[place] = before + step
        above = function()
        parameter[place] = before - step
        result[place] = (above - function()) / (2 * step)
        parameter[place] = before
    return result


def test_gradients(network):
    rng = np.random.default_rng(1)
    x, grad = rng.standard_normal((5, 6)), rng.standard_normal((5, 3))

    def loss():
        return np.sum(network.forward(x)[-1] * grad)

    outputs = network.forward(x)
    for parameter, found in zip(network.parameters, network.gradients(outputs, grad), strict=True):
        np.testing.assert_allclose(found, difference(loss, parameter), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(network.input_gradient(outputs, grad), difference(loss, x), rtol=1e-6, atol=1e-8)


def test_second_derivatives(network):
    rng = np.random.default_rng(2)
    x, grad = rng.standard_normal((5, 6)), gan.one_hot(rng.integers(3, size=5))[:, :3].astype(np.float64)

    def penalty():
        return 0.5 * np.square(network.input_gradient(network.forward(x), grad)).sum()

    found = network.penalty_gradients(network.forward(x), grad)
    for weight, gradient in zip(network.weights, found, strict=True):
        np.testing.assert_allclose(gradient, difference(penalty, weight), rtol=1e-6, atol=1e-8)
    for bias in network.biases:
        np.testing.assert_array_equal(difference(penalty, bias), 0)


def small(setup, **changes):
    settings = {"learning_rate": 0.002, "depth": 1, "width": 8, "steps": 1, "batch": 4, "seed": 0, **changes}
    return gan.Gan(setup, gan.Settings(**settings))


def softplus(x):
    return np.logaddexp(0, x)


@pytest.mark.parametrize("setup", gan.SETUPS)
def test_losses(setup):
    pair = small(setup)
    for network in (pair.generator, pair.discriminator):
        network.weights, network.biases = (
            [array.astype(np.float64) for array in arrays] for arrays in (network.weights, network.biases)
        )

    def drawn():
        outputs, labels = pair.draw()
        return pair.discriminator.forward(outputs[-1])[-1][np.arange(4), labels]

    def generator_loss():
        pair.rng = np.random.default_rng(1)
        return softplus(-drawn()).mean()

    def discriminator_loss():
        pair.rng = np.random.default_rng(1)
        chosen = pair.rng.integers(len(pair.real[1]), size=4)
        images, labels = (part[chosen] for part in pair.real)
        outputs = pair.discriminator.forward(images)
        steepness = np.square(pair.discriminator.input_gradient(outputs, gan.one_hot(labels))).sum(axis=1)
        logits = outputs[-1][np.arange(4), labels]
        return (softplus(-logits) + softplus(drawn()) + pair.penalty / 2 * steepness).mean()

    for network, loss, gradients in (
        (pair.generator, generator_loss, pair.generator_gradients),
        (pair.discriminator, discriminator_loss, pair.discriminator_gradients),
    ):
        pair.rng = np.random.default_rng(1)
        for parameter, found in zip(network.parameters, gradients(), strict=True):
            np.testing.assert_allclose(found, difference(loss, parameter), rtol=1e-5, atol=1e-8)


def test_what_each_setup_learns():
    settings = gan.Settings(0.003, depth=3, width=128, steps=800, batch=64, seed=0)
    pairs = gan.train_all(settings, lambda: None)
    for pair in pairs.values():
        images = pair.sample()
        assert gan.accuracy(pair.real, images) > 0.9
        assert gan.accuracy(images, pair.test) > 0.8
        assert len(pair.distances) == 8
        assert 1 < pair.distance() < pair.distances[-1] < pair.distances[0] / 4
    spread = {setup: gan.variance(*pair.sample()) / gan.variance(*pair.real) for setup, pair in pairs.items()}
    assert 0.2 < spread["ReLU"] < spread["leaky ReLU"] < 0.48  # 0.36 and 0.42; 0.39 and 0.43 with another BLAS kernel
    assert 0.48 < min(spread["ReLU, R1"], spread["leaky ReLU, R1"]) < 0.9


def test_distance():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((1000, 3))
    assert gan.frechet_distance(a, a) == pytest.approx(0)
    assert gan.frechet_distance(a, a + np.array([0, 3, 4])) == pytest.approx(25)
    assert gan.frechet_distance(a, 3 * (a - a.mean(axis=0)) + a.mean(axis=0)) == pytest.approx(
        4 * a.var(axis=0, ddof=1).sum()
    )


def test_main(capsys, tmp_path):
    picture = tmp_path / "gan.png"
    assert gan.main(["--steps", "40", "--width", "32", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = {line[2:].split("  ")[0]: line.split()[-3:] for line in capsys.readouterr().out.splitlines()}
    for setup in gan.SETUPS:
        recognised, teaches, variance = (float(share.rstrip("%")) for share in rows[setup])
        assert max(recognised, teaches) <= 100
        assert min(recognised, teaches, variance) > 0
    assert rows["(real images)"][-1] == "100%"


def test_all_backends(capsys):
    assert gan.main(["--all-backends", "--steps", "2", "--width", "16"]) == 0
    out = capsys.readouterr().out
    assert "DIFFERENT" not in out
    assert {line.split()[0] for line in out.splitlines() if "identical" in line} == set(fastleaky.backends())


def test_a_difference_is_told(capsys, monkeypatch):
    right = fastleaky.bias_leaky_relu_backward

    def wrong(grad, y, slope, gain):
        return right(grad, y, slope, gain + 1e-6 * (fastleaky.backend == "numpy"))

    monkeypatch.setattr(fastleaky, "bias_leaky_relu_backward", wrong)
    assert gan.main(["--all-backends", "--steps", "1", "--width", "16"]) == 1
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines() if "DIFFERENT" in line} == {"numpy"}
