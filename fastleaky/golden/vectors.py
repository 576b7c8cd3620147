"""The golden vectors: inputs and specified results.

The inputs are made of raw generator bits and exponents, so that no version of NumPy changes them.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._dtypes import limits
from fastleaky._operations import LEAKY, OPERATIONS, TYPES, Operation
from fastleaky._typing import Array
from fastleaky.reference import rounded

try:
    from ml_dtypes import bfloat16
except ImportError as missing:
    raise ImportError(
        "golden vectors hold bfloat16, for which NumPy needs ml_dtypes: pip install fastleaky[bfloat16]"
    ) from missing

DTYPES = dict(zip(TYPES, map(np.dtype, ("f4", "f8", "f2", bfloat16)), strict=True))
SLOPES = (0.01, 0.2, -0.3, 1e-30, 1e-40, 3.0, 0.0, -0.0, 1e38)
NUMBERS = {"negative_slope": 0.25, "gain": 1.5, "clamp": 2.0}  # exact in each type

N_FINITE, N_SPECIAL = 139, 67  # elements before the inputs repeat

# The kind of data and the shape (outer, channels, inner): a slope for each element, for each channel, one slope; short
# rows, whole blocks, channels last, more than one chunk.
FORWARD = (("special", (1, N_SPECIAL, 1)), ("special", (2, 10, 5)), ("special", (10, 10, 1)))
BACKWARD = (
    *FORWARD,
    ("special", (1, 1, N_SPECIAL)),
    ("finite", (1, 1, 300)),
    ("finite", (19, 2, 7)),
    ("finite", (1, 2, 140)),
    ("finite", (135, 2, 1)),
    ("small", (20, 3, 1)),
    ("small", (1, 1, N_SPECIAL)),
    ("cancel", (3, 2, 7)),
    ("cancel", (20, 3, 1)),
    ("finite", (1, 1, reference.CHUNK + 300)),
)
# The same for fused operations, of which there are many.
FUSED_FORWARD = FORWARD[:2]
FUSED_BACKWARD = (*FUSED_FORWARD, ("special", (1, 1, N_SPECIAL)), ("finite", (19, 2, 7)), ("finite", (135, 2, 1)))


@dataclass(frozen=True)
class Vector:
    """One call: arrays of shape (outer, channels, inner), parameters, and results."""

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
    """Return vectors for every operation, type, special value, slope and code path."""
    return tuple(itertools.chain.from_iterable(itertools.starmap(_of_type, DTYPES.items())))


def _of_type(name: str, dtype: np.dtype[Any]) -> Iterator[Vector]:
    for exact in (*SLOPES, float(limits(dtype).tiny) / 3):
        slope = float(rounded(np.array(exact), dtype))  # exact in this type
        for operation in OPERATIONS.values():
            if not operation.has_channels:
                numbers = dict.fromkeys(operation.numbers, slope)
                yield _vector(operation, name, ("special", (1, 1, N_SPECIAL)), numbers, more=False)
    for operation in OPERATIONS.values():
        for kind, shape in _cases(operation) if operation.has_channels else ():
            row = np.resize(rounded(np.array(SLOPES), dtype), shape[1])
            if shape == (1, N_SPECIAL, 1):  # a slope for each element: special values too
                row = np.roll(pool(dtype, kind)[1], 11)
            rows = {name: np.roll(row, -i) for i, name in enumerate(operation.channel)}
            given = rows | {name: NUMBERS[name] for name in operation.numbers}
            for more in (False, True)[: 1 + bool(operation.more)]:
                yield _vector(operation, name, (kind, shape), given, more=more)


def _cases(operation: Operation) -> Sequence[tuple[str, tuple[int, int, int]]]:
    fused, backward = operation.formula != LEAKY, len(operation.results) > 1
    return ((FORWARD, BACKWARD), (FUSED_FORWARD, FUSED_BACKWARD))[fused][backward]


def _vector(
    operation: Operation, type_: str, case: tuple[str, tuple[int, ...]], parameters: dict[str, Any], *, more: bool
) -> Vector:
    kind, shape = case
    x, grad = (np.resize(numbers, shape) for numbers in pool(DTYPES[type_], kind))
    inputs = dict(zip(reversed(operation.inputs), (x, grad), strict=False))
    given = inputs | ({operation.more: grad} if more else {}) | parameters
    wanted = dict(zip(operation.results, operation(reference, given), strict=True))
    return Vector(operation, type_, given, wanted, min(len(pool(DTYPES[type_], kind)[0]), x.size))


@cache
def pool(dtype: np.dtype[Any], kind: str) -> tuple[Array, Array]:
    """Return x and grad: finite, with special values, with subnormal products ("small") or sums ("cancel")."""
    root = int(limits(dtype).minexp) // 2  # 2**root squared is the smallest normal number
    low, span = {"finite": (-4, 8), "special": (-4, 8), "small": (root - 8, 16), "cancel": (root, 1)}[kind]
    n = N_FINITE if kind == "finite" else N_SPECIAL
    raw = np.random.PCG64(n + span).random_raw(4 * n).reshape(2, 2, n)
    mantissa = 1 + (raw[:, 0] >> np.uint64(12)) / 2.0**52
    sign = np.where(raw[:, 1] >> np.uint64(63), -1, 1)
    x, grad = rounded(np.ldexp(sign * mantissa, low + (raw[:, 1] % np.uint64(span)).astype(int)), dtype)
    if kind == "special":
        special = specials(dtype)
        x[: special.size], grad[-special.size :] = special, special
    return x, grad


def specials(dtype: np.dtype[Any]) -> Array:
    """Return zeros, subnormals, numbers that slopes make subnormal, the largest, infinity and NaN, of both signs."""
    info = limits(dtype)
    least, tiny = info.smallest_subnormal, info.tiny
    near_zero = [0, least, 3 * least, tiny / 3, tiny - least, tiny, tiny + least, 5 * tiny, 100 * tiny]
    positive = np.array([*near_zero, 1e-8, 1, 1 + info.eps, 100, info.max / 3, info.max, np.inf, np.nan]).astype(dtype)
    return np.concatenate([positive, -positive])
