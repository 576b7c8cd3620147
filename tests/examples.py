"""Arguments and the specification's results for them, computed once a process: they take longer than what is tested."""

import copy
import functools
import itertools
from typing import Any

import numpy as np

from fastleaky import reference
from fastleaky._backends.selftest import data, draw
from fastleaky._operations import OPERATIONS, Operation
from fastleaky.cli import check

Shape = tuple[int, ...]


def without(operation: Operation) -> Operation:
    """The operation, called without what may be left out."""
    numbers = tuple(name for name in operation.numbers if name not in operation.optional)
    return operation._replace(more="", numbers=numbers)


VARIANTS = dict(OPERATIONS) | {
    f"{name} without {operation.more or operation.optional[0]}": without(operation)
    for name, operation in OPERATIONS.items()
    if operation.more or operation.optional
}


def has_results(operation: Operation, shape: Shape) -> bool:
    """Has it any for an array of this shape? Channels that no parameter tells lie along axis 1."""
    return operation.channel != () or len(operation.results) == 1 or len(shape) > 1


def arrays_of(operation: Operation) -> tuple[str, ...]:
    """The names of the arguments that have the shape of x."""
    return (*operation.inputs, *([operation.more] if operation.more else []))


every_case = functools.cache(lambda: tuple(check.cases()))  # of ``python -m fastleaky check``


def example(
    shape: Shape, dtype: Any = "float32", kind: str = "finite", weight_shape: Shape | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fresh copies of the arguments; and the results of each variant that has any, which are read-only.

    All channel parameters have the shape of the weight, if that is given.
    """
    given, wanted = _example(shape, dtype, kind, weight_shape)
    return {name: copy.copy(value) for name, value in given.items()}, wanted


@functools.cache
def _example(shape: Shape, dtype: Any, kind: str, weight_shape: Shape | None) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(0)
    given = data(rng, shape, dtype, axis=min(1, len(shape) - 1), kind=kind)
    if weight_shape is not None:
        names = {name for operation in OPERATIONS.values() for name in operation.channel}
        given |= {name: draw(rng, weight_shape, dtype, kind) for name in sorted(names)}
    wanted = {variant: variant(reference, given) for variant in VARIANTS.values() if has_results(variant, shape)}
    for array in itertools.chain(*wanted.values()):
        array.flags.writeable = False
    return given, wanted
