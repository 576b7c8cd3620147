"""The table of goals: what each asks for, the figure that was measured, and the verdict."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import figures
from benchmarks.lab import Run, Times
from benchmarks.parts import Extent
from benchmarks.peers import PEERS
from benchmarks.peers.limits import COPY, NEGATIVE, STREAM
from benchmarks.peers.litert import REFERENCE, XNNPACK
from benchmarks.peers.numba_ import LOOP
from benchmarks.peers.numpy_ import NAIVE
from benchmarks.peers.ours import OURS
from benchmarks.peers.torch_ import TORCH
from benchmarks.workloads import BATCHES, HALVES, LARGEST, Case, network_case, real_cases, sweep_case
from fastleaky._operations import PLAIN
from fastleaky.cli.workloads import NETWORKS

CACHED = range(10, 17)  # sizes, as powers of two, for which x and the result lie in L1 or L2
VERDICTS = ("met", "unsteady", "missed")  # the last of those of all pairs counts
IMPORTS = [PEERS[f"import {module}"] for module in ("fastleaky", "numpy")]

Quantity = Callable[[float, float, int, int], float]  # from ours and theirs: seconds, seconds, bytes, bytes


def time(ours: float, theirs: float, _: int, __: int) -> float:
    """How many times their time we take."""
    return ours / theirs


def speed(ours: float, theirs: float, _: int, __: int) -> float:
    """How many times as fast we are."""
    return theirs / ours


def bandwidth(ours: float, theirs: float, our_bytes: int, their_bytes: int) -> float:
    """How many times as many bytes a second we move."""
    return our_bytes / ours / (their_bytes / theirs)


def milliseconds(ours: float, theirs: float, _: int, __: int) -> float:
    """How many milliseconds longer we take."""
    return 1e3 * (ours - theirs)


@dataclass(frozen=True)
class Pair:
    """Ours beside theirs."""

    ours: Run
    theirs: Run

    @property
    def words(self) -> tuple[str, ...]:
        """What it is, in the words in which pairs may differ."""
        case = self.ours.case
        return (
            case.name,
            case.operation,
            case.dtype,
            "one weight" if case.shared else "a weight for each channel",
            f"against {self.theirs.peer}",
        )

    def repeats(self, quantity: Quantity, times: Times) -> list[float]:
        """Return the quantity in each round that both were in."""
        sizes = [PEERS[run.peer].bytes(run.case) for run in (self.ours, self.theirs)]
        return figures.present(
            [quantity(ours, theirs, *sizes) for ours, theirs in zip(times[self.ours], times[self.theirs], strict=True)]
        )


@dataclass(frozen=True)
class Goal:
    """A bound that every pair has to keep."""

    what: str
    versus: str
    quantity: Quantity
    pairs: list[Pair]
    at_least: float = -math.inf
    at_most: float = math.inf
    part: str = "goals"  # of the report

    @property
    def asked(self) -> str:
        """The bound in words."""
        words = f"at least {self.at_least:g}" if self.at_least > -math.inf else f"at most {self.at_most:g}"
        return f"{words} {self.unit}"

    @property
    def unit(self) -> str:
        """What the figure counts."""
        return f"ms more than {self.versus}" if self.quantity is milliseconds else f"x {self.versus}"

    def met(self, figure: float) -> bool:
        """Is the bound kept?"""
        return self.at_least <= figure <= self.at_most

    def unsteady(self, times: Times) -> set[Run]:
        """Return the runs of pairs that are not settled, or of the worst if it is not steady."""
        row = self.judge(times, {})
        return {
            run
            for pair, one in zip(self.timed(times), row.get("all", []), strict=True)
            if one["verdict"] == "unsteady" or (one["where"] == row["where"] and not one["steady"])
            for run in (pair.ours, pair.theirs)
        }

    def timed(self, times: Times) -> list[Pair]:
        """Return the pairs of which both were timed."""
        return [pair for pair in self.pairs if pair.ours in times and pair.theirs in times]

    def doubt(self, pair: Pair, times: Times) -> float:
        """How far off a pair's figure may be; a difference, as a part of what is subtracted."""
        repeats = pair.repeats(self.quantity, times)
        if self.quantity is milliseconds:
            theirs = 1e3 * figures.middle(figures.present(times[pair.theirs]))
            repeats = [theirs + repeat for repeat in repeats]
        return figures.doubt(repeats)

    def describe(self, pair: Pair) -> str:
        """Tell a pair from the others."""
        others = [other.words for other in self.pairs]
        return ", ".join(
            word for word, rest in zip(pair.words, zip(*others, strict=True), strict=True) if len(set(rest)) > 1
        )

    def judge(self, times: Times, skipped: dict[str, str]) -> dict[str, Any]:
        """Give the row of the table: the worst pair decides."""
        row: dict[str, Any] = {"part": self.part, "what": self.what, "asked": self.asked, "pairs": len(self.pairs)}
        timed = self.timed(times)
        row["timed"] = len(timed)
        if not timed:
            absent = {run.peer for pair in self.pairs for run in (pair.ours, pair.theirs)} & set(skipped)
            whys = "; ".join(f"{name} is {skipped[name]}" for name in sorted(absent))
            return {**row, "verdict": "skipped", "why": whys or "not possible here"}
        judged = [self.judge_pair(pair, times) for pair in timed]
        verdict = max((one["verdict"] for one in judged), key=VERDICTS.index)
        worst = min if self.at_least > -math.inf else max
        shown = worst((one for one in judged if one["verdict"] == verdict), key=lambda one: one["figure"])
        return {**row, **shown, "unit": self.unit, "all": judged}

    def judge_pair(self, pair: Pair, times: Times) -> dict[str, Any]:
        """Judge a pair: whether the bound is kept is settled where the whole interval of the median is on one side.

        Of many pairs one would soon miss it by chance: so here it is the interval for all of them.
        """
        repeats = pair.repeats(self.quantity, times)
        low, high = figures.interval(repeats)
        kept = [self.met(end) for end in figures.interval(repeats, len(self.pairs))]
        verdict = "met" if all(kept) else "unsteady" if any(kept) else "missed"
        return {
            "where": self.describe(pair),
            "figure": figures.middle(repeats),
            "low": low,
            "high": high,
            "steady": self.doubt(pair, times) <= figures.BOUND,
            "verdict": verdict,
        }


def against(peer: str, cases: list[Case], ours: str = OURS, **changes: Any) -> list[Pair]:
    """Pair ours with a peer, on the same cases, or for the peer on changed ones."""
    return [Pair(Run(ours, case), Run(peer, dataclasses.replace(case, **changes))) for case in cases]


def goals(extent: Extent, peers: list[str], cpus: int) -> list[Goal]:
    """Return the table, without the rows for which a quick run has no time."""
    tiny = sweep_case(6, fresh=True)
    tiny_backward = [Pair(Run(OURS, sweep_case(6, "prelu_backward", fresh=True)), Run(NEGATIVE, tiny))]
    cube = [Case("8x8x8", "prelu_backward", ((8, 8, 8),), fresh=True)]
    numba, numpy = f"{OURS}, Numba", f"{OURS}, NumPy"
    cached = [sweep_case(size, name) for size in CACHED for name in ("leaky_relu", "leaky_relu_backward")]
    cached_prelu = [sweep_case(size, name) for size in CACHED for name in ("prelu", "prelu_backward")]
    big = [sweep_case(25)]
    prelus = [network for network in (*NETWORKS, *BATCHES) if network.operation == "prelu"]
    backward = [case for shared in (False, True) for case in real_cases("prelu_backward", prelus, shared=shared)]
    last = [case for name in ("prelu", "prelu_backward") for case in real_cases(name, prelus, channels_last=True)]
    two = [sweep_case(20, name, threads=2) for name in ("leaky_relu", "prelu_backward") if cpus > 1]
    all_sizes = [sweep_case(size, case.operation, threads=2) for size in range(LARGEST + 1) for case in two]
    headlines = [network_case(network) for network in NETWORKS if network.name in {"iresnet50", "YOLOv3-tiny"}]
    rivals = [pair for name in peers if PEERS[name].everywhere for pair in against(name, headlines)]
    large = [sweep_case(size, name) for size in (20, 22, 24) for name in PLAIN]
    where = [sweep_case(20, name) for name in PLAIN if name != "prelu_backward"]
    importing = Case("import", "leaky_relu", ((1,),))

    quick = (
        Goal("leaky_relu, 64 elements, fresh output", NEGATIVE, time, against(NEGATIVE, [tiny]), at_most=0.6),
        Goal("leaky_relu, 64 elements, fresh output", TORCH, time, against(TORCH, [tiny]), at_most=0.12),
        Goal("prelu_backward, 64 elements in 8 channels, fresh", NEGATIVE, time, tiny_backward, at_most=1.5),
        Goal("the Numba backend, leaky_relu, 64 elements, fresh", LOOP, time, against(LOOP, [tiny], numba), at_most=3),
        Goal(
            "the NumPy backend, leaky_relu, 64 elements, fresh", NAIVE, time, against(NAIVE, [tiny], numpy), at_most=1.5
        ),
        Goal("the NumPy backend, prelu_backward, 8x8x8, fresh", NAIVE, time, against(NAIVE, cube, numpy), at_most=4),
        Goal("leaky ReLU, both ways, 2^10 to 2^16: bytes a second", COPY, bandwidth, against(COPY, cached), 0.9),
        Goal("PReLU, both ways, 2^10 to 2^16: bytes a second", COPY, bandwidth, against(COPY, cached_prelu), 0.9),
    )
    if extent.quick:
        return list(quick)
    return [
        *quick,
        Goal("leaky_relu, 2^25: bytes a second", COPY, bandwidth, against(COPY, big), 1.25),
        Goal("leaky_relu, 2^25: bytes a second", STREAM, bandwidth, against(STREAM, big), 0.95),
        Goal("leaky_relu, 2^24, fresh output", TORCH, speed, against(TORCH, [sweep_case(24, fresh=True)]), 3),
        Goal(
            "prelu_backward, real shapes, a weight for each channel or one", TORCH, speed, against(TORCH, backward), 25
        ),
        Goal(
            "prelu_backward, real shapes: bytes a second",
            "leaky_relu_backward",
            bandwidth,
            against(OURS, backward, operation="leaky_relu_backward", shared=False),
            0.9,
        ),
        Goal("PReLU, NHWC", "NCHW", time, against(OURS, last, channels_last=False), at_most=1.3),
        Goal("two threads, 2^20", "one", speed, against(OURS, two, threads=1), 1.4),
        Goal("two threads, every size from 1 to 2^26", "one", speed, against(OURS, all_sizes, threads=1), 0.95),
        Goal("iresnet50's PReLUs and YOLOv3-tiny, forward", "the fastest peer", speed, rivals, 1),
        Goal("import", "import numpy", milliseconds, [Pair(*(Run(p.name, importing) for p in IMPORTS))], at_most=15),
        Goal("the Numba backend, 2^20 to 2^24", "C", time, against(OURS, large, numba), at_most=1.3),
        Goal("the NumPy backend, 2^20", NAIVE, speed, against(NAIVE, where, numpy), 8),
    ]


def formats() -> list[Goal]:
    """Return the table for number formats of 16 and 8 bits: these rows are long, and stand by themselves."""
    halves = [sweep_case(25, dtype=dtype) for dtype in HALVES]
    bytes_ = [sweep_case(21, dtype=dtype) for dtype in ("int8", "uint8")]
    shape = sweep_case(21, "prelu").shapes[0]
    prelus = [
        Case(layout, "prelu", ((1, 64, shape[1] * shape[2] // 64),), channels_last=last, dtype=dtype)
        for layout, last in (("NCHW", False), ("NHWC", True))
        for dtype in ("int8", "uint8")
    ]
    short = [sweep_case(21, dtype="int16")]
    float32 = [Pair(Run(OURS, case), Run(OURS, dataclasses.replace(case, dtype="float32"))) for case in halves]
    table = [
        Goal("leaky_relu of float16 and bfloat16, 2^25", "float32", speed, float32, 1.8),
        Goal("leaky_relu of float16 and bfloat16, 2^25", TORCH, speed, against(TORCH, halves), 1),
        Goal("leaky_relu of int8 and uint8, 2^21", REFERENCE, speed, against(REFERENCE, bytes_), 100),
        Goal("leaky_relu of int8 and uint8, 2^21", XNNPACK, speed, against(XNNPACK, bytes_), 1),
        Goal(
            "prelu of int8 and uint8, NCHW and NHWC, 2^21",
            REFERENCE,
            speed,
            against(REFERENCE, prelus, channels_last=False),
            20,
        ),
        Goal("leaky_relu of int16, 2^21", REFERENCE, speed, against(REFERENCE, short), 10),
    ]
    return [dataclasses.replace(goal, part="formats") for goal in table]


def groups(goal: Goal) -> Iterator[list[Run]]:
    """Divide what a goal compares into groups that have no run in common."""
    divided: list[dict[Run, None]] = []
    for pair in goal.pairs:
        joined = {pair.ours: None, pair.theirs: None}
        for group in [group for group in divided if not joined.keys().isdisjoint(group)]:
            divided.remove(group)
            joined = group | joined
        divided.append(joined)
    return map(list, divided)
