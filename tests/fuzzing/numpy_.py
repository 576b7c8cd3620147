"""The public functions, on every backend."""

from typing import Any

import numpy as np
from layouts import WRITABLE

import fastleaky
from fastleaky._operations import OPERATIONS
from fuzzing.cases import ANYTHING, FLOATS, Case, chosen
from fuzzing.door import Door, Results

MOST_LAID = 2  # dimensions of an output that is not just contiguous


def call(case: Case, backend: str) -> Results:
    """Call an operation, perhaps with outputs."""
    with fastleaky.use(backend):
        return case.operation(fastleaky, case.given, **case.options, out=draw_out(case))


def draw_out(case: Case) -> Any:
    """Draw outputs, or none, or, for a case that may be wrong, anything."""
    rng, operation, x = case.rng, case.operation, case.given[case.operation.inputs[-1]]
    if not case.right and rng.random() < 0.1:
        return chosen(rng, ANYTHING)
    if rng.random() < 0.5 or not isinstance(x, np.ndarray):
        return None
    inputs = [case.given[name] for name in (*operation.inputs, operation.more) if name]
    in_place = [value for value in inputs if may_be_written(value, x)]
    if in_place and rng.random() < 0.3:
        case.out = out = chosen(rng, in_place)
    else:
        out = empty(rng, x)
    if len(operation.results) == 1:
        return out
    like = case.given[operation.channel[0]] if operation.channel else np.empty(channels(case, x), x.dtype)
    return out, empty(rng, like) if isinstance(like, np.ndarray) and rng.random() < 0.5 else None


def may_be_written(value: Any, x: np.ndarray) -> bool:
    """Is it an array that may be the output for x?"""
    return isinstance(value, np.ndarray) and (value.dtype, value.shape) == (x.dtype, x.shape) and value.flags.writeable


def channels(case: Case, x: np.ndarray) -> int:
    """Return the number of channels; for an axis that is wrong, any."""
    valid = type(case.axis) is int and -x.ndim <= case.axis < x.ndim
    return int(x.shape[case.axis]) if valid else 1


def empty(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    """Return an array to write to, in some layout."""
    room = np.zeros(like.shape, like.dtype)
    return room if like.ndim > MOST_LAID or like.dtype.hasobject else WRITABLE[chosen(rng, list(WRITABLE))](room)


for backend in fastleaky.backends():
    for dtype in FLOATS:
        with fastleaky.use(backend):  # Numba compiles for seconds, which are not the fuzzer's
            fastleaky.leaky_relu(np.ones(1, dtype))
DOOR = Door(call, variants=tuple(fastleaky.backends()), operations=OPERATIONS)
