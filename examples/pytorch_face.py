"""Train a small network for face recognition in PyTorch, with and without fastleaky: the same losses in less time.

The network is a small MobileFaceNet (Chen et al. 2018): bottlenecks of 1x1 and depthwise convolutions, a PReLU after
most of them, and in the end a depthwise convolution over the whole picture. It learns to tell persons apart, whose
pictures are generated: a person is a face of certain proportions, and each picture of it has another position, tilt,
smile, light and noise.

Two networks with the same first weights learn from the same pictures and take turns, so that a busy machine slows both
alike. In one of them ``fastleaky.torch.convert`` has exchanged the PReLUs, and nothing else. Outputs and the gradients
that pass a PReLU have the same bits; the gradient of a slope is a sum, which PyTorch adds in another order. So the
first losses are the same to the last bit, and later ones drift apart by what rounding makes of them.

::

    pip install '.[torch,examples]'
    python examples/pytorch_face.py                       # both losses, both times
    python examples/pytorch_face.py --plot faces.png      # and pictures
    python examples/pytorch_face.py --batch 64 --threads 2
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Sequence

import torch
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

import fastleaky.torch

PERSONS = 24
SIZE = 64  # of the square pictures
EMBEDDING = 64
BOTTLENECKS = ((2, 32, 2, 2), (4, 64, 1, 2), (2, 64, 3, 1))  # expansion, channels, repeats, stride of the first
TEST_PICTURES = 240


def pictures_of(persons: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a picture of each of these persons; all that is random comes from the generator."""
    looks = torch.rand(PERSONS, 6, generator=torch.Generator().manual_seed(1))[persons, :, None, None]
    width, height, eyes, nose, mouth, hair = looks.unbind(1)
    right_by, down_by, tilt, smile, light = torch.randn(5, len(persons), 1, 1, generator=generator)
    axis = torch.linspace(-1, 1, SIZE)
    right, down = axis[None, :] - 0.05 * right_by, axis[:, None] - 0.05 * down_by
    right, down = right + 0.1 * tilt * down, down - 0.1 * tilt * right

    def spot(x: Tensor | float, y: Tensor | float, wide: Tensor | float, high: Tensor | float) -> Tensor:
        """Draw an ellipse with a soft edge."""
        return torch.sigmoid(8 * (1 - ((right - x) / wide) ** 2 - ((down - y) / high) ** 2))

    picture = spot(0, 0, 0.5 + 0.2 * width, 0.65 + 0.2 * height) * (1 - 0.8 * spot(0, -1, 0.9, 0.3 + 0.3 * hair))
    for side in (-1, 1):
        picture = picture - 0.7 * spot(side * (0.15 + 0.15 * eyes), -0.2, 0.1, 0.07)
    picture = picture - 0.3 * spot(0, 0.1, 0.05 + 0.05 * nose, 0.1 + 0.1 * nose)
    picture = picture - 0.6 * spot(0, 0.45 - 0.5 * smile * right**2, 0.15 + 0.2 * mouth, 0.06)
    noise = torch.randn(picture.shape, generator=generator)
    return (picture * (1 + 0.3 * light * right) + 0.15 * noise)[:, None]


class Residual(nn.Sequential):
    """Layers whose input is added to their output."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + super().forward(x)


def convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Convolve and normalize."""
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs)]


def small_mobilefacenet() -> nn.Sequential:
    """Build the network, with a last layer that tells the persons apart."""
    layers = [*convolution(1, 32, 3, 2), nn.PReLU(32), *convolution(32, 32, 3, groups=32), nn.PReLU(32)]
    channels = 32
    for expansion, outputs, repeats, first in BOTTLENECKS:
        for stride in (first, *[1] * (repeats - 1)):
            wide = expansion * channels
            body = [*convolution(channels, wide, 1), nn.PReLU(wide)]
            body += [*convolution(wide, wide, 3, stride, groups=wide), nn.PReLU(wide), *convolution(wide, outputs, 1)]
            layers.append(Residual(*body) if stride == 1 and channels == outputs else nn.Sequential(*body))
            channels = outputs
    layers += [*convolution(channels, 4 * EMBEDDING, 1), nn.PReLU(4 * EMBEDDING)]
    layers += [nn.Conv2d(4 * EMBEDDING, 4 * EMBEDDING, SIZE // 8, groups=4 * EMBEDDING), nn.Flatten()]
    return nn.Sequential(
        *layers, nn.Linear(4 * EMBEDDING, EMBEDDING), nn.BatchNorm1d(EMBEDDING), nn.Linear(EMBEDDING, PERSONS)
    )


class Run:
    """A network in training: the loss and the seconds of each step."""

    def __init__(self, model: nn.Module, steps: int) -> None:
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, 0.1, total_steps=steps)
        self.losses: list[float] = []
        self.seconds: list[tuple[float, float]] = []  # forward, backward

    def step(self, pictures: Tensor, persons: Tensor) -> None:
        """Take one step of gradient descent."""
        start = time.perf_counter()
        loss = nn.functional.cross_entropy(self.model(pictures), persons)
        between = time.perf_counter()
        self.optimizer.zero_grad()
        loss.backward()
        self.seconds.append((between - start, time.perf_counter() - between))
        self.optimizer.step()
        self.schedule.step()
        self.losses.append(loss.item())

    @torch.inference_mode()
    def accuracy(self, pictures: Tensor, persons: Tensor) -> float:
        """Return the share of the persons that are recognised."""
        return float((self.model.eval()(pictures).argmax(1) == persons).float().mean())

    @property
    def milliseconds(self) -> tuple[float, float]:
        """The median times of the forward and the backward step, without the first, which prepares much."""
        forward, backward = zip(*self.seconds[1:], strict=True)
        return 1e3 * statistics.median(forward), 1e3 * statistics.median(backward)


def train(steps: int, batch: int, seed: int) -> dict[str, Run]:
    """Train both networks, a step of each in turn."""
    torch.manual_seed(seed)
    model = small_mobilefacenet()
    runs = {"PyTorch": Run(model, steps), "with fastleaky": Run(copy.deepcopy(model), steps)}
    fastleaky.torch.convert(runs["with fastleaky"].model)
    generator = torch.Generator().manual_seed(seed)
    for _ in track(range(steps), "Training", console=Console(stderr=True), transient=True):
        persons = torch.randint(PERSONS, (batch,), generator=generator)
        pictures = pictures_of(persons, generator)
        for run in runs.values():
            run.step(pictures, persons)
    return runs


def show(console: Console, runs: dict[str, Run], test: tuple[Tensor, Tensor]) -> bool:
    """Print losses, accuracies and times; are the first losses the same?"""
    table = Table("", box=box.SIMPLE_HEAD)
    for heading in ("first loss", "last loss", "recognised", "forward", "backward"):
        table.add_column(heading, justify="right")
    for name, run in runs.items():
        forward, backward = run.milliseconds
        losses = f"{run.losses[0]:.6f}", f"{run.losses[-1]:.6f}"
        table.add_row(name, *losses, f"{run.accuracy(*test):.1%}", f"{forward:.1f} ms", f"{backward:.1f} ms")
    theirs, ours = runs.values()
    same = theirs.losses[0] == ours.losses[0]
    apart = max(abs(a - b) for a, b in zip(theirs.losses, ours.losses, strict=True))
    ratio = sum(theirs.milliseconds) / sum(ours.milliseconds)
    console.print(
        table,
        f"Forward and backward together: {ratio:.2f} times as fast with fastleaky {fastleaky.__version__} "
        f"({fastleaky.backend}) as with PyTorch {torch.__version__} alone, on {torch.get_num_threads()} thread(s).\n"
        f"The first losses are {'[green]the same to the last bit[/]' if same else '[bold red]DIFFERENT[/]'}. "
        f"Later ones differ by at most {apart:.1g}.",
    )
    return same


def plot(file: str, runs: dict[str, Run], test: tuple[Tensor, Tensor]) -> None:
    """Draw pictures of some persons, the losses, and the times."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    faces, losses, times = figure.subplots(1, 3, width_ratios=(1, 1.2, 1))
    pictures, persons = test
    rows = [torch.cat(list(pictures[persons == person][:3, 0]), dim=1) for person in range(3)]
    faces.imshow(torch.cat(rows).numpy(), cmap="gray")
    faces.set_title("Three persons, three pictures of each")
    faces.axis("off")
    bottom = [0.0, 0.0]
    for (name, run), style in zip(runs.items(), ("-", "--"), strict=True):
        losses.plot(run.losses, style, label=name, linewidth=2)
    for i, (what, colour) in enumerate((("forward", "tab:gray"), ("backward", "tab:blue"))):
        heights = [run.milliseconds[i] for run in runs.values()]
        bars = times.bar(list(runs), heights, bottom=bottom, label=what, color=colour, width=0.6)
        times.bar_label(bars, fmt="%.1f", label_type="center", color="white")
        bottom = heights
    losses.set_title("Loss of each training step")
    losses.set_xlabel("step")
    times.set_title("Median time of a step, in milliseconds")
    for panel in (losses, times):
        panel.grid(axis="y", alpha=0.3)
        panel.set_ylim(bottom=0)
        panel.legend()
    figure.savefig(file, dpi=120)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit status, 1 if the first losses differ."""
    parser = argparse.ArgumentParser(description="Train a network with and without fastleaky: both losses, both times.")
    parser.add_argument("--steps", type=int, default=100, help="of training (%(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="pictures in each of them (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch, and so of fastleaky (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (%(default)s)")
    parser.add_argument("--plot", metavar="FILE", help="draw faces, losses and times")
    options = parser.parse_args(arguments)
    if min(options.steps, options.batch) < 2 or options.threads < 1:  # noqa: PLR2004 - as the message says
        parser.error("--steps and --batch must be at least 2, and --threads at least 1")

    torch.set_num_threads(options.threads)
    runs = train(options.steps, options.batch, options.seed)
    unseen = torch.arange(TEST_PICTURES) % PERSONS
    test = pictures_of(unseen, torch.Generator().manual_seed(options.seed + 1)), unseen
    same = show(Console(highlight=False), runs, test)
    if options.plot:
        plot(options.plot, runs, test)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
