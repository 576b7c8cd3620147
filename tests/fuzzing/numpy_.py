"""The public functions, on every backend."""

from typing import Any

import numpy as np
from layouts import WRITABLE

import fastleaky
from fuzzing.cases import ANYTHING, FLOATS, Case, chosen
from fuzzing.door import Door, Results

MOST_LAID = 2  # dimensions of an output that is not just contiguous


def call(case: Case, backend: str) -> Results:
    """Call an operation, perhaps with outputs."""
    with fastleaky.use(backend):
        return case.operation(fastleaky, case.given, **case.options, out=draw_out(case))


def draw_out(case: Case) -> Any:
    """Draw outputs, or none, or, for a case that may be wrong, anything."""
    x, weight = case.given["x"], case.given["weight"]
    if not case.right and case.rng.random() < 0.1:
        return chosen(case.rng, ANYTHING)
    if case.rng.random() < 0.5 or not isinstance(x, np.ndarray):
        return None
    if case.rng.random() < 0.3 and x.flags.writeable:
        case.out = out = x
    else:
        out = empty(case.rng, x)
    if len(case.operation.results) == 1:
        return out
    return out, empty(case.rng, weight) if isinstance(weight, np.ndarray) and case.rng.random() < 0.5 else None


def empty(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    """Return an array to write to, in some layout."""
    room = np.zeros(like.shape, like.dtype)
    return room if like.ndim > MOST_LAID or like.dtype.hasobject else WRITABLE[chosen(rng, list(WRITABLE))](room)


for backend in fastleaky.backends():
    for dtype in FLOATS:
        with fastleaky.use(backend):  # Numba compiles for seconds, which are not the fuzzer's
            fastleaky.leaky_relu(np.ones(1, dtype))
DOOR = Door(call, variants=tuple(fastleaky.backends()))
