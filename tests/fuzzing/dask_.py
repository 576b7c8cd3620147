"""The door to Dask: arrays in random chunks."""

from typing import Any

import dask
import dask.array as da
import numpy as np

import fastleaky.dask
from fastleaky.reference import HALF
from fuzzing.cases import Case, chosen
from fuzzing.door import Door, Results


def call(case: Case, _: str) -> Results:
    """Compute an operation. The sums of chunks are compared only if there is one; of 16 bits they are rounded twice."""
    names = chosen(case.rng, [("grad", "x"), ("grad", "x", "weight")])
    given = case.given | {name: lazy(case.rng, case.given[name]) for name in names}
    outs = case.operation(fastleaky.dask, given, **case.options)
    results = dask.compute(*outs, scheduler="synchronous")
    for out, result in zip(outs, results, strict=True):
        assert (out.shape, out.dtype) == (result.shape, result.dtype)
    whole = max(outs[0].numblocks, default=1) == 1 and outs[0].dtype.itemsize != HALF
    return results if whole else (results[0], *(None for _ in results[1:]))


def lazy(rng: np.random.Generator, value: Any) -> Any:
    """Return an array in up to three chunks along each axis, and anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return da.from_array(value, tuple(-(-n // int(rng.integers(1, 4))) for n in value.shape))


DOOR = Door(call)
