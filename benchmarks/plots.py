"""The pictures: bytes a second over size, time over size for small arrays, and networks beside peers or without us."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image

from benchmarks import figures, frameworks
from benchmarks.peers import PEERS
from benchmarks.peers.activations import activation
from benchmarks.peers.limits import COPY, LIMITS, NEGATIVE, STREAM
from benchmarks.peers.ours import OURS
from benchmarks.results import Results, Timing

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "figure.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.edgecolor": "#888888",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "axes.grid": True,
    "grid.color": "#eeeeee",
    "savefig.dpi": 110,
}
RED, INK, PALE = "#d62839", "#222222", "#f1f1f1"
COLOURS = ["#3a6ea5", "#e08e0b", "#2a9d8f", "#7b5ea7", "#8d6346", "#5f7f1f", "#c2608f", "#1b9aaa", "#777777", "#a0a000"]
LEFT = 2**8  # bytes at which the picture of large arrays begins
LEAST = 2**16  # bytes from which on the streaming copy is worth showing


def colour(peer: str) -> str:
    """Ours is red; each peer keeps its colour in all pictures."""
    others = [name for name in PEERS if not name.startswith(OURS) and name not in LIMITS]
    return RED if peer.startswith(OURS) else COLOURS[others.index(peer) % len(COLOURS)]


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:  # noqa: PLR2004
            return f"{count:g} {unit}"
        count /= 1024
    return f"{count:g} GiB"


def seconds(time: float) -> str:
    """Time for people."""
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if time * factor < 1000:  # noqa: PLR2004
            return f"{time * factor:.3g} {unit}"
    return f"{time:.3g} s"


def lines(timings: Iterable[Timing], value: Callable[[Timing], float]) -> dict[str, tuple[Any, ...]]:
    """Return for each peer: the bytes of x, the figures, and between what these lie."""
    points: dict[str, list[tuple[float, ...]]] = {}
    for timing in timings:
        point = (4 * timing.case.elements, *map(value, (timing, *timing.ends)))
        points.setdefault(timing.peer, []).append(point)
    return {peer: tuple(np.array(sorted(found)).T) for peer, found in points.items()}


def apart(heights: list[float], gap: float) -> list[float]:
    """Move ascending heights as little as possible, so that there is a gap between each two."""
    blocks: list[list[float]] = []  # of heights less the gaps below them, which only have to ascend: their means do
    for place, height in enumerate(heights):
        blocks.append([height - place * gap])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    ascending = [float(np.mean(block)) for block in blocks for _ in block]
    return [height + place * gap for place, height in enumerate(ascending)]


def label_ends(axes: Any, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name beside its end, none on another."""
    bottom, top = np.log(axes.get_ylim())
    ends = sorted(ends, key=lambda end: end[1])
    heights = apart([float(np.log(y)) for _, y, _, _ in ends], (top - bottom) * 0.046)
    for (x, y, name, ink), height in zip(ends, heights, strict=True):
        axes.annotate(
            name,
            (x, y),
            (axes.get_xlim()[1] * 1.5, np.exp(height)),
            color=ink,
            weight="bold" if name == OURS else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": ink, "lw": 0.7, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 1},
        )


def draw_lines(axes: Any, found: dict[str, tuple[Any, ...]]) -> list[tuple[float, float, str, str]]:
    """Draw the peers, and ours above them; returns where their names belong."""
    ends = []
    for peer, (x, y, *span) in sorted(found.items(), key=lambda item: item[0] == OURS):
        if peer in LIMITS or peer.startswith(f"{OURS},"):
            continue
        strong = peer == OURS
        axes.plot(x, y, color=colour(peer), lw=3 if strong else 1.3, zorder=4 if strong else 2)
        axes.fill_between(x, *span, color=colour(peer), alpha=0.15, lw=0, zorder=1)
        ends.append((x[-1], y[-1], peer, colour(peer)))
    return ends


def mark_caches(axes: Any, results: Results, arrays: int) -> None:
    """Draw where the arrays of a call, together, fill each cache."""
    for name, total in results.machine["caches"].items():
        axes.axvline(total / arrays, color="#bbbbbb", lw=1, ls=":", zorder=1)
        axes.text(total / arrays, axes.get_ylim()[1], f"{name} full ", ha="right", va="top", color="#888888", size=8)


def bandwidth(results: Results) -> Figure | None:
    """Bytes a second over the size of x, forward and backward, under the machine's fastest copy."""
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    panels = (("leaky_relu", "Leaky ReLU, forward"), ("prelu_backward", "PReLU, backward: both gradients"))
    for axes, (operation, title) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
        timings = [
            timing for timing in results.select("sweep", operation=operation) if 4 * timing.case.elements >= LEFT
        ]
        found = lines(timings, lambda timing: timing.rate / 1e9)
        if OURS not in found:
            return None
        copy = dict(zip(*found.get(COPY, ((), ()))[:2], strict=True))
        for x, y in zip(*found.get(STREAM, ((), ()))[:2], strict=True):
            if x >= LEAST:
                copy[x] = max(y, copy.get(x, 0))
        axes.set(xscale="log", yscale="log", title=title, xlabel="size of x", xlim=(LEFT, 4 * 2**26), ylim=(0.1, 150))
        if copy:
            x, y = np.array(sorted(copy.items())).T
            axes.plot(x, y, color=INK, lw=2, ls=(0, (4, 2)), zorder=3)
            axes.fill_between(x, y, 1e4, color=PALE, zorder=0)
            axes.text(0.03, 0.85, "dashed: a copy,\nthe limit", color=INK, transform=axes.transAxes)
        mark_caches(axes, results, 2 if operation == "leaky_relu" else 3)
        ticks = [LEFT * 2**power for power in range(0, 21, 4)]
        axes.set_xticks(ticks, [size(tick) for tick in ticks])
        axes.set_yticks([0.1, 1, 10, 100], ["0.1 GB/s", "1 GB/s", "10 GB/s", "100 GB/s"])
        axes.minorticks_off()
        label_ends(axes, draw_lines(axes, found))
    figure.suptitle(
        f"Bytes read and written in a second, one thread: higher is better{note(results)}", x=0.01, ha="left"
    )
    return figure


def latency(results: Results) -> Figure | None:
    """Time of a call over the number of elements, for small arrays."""
    found = lines(results.select("latency"), lambda timing: timing.time)
    if OURS not in found:
        return None
    figure = Figure(figsize=(8.5, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlabel="elements of x")
    ends = draw_lines(axes, found)
    if NEGATIVE in found:
        x, y, *_ = found[NEGATIVE]
        axes.plot(x, y, color=INK, lw=2, ls=(0, (4, 2)), zorder=3)
        ends.append((x[-1], y[-1], f"{NEGATIVE}, to compare", INK))
    axes.set_xlim(4, max(8, *found[OURS][0]))
    ticks = [4 * 2**power for power in range(0, 15, 2) if 4 * 2**power <= max(found[OURS][0])]
    axes.set_xticks(ticks, [f"{tick // 4:,}" for tick in ticks])
    decades = [10.0**power for power in range(-8, -1)]
    low, high = axes.get_ylim()
    shown = [decade for decade in decades if low <= decade <= high]
    axes.set_yticks(shown, [seconds(decade) for decade in shown])
    axes.minorticks_off()
    label_ends(axes, ends)
    title = f"Time of one call y = leaky_relu(x) on a small array: lower is better{note(results)}"
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def networks(results: Results, *, backward: bool = False) -> Figure | None:
    """Bars: all activations of each network, one thread."""
    timings = [
        timing
        for timing in results.select("networks", threads=1)
        if timing.case.operation.endswith("_backward") == backward
    ]
    names = [timing.case.name for timing in timings if timing.peer == OURS]
    if not names:
        return None
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.7 * rows), layout="constrained")
    for axes, name in zip(figure.subplots(rows, columns, squeeze=False).flat, names, strict=False):
        found = [timing for timing in timings if timing.case.name == name]
        case = found[0].case
        what = "PReLUs" if case.operation.startswith("prelu") else "leaky ReLUs"
        bars(axes, f"{name}: {len(case.shapes)} {what}, {case.elements / 1e6:.1f} M elements", found)
    way = "backward" if backward else "forward"
    title = f"All activations of a network, {way}, one thread: shorter is better; x: times fastleaky's time"
    figure.suptitle(title + note(results), x=0.01, ha="left")
    return figure


def activations(results: Results) -> Figure | None:
    """Bars: PyTorch's activations and ours on one layer, forward and backward."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    for axes, backward in zip(figure.subplots(1, 2), (False, True), strict=True):
        timings = [timing for timing in results.select("activations") if timing.case.two_inputs == backward]
        if not any(timing.peer == OURS for timing in timings):
            return None
        shape = "x".join(map(str, timings[0].case.shapes[0]))
        title = f"{'Backward' if backward else 'Forward'}, {shape} of {timings[0].case.name}"
        bars(axes, title, timings, lambda timing: activation(timing.peer, timing.case), 20)
    title = "PyTorch's activations and ours, one thread: shorter is better; x: times our leaky ReLU"
    figure.suptitle(title + note(results), x=0.01, ha="left")
    return figure


def bars(
    axes: Any,
    title: str,
    timings: list[Timing],
    name: Callable[[Timing], str] = lambda timing: timing.peer,
    times: float = 5,
) -> None:
    """Draw a bar for each timing, the fastest at the top; what takes so many times ours leaves the picture."""
    limits = [timing.time for timing in timings if timing.peer in {COPY, STREAM}]
    shown = [timing for timing in timings if timing.peer not in LIMITS and not timing.peer.startswith(f"{OURS},")]
    shown.sort(key=lambda timing: -timing.time)
    ours = next(timing.time for timing in timings if timing.peer == OURS)
    edge = times * ours
    for place, timing in enumerate(shown):
        strong = timing.peer == OURS
        axes.barh(place, min(timing.time, edge), color=RED if strong else "#9db4cc", height=0.72)
        low, high = (end.time for end in timing.ends)
        time = seconds(timing.time) if timing.steady else f"{seconds(low)} to {seconds(high)}"
        text = time + ("" if strong else f"  ({timing.time / ours:.2g} x)")
        off = timing.time > 0.62 * edge
        axes.text(
            min(timing.time, edge) - edge * 0.015 if off else timing.time + edge * 0.015,
            place,
            ("» " if timing.time > edge else "") + text if not off else text + (" »" if timing.time > edge else ""),
            ha="right" if off else "left",
            va="center",
            size=9,
            weight="bold" if strong else "normal",
            color=INK,
            path_effects=None if off else [withStroke(linewidth=3, foreground="white")],  # the limit runs through it
            zorder=3,
        )
    axes.set_yticks(range(len(shown)), map(name, shown))
    for text, timing in zip(axes.get_yticklabels(), shown, strict=True):
        text.set(weight="bold" if timing.peer == OURS else "normal", color=RED if timing.peer == OURS else INK)
    if limits:
        axes.axvline(min(limits), color=INK, lw=1.5, ls=(0, (4, 2)))
        axes.text(min(limits), len(shown) - 0.45, " limit: a copy", color=INK, size=8, va="bottom")
    axes.set(xlim=(0, edge), xticks=[], ylim=(-0.6, len(shown) + 0.2))
    axes.set_title(title, pad=8, size=8.5)
    axes.grid(visible=False)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(left=False)


def whole(results: Results) -> Figure | None:
    """Bars: how many times as fast whole training steps and inferences are with us, in each framework."""
    gains = list(frameworks.gains(results))
    if not gains:
        return None
    figure = Figure(figsize=(11, 1.2 + 0.55 * len(gains)), layout="constrained")
    axes = figure.subplots()
    for place, gain in enumerate(gains):
        ratio, span = figures.middle(gain.ratios), figures.interval(gain.ratios)
        axes.barh(place, ratio, color=RED, height=0.62)
        axes.plot(span, [place, place], color=INK, lw=1.2)
        text = f"{ratio:.2f} x:  {seconds(gain.ours.time)} instead of {seconds(gain.theirs.time)}"
        axes.text(max(1, ratio, span[1]) + 0.02, place, text, va="center", color=INK)
    axes.set_yticks(range(len(gains)), [f"{gain.what}\n{gain.framework}" for gain in gains])
    axes.axvline(1, color=INK, lw=1.5, ls=(0, (4, 2)))
    end = max(figures.middle(gain.ratios) for gain in gains)
    axes.set(xlim=(0, 1.6 * max(1, end)), xticks=range(int(end) + 1), xlabel="dashed: the framework alone")
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    title = "Whole networks, one thread: how many times as fast with fastleaky"
    figure.suptitle(title + note(results), x=0.01, ha="left")
    return figure


def note(results: Results) -> str:
    """Say in a title where this was, or that it is nothing to go by."""
    where = f"{results.machine['processor'].split(',')[0]}, {results.machine['date']}"
    return f"   ({'A QUICK RUN, NOTHING TO GO BY; ' * results.quick}{where})"


def write(figure: Figure, path: Path) -> None:
    """Write a PNG with 256 colours, which look the same and take a third of the bytes."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(256).save(path, optimize=True)


def save(results: Results, folder: Path) -> list[Path]:
    """Write the pictures for which there are figures."""
    made = []
    with mpl.rc_context(STYLE):
        pictures = {
            "bandwidth": bandwidth(results),
            "latency": latency(results),
            "networks": networks(results),
            "networks-backward": networks(results, backward=True),
            "whole": whole(results),
            "activations": activations(results),
        }
        for name, figure in pictures.items():
            if figure is not None:
                made.append(folder / f"{name}.png")
                write(figure, made[-1])
    return made
