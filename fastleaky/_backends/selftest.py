"""The self-test of a backend at its first use, and the random arrays for it and for the tests."""

from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._dtypes import limits
from fastleaky._operations import OPERATIONS
from fastleaky._typing import Array, Backend, WrongAnswerError

Rng = np.random.Generator


@reference.quiet
def same_bits(a: Array, b: Array) -> bool:
    """Are two arrays equal to the last bit, where any NaN equals any NaN?"""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    bits = f"u{a.dtype.itemsize}"
    equal = np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(bits)
    return bool(np.all(equal | (np.isnan(a) & np.isnan(b)).reshape(equal.shape)))


def draw(rng: Rng, shape: tuple[int, ...] | int, dtype: Any, kind: str = "finite") -> Array:
    """Draw numbers of random sign.

    "normal": normally distributed. "finite": one in ten is zero or subnormal, and sums stay finite. "special": one in
    ten is huge, infinite or NaN, and most sums are NaN.
    """
    info = limits(dtype)
    special = {
        "normal": [1],
        "finite": [0, info.smallest_subnormal, info.tiny * 0.75, info.tiny],
        "special": [0, info.smallest_subnormal, info.max / 3, info.max, np.inf, np.nan],
    }[kind]
    numbers = rng.standard_normal(shape).astype(dtype)
    chosen = rng.choice(np.array(special, dtype), shape) * rng.choice(np.array([1, -1], dtype), shape)
    return np.asarray(np.where(rng.random(shape) < 0.1 * (kind != "normal"), chosen, numbers), dtype)


def data(rng: Rng, shape: tuple[int, ...], dtype: Any, axis: int = 1, kind: str = "finite") -> dict[str, Any]:
    """Draw arguments for every operation."""
    table = OPERATIONS.values()
    arrays = dict.fromkeys(name for operation in table for name in reversed(operation.inputs))
    more = dict.fromkeys(operation.more for operation in table if operation.more)
    channel = dict.fromkeys(name for operation in table for name in operation.channel)
    numbers = dict.fromkeys(name for operation in table for name in operation.numbers)
    channels = shape[axis] if shape else 1
    return {
        **{name: draw(rng, shape, dtype, kind) for name in (*arrays, *more)},
        **{name: draw(rng, channels, dtype, kind) for name in channel},
        **{name: float(draw(rng, (), dtype, kind)) for name in numbers},
    }


def without_optional(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with None for all that may be None."""
    table = OPERATIONS.values()
    return given | {name: None for operation in table for name in (operation.more, *operation.optional) if name}


KNOWN_SHAPES = ((1, 1, 300), (3, 2, 150), (150, 3, 1))  # one row; blocks that span rows; channels last


Known = list[tuple[dict[str, Any], dict[str, tuple[Array, ...]]]]  # arguments, and each operation's results


@reference.quiet  # the caller may have asked NumPy to raise errors
def known_answers(dtype: np.dtype[Any]) -> Known:
    """Draw small examples of a type, and apply the specification to them; every other one without what may be None."""
    rng = np.random.default_rng(1)
    drawn = []
    for i, shape in enumerate(KNOWN_SHAPES):
        cases = [data(rng, shape, dtype, kind=kind) for kind in ("finite", "special")]
        cases[i % 2] = without_optional(cases[i % 2])
        drawn += cases
    return [(given, {name: op(reference, given) for name, op in OPERATIONS.items()}) for given in drawn]


@reference.quiet
def see_known_answers(backend: Backend, known: Known) -> None:
    """Raise a WrongAnswerError unless a backend computes the examples to the last bit."""
    for drawn, wanted in known:
        for name, operation in OPERATIONS.items():
            given = operation.suited(drawn)
            inputs, parameters = ([given[key] for key in keys] for keys in (operation.inputs, operation.parameters))
            if operation.more and given[operation.more] is not None:
                inputs.append(given[operation.more])
            outs = [np.empty_like(array) for array in wanted[name]]
            operation.compute(backend, inputs, parameters, outs)
            if not all(map(same_bits, outs, wanted[name])):
                raise WrongAnswerError(f"its {name} gave wrong numbers for {inputs[-1].dtype} in a known case")
