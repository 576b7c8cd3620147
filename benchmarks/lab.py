"""The peers in their processes, and their turns: A B C, A B C, ..."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from benchmarks import figures
from benchmarks.peers import PEERS
from benchmarks.workloads import Case

ROOT = Path(__file__).parent.parent
PATIENCE = 300  # seconds without an answer, after which a process is given up
BATCHES = 3  # of rounds, at most, until the repeats agree
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


Times = dict[Run, list[float]]  # seconds a call; the n-th of all runs come from the same round


class DeadError(Exception):
    """A process has ended, or does not answer; the message is the last it said."""


class Worker:
    """A process that times peers, all with the same number of threads."""

    def __init__(self, threads: int) -> None:
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
        environment = {**os.environ, **quiet, **dict.fromkeys(THREADS, str(threads))}
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(threads)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
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
        self.stop()
        self.said.seek(0)
        lines = self.said.read().strip().splitlines()
        return f"its process ended ({self.process.returncode}): {lines[-1] if lines else 'it said nothing'}"

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # what it was not told any more
                    pipe.close()


class Lab:
    """Times runs against each other. A peer that cannot take part is left out, and `skipped` says why."""

    def __init__(self, rounds: int, least_seconds: float) -> None:
        self.rounds, self.least_seconds = rounds, least_seconds
        self.skipped = {name: why for name, peer in PEERS.items() if (why := peer.missing())}
        self.workers: dict[tuple[str, int], Worker] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.stop()
            worker.said.close()
        self.workers = {}

    def measure(self, runs: Iterable[Run], agree: Callable[[Times], bool] | None = None) -> Times:
        """Time runs in turn, again and again, with another batch of rounds while they do not `agree`.

        By default that is: each run's repeats are steady.
        """
        agree = agree or (lambda times: all(map(figures.steady, times.values())))
        times: Times = {run: [] for run in runs if self._open(run)}
        for _ in range(BATCHES):
            for _ in range(self.rounds):
                for run in list(times):
                    answer = self._ask(run, "sample", key=repr(run))
                    if "why" in answer:
                        del times[run]
                    else:
                        times[run].append(float(f"{answer['seconds']:.5g}"))
            if agree(times):
                break
        for run in times:
            self._ask(run, "close")
        return times

    def _open(self, run: Run) -> bool:
        if run.peer in self.skipped:
            return False
        case = dataclasses.asdict(run.case)
        answer = self._ask(run, "open", key=repr(run), peer=run.peer, case=case, least_seconds=self.least_seconds)
        return "why" not in answer

    def _ask(self, run: Run, do: str, **command: Any) -> dict[str, Any]:
        """Ask the process of a peer; if something is wrong there, the peer is skipped from now on."""
        key = (PEERS[run.peer].process, run.case.threads)
        try:
            if key not in self.workers:
                self.workers[key] = Worker(run.case.threads)
            answer = self.workers[key].ask(do, **command)
        except DeadError as error:
            del self.workers[key]
            answer = {"why": str(error)}
        if answer.get("why"):
            self.skipped[run.peer] = answer["why"]
        return answer
