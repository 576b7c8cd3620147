"""The slope gradient in the Numba backend: dx, and the ordered sum of the terms x > 0 ? 0 : grad * x."""

from typing import Any

import numpy as np

from fastleaky._backends.numba_elementwise import LONG, Nontemporal, prefetch_inputs, repeated, write
from fastleaky._backends.numba_intrinsics import (
    Kernel,
    add,
    fence,
    jit,
    load,
    mul,
    opaque,
    reduce_add,
    select,
    splat,
    store,
    zero,
)
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES

TILE = 1024  # channels of a tile where channels are last: with 64, half as fast
TOGETHER = 64  # channels that are interleaved by rows: one by one, half as fast


@jit
def _term(grad: Array, x: Array, slope: Any, dx: Array, at: int) -> Any:
    g, here = load(grad, at, slope), load(x, at, slope)
    store(dx, at, select(here, g, mul(slope, g)))
    return select(here, zero(slope), mul(g, here))


@jit
def _block(grad: Array, x: Array, slopes: Any, dx: Array, at: int, nontemporal: Nontemporal) -> Any:
    """Sum a block within one row; its terms stay in registers."""
    lanes = zero(slopes)
    for i in range(at, at + opaque(BLOCK), LANES):
        prefetch_inputs(grad, x, i, nontemporal)
        g, here = load(grad, i, slopes), load(x, i, slopes)
        lanes = add(lanes, select(here, zero(slopes), mul(g, here)))
        write(dx, i, select(here, g, mul(slopes, g)), nontemporal)
    return reduce_add(lanes)


@jit
def _sum_block(terms: Array, like: Any) -> Any:
    """Sum a block of terms."""
    lanes = zero(like)
    for i in range(0, BLOCK, LANES):
        lanes = add(lanes, load(terms, i, like))
    return reduce_add(lanes)


@jit
def _row(
    arrays: tuple[Array, Array, Array, Array],
    c: int,
    span: tuple[int, int],
    terms: Array,
    before: tuple[int, float],
    nontemporal: Nontemporal,
) -> float:
    """Process terms of channel c in one row, `before` which a block had so many terms and the chunk such a sum."""
    grad, x, weight, dx = arrays
    have, total = before
    slope = weight[c]
    slopes = splat(slope)
    at, end = span
    while at < end:
        run = min(end - at, BLOCK - have)
        if run == BLOCK:
            total += _block(grad, x, slopes, dx, at, nontemporal)
        else:
            j = 0
            while j + LANES <= run:
                store(terms, have + j, _term(grad, x, slopes, dx, at + j))
                j += LANES
            while j < run:
                store(terms, have + j, _term(grad, x, slope, dx, at + j))
                j += 1
            have += run
            if have == BLOCK:
                total += _sum_block(terms, slopes)
                have = 0
        at += run
    return total


@jit
def _chunk(
    arrays: tuple[Array, Array, Array, Array],
    tile: tuple[int, int],
    span: tuple[int, int],
    sums: Array,
    nontemporal: Nontemporal,
) -> None:
    """Process a span of terms, at most a chunk, of a tile of channels, interleaved by rows."""
    x = arrays[1]
    _, channels, inner = x.shape
    first, last = tile
    start, stop = span
    terms, have = np.empty((last - first, BLOCK), x.dtype), 0  # of a block that spans rows
    sums[first:last] = 0
    o, i = start // inner, start % inner
    while start < stop:
        run = min(inner - i, stop - start)
        for c in range(first, last):
            at = (o * channels + c) * inner + i
            sums[c] = _row(arrays, c, (at, at + run), terms[c - first], (have, sums[c]), nontemporal)
        have = (have + run) % BLOCK
        start += run
        o, i = o + 1, 0
    if have:
        for c in range(first, last):
            terms[c - first, have:BLOCK] = 0
            sums[c] += _sum_block(terms[c - first], splat(arrays[2][c]))


@jit
def _add_chunks(sums: Array, dslope: Array) -> None:
    """Add the chunk sums of each channel in order."""
    for c in range(dslope.size):
        total = 0.0
        for chunk in range(sums.shape[0]):
            total += sums[chunk, c]
        dslope[c] = total


@jit
def _terms_per_channel(
    arrays: tuple[Array, Array, Array, Array], lanes: Array, span: tuple[int, int, int, int]
) -> None:
    """Add the terms from `at` to `end`, with slopes from `c` on, to the lanes from `lane` on."""
    grad, x, slope, dx = arrays
    at, end, c, lane = span
    one = slope[0]
    many = splat(one)
    c, lane = c - at, lane - at
    while at + LANES <= end:
        term = _term(grad, x, load(slope, c + at, many), dx, at)
        store(lanes, lane + at, add(load(lanes, lane + at, many), term))
        at += LANES
    while at < end:
        lanes[lane + at] += _term(grad, x, slope[c + at], dx, at)
        at += 1


@jit
def _reduce_per_channel(lanes: Array, width: int) -> None:
    """Reduce lanes of ``width`` channels each: the upper half to the lower half, until one is left."""
    half = LANES * width // 2
    one = lanes[0]
    many = splat(one)
    while half >= width:
        i = 0
        while i + LANES <= half:
            store(lanes, i, add(load(lanes, i, many), load(lanes, half + i, many)))
            i += LANES
        while i < half:
            lanes[i] += lanes[half + i]
            i += 1
        half //= 2


@jit
def _block_per_channel(
    arrays: tuple[Array, Array, Array, Array], start: int, tile: tuple[int, int], lanes: Array, sums: Array
) -> None:
    """Process a block of rows, from row `start` on, for a tile of channels, and write the sum of each."""
    outer, channels, _ = arrays[1].shape
    first, last = tile
    stop, width = min(outer, start + BLOCK), last - first
    lanes[:] = 0
    rows = LANES if arrays[2].size > channels else 1  # joined to one long row
    for row in range(start, stop, rows):
        at, end = row * channels + first, (min(stop, row + rows) - 1) * channels + last
        _terms_per_channel(arrays, lanes, (at, end, first, (row - start) % LANES * width))
    _reduce_per_channel(lanes, width)
    for i in range(width):
        sums[first + i] = lanes[i]


def make_backward_rows(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def backward_rows(grad: Array, x: Array, slope: Array, dx: Array, dslope: Array) -> None:
        outer, channels, inner = x.shape
        n = outer * inner
        chunks = (n + CHUNK - 1) // CHUNK
        sums = np.empty((chunks, channels))
        width = max(1, min(TOGETHER if outer > 1 else 1, channels * chunks // 4))
        tiles = (channels + width - 1) // width
        for task in loop(tiles * chunks):
            first, chunk = task // chunks * width, task % chunks
            tile, span = (first, min(channels, first + width)), (chunk * CHUNK, min(n, (chunk + 1) * CHUNK))
            _chunk((grad, x, slope, dx), tile, span, sums[chunk], nontemporal)
            if nontemporal is not None:
                fence()
        _add_chunks(sums, dslope)

    return backward_rows


def make_backward_columns(loop: Any, _: Any) -> Kernel:
    def backward_columns(grad: Array, x: Array, weight: Array, dx: Array, dslope: Array) -> None:
        outer, channels, _ = x.shape
        slope = repeated(weight, LANES if channels * LANES <= LONG else 1)
        count, tiles = (outer + BLOCK - 1) // BLOCK, (channels + TILE - 1) // TILE
        blocks = np.empty((count, channels), x.dtype)
        together = max(1, CHUNK // (BLOCK * channels))
        for task in loop((count + together - 1) // together):
            lanes = np.empty(LANES * min(TILE, channels), x.dtype)
            for block in range(task * together, min(count, (task + 1) * together)):
                for tile in range(tiles):
                    some = tile * TILE, min(channels, tile * TILE + TILE)
                    _block_per_channel((grad, x, slope, dx), block * BLOCK, some, lanes, blocks[block])
        sums = np.zeros(((outer + CHUNK - 1) // CHUNK, channels))
        for block in range(count):
            for c in range(channels):
                sums[block * BLOCK // CHUNK, c] += blocks[block, c]
        _add_chunks(sums, dslope)

    return backward_columns
