"""Find handwritten digits on a canvas with a small YOLO, and fuse its batch norms with its activations.

The network (darknet.py) says of each cell of 8 x 8 pixels whether the center of a digit lies in it, where, how large,
and which digit. Digits of several sizes are scattered over noisy canvases: those for training and those for the test
have no image in common. 800 steps, 70 seconds of processor time, give a mean average precision (at an overlap, IoU,
of 0.5) of 93 to 96 % for seeds 0 to 4. The boxes are not what is hard: of these alone, whatever their digit, the
average precision is above 99 %.

At inference each batch norm is a scale and a shift, and fastleaky does these, the shortcut and the activation in one
pass instead of three or four. Every bit stays, and so does every box. The times of both ways are printed, and how
small a part of this detector's time they are: most goes into the patches and products of the convolutions.

::

    pip install '.[examples]'
    python examples/detector.py                       # the precision, and the time of the activations
    python examples/detector.py --plot detector.png   # and the boxes
    python examples/detector.py --all-backends        # does every backend give the same boxes, to the last bit?
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

import common
import fastleaky
from common import Advance, Array, Labelled, log_softmax
from darknet import Activation, Block, Network

LEARNING_RATE = 0.005  # at the start; it falls to 0
BATCH = 16
CANVAS, CELL = 64, 8  # pixels
TYPICAL_SIZE = np.array([10, 14])  # width and height: YOLO's anchor
OUTPUTS = 15  # of a cell: objectness, offset (2), size (2), ten digits
TEST_CANVASES = 200
MATCH = 0.5  # the overlap (IoU) from which on a digit counts as found
SHOWN = 0.25  # the score from which on a box is drawn


def predictions(outputs: Array) -> Array:
    """Turn the head's outputs into probabilities and offsets from 0 to 1; sizes are logarithms, and stay."""
    logistic = np.exp(-np.logaddexp(0, -outputs[:, :3]))
    return np.concatenate([logistic, outputs[:, 3:5], np.exp(log_softmax(outputs[:, 5:]))], axis=1)


def loss_gradient(outputs: Array, truth: Array) -> Array:
    """Return the gradient of a canvas' mean loss with respect to the head's outputs.

    The loss is the cross-entropy of objectness, offset and digit, and half the squared error of the size. So its
    gradient is the prediction less the truth. An empty cell has to know only that it is empty.
    """
    grad = (predictions(outputs) - truth) / len(outputs)
    grad[:, 1:] *= truth[:, :1]
    return np.asarray(grad)


def resized(image: Array, height: int, width: int) -> Array:
    """Interpolate linearly between the pixels."""
    rows, columns = (
        np.maximum(0, 1 - abs(np.linspace(0, old - 1, new)[:, None] - np.arange(old)))
        for old, new in zip(image.shape, (height, width), strict=True)
    )
    return np.asarray(rows @ image @ columns.T)


def scatter(digits: Labelled, count: int, rng: np.random.Generator) -> tuple[Array, list[Array]]:
    """Draw digits of several sizes on noisy canvases; their boxes are rows of left, top, right, bottom, digit."""
    canvases, all_boxes = np.zeros((count, 1, CANVAS, CANVAS), np.float32), []
    for canvas in canvases[:, 0]:
        boxes = []
        for i in rng.integers(len(digits[1]), size=rng.integers(3, 8)):
            image = digits[0][i].reshape(8, 8) / 16
            image = image[np.ix_(image.any(axis=1), image.any(axis=0))]  # without its empty borders
            height, width = np.rint(rng.uniform(1.25, 2.5) * np.array(image.shape)).astype(int)
            top, left = rng.integers(CANVAS + 1 - np.array([height, width]))
            place = canvas[top : top + height, left : left + width]
            if not place.any():
                place[...] = resized(image, height, width) * rng.uniform(0.6, 1)
                boxes.append((left, top, left + width, top + height, digits[1][i]))
        all_boxes.append(np.array(boxes))
    return canvases + 0.1 * rng.standard_normal(canvases.shape, np.float32), all_boxes


def truth_of(all_boxes: Sequence[Array]) -> Array:
    """Return what :func:`predictions` should be; cells without a digit are all 0."""
    truth = np.zeros((len(all_boxes), OUTPUTS, CANVAS // CELL, CANVAS // CELL), np.float32)
    for grid, boxes in zip(truth, all_boxes, strict=True):
        for left, top, right, bottom, digit in boxes:
            x, y = (left + right) / 2 / CELL, (top + bottom) / 2 / CELL
            cell = grid[:, int(y), int(x)]
            size = np.log((right - left, bottom - top) / TYPICAL_SIZE)
            cell[:] = (1, x % 1, y % 1, *size, *(np.arange(10) == digit))
    return truth


def detections(outputs: Array, score: float) -> list[Array]:
    """Return the boxes of at least this score, the best first: rows of left, top, right, bottom, digit, score."""
    predicted = predictions(outputs)
    rows, columns = np.indices(predicted.shape[2:])
    center = (predicted[:, 1:3] + np.stack([columns, rows])) * CELL
    half = np.exp(np.minimum(predicted[:, 3:5], 2)) * TYPICAL_SIZE[:, None, None] / 2
    digit, probability = predicted[:, 5:].argmax(axis=1), predicted[:, 5:].max(axis=1)
    parts = [center - half, center + half, digit[:, None], (predicted[:, 0] * probability)[:, None]]
    found = []
    for boxes in np.concatenate(parts, axis=1).reshape(len(outputs), 6, -1).swapaxes(1, 2):
        rest = boxes[np.argsort(-boxes[:, 5], kind="stable")]
        rest = rest[rest[:, 5] >= score]
        kept = []
        while len(rest):  # non-maximum suppression: of boxes that overlap much only the best is kept
            kept.append(rest[0])
            rest = rest[overlap(rest[0], rest) < MATCH]
        found.append(np.array(kept).reshape(-1, 6))
    return found


def overlap(one: Array, boxes: Array) -> Array:
    """Return the intersection over union (IoU) of a box and each of the others."""
    both = np.minimum(one[2:4], boxes[:, 2:4]) - np.maximum(one[:2], boxes[:, :2])
    intersection = np.maximum(both, 0).prod(axis=1)
    areas = (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1)
    return np.asarray(intersection / ((one[2:4] - one[:2]).prod() + areas - intersection))


def average_precision(found: Sequence[Array], truth: Sequence[Array]) -> float:
    """Return the area under the curve of precision over recall; each digit can be found once."""
    scores, hits = [], []
    for boxes, actual in zip(found, truth, strict=True):
        free = np.ones(len(actual), bool)
        for one in boxes:
            overlaps = np.where(free, overlap(one, actual), 0)
            hit = overlaps.max(initial=0) >= MATCH
            if hit:
                free[overlaps.argmax()] = False
            scores.append(one[5])
            hits.append(hit)
    best_first = np.argsort(-np.array(scores), kind="stable")
    true = np.cumsum(np.array(hits, int)[best_first])
    precision = true / np.arange(1, len(true) + 1)
    attainable = np.maximum.accumulate(precision[::-1])[::-1]  # at this recall or a higher one
    return float(np.diff(true, prepend=0) @ attainable / sum(map(len, truth)))


def train(steps: int, seed: int, advance: Advance) -> tuple[Network, Array, list[Array]]:
    """Train a network; return it, and canvases with digits that it never saw, and their boxes."""
    rng = np.random.default_rng(seed)
    training, test = common.split_digits(rng)
    network = Network(OUTPUTS, rng)
    network.head.weight[:], network.head.bias[0] = 0, -3  # at first every cell is taken for empty
    adam = common.Adam(network.parameters, LEARNING_RATE, (0.9, 0.99))
    with common.one_blas_thread():
        for step in range(steps):
            adam.learning_rate = LEARNING_RATE * (1 - step / steps)
            canvases, boxes = scatter(training, BATCH, rng)
            outputs = network.forward(canvases, Block.train)
            adam.step(network.backward(loss_gradient(outputs, truth_of(boxes))))
            advance()
    network.fold()
    return network, *scatter(test, TEST_CANVASES, rng)


def detect(network: Network, canvases: Array, score: float = 0.01) -> list[Array]:
    """Return the boxes on each canvas that have at least this score, computed in batches."""
    batches = np.split(canvases, range(BATCH, len(canvases), BATCH))
    with common.one_blas_thread():
        return [boxes for batch in batches for boxes in detections(network.forward(batch), score)]


def measure(network: Network, size: int) -> dict[str, Array]:
    """Return the best times of an inference, and of the activations in it, in milliseconds: fused and unfused."""
    canvas = np.random.default_rng(0).standard_normal((1, 1, size, size), np.float32)
    times: dict[str, list[tuple[float, float]]] = {"fused": [], "unfused": []}
    for _ in range(21):
        for name, taken in times.items():  # they take turns, so that a busy machine slows both alike
            taken.append(stopwatch(network, canvas, getattr(Block, name)))
    return {name: 1e3 * np.min(taken, axis=0) for name, taken in times.items()}


def stopwatch(network: Network, canvas: Array, activation: Activation) -> tuple[float, float]:
    """Return the seconds of an inference, and of the activations in it."""
    inside = 0.0

    def watched(block: Block, z: Array, shortcut: Array | None) -> Array:
        nonlocal inside
        start = time.perf_counter()
        y = activation(block, z, shortcut)
        inside += time.perf_counter() - start
        return y

    start = time.perf_counter()
    network.forward(canvas, watched)
    return time.perf_counter() - start, inside


def show_precision(console: Console, found: Sequence[Array], truth: Sequence[Array]) -> None:
    """Print the average precision of each digit, and their mean."""
    table = Table("digit", box=box.SIMPLE_HEAD)
    for heading in ("on the canvases", "average precision"):
        table.add_column(heading, justify="right")
    precisions = []
    for digit in range(10):
        wanted, actual = ([boxes[boxes[:, 4] == digit] for boxes in lists] for lists in (found, truth))
        precisions.append(average_precision(wanted, actual))
        table.add_row(str(digit), str(sum(map(len, actual))), f"{precisions[-1]:.1%}")
    table.add_section()
    table.add_row("all", str(sum(map(len, truth))), f"{np.mean(precisions):.1%}")
    console.print(
        table,
        f"A digit is found by a box of its class with an overlap (IoU) of at least {MATCH}. The boxes alone, whatever "
        f"their digit: {average_precision(found, truth):.1%}. The canvases, {len(truth)}, and their digits are "
        "unseen.\n",
    )


def show_times(console: Console, network: Network) -> None:
    """Print what the activations take, with and without fusion."""
    table = Table("canvas", "scale, shift, add, activate", box=box.SIMPLE_HEAD)
    for heading in ("these", "inference", "share"):
        table.add_column(heading, justify="right")
    threads = fastleaky.get_num_threads()
    fastleaky.set_num_threads(1)
    with common.one_blas_thread():
        for size in (CANVAS, 416):  # pixels
            for name, (whole, part) in measure(network, size).items():
                table.add_row(f"{size} x {size}", name, f"{part:.2f} ms", f"{whole:.1f} ms", f"{part / whole:.1%}")
    fastleaky.set_num_threads(threads)
    console.print(table, f"The best of 21 times, on one thread, with {fastleaky.backend}.")


def plot(file: str, canvases: Array, found: Sequence[Array], truth: Sequence[Array]) -> None:
    """Draw the boxes on the first canvases."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(14, 7.6), layout="constrained")
    figure.suptitle(
        "Unseen canvases. Dotted: where the digits are. Solid: what was found, with digit and score; red is wrong",
        fontsize=14,
    )
    for panel, canvas, boxes, actual in zip(figure.subplots(2, 4).flat, canvases[:, 0], found, truth, strict=False):
        panel.imshow(canvas, cmap="gray", extent=(0, CANVAS, CANVAS, 0))
        panel.axis("off")
        for one in actual:
            frame = Rectangle(one[:2], *(one[2:4] - one[:2]), fill=False, edgecolor="white", linestyle=":", linewidth=2)
            panel.add_patch(frame)
        for one in boxes[boxes[:, 5] >= SHOWN]:
            good = (overlap(one, actual[actual[:, 4] == one[4]]) >= MATCH).any()
            colour = "lime" if good else "tomato"
            panel.add_patch(Rectangle(one[:2], *(one[2:4] - one[:2]), fill=False, edgecolor=colour, linewidth=2))
            panel.text(one[0], one[1] - 1, f"{one[4]:.0f}  {one[5]:.2f}", color=colour, fontsize=11)
    figure.savefig(file, dpi=120)


def compare_backends(console: Console, steps: int, seed: int) -> bool:
    """Train with every backend; are all weights and boxes the same?"""
    console.print(
        f"[bold]{steps} steps of training, then all boxes on {BATCH} unseen canvases, whatever their score[/]"
    )

    def learned(advance: Advance) -> list[Array]:
        network, canvases, _ = train(steps, seed, advance)
        return [*network.parameters, *detect(network, canvases[:BATCH], score=0)]

    return common.compare_backends(console, learned, steps)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit status, 1 if the boxes of any backend differ."""
    parser = common.parser("Train a detector of handwritten digits.", "the boxes on unseen canvases")
    parser.add_argument("--steps", type=int, help="of training; 800, or 8 with --all-backends")
    options = parser.parse_args(arguments)
    steps = (8 if options.all_backends else 800) if options.steps is None else options.steps
    if steps < 1:
        parser.error("--steps must be at least 1")

    console = Console(highlight=False)
    if options.all_backends:
        return 0 if compare_backends(console, steps, options.seed) else 1
    with common.progress_bar(steps) as advance:
        network, canvases, truth = train(steps, options.seed, advance)
    found = detect(network, canvases)
    show_precision(console, found, truth)
    show_times(console, network)
    if options.plot:
        plot(options.plot, canvases, found, truth)
    return 0


if __name__ == "__main__":
    sys.exit(main())
