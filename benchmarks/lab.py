"""The peers in their processes, and their turns: A B C, A B C, ..."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from benchmarks import figures
from benchmarks.peers import PEERS
from benchmarks.workloads import Case

ROOT = Path(__file__).parent.parent
ENOUGH = 20  # seconds after which runs get no further batch of rounds
PATIENCE = 300  # seconds without an answer, after which a process is given up
THREADS = (
    "FASTLEAKY_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)


class Run(NamedTuple):
    """What is timed: a peer on a case."""

    peer: str
    case: Case


Times = dict[Run, list[float]]  # seconds a call; the n-th of all runs come from the same round, which is NaN if sat out


def unsteady_runs(times: Times) -> set[Run]:
    """Return the runs whose own repeats do not agree."""
    return {run for run, seconds in times.items() if not figures.steady(figures.present(seconds))}


class DeadError(Exception):
    """A process has ended, or does not answer; the message is its last line on stderr."""


class Worker:
    """A process that times peers, all with the same number of threads."""

    def __init__(self, threads: int) -> None:
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
        environment = {**os.environ, **quiet, **dict.fromkeys(THREADS, str(threads))}
        self.stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(threads)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            text=True,
        )

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """Send a command, and wait for the answer."""
        commands, answers = self.process.stdin, self.process.stdout
        assert commands is not None  # noqa: S101 - pipes were asked for
        assert answers is not None  # noqa: S101
        try:
            commands.write(json.dumps({"do": do, **command}) + "\n")
            commands.flush()
            line = answers.readline() if select.select([answers], [], [], PATIENCE)[0] else ""
        except OSError:
            line = ""
        if not line:
            raise DeadError(self.last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def last_words(self) -> str:
        """Why it died: what it wrote last."""
        self.process.kill()
        self.process.wait()
        self.stderr.seek(0)
        lines = self.stderr.read().strip().splitlines()
        self.stop()
        return f"its process ended ({self.process.returncode}): {lines[-1] if lines else 'without a message'}"

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # of the flush: its pipe is closed
                    pipe.close()
        self.stderr.close()


class Lab:
    """Times runs against each other. A peer that cannot take part is left out, and `skipped` says why."""

    def __init__(self, rounds: int, least_seconds: float, batches: int = 1, peers: Iterable[str] = PEERS) -> None:
        self.rounds, self.least_seconds, self.batches = rounds, least_seconds, batches
        self.skipped = {name: why for name in peers if (why := PEERS[name].missing())}
        self.skipped |= dict.fromkeys(PEERS.keys() - set(peers), "not asked for")
        self.workers: dict[tuple[str, int], Worker] = {}  # by home and threads
        self.threads = 1  # that the processes in use may run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.stop()
        self.workers = {}

    def measure(self, runs: Iterable[Run], unsteady: Callable[[Times], set[Run]] = unsteady_runs) -> Times:
        """Time runs in turn, round by round; and those that are `unsteady` in a few batches of rounds more."""
        runs, start = list(runs), time.monotonic()
        # One and several threads are compared in one process, on the same pages.
        self.threads = max(run.case.threads for run in runs)
        times: Times = {run: [] for run in runs if self._open(run)}
        again = set(times)
        for _ in range(self.batches):
            for _ in range(self.rounds):
                for run in [run for run in runs if run in times]:  # in this order
                    if run in again:
                        self._sample(run, times)
                    else:
                        times[run].append(math.nan)
            again = unsteady(times)
            if not again or time.monotonic() - start > ENOUGH:
                break
        for run in runs:
            if run.peer not in self.skipped:
                self._ask(run, "close")
        return times

    def _sample(self, run: Run, times: Times) -> None:
        answer = self._ask(run, "sample", key=repr(run))
        if "why" in answer:
            del times[run]
        else:
            times[run].append(float(f"{answer['seconds']:.5g}"))

    def _open(self, run: Run) -> bool:
        if run.peer in self.skipped:
            return False
        case = dataclasses.asdict(run.case)
        answer = self._ask(run, "open", key=repr(run), peer=run.peer, case=case, least_seconds=self.least_seconds)
        return "why" not in answer

    def _ask(self, run: Run, do: str, **command: Any) -> dict[str, Any]:
        """Ask the process of a peer; if something is wrong there, the peer is skipped from now on."""
        key = (PEERS[run.peer].process, self.threads)
        try:
            if key not in self.workers:
                self.workers[key] = Worker(self.threads)
            answer = self.workers[key].ask(do, **command)
        except DeadError as error:
            del self.workers[key]
            answer = {"why": str(error)}
        if answer.get("why"):
            self.skipped[run.peer] = answer["why"]
        return answer
