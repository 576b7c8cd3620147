"""Instructions an element, beside the plain loop's: whole calls, counted by a plugin of QEMU.

count.c makes the calls, of each function of ours and of the loop of plain.c that anybody would write for it. Both are
compiled with -O2, as firmware is, and for one board; Meson's -O3, with which the checks run, unrolls some plain loops.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import goals
from commands import ROOT, CommandError, Lab, run
from sheets import Report, Sheet
from targets import Target, select

FUNCTIONS = {  # of count.c: what the tables call them
    "leaky_relu_f32": "leaky f32",
    "prelu_f32": "prelu f32",
    "prelu_backward_f32": "prelu_backward f32",
    "leaky_relu_i8": "leaky i8",
    "leaky_relu_u8": "XNNPACK u8",
    "look_up_i8": "look_up i8",
    "leaky_relu_i16": "leaky i16",
    "prelu_i8": "prelu i8",
}
SIZES = (64, 512, 4096)
SLACK = 1.01  # the goals are round numbers
ORDERED = "prelu_backward_f32"  # whose plain loop promises less: its sum depends on the compiler
CORES = ROOT / "fastleaky" / "doctor" / "cores.csv"  # what `python -m fastleaky doctor` knows of costs
CALL = 100  # instructions in front of the loop that a call may take more than the plain one


@dataclass(frozen=True)
class Count:
    """Instructions an element of a call."""

    board: str
    function: str
    n: int
    ours: float
    plain: float

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"{FUNCTIONS[self.function]}, n = {self.n}"

    def goal(self, wanted: dict[str, Any]) -> goals.Goal | None:
        """Return its goal: the file's, and no more than the plain loop takes."""
        entry = wanted.get(self.function, {}).get(str(self.n), {}).get(self.board)
        return goals.goal(entry, None if self.function == ORDERED else self.plain + CALL / self.n, SLACK)


def build_plugin(folder: Path) -> Path:
    """Compile what QEMU counts with."""
    plugin = folder / "libcount.so"
    run(["cc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(ROOT / "cross" / "count_plugin.c")])
    return plugin


def count(target: Target, folder: Path, plugin: Path) -> tuple[list[Count], str]:
    """Build and count on each board of a target; what went wrong, if anything."""
    counts: list[Count] = []
    built: dict[str, Path] = {}
    try:
        for name, board in target.boards.items():
            if board.c_args not in built:
                built[board.c_args] = folder / f"{target.name}-count{len(built)}"
                target.build(built[board.c_args], "-Doptimization=2", c_args=board.c_args, programs=("count",))
            program = str(built[board.c_args] / "count")
            printed = run([*target.wrapper, program], QEMU_PLUGIN=str(plugin), **board.environment)
            counts += parse(name, printed)
    except CommandError as error:
        return counts, str(error)
    return counts, ""


def parse(board: str, printed: str) -> Iterator[Count]:
    """Read what count.c and count_plugin.c printed."""
    if wrong := re.findall(r"^(\w+) differs", printed, re.MULTILINE):
        raise CommandError(f"{board}: not the plain loop's results: {', '.join(sorted(set(wrong)))}")
    for function in FUNCTIONS:
        ours, plain = (
            [int(found) for found in re.findall(rf"^{whose}_{function} (\d+)$", printed, re.MULTILINE)]
            for whose in ("fl", "plain")
        )
        if not len(ours) == len(plain) == len(SIZES):
            raise CommandError(f"{board}: {function}: not {len(SIZES)} calls were counted:\n{printed[-2000:]}")
        for n, mine, theirs in zip(SIZES, ours, plain, strict=True):
            yield Count(board, function, n, mine / n, theirs / n)


def figure(number: float) -> str:
    """Show three digits."""
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"  # noqa: PLR2004


def table(counts: list[Count], n: int, wanted: dict[str, Any]) -> Sheet:
    """Show ours and the plain loop's, for each board."""
    rows: dict[str, list[str]] = {}
    for one in counts:
        if one.n == n:
            bound, text = one.goal(wanted), f"{figure(one.ours)} / {figure(one.plain)}"
            rows.setdefault(one.board, []).append(bound.colour(one.ours, text) if bound else text)
    title = f"Instructions an element, ours / the plain loop's, n = {n}"
    return Sheet(title, ["target", *FUNCTIONS.values()], [[board, *cells] for board, cells in rows.items()])


def goal_table(counts: list[Count], wanted: dict[str, Any]) -> Sheet:
    """Show each entry of the file of goals beside what was counted."""
    cells: dict[tuple[str, int], dict[str, str]] = {}
    for one in counts:
        if one.board in wanted.get(one.function, {}).get(str(one.n), {}):
            cells.setdefault((one.function, one.n), {})[one.board] = goal_cell(one, one.goal(wanted))
    boards = list(dict.fromkeys(board for row in cells.values() for board in row))
    order = [(function, int(n)) for function, sizes in wanted.items() for n in sizes]
    rows = [
        [f"{FUNCTIONS[function]}, n = {n}", *(cells[function, n].get(board, "") for board in boards)]
        for function, n in order
        if (function, n) in cells
    ]
    return Sheet("Goals: instructions an element", ["", *boards], rows)


def goal_cell(one: Count, bound: goals.Goal | None) -> str:
    """Show a figure beside its goal."""
    if bound is None:
        return ""
    word = "of" if bound.judge(one.ours) in {"met", "stale"} else "not"
    star = " *" if bound.limit is not None else ""
    return bound.colour(one.ours, f"{figure(one.ours)} {word} {bound.at_most:.3g}{star}")


def cores(counts: Sequence[Count]) -> str:
    """Return ours as a file for programs."""
    rows = [f'"{one.board}",{one.function},{one.n},{one.ours:.4f}' for one in counts if one.function != ORDERED]
    return "\n".join(["core,kernel,elements,instructions", *rows, ""])


def report(names: Sequence[str], lab: Lab) -> Report:
    """Count on all targets, or on those that are named, and judge."""
    wanted = goals.load()["instructions"]
    plugin = build_plugin(lab.folder)
    selected = select(names)
    targets = [target for target in selected if target.counted]
    found = lab.map("Counting", lambda target: count(target, lab.folder, plugin), targets)
    counts = [one for of_target, _ in found for one in of_target]
    made = Report({f"instructions-{n}": table(counts, n, wanted) for n in SIZES})
    made.sheets["goals"] = goal_table(counts, wanted)
    made.files[CORES] = cores(counts)
    made.notes = [f"* {target.name}: not counted: QEMU does not run it" for target in selected if not target.counted]
    made.outcomes = [(f"{target.name}: counting", error) for target, (_, error) in zip(targets, found, strict=True)]
    for board, of_board in itertools.groupby(counts, lambda one: one.board):
        judged = {one.name: (one.ours, one.goal(wanted)) for one in of_board}
        bounds = {name: goal for name, (_, goal) in judged.items() if goal}
        made.judge(f"{board}: instructions", {name: ours for name, (ours, _) in judged.items()}, bounds)
    return made
