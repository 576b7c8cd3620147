"""Arguments and the specification's results for them, computed once a process: they take longer than what is tested."""

import copy
import functools
import itertools
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._backends.selftest import data, draw
from fastleaky._operations import OPERATIONS
from fastleaky.cli import check

Shape = tuple[int, ...]

every_case = functools.cache(lambda: tuple(check.cases()))  # of ``python -m fastleaky check``


def example(
    shape: Shape, dtype: Any = "float32", kind: str = "finite", weight_shape: Shape | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fresh copies of the arguments; and the results of each operation, which are read-only."""
    given, wanted = _example(shape, dtype, kind, weight_shape)
    return {name: copy.copy(value) for name, value in given.items()}, wanted


@functools.cache
def _example(shape: Shape, dtype: Any, kind: str, weight_shape: Shape | None) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(0)
    given = data(rng, shape, dtype, axis=min(1, len(shape) - 1), kind=kind)
    if weight_shape is not None:
        given["weight"] = draw(rng, weight_shape, dtype, kind)
    wanted = {name: operation(reference, given) for name, operation in OPERATIONS.items()}
    for array in itertools.chain(*wanted.values()):
        array.flags.writeable = False
    return given, wanted
