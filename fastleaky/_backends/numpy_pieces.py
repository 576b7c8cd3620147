"""Arrays of (outer, channels, inner) in pieces that fit a cache, for the NumPy backend."""

from collections.abc import Iterator

import numpy as np

from fastleaky._typing import Array

PIECE = 1 << 18  # elements: with fewer the calls cost more, some microseconds each; more would leave a cache of 4 MB
RUN = 512  # elements that lie together in a piece, if that can be: each run costs a pass 10 ns more


def pieces(
    shape: tuple[int, ...], row: Array, piece: int = PIECE
) -> Iterator[tuple[tuple[slice, slice, slice], Array]]:
    """Go through an array, some channels at a time, each channel's elements in order.

    For each piece come its place and what belongs to it of ``row``, which has something for each channel.
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
        if inner < RUN and wide.size > 1:  # else NumPy would go through a piece in runs of `inner`
            wide = np.repeat(np.repeat(wide, inner, axis=2), rows, axis=0)
        for o in range(0, outer, rows):
            for i in range(0, inner, width):
                yield (slice(o, o + rows), group, slice(i, i + width)), wide[: outer - o]
