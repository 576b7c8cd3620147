"""The quantized operations in NumPy: tables of all numbers where there can be such, and pieces that fit a cache."""

from typing import Any

import numpy as np

from fastleaky._numpy import PIECE, _walk
from fastleaky._typing import Array
from fastleaky.quantized import reference

PIECE_OF_INT64 = 1 << 15  # elements: several arrays of them fit a cache, and are not given back to the system each time


def every(dtype: np.dtype[Any]) -> Array:
    """Each number of a type, in the order of its bits."""
    return np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype)


def look_up(q: Array, table: Array, out: Array) -> None:
    """Write for each number what a table of all numbers has for it."""
    q, out = q.reshape(-1).view(f"u{q.itemsize}"), out.reshape(-1)
    if q.itemsize == 1 and q.size >= PIECE:  # then a table for two at a time, which takes 0.1 ms, pays
        even = q.size // 2 * 2
        look_up(q[even:], table, out[even:])
        q, out = q[:even].view(np.uint16), out[:even].view(np.uint16)
        table = table.take(every(q.dtype).view(np.uint8)).view(np.uint16)
    for start in range(0, q.size, PIECE):
        here = slice(start, start + PIECE)
        table.take(q[here], out=out[here], mode="clip")


def look_up_rows(q: Array, tables: Array, rows: Array, out: Array) -> None:
    """The same with the table that belongs to the channel: `rows` says which."""
    table, starts = tables.reshape(-1), rows.astype(np.uint16) * tables.shape[1]
    for here, start in _walk(q.shape, starts):
        table.take(q[here].view(np.uint8) + start, out=out[here], mode="clip")


def prelu(q: Array, slope: Array, above: Array, factor: np.float32, rounding: str, out: Array) -> None:
    """Write PReLU of numbers whose zero points are 0, given a table of what is positive, which is 0 elsewhere.

    Nothing is chosen, since on random signs that takes longer than all the rest: one of two terms is 0.
    """
    info = np.iinfo(q.dtype)
    for here, row in _walk(q.shape, slope, PIECE_OF_INT64):
        below = reference.rescale(np.minimum(q[here], 0) * row, factor, rounding)
        out[here] = np.clip(below, info.min, info.max) + above.take(q[here].view(np.uint16), mode="clip")
