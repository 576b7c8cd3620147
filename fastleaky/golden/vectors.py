"""Golden vectors: inputs and the specification's answers, for firmware and other implementations to be compared with.

The inputs are made of raw generator bits and arithmetic on exponents, so that no version of NumPy changes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._dtypes import limits
from fastleaky._operations import OPERATIONS, Operation
from fastleaky._typing import Array
from fastleaky.reference import rounded

try:
    from ml_dtypes import bfloat16
except ImportError as missing:
    raise ImportError(
        "golden vectors hold bfloat16, for which NumPy needs ml_dtypes: pip install fastleaky[bfloat16]"
    ) from missing

DTYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype("f4"),
    "f64": np.dtype("f8"),
    "f16": np.dtype("f2"),
    "bf16": np.dtype(bfloat16),
}
SLOPES = (0.01, 0.2, -0.3, 1e-30, 1e-40, 3.0, 0.0, -0.0, 1e38)

N_CALM, N_WILD = 139, 67  # elements before the inputs repeat

# What the arrays hold, and their shapes (outer, channels, inner): an element or a channel a slope, one slope; short
# rows, whole blocks, channels last; more than one chunk.
FORWARD = (("wild", (1, N_WILD, 1)), ("wild", (2, 10, 5)), ("wild", (10, 10, 1)))
BACKWARD = (
    *FORWARD,
    ("wild", (1, 1, N_WILD)),
    ("calm", (1, 1, 300)),
    ("calm", (19, 2, 7)),
    ("calm", (1, 2, 140)),
    ("calm", (135, 2, 1)),
    ("small", (20, 3, 1)),
    ("small", (1, 1, N_WILD)),
    ("cancel", (3, 2, 7)),
    ("cancel", (20, 3, 1)),
    ("calm", (1, 1, reference.CHUNK + 300)),
)


@dataclass(frozen=True)
class Vector:
    """One call: its arguments, arrays of shape (outer, channels, inner) and a slope a channel, and its results."""

    operation: Operation
    type: str  # a key of DTYPES
    given: dict[str, Any]  # its arguments by name
    wanted: dict[str, Array]  # its results by name
    period: int  # the inputs, in C order, repeat after so many elements

    def __str__(self) -> str:
        given, wanted = (", ".join(map(_named, values.items())) for values in (self.given, self.wanted))
        return f"{self.operation.name} {self.type}: {given} -> {wanted}"


def _named(item: tuple[str, Any]) -> str:
    name, value = item
    return f"{name} {'x'.join(map(str, value.shape)) if np.ndim(value) else value}"


@cache
def vectors() -> tuple[Vector, ...]:
    """Every operation, type, special value, slope, and way through the kernels."""
    return tuple(itertools.chain.from_iterable(itertools.starmap(_of_type, DTYPES.items())))


def _of_type(name: str, dtype: np.dtype[Any]) -> Iterator[Vector]:
    for exact in (*SLOPES, float(limits(dtype).tiny) / 3):
        slope = float(rounded(np.array(exact), dtype))  # a row of numbers holds it, too
        for operation in OPERATIONS.values():
            if not operation.channel:
                yield _vector(operation, name, "wild", (1, 1, N_WILD), dict.fromkeys(operation.numbers, slope))
    for operation in OPERATIONS.values():
        for kind, shape in (FORWARD, BACKWARD)[len(operation.results) > 1] if operation.channel else ():
            row = np.resize(rounded(np.array(SLOPES), dtype), shape[1])
            if shape == (1, N_WILD, 1):  # a slope an element: special ones too
                row = np.roll(pool(dtype, kind)[1], 11)
            given = {**dict.fromkeys(operation.channel, row), **dict.fromkeys(operation.numbers, SLOPES[1])}
            yield _vector(operation, name, kind, shape, given)


def _vector(operation: Operation, type_: str, kind: str, shape: tuple[int, ...], parameters: dict[str, Any]) -> Vector:
    x, grad = pool(DTYPES[type_], kind)
    arrays = {"x": np.resize(x, shape), "grad": np.resize(grad, shape)}
    given = {**{name: arrays[name] for name in operation.inputs}, **parameters}
    wanted = dict(zip(operation.results, operation(reference, given), strict=True))
    return Vector(operation, type_, given, wanted, min(x.size, arrays["x"].size))


@cache
def pool(dtype: np.dtype[Any], kind: str) -> tuple[Array, Array]:
    """Numbers for x and for the gradient: "calm"; "wild" with all special values; with tiny products, or tiny sums."""
    half = int(limits(dtype).minexp) // 2  # 2**half squared is the smallest normal number
    low, span = {"calm": (-4, 8), "wild": (-4, 8), "small": (half - 8, 16), "cancel": (half, 1)}[kind]
    n = N_CALM if kind == "calm" else N_WILD
    raw = np.random.PCG64(n + span).random_raw(4 * n).reshape(2, 2, n)
    mantissa = 1 + (raw[:, 0] >> np.uint64(12)) / 2.0**52
    sign = np.where(raw[:, 1] >> np.uint64(63), -1, 1)
    x, grad = rounded(np.ldexp(sign * mantissa, low + (raw[:, 1] % np.uint64(span)).astype(int)), dtype)
    if kind == "wild":
        special = specials(dtype)
        x[: special.size], grad[-special.size :] = special, special
    return x, grad


def specials(dtype: np.dtype[Any]) -> Array:
    """Zeros, subnormal and smallest normal numbers, what some slope makes them, largest, infinite, NaN; both signs."""
    info = limits(dtype)
    least, tiny = info.smallest_subnormal, info.tiny
    near_zero = [0, least, 3 * least, tiny / 3, tiny - least, tiny, tiny + least, 5 * tiny, 100 * tiny]
    positive = np.array([*near_zero, 1e-8, 1, 1 + info.eps, 100, info.max / 3, info.max, np.inf, np.nan]).astype(dtype)
    return np.concatenate([positive, -positive])
