"""Arrays of (outer, channels, inner) in pieces that fit a cache, for the NumPy backend."""

from collections.abc import Iterator

import numpy as np

from fastleaky._typing import Array

PIECE = 1 << 18  # elements: with fewer, calls of some microseconds dominate; more do not fit a cache of 4 MB
RUN = 512  # elements that are contiguous in a piece, if possible: each run costs a pass 10 ns


def pieces(
    shape: tuple[int, ...], row: Array, piece: int = PIECE
) -> Iterator[tuple[tuple[slice, slice, slice], Array]]:
    """Yield the index of each piece, and its part of ``row``, which has a value for each channel.

    The elements of each channel come in order.
    """
    outer, channels, inner = shape
    if not outer * channels * inner:
        return
    width = min(inner, piece)
    together = min(channels, max(1, max(RUN, piece // outer) // inner))
    rows = min(outer, max(1, piece // (together * width)))
    for c in range(0, channels, together):
        group = slice(c, c + together)
        wide = row[group].reshape(1, -1, 1)
        if inner < RUN and wide.size > 1:  # else NumPy loops over runs of `inner` elements
            wide = np.repeat(np.repeat(wide, inner, axis=2), rows, axis=0)
        for o in range(0, outer, rows):
            for i in range(0, inner, width):
                yield (slice(o, o + rows), group, slice(i, i + width)), wide[: outer - o]
