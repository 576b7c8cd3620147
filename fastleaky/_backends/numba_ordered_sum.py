"""The ordered sums of the Numba backend: dx, and the sums of the terms that come with it."""

from typing import Any

import numpy as np
from numba.extending import register_jitable

from fastleaky._backends.numba_elementwise import (
    LONG,
    Nontemporal,
    Numbers,
    Rows,
    prefetch_inputs,
    repeated,
    write,
)
from fastleaky._backends.numba_formulas import terms
from fastleaky._backends.numba_intrinsics import (
    Kernel,
    add,
    fence,
    jit,
    load,
    load_each,
    opaque,
    reduce_add,
    splat,
    splat_each,
    store,
    zero,
)
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES

TILE = 1024  # channels of a tile where channels are last: with 64, half as fast
TOGETHER = 64  # channels that are interleaved by rows: one by one, half as fast

Arrays = tuple[Array, Array, Array]  # grad, x, dx


@jit
def _term(arrays: Arrays, parameters: Numbers, at: int, nontemporal: Nontemporal) -> Any:
    """Write the gradient, and return the terms of the sum."""
    grad, x, dx = arrays
    here, term = terms(grad, x, parameters, at)
    write(dx, at, here, nontemporal)
    return term


@jit
def _block(arrays: Arrays, many: Numbers, at: int, nontemporal: Nontemporal) -> Any:
    """Sum a block within one row; its terms stay in registers."""
    grad, x, _ = arrays
    lanes = zero(many[0])
    for i in range(at, at + opaque(BLOCK), LANES):
        prefetch_inputs(grad, x, i, nontemporal)
        lanes = add(lanes, _term(arrays, many, i, nontemporal))
    return reduce_add(lanes)


@jit
def _sum_block(block: Array, like: Any) -> Any:
    """Sum a block of terms."""
    lanes = zero(like)
    for i in range(0, BLOCK, LANES):
        lanes = add(lanes, load(block, i, like))
    return reduce_add(lanes)


@jit
def _row(
    arrays: Arrays,
    one: Numbers,
    span: tuple[int, int],
    block: Array,
    before: tuple[int, float],
    nontemporal: Nontemporal,
) -> float:
    """Process terms of a channel in one row, `before` which a block had so many terms and the chunk such a sum."""
    have, total = before
    many = splat_each(one)
    at, end = span
    while at < end:
        run = min(end - at, BLOCK - have)
        if run == BLOCK:
            total += _block(arrays, many, at, nontemporal)
        else:
            j = 0
            while j + LANES <= run:
                store(block, have + j, _term(arrays, many, at + j, None))
                j += LANES
            while j < run:
                store(block, have + j, _term(arrays, one, at + j, None))
                j += 1
            have += run
            if have == BLOCK:
                total += _sum_block(block, many[0])
                have = 0
        at += run
    return total


@jit
def _chunk(
    arrays: Arrays,
    parameters: Rows,
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
    blocks, have = np.empty((last - first, BLOCK), x.dtype), 0  # terms of blocks that span rows
    like = parameters[0][0]
    sums[first:last] = 0
    o, i = start // inner, start % inner
    while start < stop:
        run = min(inner - i, stop - start)
        for c in range(first, last):
            at, one = (o * channels + c) * inner + i, load_each(parameters, c, like)
            sums[c] = _row(arrays, one, (at, at + run), blocks[c - first], (have, sums[c]), nontemporal)
        have = (have + run) % BLOCK
        start += run
        o, i = o + 1, 0
    if have:
        for c in range(first, last):
            blocks[c - first, have:BLOCK] = 0
            sums[c] += _sum_block(blocks[c - first], splat(like))


@jit
def _add_chunks(sums: Array, dslope: Array) -> None:
    """Add the chunk sums of each channel in order."""
    for c in range(dslope.size):
        total = 0.0
        for chunk in range(sums.shape[0]):
            total += sums[chunk, c]
        dslope[c] = total


@jit
def _terms_per_channel(arrays: Arrays, parameters: Rows, lanes: Array, span: tuple[int, int, int, int]) -> None:
    """Add the terms from `at` to `end`, with parameters from `c` on, to the lanes from `lane` on."""
    at, end, c, lane = span
    one = parameters[0][0]
    many = splat(one)
    c, lane = c - at, lane - at
    while at + LANES <= end:
        term = _term(arrays, load_each(parameters, c + at, many), at, None)
        store(lanes, lane + at, add(load(lanes, lane + at, many), term))
        at += LANES
    while at < end:
        lanes[lane + at] += _term(arrays, load_each(parameters, c + at, one), at, None)
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
    arrays: Arrays, parameters: Rows, start: int, tile: tuple[int, int], lanes: Array, sums: Array
) -> None:
    """Process a block of rows, from row `start` on, for a tile of channels, and write the sum of each."""
    outer, channels, _ = arrays[1].shape
    first, last = tile
    stop, width = min(outer, start + BLOCK), last - first
    lanes[:] = 0
    rows = LANES if parameters[0].size > channels else 1  # joined to one long row
    for row in range(start, stop, rows):
        at, end = row * channels + first, (min(stop, row + rows) - 1) * channels + last
        _terms_per_channel(arrays, parameters, lanes, (at, end, first, (row - start) % LANES * width))
    _reduce_per_channel(lanes, width)
    for i in range(width):
        sums[first + i] = lanes[i]


@register_jitable
def for_backward_columns(row: Array) -> Array:
    """Return the row of a parameter as the kernel for channels that are last wants it."""
    return repeated(row, LANES if row.size * LANES <= LONG else 1)


def make_backward_rows(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def backward_rows(grad: Array, x: Array, parameters: Rows, dx: Array, total: Array) -> None:
        outer, channels, inner = x.shape
        n = outer * inner
        chunks = (n + CHUNK - 1) // CHUNK
        sums = np.empty((chunks, channels))
        width = max(1, min(TOGETHER if outer > 1 else 1, channels * chunks // 4))
        tiles = (channels + width - 1) // width
        for task in loop(tiles * chunks):
            first, chunk = task // chunks * width, task % chunks
            tile, span = (first, min(channels, first + width)), (chunk * CHUNK, min(n, (chunk + 1) * CHUNK))
            _chunk((grad, x, dx), parameters, tile, span, sums[chunk], nontemporal)
            if nontemporal is not None:
                fence()
        _add_chunks(sums, total)

    return backward_rows


def make_backward_columns(loop: Any, _: Any) -> Kernel:
    def backward_columns(grad: Array, x: Array, parameters: Rows, dx: Array, total: Array) -> None:
        outer, channels, _ = x.shape
        count, tiles = (outer + BLOCK - 1) // BLOCK, (channels + TILE - 1) // TILE
        blocks = np.empty((count, channels), x.dtype)
        together = max(1, CHUNK // (BLOCK * channels))
        for task in loop((count + together - 1) // together):
            lanes = np.empty(LANES * min(TILE, channels), x.dtype)
            for block in range(task * together, min(count, (task + 1) * together)):
                for tile in range(tiles):
                    some = tile * TILE, min(channels, tile * TILE + TILE)
                    _block_per_channel((grad, x, dx), parameters, block * BLOCK, some, lanes, blocks[block])
        sums = np.zeros(((outer + CHUNK - 1) // CHUNK, channels))
        for block in range(count):
            for c in range(channels):
                sums[block * BLOCK // CHUNK, c] += blocks[block, c]
        _add_chunks(sums, total)

    return backward_columns
