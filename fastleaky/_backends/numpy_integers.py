"""The quantized operations of the NumPy backend: mostly look-ups in tables of all numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastleaky._backends.numpy_pieces import PIECE, pieces
from fastleaky._typing import Array

if TYPE_CHECKING:
    from fastleaky.quantized._layer import Layer

PIECE_OF_INT64 = 1 << 15  # elements: several such arrays fit a cache, and malloc keeps their memory


def look_up(q: Array, table: Array, out: Array) -> None:
    """Write the entry of each number in a table of all numbers."""
    q, out = q.reshape(-1).view(f"u{q.itemsize}"), out.reshape(-1)
    if q.itemsize == 1 and q.size >= PIECE:  # then a table of pairs, which takes 0.1 ms, pays
        even = q.size // 2 * 2
        look_up(q[even:], table, out[even:])
        q, out = q[:even].view(np.uint16), out[:even].view(np.uint16)
        table = table.take(np.arange(1 << 16, dtype=np.uint16).view(np.uint8)).view(np.uint16)
    for start in range(0, q.size, PIECE):
        here = slice(start, start + PIECE)
        table.take(q[here], out=out[here], mode="clip")


def look_up_rows(q: Array, tables: Array, rows: Array, out: Array) -> None:
    """Write the same with a table for each channel: `rows` are their indices."""
    table, starts = tables.reshape(-1), rows.astype(np.uint16) * tables.shape[1]
    for here, start in pieces(q.shape, starts):
        table.take(q[here].view(np.uint8) + start, out=out[here], mode="clip")


def integers(layer: Layer, q: Array, out: Array) -> None:
    """Write what a quantized layer gives."""
    if layer.weight is None:
        look_up(q, layer.table, out)
    elif q.itemsize > 1:
        _prelu_of_int16(layer, layer.weight, q, out)
    elif layer.weight.size == 1:
        look_up(q, layer.tables[0], out)
    else:
        look_up_rows(q, layer.tables, layer.slopes[1], out)


def _prelu_of_int16(layer: Layer, weight: Array, q: Array, out: Array) -> None:
    """Add the results for positive numbers, from a table, and for others: one of the two is 0.

    A selection would take longer than all the rest on random signs. The zero points of the data are 0.
    """
    info = np.iinfo(q.dtype)
    slopes = weight.reshape(-1).astype(np.int64) - layer.parameters["weight_zero_point"]
    for here, row in pieces(q.shape, slopes, PIECE_OF_INT64):
        below = layer.requantize_negative(np.minimum(q[here], 0) * row)
        out[here] = np.clip(below, info.min, info.max) + layer.tables[0].take(q[here].view(np.uint16), mode="clip")
