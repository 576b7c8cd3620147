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
    operation = case.operation
    x = case.given[operation.inputs[-1]]
    parameter = case.given[operation.channel[0]] if operation.channel else None
    if not case.right and case.rng.random() < 0.1:
        return chosen(case.rng, ANYTHING)
    if case.rng.random() < 0.5 or not isinstance(x, np.ndarray):
        return None
    if case.rng.random() < 0.3 and x.flags.writeable:
        case.out = out = x
    else:
        out = empty(case.rng, x)
    if len(operation.results) == 1:
        return out
    return out, empty(case.rng, parameter) if isinstance(parameter, np.ndarray) and case.rng.random() < 0.5 else None


def empty(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    """Return an array to write to, in some layout."""
    room = np.zeros(like.shape, like.dtype)
    return room if like.ndim > MOST_LAID or like.dtype.hasobject else WRITABLE[chosen(rng, list(WRITABLE))](room)


for backend in fastleaky.backends():
    for dtype in FLOATS:
        with fastleaky.use(backend):  # Numba compiles for seconds, which are not the fuzzer's
            fastleaky.leaky_relu(np.ones(1, dtype))
DOOR = Door(call, variants=tuple(fastleaky.backends()), operations=OPERATIONS)
