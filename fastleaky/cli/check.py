"""The large comparison with the specification: ``python -m fastleaky check``."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._backends.selftest import data, same_bits, without_optional
from fastleaky._operations import OPERATIONS, Operation
from fastleaky._typing import Array


@dataclass(frozen=True)
class Case:
    """One comparison: an operation, its arguments in one memory layout, and the specified results."""

    operation: Operation
    given: dict[str, Any]
    wanted: tuple[Array, ...]

    def agrees(self, module: ModuleType) -> bool:
        """Does `module`, with its present backend, give the specified bits?"""
        return all(map(same_bits, self.operation(module, self.given), self.wanted))


def cases() -> Iterator[Case]:
    """Yield short lengths, block and chunk ends, short rows, channels first and last, for each operation and type."""
    rng = np.random.default_rng(2)
    lengths = [*range(70), 127, 128, 129, 255, 257, 1000, 16383, 16384, 16385, 32769, 150_001]
    shapes: list[tuple[int, ...]] = [(1, 1, n) for n in lengths]
    shapes += [(2, 64, 7, 7), (3, 5, 14, 14), (1, 16, 52, 52), (17_000, 2, 9)]
    shapes += [(4, 3, 1), (300, 3, 1), (200, 70, 1), (40_000, 3, 1)]
    for shape, dtype, kind in itertools.product(shapes, ("f", "d"), ("finite", "special")):
        given = data(rng, shape, dtype, kind=kind)
        if rng.random() < 1 / 2:
            given = without_optional(given)
        inputs = [name for name in ("x", "grad", "y", "residual") if given[name] is not None]
        channels_last = {name: _channels_last(given[name]) for name in inputs}
        for operation in OPERATIONS.values():
            wanted = operation(reference, given)
            yield Case(operation, given, wanted)
            if len(shape) == len("NCHW"):
                yield Case(operation, {**given, **channels_last}, wanted)


def _channels_last(array: Array) -> Array:
    """Copy an array so that axis 1 is the innermost in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


def formatted(different: int) -> str:
    """Format the number of differences for a console."""
    return f"[bold red]{different} DIFFER[/]" if different else "[green]identical[/]"
