"""What the suite asks of a peer."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads import Case, Layer

Array = np.ndarray[Any, np.dtype[Any]]
Calls = Sequence[functools.partial[Any]]


class MissingError(Exception):
    """A peer cannot be used here; the message says why, and what to install."""


@dataclass(frozen=True)
class Prepared:
    """What is timed: the calls, one after the other; sessions, models and outputs are made already.

    A call is a partial only to be taken apart: it is timed as ``function(*args, **keywords)``, spelled out.
    """

    calls: Calls
    read: Callable[[Any], tuple[Array, ...]] | None  # for one layer: from what the call returned to the results
    around: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext  # the setting that the calls need


# The ways in which a peer does it, of which the fastest counts; none if it does not offer the operation. A MissingError
# says why it cannot be used here.
Prepare = Callable[[Case, list[Layer]], list[Prepared]]


@dataclass(frozen=True)
class Peer:
    """One that computes the operations, or a limit to compare with."""

    name: str
    prepare: Prepare
    modules: tuple[str, ...] = ()  # what must be importable
    install: str = ""  # what pip installs for that
    home: str = ""  # peers of one home share a process, for they do not disturb each other
    threaded: bool = True  # it can use several threads
    dtypes: tuple[str, ...] = ("float32",)  # element types that it is timed with
    everywhere: bool = True  # it takes part in all comparisons; otherwise only in the goals that name it
    arrays: int = 0  # how many arrays a limit reads and writes; 0: it is no limit, and moves what the operation moves

    @property
    def process(self) -> str:
        """Which process it lives in."""
        return self.home or self.name

    def missing(self) -> str | None:
        """Why it cannot be used here, as far as is known without importing it."""
        absent = [module for module in self.modules if importlib.util.find_spec(module) is None]
        return f"not installed (pip install {self.install or ' '.join(self.modules)})" if absent else None

    def bytes(self, case: Case) -> int:
        """How many bytes it reads and writes in arrays of the size of x."""
        return case.element_type.itemsize * case.elements * (self.arrays or case.arrays)


def per_channel(layer: Layer, name: str = "weight") -> Array:
    """Shape a layer's parameter so that NumPy's broadcasting lays it along axis 1 of x."""
    parameter: Array = layer[name]
    return parameter.reshape(-1, *[1] * (layer["x"].ndim - 2)) if layer["x"].ndim > 1 else parameter


def arguments(case: Case, layer: Layer) -> dict[str, Any]:
    """Return the arguments by their names, those with a value for each channel laid along axis 1 of x."""
    return {name: per_channel(layer, name) if name in case.op.channel else layer[name] for name in case.op.positional}


def models(build: Callable[[Case, list[Layer]], Prepared]) -> Prepare:
    """Use a graph engine in two ways: one model for all layers, or one for each. Neither is always the faster."""

    def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
        together = build(case, layers)
        if len(layers) == 1:
            return [together]
        apart = [build(case, [layer]) for layer in layers]
        return [together, Prepared([call for one in apart for call in one.calls], None)]

    return prepare


def given(layers: list[Layer]) -> Callable[[Any], tuple[Array, ...]]:
    """Read the result from the array given as the output of a forward operation; keeps the arrays alive, too."""
    return lambda _: (layers[0]["out"],)


def returned(value: Any) -> tuple[Array, ...]:
    """Read the results that a call returned as arrays."""
    return value if isinstance(value, tuple) else (value,)
