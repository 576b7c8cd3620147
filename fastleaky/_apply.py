"""From any arguments to the backend: check them, choose a layout, delegate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastleaky import _arguments
from fastleaky._backends.choice import backend, ready
from fastleaky._layout import plan
from fastleaky._operations import OPERATIONS, Operation
from fastleaky._typing import Array, Backend


def apply(name: str, given: tuple[Any, ...], out: Any, axis: int = 1, more: Any = None) -> tuple[Array, ...]:
    """Apply an operation to its positional arguments, and one more input; always a tuple of results."""
    operation = OPERATIONS[name]
    if out is None and more is None and (results := _try_fast(operation, given, axis)):
        return results
    inputs, channel, numbers = _arguments.parse(operation, given, axis, more)
    count = len(operation.inputs)
    x, classes = inputs[count - 1], given[:count] if more is None else (*given[:count], more)
    out, *outs = _arguments.outputs(operation, out, x, channel)
    layout = plan(x.shape, x.strides, channel.varying, ordered=bool(outs))
    dense = [layout.dense(array) for array in inputs]
    target = layout.target(out, dense, channel.rows)
    sums = [np.empty_like(row) for row, _ in zip(channel.rows, outs, strict=False)]
    rows = channel.rows[: len(operation.channel)]
    operation.compute(backend(x.dtype), dense, (*rows, *numbers), (target, *sums))
    result = layout.result(target, out, *classes)
    return (result, *map(_arguments.shaped_like, sums, channel.given, outs))


def _try_fast(operation: Operation, given: tuple[Any, ...], axis: Any) -> tuple[Array, ...] | None:
    """Apply an operation, if its arguments need neither conversion nor a copy nor an error; else return None.

    The full checks take several microseconds.
    """
    count, end = len(operation.inputs), len(operation.inputs) + len(operation.channel)
    inputs, rows, x = given[:count], given[count:end], given[count - 1]
    found = None if operation.positive else regular(x)  # numbers of any sign need no check
    if not found or any(type(number) is not float for number in given[end:]):
        return None
    shape, dtype = x.shape, x.dtype
    for array in inputs[:-1]:
        if not regular(array) or array.dtype != dtype or array.shape != shape:
            return None
    out = target = np.empty(shape, dtype)
    if rows:
        if type(axis) is not int or not -len(shape) <= axis < len(shape):
            return None
        axis %= len(shape)
        for row in rows:
            if not regular(row) or row.dtype != dtype or row.shape != shape[axis : axis + 1]:
                return None
        canonical = (math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
        inputs, target = tuple([array.reshape(canonical) for array in inputs]), out.reshape(canonical)
    sums = [np.empty(row.shape, dtype) for row in rows] if len(operation.results) > 1 else ()
    operation.compute(found, inputs, given[count:], (target, *sums))
    return (out, *sums)


def regular(x: Any) -> Backend | None:
    """Return the backend, if `x` is an aligned array in C order of a type that it is ready for."""
    if type(x) is not np.ndarray or not x.ndim:
        return None
    flags = x.flags
    return ready(x.dtype) if flags.c_contiguous and flags.aligned else None
