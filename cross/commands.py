"""Run commands, several at once, and say at the end how many of the things done passed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

ROOT = Path(__file__).parent.parent
Item = TypeVar("Item")
Found = TypeVar("Found")


class CommandError(Exception):
    """A command failed, or what it printed is not what it must be."""


@dataclass
class Result:
    """What was seen of the Python package on one processor, or in one root."""

    name: str
    compiler: str = ""
    python: str = ""
    numpy: str = ""
    backend: str = ""
    passed: int = 0
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Lab:
    """A folder for what is built, and workers."""

    folder: Path
    pool: ThreadPoolExecutor
    progress: Progress

    def map(self, description: str, work: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
        """Do the work for each item, as many at once as there are workers; the results are in the items' order."""
        task = self.progress.add_task(description, total=len(items))

        def step(item: Item) -> Found:
            found = work(item)
            self.progress.advance(task)
            return found

        return list(self.pool.map(step, items))


def run(command: list[str], **environment: str) -> str:
    """Run a command; its output, or a CommandError with the end of it."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(command[:4])}: still running after {error.timeout:g} s") from None
    if done.returncode:
        raise CommandError(
            f"{' '.join(command[:4])}: exit status {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}"
        )
    return done.stdout + done.stderr


def mirror() -> str:
    """The host's mirror of Debian."""
    return run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]).split()[
        0
    ]


def backends_here() -> list[str]:
    """Every backend that an x86-64 processor has, this one, best first."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    sets = {"c:avx512": "avx512f", "c:avx2": "avx2", "c:sse2": "sse2"}
    return [*(name for name, flag in sets.items() if flag in flags), "c:scalar", "numba", "numpy"]


def zig() -> str:
    """Return the path of Zig's command, which the package ziglang brings."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise CommandError("ziglang is missing: pip install '.[wheels]'")
    return str(Path(found.origin).parent / "zig")


def find(pattern: str, text: str) -> str:
    """Return the group of a pattern, where a line begins like that."""
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise CommandError(f"there is no {pattern} in:\n{text[-2000:]}")
    return found[1]


def conclude(console: Console, outcomes: list[tuple[str, str]]) -> None:
    """Print the errors, of the names and errors of all that was done, and how many passed."""
    for name, error in outcomes:
        if error:
            console.print(f"\n{name}: {error}", style="red", markup=False)
    failed = sum(bool(error) for _, error in outcomes)
    console.print(f"{len(outcomes) - failed} passed, {failed} failed")
