"""The quantized operations in NumPy: numbers of 8 bits are looked up, 16 bits are computed as specified, in pieces."""

from typing import Any

import numpy as np

from fastleaky._numpy import _walk
from fastleaky._typing import Array
from fastleaky.quantized import reference


def every(dtype: np.dtype[Any]) -> Array:
    """Each number of a type, in the order of its bits."""
    return np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype)


def look_up(q: Array, table: Array, out: Array) -> None:
    """Write for each number what a table of all numbers has for it."""
    table.take(q.view(f"u{q.itemsize}"), out=out, mode="clip")


def look_up_rows(q: Array, tables: Array, rows: Array, out: Array) -> None:
    """The same with the table that belongs to the channel: `rows` says which."""
    table, starts = tables.reshape(-1), rows.astype(np.uint16) * tables.shape[1]
    for here, start in _walk(q.shape, starts):
        table.take(q[here].view(np.uint8) + start, out=out[here], mode="clip")


def prelu(q: Array, weight: Array, parameters: dict[str, Any], out: Array) -> None:
    """Write what is specified."""
    for here, slope in _walk(q.shape, weight):
        out[here] = reference.prelu(q[here], slope, **parameters)
