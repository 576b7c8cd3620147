"""The detector: its gradients, its boxes and their precision, the folded batch norms, and what it prints and draws."""

import re

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

import common
import darknet
import detector
import fastleaky
from darknet import Block, Layer, Network

BOXES = [np.array([[3.0, 10, 11, 24, 7], [40, 1, 51, 14, 2]]), np.array([[24.0, 32, 32, 48, 9]])]


def one_hot(digit):
    return np.eye(10)[int(digit)]


def outputs_for(truth):
    """Return outputs of the head that predict it with a probability near 1."""
    logits = 20 * (truth - 0.5)
    offsets = np.clip(truth[:, 1:3], 1e-6, 1 - 1e-6)
    logits[:, 1:3] = np.log(offsets / (1 - offsets))
    logits[:, 3:5] = truth[:, 3:5]
    return logits


@pytest.fixture(autouse=True)
def quick():
    with common.one_blas_thread():  # several would wait for each other while other tests run
        yield


@pytest.fixture
def trained():
    """A network whose batch norms have seen something, with a head that says something."""
    rng = np.random.default_rng(1)
    network = Network(detector.OUTPUTS, rng)
    for _ in range(3):
        network.forward(rng.standard_normal((4, 1, 32, 32), np.float32), Block.train)
    for block in network.blocks:
        block.gamma += 0.2 * rng.standard_normal(block.gamma.shape, np.float32)
        block.bias += 0.2 * rng.standard_normal(block.bias.shape, np.float32)
    network.fold()
    return network


def test_gradients(monkeypatch):
    monkeypatch.setattr(darknet, "DTYPE", np.float64)
    layers = (Layer(4, 3), Layer(6, 3, stride=2), Layer(3, 1), Layer(6, 3, shortcut=True), Layer(5, 3, stride=2))
    monkeypatch.setattr(darknet, "LAYERS", layers)
    rng = np.random.default_rng(0)
    network = Network(detector.OUTPUTS, rng)
    for block in network.blocks:
        block.gamma += 0.3 * rng.standard_normal(block.gamma.shape)
    canvases = rng.standard_normal((3, 1, 9, 12))  # a height that is no multiple of the strides
    truth = np.zeros((3, detector.OUTPUTS, 3, 3))
    for image, y, x in [(0, 0, 1), (1, 2, 2), (2, 1, 0), (2, 2, 1)]:
        truth[image, :, y, x] = (1, *rng.random(2), *rng.standard_normal(2), *one_hot(rng.integers(10)))

    def loss():
        outputs = network.forward(canvases, Block.train)
        found, (x, y, width, height), digits = truth[:, 0] == 1, np.moveaxis(truth[:, 1:5], 1, 0), truth[:, 5:]
        p = 1 / (1 + np.exp(-outputs[:, :3]))
        of_digits = np.exp(outputs[:, 5:]) / np.exp(outputs[:, 5:]).sum(axis=1, keepdims=True)
        entropies = [
            -(t * np.log(q) + (1 - t) * np.log(1 - q)) for t, q in ((found, p[:, 0]), (x, p[:, 1]), (y, p[:, 2]))
        ]
        squares = ((outputs[:, 3] - width) ** 2 + (outputs[:, 4] - height) ** 2) / 2
        of_digit = entropies[1] + entropies[2] + squares - (digits * np.log(of_digits)).sum(axis=1)
        return (entropies[0].sum() + of_digit[found].sum()) / len(canvases)

    outputs = network.forward(canvases, Block.train)
    gradients = network.backward(detector.loss_gradient(outputs, truth))
    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        assert parameter.dtype == gradient.dtype == np.float64
        for i in rng.permutation(parameter.size)[:25]:
            kept = parameter.flat[i]
            around = []
            for parameter.flat[i] in (kept - 1e-5, kept + 1e-5):
                around.append(loss())
            parameter.flat[i] = kept
            assert gradient.flat[i] == pytest.approx((around[1] - around[0]) / 2e-5, rel=1e-4, abs=1e-7)


def test_folded_batch_norms(trained):
    """They are the batch norms of inference: within rounding of float64's, and fused to the bit of the passes."""

    def exact(block, z, shortcut):
        gamma, bias, mean, var = (
            darknet.along(array.astype(float)) for array in (block.gamma, block.bias, block.mean, block.var)
        )
        t = (z - mean) / np.sqrt(var + darknet.EPSILON) * gamma + bias
        t = t if shortcut is None else t + shortcut
        return np.where(t > 0, t, darknet.NEGATIVE_SLOPE * t)

    canvases = np.random.default_rng(2).standard_normal((2, 1, 40, 24), np.float32)
    fused, unfused, right = (trained.forward(canvases, how) for how in (Block.fused, Block.unfused, exact))
    assert fused.dtype == np.float32
    assert fused.tobytes() == unfused.tobytes()
    assert right.dtype == np.float64
    np.testing.assert_allclose(fused, right, rtol=0, atol=1e-5 * abs(right).max())


def test_running_statistics(trained):
    """Those of one batch, many times seen, are its own: inference is then what training computes."""
    canvases = np.random.default_rng(4).standard_normal((2, 1, 32, 32), np.float32)
    for _ in range(150):
        wanted = trained.forward(canvases, Block.train)
    assert abs(trained.forward(canvases) - wanted).max() > 0.1
    trained.fold()
    np.testing.assert_allclose(trained.forward(canvases), wanted, rtol=0, atol=1e-4)


def test_digits_on_canvases():
    images = np.zeros((3, 64), np.float32)
    images.reshape(3, 8, 8)[:, 1:7, 3:6] = 16
    canvases, all_boxes = detector.scatter((images, np.array([4, 5, 6])), 20, np.random.default_rng(3))
    assert canvases.shape == (20, 1, detector.CANVAS, detector.CANVAS)
    assert canvases.dtype == np.float32
    assert len({len(boxes) for boxes in all_boxes}) > 1
    for canvas, boxes in zip(canvases[:, 0], all_boxes, strict=True):
        inside = np.zeros(canvas.shape, int)
        for left, top, right, bottom, digit in boxes:
            assert digit in (4, 5, 6)
            assert 6 * 1.2 < bottom - top < 6 * 2.6
            inside[top:bottom, left:right] += 1
        assert inside.max() == 1  # none covers another
        assert canvas[inside == 1].min() > 0.6 - 0.5
        assert canvas[inside == 0].mean() == pytest.approx(0, abs=0.01)


def test_boxes_from_outputs():
    truth = detector.truth_of(BOXES)
    assert (truth[:, 0] == 1).sum() == 3
    found = detector.detections(outputs_for(truth), score=0.5)
    for boxes, wanted in zip(found, BOXES, strict=True):
        assert (boxes[:, 5] > 0.99).all()
        order = np.argsort(boxes[:, 0])
        np.testing.assert_allclose(boxes[order, :5], wanted, atol=1e-4)


def test_of_boxes_that_overlap_the_best_is_kept():
    outputs = outputs_for(detector.truth_of(BOXES))
    first, second = outputs[0, :, 2, :2].T  # of the cells of BOXES[0][0], whose center is (7, 17), and right of it
    second[:] = first
    second[1] = -10  # at the left edge of its cell: a pixel to the right of the first
    first[0] = 1.0  # a lower score
    boxes, _ = detector.detections(outputs, score=0.5)
    assert len(boxes) == 2
    assert boxes[:, 0].min() == pytest.approx(8 - 4, abs=0.01)
    assert (np.diff(boxes[:, 5]) <= 0).all()


def test_overlap():
    one = np.array([0.0, 0, 4, 2])
    others = np.array([[0.0, 0, 4, 2], [2, 0, 6, 2], [4, 0, 8, 2], [1, 1, 3, 2], [9, 9, 10, 10]])
    assert detector.overlap(one, others).tolist() == pytest.approx([1, 4 / 12, 0, 2 / 8, 0])


FAR = (50.0, 50, 60, 60)  # where nothing is


@pytest.mark.parametrize(
    ("found", "precision"),
    [
        ([[(0, 0.9), (1, 0.8)], [(0, 0.7)]], 1),
        ([[], []], 0),
        ([[(FAR, 0.9)], [(FAR, 0.3)]], 0),
        ([[(0, 0.5)], []], 1 / 3),  # two are never found
        ([[(0, 0.9), (FAR, 0.8)], [(0, 0.7)]], 1 / 3 * (1 + 2 / 3)),
        ([[(FAR, 0.1), (0, 0.9)], [(0, 0.7)]], 1 / 3 * (1 + 1)),  # what comes last costs nothing
        ([[(0, 0.9), (0, 0.8), (1, 0.7)], []], 1 / 3 * (1 + 2 / 3)),  # found once, the second time is false
        ([[(0, 0.2), (1, 0.1)], [(FAR, 0.9), (0, 0.8)]], 3 / 4),  # 0/1, 1/2, 2/3, 3/4: the envelope is 3/4
    ],
)
def test_average_precision(found, precision):
    """Boxes are given as (which true one, score), and are sorted on each canvas, as `detections` does."""
    boxes = [
        np.array(
            [
                (*(truth[which, :4] if which != FAR else FAR), 0, score)
                for which, score in sorted(few, key=lambda b: -b[1])
            ]
        ).reshape(-1, 6)
        for few, truth in zip(found, BOXES, strict=True)
    ]
    assert detector.average_precision(boxes, BOXES) == pytest.approx(precision)


def test_a_match_needs_half_the_area():
    truth = [np.array([[0.0, 0, 10, 10, 1]])]
    for right, precision in ((5.0, 1), (4.9, 0)):
        assert detector.average_precision([np.array([[0, 0, right, 10, 1, 0.9]])], truth) == precision


def test_training(capsys, tmp_path):
    picture = tmp_path / "detector.png"
    threads = fastleaky.get_num_threads()
    assert detector.main(["--steps", "60", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert fastleaky.get_num_threads() == threads
    out = capsys.readouterr().out
    rows = {words[0]: words[1:] for words in map(str.split, out.splitlines()) if len(words) == 3}
    assert sum(int(rows[str(digit)][0]) for digit in range(10)) == int(rows["all"][0]) > 500
    assert float(rows["all"][1].rstrip("%")) > 15  # the digits take longer to learn than where they are
    assert float(re.search(r"whatever\s+their\s+digit:\s+([0-9.]+)%", out)[1]) > 80
    assert len(re.findall(r" (?:fused|unfused) +[0-9.]+ ms +[0-9.]+ ms +[0-9.]+%", out)) == 4


def test_all_backends(capsys, monkeypatch):
    monkeypatch.setattr(detector, "BATCH", 2)
    assert detector.main(["--all-backends", "--steps", "2"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name in fastleaky.backends():
        assert {words[1] for words in lines if words[:1] == [name] and words[-1] == "identical"} >= {"1", "2"}, name


def test_a_difference_is_told(capsys, monkeypatch):
    monkeypatch.setattr(detector, "BATCH", 2)
    right = fastleaky.scale_shift_leaky_relu

    def wrong(x, scale, shift, slope, **options):
        return right(x, scale, shift, slope + 1e-3 * (fastleaky.backend == "numpy"), **options)

    monkeypatch.setattr(fastleaky, "scale_shift_leaky_relu", wrong)
    assert detector.main(["--all-backends", "--steps", "2"]) == 1
    different = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "DIFFERENT" in line]
    assert set(different) == {"numpy"}
