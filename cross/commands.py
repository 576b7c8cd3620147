"""Run commands, and say at the end how many of the things done passed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parent.parent


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


def run(command: list[str], **environment: str) -> str:
    """Run a command; its output, or a CommandError with the end of it."""
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise CommandError(
            f"{' '.join(command[:4])}: exit status {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}"
        )
    return done.stdout + done.stderr


def conclude(console: Console, outcomes: list[tuple[str, str]]) -> None:
    """Print the errors, of the names and errors of all that was done, and how many passed."""
    for name, error in outcomes:
        if error:
            console.print(f"\n{name}: {error}", style="red", markup=False)
    failed = sum(bool(error) for _, error in outcomes)
    console.print(f"{len(outcomes) - failed} passed, {failed} failed")
