"""A process of its own for a peer: prepares the cases asked for, checks and times them.

lab.py starts it as ``python -m benchmarks.worker THREADS``; it reads a command a line, and answers each with one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import textwrap
import time
import timeit
from typing import Any, TextIO

import numpy as np

from benchmarks import pinning
from benchmarks.peers import PEERS, Peer, Prepared
from benchmarks.peers.peer import MissingError
from benchmarks.workloads import Case, Layer, draw
from fastleaky import reference
from fastleaky.quantized import reference as integer_reference

CHECKED = 2**20  # elements; beyond, the specification takes longer than the timing
TURN = 3  # repeats in a turn, of which the fastest counts
LONG = 0.05  # seconds from which on a call is made once
LONGEST = 200  # characters of a reason why not
WARM = 0.02  # seconds of calls that show which threads work


class WrongError(ArithmeticError):
    """A peer computes something else."""


def timer(prepared: Prepared) -> timeit.Timer:
    """Spell the calls out, with no lambda and no loop around each, which would cost as much as a small one itself."""
    names: dict[str, Any] = {}

    def name(value: Any) -> str:
        names[f"v{len(names)}"] = value
        return f"v{len(names) - 1}"

    lines = []
    for call in prepared.calls:
        arguments = [*map(name, call.args), *(f"{key}={name(value)}" for key, value in call.keywords.items())]
        lines.append(f"{name(call.func)}({', '.join(arguments)})")
    return timeit.Timer("\n".join(lines), globals=names)


class Sampler:
    """Times one peer on one case."""

    def __init__(self, prepared: Prepared, least_seconds: float) -> None:
        self.around, self.timer, self.times = prepared.around, timer(prepared), 1
        with self.around():
            self.timer.timeit(1)  # compiles, and touches every page
            while (taken := self.timer.timeit(self.times)) < least_seconds / 2:
                self.times = max(2 * self.times, int(self.times * least_seconds / max(taken, 1e-9) / 2))
        self.repeats = TURN if taken / self.times < LONG else 1
        self.times = max(1, int(self.times * least_seconds / taken / TURN))

    def sample(self) -> float:
        """Seconds a call: the fastest of a few repeats, for the first finds the caches as others have left them."""
        with self.around():
            return min(self.timer.repeat(self.repeats, self.times)) / self.times


def check(peer: Peer, case: Case) -> None:
    """See that a peer computes the operation, on the smallest of the layers; whole networks are for the tests."""
    smallest = min(case.shapes, key=math.prod)
    case = dataclasses.replace(case, shapes=(smallest,))
    if case.elements > CHECKED or case.whole:
        return
    layers = draw(case)
    integers = case.element_type.kind in "iu"
    wanted = quantized(case, layers[0]) if integers else case.op(reference, layers[0])
    for prepared in peer.prepare(case, layers):
        if prepared.read is None:
            continue
        with prepared.around():
            results = prepared.read(prepared.calls[0]())
        for name, result, right in zip(case.op.results, results, wanted, strict=True):
            terms = case.elements / right.size  # of which a peer's result is a sum, in any order
            slack = 1e-3 * terms**0.5 if terms > 1 else 1e-6
            slack = 1 if integers else slack  # XNNPACK rounds in its own way
            result = np.asarray(result, np.float64).reshape(right.shape)  # noqa: PLW2901
            right = right.astype(np.float64)  # noqa: PLW2901
            if not np.allclose(result, right, rtol=1e-5 if case.dtype == "float32" else 0, atol=slack):
                raise WrongError(f"its {name} of {case.operation} differs by {np.abs(result - right).max():.2g}")


def quantized(case: Case, layer: Layer) -> tuple[np.ndarray[Any, Any], ...]:
    """Compute the specification of a quantized operation."""
    function = getattr(integer_reference, case.operation)
    parameter = case.slope if case.op.numbers else layer["weight"]
    return (function(layer["x"], parameter, **case.quantization),)


class Desk:
    """What is prepared at the moment."""

    def __init__(self, threads: int) -> None:
        self.cpus = pinning.confine(threads)
        self.close()

    def close(self) -> None:
        """Drop everything."""
        self.samplers: dict[str, Sampler] = {}
        self.drawn: dict[Case, list[Layer]] = {}

    def arrays(self, case: Case) -> list[Layer]:
        """Draw the arrays of a case, unless another with the same has done so."""
        operation = "prelu_backward" if case.two_inputs else "prelu"
        key = dataclasses.replace(case, name="", operation=operation, fresh=False, residual=False, threads=1)
        if key not in self.drawn:
            self.drawn[key] = draw(case)
        return self.drawn[key]

    def open(self, key: str, peer: Peer, case: Case, least_seconds: float) -> dict[str, str]:
        """Prepare a peer for a case; an answer without "why" says that it can be timed."""
        try:
            pinning.release(self.cpus)
            if case.dtype not in peer.dtypes:
                return {"why": ""}
            check(peer, case)
            samplers = [Sampler(prepared, least_seconds) for prepared in peer.prepare(case, self.arrays(case))]
            if not samplers:
                return {"why": ""}
            sampler = min(samplers, key=Sampler.sample) if len(samplers) > 1 else samplers[0]
            if len(self.cpus) > 1:
                before, end = pinning.busy(), time.perf_counter() + WARM
                while time.perf_counter() < end:
                    sampler.sample()
                pinning.settle(self.cpus, before)
        except MissingError as error:
            return {"why": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever a framework raises: reported, and the rest goes on
            return {"why": textwrap.shorten(f"{type(error).__name__}: {error}", LONGEST, placeholder=" ...")}
        self.samplers[key] = sampler
        return {}


def serve(commands: TextIO, answers: TextIO, desk: Desk) -> None:
    """Do what is asked until nothing is asked any more."""
    for line in commands:
        command = json.loads(line)
        answer: dict[str, Any] = {}
        if command["do"] == "open":
            case = Case.of(command["case"])
            answer = desk.open(command["key"], PEERS[command["peer"]], case, command["least_seconds"])
        elif command["do"] == "sample":
            answer = {"seconds": desk.samplers[command["key"]].sample()}
        else:
            desk.close()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Keep the answers separate from what frameworks print."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers, Desk(int(sys.argv[1])))


if __name__ == "__main__":
    main()
