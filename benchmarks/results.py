"""What a run found, and its file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.lab import Times
from benchmarks.peers import PEERS
from benchmarks.workloads import Case

FORMAT = 1


@dataclass(frozen=True)
class Timing:
    """One peer on one case, in one part of a run."""

    part: str
    peer: str
    case: Case
    bytes: int  # that it reads and writes
    seconds: list[float]  # a call, one number for each round

    @property
    def steady(self) -> bool:
        """May its figure be shown, rather than between what it lies?"""
        return figures.steady(self.seconds)

    @property
    def ends(self) -> tuple[Timing, Timing]:
        """The same with the shortest and the longest time that the median may have."""
        low, high = figures.interval(self.seconds)  # endless, of too few repeats
        shortest, longest = max(low, min(self.seconds)), min(high, max(self.seconds))
        return replace(self, seconds=[shortest]), replace(self, seconds=[longest])

    @property
    def time(self) -> float:
        """Seconds a call: the median."""
        return figures.middle(self.seconds)

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.time


@dataclass
class Results:
    """Everything that the report needs."""

    quick: bool
    rounds: int
    machine: dict[str, Any]
    skipped: dict[str, str] = field(default_factory=dict)  # peers, and why
    left_out: list[str] = field(default_factory=list)  # cases that do not fit the memory
    timings: list[Timing] = field(default_factory=list)
    goals: list[dict[str, Any]] = field(default_factory=list)
    bound: float = figures.BOUND
    format: int = FORMAT

    def add(self, part: str, times: Times) -> None:
        """Take in what was measured."""
        for run, seconds in times.items():
            size = PEERS[run.peer].bytes(run.case)
            self.timings.append(Timing(part, run.peer, run.case, size, figures.present(seconds)))

    def select(self, part: str, **wanted: Any) -> list[Timing]:
        """Return the timings of a part, of cases with such fields."""
        return [
            timing
            for timing in self.timings
            if timing.part == part and all(getattr(timing.case, name) == value for name, value in wanted.items())
        ]

    def save(self, path: Path) -> None:
        """Write the file: a line for each timing, so that two runs can be compared by eye."""
        everything = asdict(self)
        timings = ",\n".join(f"  {json.dumps(timing)}" for timing in everything.pop("timings"))
        head = json.dumps(everything, indent=1).removesuffix("\n}")
        path.write_text(f'{head},\n "timings": [\n{timings}\n ]\n}}\n')

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read the file again."""
        everything = json.loads(path.read_text())
        if everything["format"] != FORMAT:
            raise ValueError(f"{path} has format {everything['format']}; this suite reads {FORMAT}")
        for timing in everything["timings"]:
            timing["case"] = Case.of(timing["case"])
        everything["timings"] = [Timing(**timing) for timing in everything["timings"]]
        return cls(**everything)
