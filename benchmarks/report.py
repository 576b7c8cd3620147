"""The tables, in Markdown: as one file, and in the places of other pages that wait for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from benchmarks import figures, frameworks
from benchmarks.fused import NORMALIZED
from benchmarks.markdown import fill, table
from benchmarks.peers import PEERS
from benchmarks.peers.activations import activation
from benchmarks.peers.limits import COPY, LIMITS
from benchmarks.peers.ours import OURS
from benchmarks.peers.torch_ import TORCH
from benchmarks.peers.torch_compile import COMPILED
from benchmarks.results import Results, Timing

SHOWN = range(2, 27, 4)  # sizes of the sweep that the tables show, as powers of two


def show(timing: Timing, cell: Callable[[Timing], str]) -> str:
    """Show a figure, or between what it lies if the repeats do not settle it."""
    if timing.steady:
        return cell(timing)
    ends = [cell(end) for end in timing.ends]
    low, high = sorted(ends, key=lambda end: float(end.replace(",", "")))
    return f"{low} to {high}"


def grid(
    timings: list[Timing],
    column: Callable[[Timing], str],
    cell: Callable[[Timing], str],
    best: Any,
    row_of: Callable[[Timing], str] = lambda timing: timing.peer,
) -> str:
    """Show each peer in a row, in the order of their list; bold is the `best` of each column, limits aside."""
    columns = list(dict.fromkeys(map(column, timings)))
    found = {(row_of(timing), column(timing)): timing for timing in timings}
    rows = []
    for peer in dict.fromkeys(row_of(timing) for peer in PEERS for timing in timings if timing.peer == peer):
        row = [f"*{peer}*" if peer in LIMITS else peer]
        for name in columns:
            timing = found.get((peer, name))
            rivals = [t.time for (_, of), t in found.items() if of == name and t.peer not in LIMITS]
            text = "" if timing is None else show(timing, cell)
            first = timing is not None and peer not in LIMITS and timing.time == best(rivals)
            row.append(f"**{text}**" if first else text)
        rows.append(row)
    return table(["", *columns], rows)


def settled(repeats: list[float]) -> str:
    """Show the median, or between what it lies."""
    low, high = figures.interval(repeats)
    return f"{figures.middle(repeats):.2f}" if figures.steady(repeats) else f"{low:.2f} to {high:.2f}"


def milliseconds(timing: Timing) -> str:
    """Show a time."""
    time = 1e3 * timing.time
    return f"{time:.3g}" if time < 1000 else f"{time:,.0f}"  # noqa: PLR2004


def nanoseconds(timing: Timing) -> str:
    """Show a time."""
    return f"{1e9 * timing.time:,.0f}"


def microseconds(timing: Timing) -> str:
    """Show a time."""
    return f"{1e6 * timing.time:,.3g}" if timing.time < 1e-3 else f"{1e6 * timing.time:,.0f}"  # noqa: PLR2004


def gigabytes(timing: Timing) -> str:
    """Show a rate."""
    return f"{timing.rate / 1e9:.3g}"


def giga_elements(timing: Timing) -> str:
    """Show a rate."""
    return f"{timing.case.elements / timing.time / 1e9:.3g}"


def measured(row: dict[str, Any]) -> str:
    """Show the figure of a goal, or between what it lies where the repeats settle no more; and of what it is."""
    if row["verdict"] == "skipped":
        return f"({row['why']})"
    figure = f"{row['figure']:.3g}" if row["steady"] else f"{row['low']:.3g} to {row['high']:.3g}"
    where = f" ({row['where']})" if row["where"] else ""
    return f"{figure} {row['unit']}{where}"


def goals(results: Results, part: str = "goals") -> str:
    """Show each goal, what was measured, and the verdict."""
    rows = []
    for row in (row for row in results.goals if row.get("part", "goals") == part):
        verdict = row["verdict"] if row["verdict"] == "met" else f"**{row['verdict']}**"
        rows.append([row["what"], row["asked"], measured(row), verdict])
    return table(["", "goal", "measured, the worst of them", "verdict"], rows, "---")


def networks(results: Results, threads: int, *, backward: bool) -> str:
    """Show milliseconds for all activations of each network."""
    timings = [
        timing
        for timing in results.select("networks", threads=threads)
        if timing.case.operation.endswith("_backward") == backward
    ]
    return grid(timings, lambda timing: timing.case.name, milliseconds, lambda t: min(t, default=0))


def sweep(results: Results, operation: str) -> str:
    """Show gigabytes a second over sizes."""
    shown = {f"2^{exponent}" for exponent in SHOWN}
    timings = [timing for timing in results.select("sweep", operation=operation) if timing.case.name in shown]
    return grid(timings, lambda timing: timing.case.name, gigabytes, lambda t: min(t, default=0))


def share(results: Results) -> str:
    """Show our bytes a second over sizes, as a part of np.copyto's."""
    names = [f"2^{exponent}" for exponent in SHOWN]
    rows = []
    for operation in ("leaky_relu", "prelu_backward"):
        found = {(t.peer, t.case.name): t for t in results.select("sweep", operation=operation)}
        cells = []
        for name in names:
            mine, copy = found.get((OURS, name)), found.get((COPY, name))
            if mine and copy:
                parts = [
                    (mine.bytes / ours) / (copy.bytes / theirs)
                    for ours, theirs in zip(mine.seconds, copy.seconds, strict=False)
                ]
                cells.append(settled(parts))
        if cells:
            rows.append([operation, *cells])
    return table(["", *names], rows)


def formats(results: Results, operation: str, size: str) -> str:
    """Show elements a second, in thousands of millions, for each number format."""
    timings = [timing for timing in results.select("formats", operation=operation) if timing.case.name == size]
    return grid(timings, lambda timing: timing.case.dtype, giga_elements, lambda t: min(t, default=0))


def whole(results: Results) -> str:
    """Show milliseconds for whole training steps and inferences, without us and with us."""
    rows = [
        [
            gain.what,
            gain.framework,
            *(show(timing, milliseconds) for timing in (gain.theirs, gain.ours)),
            settled(gain.ratios),
        ]
        for gain in frameworks.gains(results)
    ]
    return table(["", "in", "alone", "with fastleaky", "times as fast"], rows)


def fused(results: Results) -> str:
    """Show microseconds for single layers: fused by us, by others or not at all, and leaky ReLU alone, the limit."""
    timings = [t for t in results.select("goals", fresh=False, residual=False) if len(t.case.shapes) == 1]
    found = {(t.peer, t.case.operation, t.case.shapes): t for t in timings}
    rows = []
    for operation in ("bias_leaky_relu", *NORMALIZED):
        ours = [t for (peer, name, _), t in found.items() if (peer, name) == (OURS, operation)]
        for timing in sorted(ours, key=lambda timing: timing.bytes):
            wanted = [(TORCH, operation), (COMPILED, operation), (OURS, operation), (OURS, "leaky_relu")]
            cells = [found.get((*key, timing.case.shapes)) for key in wanted]
            texts = [show(cell, microseconds) if cell else "" for cell in cells]
            rows.append([f"{operation}, {timing.case.name}", *texts])
    return table(["", TORCH, COMPILED, OURS, "leaky_relu alone"], rows)


def fused_networks(results: Results) -> str:
    """Show milliseconds for all batch norms and activations of networks."""
    timings = [timing for timing in results.select("goals") if timing.case.fused and len(timing.case.shapes) > 1]
    return grid(timings, lambda timing: timing.case.name, milliseconds, lambda t: min(t, default=0))


def compared(results: Results) -> str:
    """Show milliseconds for PyTorch's activations and ours."""
    return grid(
        [timing for timing in results.select("activations") if timing.peer not in LIMITS],
        lambda timing: "backward" if timing.case.two_inputs else "forward",
        milliseconds,
        lambda t: min(t, default=0),
        lambda timing: activation(timing.peer, timing.case),
    )


def latency(results: Results) -> str:
    """Show nanoseconds a call over sizes."""
    shown = {f"2^{exponent}" for exponent in range(0, 27, 2)}
    timings = [timing for timing in results.select("latency") if timing.case.name in shown]
    return grid(timings, lambda timing: timing.case.name, nanoseconds, lambda t: min(t, default=0))


def signs(results: Results, *, backward: bool) -> str:
    """Show milliseconds over the part of x that is negative."""
    timings = [timing for timing in results.select("signs") if timing.case.operation.endswith("_backward") == backward]
    negative = lambda timing: f"{timing.case.negative:.0%} negative"  # noqa: E731 - as short as a name for it
    return grid(timings, negative, milliseconds, lambda t: min(t, default=0))


def conditions(results: Results) -> str:
    """Say what all figures rest on."""
    machine = results.machine
    sizes = ", ".join(f"{name} {size // 2**10} KiB" for name, size in machine["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    text = (
        f"{machine['processor']}, {machine['cpus']} processors, {sizes or 'caches unknown'}; {machine['system']}; "
        f"{machine['backend']}; {versions}; {machine['date']}. float32 and random signs unless said, medians of at "
        f"least {results.rounds} rounds in turn; where these do not settle the median to within {results.bound:.0%}, "
        "it says between what the median lies, with a confidence of 95%."
    )
    if results.quick:
        text = f"**A quick run, which only shows that the suite works: its figures are nothing to go by.** {text}"
    if results.skipped:
        whys = "; ".join(f"{name}: {why}" for name, why in results.skipped.items())
        text += f"\n\nSkipped: {whys}."
    if results.left_out:
        text += f"\n\nLeft out, for want of memory: {'; '.join(results.left_out)}."
    return text


def tables(results: Results) -> dict[str, tuple[str, str]]:
    """Return every table that there is something to show in, by name: its heading, and itself."""
    cpus = results.machine["cpus"]
    made = {
        "goals": ("Goals", goals(results)),
        "frameworks": ("Goals for frameworks", goals(results, "frameworks")),
        "whole": ("Whole training steps and inferences, one thread: milliseconds", whole(results)),
        "fused": ("Goals for fused operations", goals(results, "fused")),
        "fused-layers": ("Single layers, one thread: microseconds", fused(results)),
        "fused-networks": (
            "All batch norms and activations of a network, one thread: milliseconds",
            fused_networks(results),
        ),
        "activations": ("Activations on one layer, one thread: milliseconds", compared(results)),
        "formats": ("Goals for number formats", goals(results, "formats")),
        "networks": (
            "All activations of a network, forward, one thread: milliseconds",
            networks(results, 1, backward=False),
        ),
        "networks-backward": (
            "The same, backward",
            networks(results, 1, backward=True),
        ),
        "sweep": ("Leaky ReLU over the number of elements, one thread: GB/s", sweep(results, "leaky_relu")),
        "sweep-backward": ("PReLU backward in 8 channels: GB/s", sweep(results, "prelu_backward")),
        "share": ("Bytes a second, as a part of np.copyto's", share(results)),
        "latency": ("Leaky ReLU on small arrays, fresh output: nanoseconds a call", latency(results)),
        "signs": ("iresnet50 forward, one thread, other signs: milliseconds", signs(results, backward=False)),
        "signs-backward": ("The same, backward", signs(results, backward=True)),
    }
    for operation, size in itertools.product(("leaky_relu", "prelu"), ("2^21", "2^25")):
        heading = f"{operation}, {size} elements, by number format, one thread: 10^9 elements a second"
        made[f"formats-{operation}-{size[2:]}"] = (heading, formats(results, operation, size))
    if cpus > 1:
        for name, backward in (("networks-threads", False), ("networks-backward-threads", True)):
            direction = "backward" if backward else "forward"
            heading = f"All activations of a network, {direction}, {cpus} threads: milliseconds"
            made[name] = (heading, networks(results, cpus, backward=backward))
    return {name: (heading, text) for name, (heading, text) in made.items() if text.count("\n") > 1}


def markdown(results: Results) -> str:
    """Write all tables as one page."""
    sections = [f"## {heading}\n\n{text}" for heading, text in tables(results).values()]
    return "\n\n".join(["# Benchmarks", conditions(results), *sections]) + "\n"


def insert(page: str, results: Results) -> str:
    """Put the tables between the lines <!-- benchmarks: NAME --> and <!-- benchmarks end --> of a page."""
    made = {name: text for name, (_, text) in tables(results).items()}
    made |= {f"{name}-conditions": conditions(results) for name in ("goals", "frameworks", "fused") if name in made}
    return fill(page, "benchmarks", made)
