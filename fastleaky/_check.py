"""Checks against the specification: the known answer at first use, and the large one of ``python -m fastleaky``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._dtypes import is_bfloat16
from fastleaky._typing import Array, Kernels, WrongAnswerError

Rng = np.random.Generator


@dataclass(frozen=True)
class Operation:
    """One of the four operations: the one table that checks, tests and benchmarks go through."""

    name: str
    inputs: tuple[str, ...]  # its arrays with the shape of x, in the order of the arguments
    parameter: str  # "negative_slope" or "weight", which follows them
    results: tuple[str, ...]

    def __call__(self, module: ModuleType, data: dict[str, Any], **options: Any) -> tuple[Array, ...]:
        """Apply this operation of `module`, fastleaky or its reference, to the data; always a tuple of results."""
        arguments = [data[name] for name in (*self.inputs, self.parameter)]
        result = getattr(module, self.name)(*arguments, **options)
        return result if isinstance(result, tuple) else (result,)


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("leaky_relu", ("x",), "negative_slope", ("out",)),
        Operation("leaky_relu_backward", ("grad", "x"), "negative_slope", ("dx",)),
        Operation("prelu", ("x",), "weight", ("out",)),
        Operation("prelu_backward", ("grad", "x"), "weight", ("dx", "dweight")),
    )
}


@reference.quiet
def same_bits(a: Array, b: Array) -> bool:
    """Are two arrays equal to the last bit, where any NaN equals any NaN?"""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    bits = f"u{a.dtype.itemsize}"
    equal = np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(bits)
    return bool(np.all(equal | (np.isnan(a) & np.isnan(b)).reshape(equal.shape)))


def limits(dtype: Any) -> Any:
    """Return what np.finfo tells of a type; of bfloat16 it knows nothing."""
    if not is_bfloat16(np.dtype(dtype)):
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


def draw(rng: Rng, shape: tuple[int, ...] | int, dtype: Any, kind: str = "calm") -> Array:
    """Draw numbers of random sign.

    They are normal ("plain"); or one in ten is a zero or next to the smallest ("calm"), which leaves the sums finite;
    or one in ten is next to the largest, infinite or NaN ("wild"), which makes most sums NaN.
    """
    info = limits(dtype)
    special = {
        "plain": [1],
        "calm": [0, info.smallest_subnormal, info.tiny * 0.75, info.tiny],
        "wild": [0, info.smallest_subnormal, info.max / 3, info.max, np.inf, np.nan],
    }[kind]
    numbers = rng.standard_normal(shape).astype(dtype)
    chosen = rng.choice(np.array(special, dtype), shape) * rng.choice(np.array([1, -1], dtype), shape)
    return np.asarray(np.where(rng.random(shape) < 0.1 * (kind != "plain"), chosen, numbers), dtype)


def data(rng: Rng, shape: tuple[int, ...], dtype: Any, axis: int = 1, kind: str = "calm") -> dict[str, Any]:
    """Draw arguments for every operation."""
    channels = shape[axis] if shape else 1
    return {
        "x": draw(rng, shape, dtype, kind),
        "grad": draw(rng, shape, dtype, kind),
        "weight": draw(rng, channels, dtype, kind),
        "negative_slope": float(draw(rng, (), dtype, kind)),
    }


KNOWN_SHAPES = ((1, 1, 300), (3, 2, 150), (150, 3, 1))  # one row; blocks that span rows; channels last


Known = list[tuple[dict[str, Any], dict[str, tuple[Array, ...]]]]  # arguments, and each operation's results


@reference.quiet  # whatever NumPy is told to raise or to warn of
def known_answers(dtype: np.dtype[Any]) -> Known:
    """Draw small examples of a type, and apply the specification to them."""
    rng = np.random.default_rng(1)
    cases = itertools.product(KNOWN_SHAPES, ("calm", "wild"))
    drawn = [data(rng, shape, dtype, kind=kind) for shape, kind in cases]
    return [(given, {name: op(reference, given) for name, op in OPERATIONS.items()}) for given in drawn]


@reference.quiet
def see_known_answers(kernels: Kernels, known: Known) -> None:
    """See that the kernels compute the examples to the last bit; a WrongAnswerError says where they do not."""
    for given, wanted in known:
        x, grad, weight, slope = given["x"], given["grad"], given["weight"], given["negative_slope"]
        out, dweight = np.empty_like(x), np.empty_like(weight)
        arguments = {
            "leaky_relu": (x, slope, out),
            "leaky_relu_backward": (grad, x, slope, out),
            "prelu": (x, weight, out),
            "prelu_backward": (grad, x, weight, out, dweight),
        }
        for name in OPERATIONS:
            getattr(kernels, name)(*arguments[name])
            if not all(map(same_bits, (out, dweight), wanted[name])):
                raise WrongAnswerError(f"its {name} gave wrong numbers for {x.dtype} in a known case")


@dataclass(frozen=True)
class Case:
    """One comparison: an operation on drawn arguments, in one memory layout."""

    operation: Operation
    given: dict[str, Any]
    wanted: tuple[Array, ...]

    def agrees(self, module: ModuleType) -> bool:
        """Does `module`, with the backend that it uses now, give the specification's bits?"""
        return all(map(same_bits, self.operation(module, self.given), self.wanted))


def cases() -> Iterator[Case]:
    """Every operation and type: all short lengths, block and chunk ends, short rows, channels first and last."""
    rng = np.random.default_rng(2)
    lengths = [*range(70), 127, 128, 129, 255, 257, 1000, 16383, 16384, 16385, 32769, 150_001]
    shapes: list[tuple[int, ...]] = [(1, 1, n) for n in lengths]
    shapes += [(2, 64, 7, 7), (3, 5, 14, 14), (1, 16, 52, 52), (17_000, 2, 9)]
    shapes += [(4, 3, 1), (300, 3, 1), (200, 70, 1), (40_000, 3, 1)]
    for shape, dtype, kind in itertools.product(shapes, ("f", "d"), ("calm", "wild")):
        given = data(rng, shape, dtype, kind=kind)
        channels_last = {name: _channels_last(given[name]) for name in ("x", "grad")}
        for operation in OPERATIONS.values():
            wanted = operation(reference, given)
            yield Case(operation, given, wanted)
            if len(shape) == len("NCHW"):
                yield Case(operation, {**given, **channels_last}, wanted)


def _channels_last(array: Array) -> Array:
    """An equal array whose axis 1 is the innermost in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


def said(different: int) -> str:
    """Say how many differ, for a console."""
    return f"[bold red]{different} DIFFER[/]" if different else "[green]identical[/]"
