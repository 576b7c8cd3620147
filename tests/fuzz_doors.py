"""How the fuzzer calls each door: what takes a case and gives NumPy arrays, and which errors are the door's own."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from fuzz_cases import ANYTHING, FLOATS, Case, chosen
from layouts import WRITABLE

import fastleaky
from fastleaky import reference

Results = tuple[Any, ...]  # None where the door does not promise the specification's bits


class Door(NamedTuple):
    """A door, once its framework is imported."""

    call: Callable[[Case, str], Results]
    errors: tuple[type[Exception], ...] = (TypeError, ValueError)
    takes: Callable[[Case], bool] = lambda case: case.right  # must there be results?
    variants: tuple[str, ...] = ("",)  # each case is called so often


def numpy_door() -> Door:
    """The public functions, with each backend."""

    def call(case: Case, backend: str) -> Results:
        with fastleaky.use(backend):
            return case.operation(fastleaky, case.given, **case.options, out=draw_out(case))

    for backend in fastleaky.backends():
        for dtype in FLOATS:
            with fastleaky.use(backend):  # Numba compiles for seconds, which are not the fuzzer's
                fastleaky.leaky_relu(np.ones(1, dtype))
    return Door(call, variants=tuple(fastleaky.backends()))


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
    return room if like.ndim > 2 or like.dtype.hasobject else WRITABLE[chosen(rng, list(WRITABLE))](room)


def dask_door() -> Door:
    """Arrays in random chunks."""
    import dask
    import dask.array as da

    from fastleaky import dask as door

    def lazy(rng: np.random.Generator, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return da.from_array(value, tuple(-(-n // int(rng.integers(1, 4))) for n in value.shape))

    def call(case: Case, _: str) -> Results:
        names = chosen(case.rng, [("grad", "x"), ("grad", "x", "weight")])
        given = case.given | {name: lazy(case.rng, case.given[name]) for name in names}
        outs = case.operation(door, given, **case.options)
        results = dask.compute(*outs, scheduler="synchronous")
        for out, result in zip(outs, results, strict=True):
            assert (out.shape, out.dtype) == (result.shape, result.dtype)
        whole = max(outs[0].numblocks, default=1) == 1 and outs[0].dtype.itemsize != reference.HALF
        return results if whole else (results[0], *(None for _ in results[1:]))

    return Door(call)


DOORS = {"numpy": numpy_door, "dask": dask_door}
