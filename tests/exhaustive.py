"""Every number there is, on demand: ``python tests/exhaustive.py``.

leaky_relu of all float16 and bfloat16 numbers with all 65,536 slopes of their type, and of all 2**32 float32 numbers
with eight slopes, on every C instruction set that this processor has, against the specification. It ends in a line
``N passed, N failed``; a check is a slope on an instruction set. ``--only float16`` and so on does a part.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import ml_dtypes
import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import fastleaky
from fastleaky import reference
from fastleaky._backends.selftest import same_bits

TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}
SLOPES = (0.01, 0.2, -0.3, 1.5, 1e-30, 1e-40, 0.0, np.inf)  # of float32
PIECE = 1 << 22  # elements


def cases(name: str) -> Iterator[tuple[float, Iterator[np.ndarray]]]:
    """Each slope, and the numbers to try it on, in pieces."""
    if name == "float32":
        for slope in SLOPES:
            yield slope, (np.arange(at, at + PIECE, dtype=np.uint32).view("f") for at in range(0, 1 << 32, PIECE))
        return
    every = np.arange(1 << 16, dtype=np.uint16).view(TYPES[name])
    for slope in every.astype(np.float32).tolist():
        yield slope, iter([every])


def main() -> int:
    """Compare them all; the result is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=TYPES, action="append", help="a type; all by default")
    names = parser.parse_args().only or list(TYPES)
    backends = [backend for backend in fastleaky.backends() if backend.startswith("c:")]
    passed, failed = 0, 0
    columns = [TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for name in names:
            steps = len(SLOPES) * ((1 << 32) // PIECE) if name == "float32" else 1 << 16
            task = progress.add_task(f"{name}, {' '.join(backends)}", total=steps)
            for slope, pieces in cases(name):
                wrong = set()
                for x in pieces:
                    wanted = reference.leaky_relu(x, slope)
                    for backend in backends:
                        with fastleaky.use(backend):
                            if not same_bits(fastleaky.leaky_relu(x, slope), wanted):
                                wrong.add(backend)
                    progress.advance(task)
                for backend in sorted(wrong):
                    progress.console.print(f"DIFFERS: {backend}, {name}, slope {slope!r}")
                passed, failed = passed + len(backends) - len(wrong), failed + len(wrong)
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return int(failed > 0 or not passed)


if __name__ == "__main__":
    sys.exit(main())
