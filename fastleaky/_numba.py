"""The Numba backend: parallel loops over rows and whole chunks of the ordered sum. Imported only when it is chosen.

Each kernel exists twice, compiled when first needed: parallel, and serial. The serial one is for small arrays, for a
second Python thread while a parallel call runs (Numba's ``workqueue`` layer aborts the process when two threads enter
it), and for forked children (its ``omp`` layer hangs there).
"""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any, Literal

import numba
import numpy as np

from fastleaky._cache import past_from
from fastleaky._numba_words import (
    STREAMS,
    Kernel,
    add,
    fence,
    fetch,
    fold,
    hidden,
    load,
    mul,
    pick,
    spread,
    store,
    stream,
    zero,
)
from fastleaky._threads import get_num_threads
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES, quiet

PARALLEL_FROM = 1 << 17  # elements; below, waking the threads costs more than they save
TILE = 1024  # channels that go down the rows together where channels are last: with 64, half as fast
STEP = 4 * LANES  # of a loop: 1.2 times as fast as LANES in the last cache
PAGE, NEAR = 4096, 256  # bytes, see runs_ahead in csrc/isa/x86.h
FAR = 512  # elements: how far ahead inputs are fetched that no cache holds
LONG = 2048  # elements: up to here short rows are joined, their slopes repeated, so that they have no tails


def _jit(function: Kernel, signature: Any = None, *, parallel: bool = False) -> Any:
    """Compile a kernel for a signature; or, without one, a part of kernels, whose entry from Python would cost 20 %."""
    part = signature is None
    njit: Any = numba.njit
    options = {
        "nogil": True,
        "error_model": "numpy",
        "parallel": parallel,
        "no_cpython_wrapper": part,
        "no_cfunc_wrapper": part,
    }
    try:
        return njit(signature, cache=True, **options)(function)
    except RuntimeError:  # there is no directory that a cache could be written to
        return njit(signature, **options)(function)


# Element-wise: out = x > 0 ? v : slope * v, from one place in the arrays to another; in place, too. Numba tells LLVM
# that the arrays of a parallel loop are apart, so an element must be read and written by one and the same step.


@_jit
def _select(v: Array, x: Array, slope: Any, at: int) -> Any:
    value = load(v, at, slope)
    return pick(load(x, at, slope), value, mul(slope, value))


# `past`: store past the cache? It is None if not: on None Numba decides when it compiles, on False in every step.
Past = Literal[True] | None


@_jit
def _write(out: Array, at: int, value: Any, past: Past) -> None:
    if past is None:
        store(out, at, value)
    else:
        stream(out, at, value)


@_jit
def _fetch(v: Array, x: Array, at: int, past: Past) -> None:
    if past is not None:
        fetch(x, at + FAR)
        fetch(v, at + FAR)


@_jit
def _select_run(v: Array, x: Array, slope: Any, out: Array, span: tuple[int, int], past: Past) -> None:
    at, end = span
    many = spread(slope)
    while at + STEP <= end:
        for i in range(at, at + STEP, LANES):
            _fetch(v, x, i, past)
            _write(out, i, _select(v, x, many, i), past)
        at += STEP
    while at + LANES <= end:
        store(out, at, _select(v, x, many, at))
        at += LANES
    while at < end:
        store(out, at, _select(v, x, slope, at))
        at += 1


@_jit
def _select_each(v: Array, x: Array, slope: Array, out: Array, span: tuple[int, int], past: Past) -> None:
    at, end = span
    c, like = -at, spread(slope[0])
    while at + LANES <= end:
        _fetch(v, x, at, past)
        _write(out, at, _select(v, x, load(slope, c + at, like), at), past)
        at += LANES
    while at < end:
        store(out, at, _select(v, x, slope[c + at], at))
        at += 1


# Backward: dx as above, and the terms x > 0 ? 0 : grad * x of the slope's gradient.


@_jit
def _term(grad: Array, x: Array, slope: Any, dx: Array, at: int) -> Any:
    g, here = load(grad, at, slope), load(x, at, slope)
    store(dx, at, pick(here, g, mul(slope, g)))
    return pick(here, zero(slope), mul(g, here))


@_jit
def _block(grad: Array, x: Array, slopes: Any, dx: Array, at: int, past: Past) -> Any:
    """A block that lies in one row: its terms never leave the registers."""
    lanes = zero(slopes)
    for i in range(at, at + hidden(BLOCK), LANES):
        _fetch(grad, x, i, past)
        g, here = load(grad, i, slopes), load(x, i, slopes)
        lanes = add(lanes, pick(here, zero(slopes), mul(g, here)))
        _write(dx, i, pick(here, g, mul(slopes, g)), past)
    return fold(lanes)


@_jit
def _take_block(terms: Array, like: Any) -> Any:
    """Sum the first BLOCK of twice as many terms, and move the others to the front."""
    lanes = zero(like)
    for i in range(0, BLOCK, LANES):
        lanes = add(lanes, load(terms, i, like))
        store(terms, i, load(terms, BLOCK + i, like))
    return fold(lanes)


@_jit
def _chunk(grad: Array, x: Array, weight: Array, dx: Array, span: tuple[int, int, int], past: Past) -> float:
    """Go through some terms of a channel, from one to another and at most a chunk, and return their sum."""
    _, channels, inner = x.shape
    c, start, stop = span
    o, i = start // inner, start % inner
    slope = weight[c]
    slopes = spread(slope)
    terms, have = np.empty(2 * BLOCK, x.dtype), 0  # of a block that spans rows
    total = 0.0
    while start < stop:
        at, run = (o * channels + c) * inner + i, min(inner - i, stop - start, BLOCK)
        if have == 0 and run == BLOCK:
            total += _block(grad, x, slopes, dx, at, past)
        else:
            j = 0
            while j + LANES <= run:
                store(terms, have + j, _term(grad, x, slopes, dx, at + j))
                j += LANES
            while j < run:
                store(terms, have + j, _term(grad, x, slope, dx, at + j))
                j += 1
            have += run
            if have >= BLOCK:
                total += _take_block(terms, slopes)
                have -= BLOCK
        start += run
        i += run
        if i == inner:
            o, i = o + 1, 0
    if have:
        terms[have:BLOCK] = 0
        total += _take_block(terms, slopes)
    return total


@_jit
def _term_each(arrays: tuple[Array, Array, Array, Array], lanes: Array, span: tuple[int, int, int, int]) -> None:
    """Add the terms from `at` to `end`, whose slopes begin at `c`, to as many lanes, which begin at `lane`."""
    grad, x, slope, dx = arrays
    at, end, c, lane = span
    one = slope[0]
    many = spread(one)
    c, lane = c - at, lane - at
    while at + LANES <= end:
        term = _term(grad, x, load(slope, c + at, many), dx, at)
        store(lanes, lane + at, add(load(lanes, lane + at, many), term))
        at += LANES
    while at < end:
        lanes[lane + at] += _term(grad, x, slope[c + at], dx, at)
        at += 1


@_jit
def _fold_each(lanes: Array, width: int) -> None:
    """Add the upper half of the lanes, each ``width`` numbers, to the lower half until one is left."""
    half = LANES * width // 2
    one = lanes[0]
    many = spread(one)
    while half >= width:
        i = 0
        while i + LANES <= half:
            store(lanes, i, add(load(lanes, i, many), load(lanes, half + i, many)))
            i += LANES
        while i < half:
            lanes[i] += lanes[half + i]
            i += 1
        half //= 2


@_jit
def _block_each(
    arrays: tuple[Array, Array, Array, Array], start: int, tile: tuple[int, int], lanes: Array, sums: Array
) -> None:
    """Go through a block of rows, from row `start` on, for some channels, and write the sum of each."""
    outer, channels, _ = arrays[1].shape
    first, last = tile
    stop, width = min(outer, start + BLOCK), last - first
    lanes[:] = 0
    rows = LANES if arrays[2].size > channels else 1  # of which the slopes are there: these are one long row
    for row in range(start, stop, rows):
        at, end = row * channels + first, (min(stop, row + rows) - 1) * channels + last
        _term_each(arrays, lanes, (at, end, first, (row - start) % LANES * width))
    _fold_each(lanes, width)
    for i in range(width):
        sums[first + i] = lanes[i]


# The makers below take `loop`, prange or range, as an argument rather than a global: so it is part of the key of the
# cache on disk, and the serial and the parallel code are not taken for each other. `past` is another constant.


def _make_rows(loop: Any, past: Past) -> Kernel:
    def rows(v: Array, x: Array, slope: Array, out: Array) -> None:
        outer, channels, inner = x.shape
        together, parts = max(1, CHUNK // inner), (inner + CHUNK - 1) // CHUNK
        groups = (outer * channels + together - 1) // together
        for task in loop(groups * parts):
            first, start = task // parts * together, task % parts * CHUNK
            stop, c = min(inner, start + CHUNK), first % channels
            for row in range(first, min(outer * channels, first + together)):
                _select_run(v, x, slope[c], out, (row * inner + start, row * inner + stop), past)
                c = c + 1 if c + 1 < channels else 0
            if past is not None:
                fence()

    return rows


def _make_columns(loop: Any, past: Past) -> Kernel:
    def columns(v: Array, x: Array, slope: Array, out: Array) -> None:
        width = slope.size  # of a row, or of several that are one long row
        together = max(1, CHUNK // width) * width
        for task in loop((x.size + together - 1) // together):
            first = task * together
            for at in range(first, min(x.size, first + together), width):
                _select_each(v, x, slope, out, (at, min(x.size, at + width)), past)
            if past is not None:
                fence()

    return columns


def _make_backward_rows(loop: Any, past: Past) -> Kernel:
    def backward_rows(grad: Array, x: Array, slope: Array, dx: Array, sums: Array) -> None:
        outer, channels, inner = x.shape
        n, chunks = outer * inner, sums.shape[1]
        for task in loop(channels * chunks):
            c, chunk = task // chunks, task % chunks
            start = chunk * CHUNK
            sums[c, chunk] = _chunk(grad, x, slope, dx, (c, start, min(n, start + CHUNK)), past)
            if past is not None:
                fence()

    return backward_rows


def _make_backward_columns(loop: Any, _: Any) -> Kernel:
    def backward_columns(grad: Array, x: Array, slope: Array, dx: Array, sums: Array) -> None:
        outer, channels, _ = x.shape
        count, tiles = (outer + BLOCK - 1) // BLOCK, (channels + TILE - 1) // TILE
        blocks = np.empty((count, channels), x.dtype)
        together = max(1, CHUNK // (BLOCK * channels))
        for task in loop((count + together - 1) // together):
            lanes = np.empty(LANES * min(TILE, channels), x.dtype)
            for block in range(task * together, min(count, (task + 1) * together)):
                for tile in range(tiles):
                    some = tile * TILE, min(channels, tile * TILE + TILE)
                    _block_each((grad, x, slope, dx), block * BLOCK, some, lanes, blocks[block])
        for block in range(count):
            for c in range(channels):
                sums[c, block * BLOCK // CHUNK] += blocks[block, c]

    return backward_columns


@functools.cache
def _compiled(make: Callable[[Any, Any], Kernel], dtype: str, *, parallel: bool, past: Past) -> Any:
    """Compile for inputs that may be read-only: Numba would compile anew for arrays that are."""
    number = numba.from_dtype(np.dtype(dtype))
    inputs = [numba.types.Array(number, ndim, "C", readonly=True) for ndim in (3, 3, 1)]
    outputs = [number[:, :, ::1]] if make in (_make_rows, _make_columns) else [number[:, :, ::1], numba.float64[:, ::1]]
    function = make(numba.prange if parallel else range, True if past else None)
    return _jit(function, numba.void(*inputs, *outputs), parallel=parallel)


_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_one_parallel_call = threading.Lock()
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _past(inputs: tuple[Array, ...], out: Array) -> bool:
    """Should the output be stored past the cache? Every run must begin at a multiple of 16 bytes."""
    touched = sum(array.nbytes for array in inputs) + out.nbytes
    if not STREAMS or touched < past_from():
        return False
    _, channels, inner = out.shape
    step = inner if inner > 1 else channels
    start, *starts = (array.__array_interface__["data"][0] for array in (out, *inputs))
    near = any((start - other - 1) % PAGE < NEAR for other in starts)  # then loads wait for these stores
    aligned = start % 16 == 0 and (step == out.size or step * out.itemsize % 16 == 0)
    return aligned and start not in starts and not near


def _run(make: Callable[[Any, Any], Kernel], inputs: tuple[Array, ...], slope: Array, out: Array, *sums: Array) -> None:
    """Call a kernel, with all threads where that pays and is safe."""
    if not out.size:
        return
    threads = min(get_num_threads(), _THREADS)
    worth_it = threads > 1 and out.size >= PARALLEL_FROM and not _forked
    compiled = functools.partial(_compiled, make, out.dtype.char, past=_past(inputs, out))
    arrays = (inputs[0], inputs[-1], slope, out, *sums)
    if not worth_it or not _one_parallel_call.acquire(blocking=False):
        compiled(parallel=False)(*arrays)
        return
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(threads)
        compiled(parallel=True)(*arrays)
    finally:
        numba.set_num_threads(before)
        _one_parallel_call.release()


@quiet
def _one_slope(slope: float, x: Array) -> tuple[Array, tuple[int, int, int]]:
    return np.full(1, slope, x.dtype), (1, 1, x.size)


def _last(x: Array) -> bool:
    """Are the channels last?"""
    _, channels, inner = x.shape
    return bool(channels > 1 and inner == 1)


def leaky_relu(x: Array, slope: float, out: Array) -> None:
    """Write ``leaky_relu(x)``."""
    _leaky_relu((x,), slope, out)


def leaky_relu_backward(grad: Array, x: Array, slope: float, dx: Array) -> None:
    """Write ``leaky_relu_backward(grad, x)``."""
    _leaky_relu((grad, x), slope, dx)


def _leaky_relu(inputs: tuple[Array, ...], slope: float, out: Array) -> None:
    weight, shape = _one_slope(slope, out)
    _run(_make_rows, tuple(array.reshape(shape) for array in inputs), weight, out.reshape(shape))


def prelu(x: Array, weight: Array, out: Array) -> None:
    """Write ``prelu(x)``."""
    if _last(x):
        _run(_make_columns, (x,), np.tile(weight, max(1, LONG // weight.size)), out)
    else:
        _run(_make_rows, (x,), weight, out)


@quiet
def prelu_backward(grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
    """Write ``prelu_backward(grad, x)``."""
    outer, channels, inner = x.shape
    sums = np.zeros((channels, max(1, -(-outer * inner // CHUNK))))
    if _last(x):
        slopes = np.tile(weight, LANES) if channels * LANES <= LONG else weight
        _run(_make_backward_columns, (grad, x), slopes, dx, sums)
    else:
        _run(_make_backward_rows, (grad, x), weight, dx, sums)
    dweight[...] = np.add.accumulate(sums, axis=1)[:, -1]
