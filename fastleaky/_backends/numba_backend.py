"""The Numba backend: parallel loops over rows and whole chunks of the ordered sum. Imported only when it is chosen.

Each kernel exists twice, compiled when first needed: parallel, and serial. The serial one is for small arrays, for a
second Python thread while a parallel call runs (Numba's ``workqueue`` layer aborts the process when two threads enter
it), and for forked children (its ``omp`` layer hangs there).
"""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numba
import numpy as np

from fastleaky._backends import numpy_backend
from fastleaky._backends.cache import nontemporal_threshold
from fastleaky._backends.numba_intrinsics import (
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
    rounded,
    spread,
    store,
    stream,
    zero,
)
from fastleaky._backends.numpy_backend import integers
from fastleaky._backends.threads import get_num_threads
from fastleaky._operations import LEAKY, Operation
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES

__all__ = ["elementwise", "integers", "slope_gradient"]

SMALL = 1 << 11  # elements: up to here every cache holds them, and each look at them costs more than it may save
PARALLEL_FROM = 1 << 17  # elements; below, waking the threads costs more than they save
TILE = 1024  # channels that go down the rows together where channels are last: with 64, half as fast
TOGETHER = 64  # channels that take turns by rows: one by one, half as fast
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
def _sum_block(terms: Array, like: Any) -> Any:
    """Sum a block of terms."""
    lanes = zero(like)
    for i in range(0, BLOCK, LANES):
        lanes = add(lanes, load(terms, i, like))
    return fold(lanes)


@_jit
def _row(
    arrays: tuple[Array, Array, Array, Array],
    c: int,
    span: tuple[int, int],
    terms: Array,
    before: tuple[int, float],
    past: Past,
) -> float:
    """Go through terms of channel c that lie in a row, after so many terms of a block and such a sum."""
    grad, x, weight, dx = arrays
    have, total = before
    slope = weight[c]
    slopes = spread(slope)
    at, end = span
    while at < end:
        run = min(end - at, BLOCK - have)
        if run == BLOCK:
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
            if have == BLOCK:
                total += _sum_block(terms, slopes)
                have = 0
        at += run
    return total


@_jit
def _chunk(
    arrays: tuple[Array, Array, Array, Array], tile: tuple[int, int], span: tuple[int, int], sums: Array, past: Past
) -> None:
    """Go through some terms, from one to another and at most a chunk, of some channels, which take turns by rows."""
    x = arrays[1]
    _, channels, inner = x.shape
    first, last = tile
    start, stop = span
    terms, have = np.empty((last - first, BLOCK), x.dtype), 0  # of blocks that span rows
    sums[first:last] = 0
    o, i = start // inner, start % inner
    while start < stop:
        run = min(inner - i, stop - start)
        for c in range(first, last):
            at = (o * channels + c) * inner + i
            sums[c] = _row(arrays, c, (at, at + run), terms[c - first], (have, sums[c]), past)
        have = (have + run) % BLOCK
        start += run
        o, i = o + 1, 0
    if have:
        for c in range(first, last):
            terms[c - first, have:BLOCK] = 0
            sums[c] += _sum_block(terms[c - first], spread(arrays[2][c]))


@_jit
def _repeated(row: Array, times: int) -> Array:
    """Several short rows of slopes are one longer row."""
    copies = np.empty(times * row.size, row.dtype)
    for start in range(0, copies.size, row.size):
        copies[start : start + row.size] = row
    return copies


@_jit
def _add_chunks(sums: Array, dslope: Array) -> None:
    """Add what the chunks of each channel have given, in order."""
    for c in range(dslope.size):
        total = 0.0
        for chunk in range(sums.shape[0]):
            total += sums[chunk, c]
        dslope[c] = total


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


def _make_flat(loop: Any, past: Past) -> Kernel:
    def flat(v: Array, x: Array, slope: float, out: Array) -> None:
        one = rounded(slope, out)
        for task in loop((x.size + CHUNK - 1) // CHUNK):
            _select_run(v, x, one, out, (task * CHUNK, min(x.size, task * CHUNK + CHUNK)), past)
            if past is not None:
                fence()

    return flat


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
    def columns(v: Array, x: Array, weight: Array, out: Array) -> None:
        slope = _repeated(weight, max(1, LONG // weight.size))
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
            _chunk((grad, x, slope, dx), tile, span, sums[chunk], past)
            if past is not None:
                fence()
        _add_chunks(sums, dslope)

    return backward_rows


def _make_backward_columns(loop: Any, _: Any) -> Kernel:
    def backward_columns(grad: Array, x: Array, weight: Array, dx: Array, dslope: Array) -> None:
        outer, channels, _ = x.shape
        slope = _repeated(weight, LANES if channels * LANES <= LONG else 1)
        count, tiles = (outer + BLOCK - 1) // BLOCK, (channels + TILE - 1) // TILE
        blocks = np.empty((count, channels), x.dtype)
        together = max(1, CHUNK // (BLOCK * channels))
        for task in loop((count + together - 1) // together):
            lanes = np.empty(LANES * min(TILE, channels), x.dtype)
            for block in range(task * together, min(count, (task + 1) * together)):
                for tile in range(tiles):
                    some = tile * TILE, min(channels, tile * TILE + TILE)
                    _block_each((grad, x, slope, dx), block * BLOCK, some, lanes, blocks[block])
        sums = np.zeros(((outer + CHUNK - 1) // CHUNK, channels))
        for block in range(count):
            for c in range(channels):
                sums[block * BLOCK // CHUNK, c] += blocks[block, c]
        _add_chunks(sums, dslope)

    return backward_columns


Make = Callable[[Any, Any], Kernel]


@functools.cache
def _compiled(make: Make, types: str, parallel: bool, past: bool) -> Any:  # noqa: FBT001
    """Compile for inputs that may be read-only: Numba would compile anew for arrays that are."""
    number, *rest = (numba.from_dtype(np.dtype(char)) for char in types)
    flat = make is _make_flat
    array, row = (numba.types.Array(number, ndim, "C", readonly=True) for ndim in (1 if flat else 3, 1))
    function = make(numba.prange if parallel else range, True if past else None)
    out = array.copy(readonly=False)
    signature = numba.void(array, array, numba.float64 if flat else row, out, *(dslope[::1] for dslope in rest))
    return _jit(function, signature, parallel=parallel)


_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_one_parallel_call = threading.Lock()
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _past(v: Array, x: Array, out: Array) -> bool:
    """Should the output be stored past the cache? Every run must begin at a multiple of 16 bytes.

    What does not fill a block is not stored so, and lines that are stored in both ways take ten times as long.
    """
    if not STREAMS or (2 if v is x else 3) * out.nbytes < nontemporal_threshold():
        return False
    channels, inner = (1, *out.shape)[-2:]
    step = inner if inner > 1 else channels
    start, *starts = (array.__array_interface__["data"][0] for array in (out, v, x))
    near = any((start - other - 1) % PAGE < NEAR for other in starts)  # then loads wait for these stores
    aligned = start % 16 == 0 and (step == out.size or step * out.itemsize % 16 == 0)
    few_lines = step % BLOCK == 0 or step >= 2 * LONG
    return aligned and few_lines and start not in starts and not near


def _run(make: Make, v: Array, x: Array, slope: Array | float, out: Array, *dslope: Array) -> None:
    """Call a kernel, with all threads where that pays and is safe."""
    if not out.size:
        for sums in dslope:
            sums.fill(0)
        return
    types, past = "".join([array.dtype.char for array in (out, *dslope)]), _past(v, x, out)
    threads = min(get_num_threads(), _THREADS)
    worth_it = threads > 1 and out.size >= PARALLEL_FROM and not _forked
    if not worth_it or not _one_parallel_call.acquire(blocking=False):
        _compiled(make, types, False, past)(v, x, slope, out, *dslope)  # noqa: FBT003 - names take time in each call
        return
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(threads)
        _compiled(make, types, True, past)(v, x, slope, out, *dslope)  # noqa: FBT003
    finally:
        numba.set_num_threads(before)
        _one_parallel_call.release()


def _last(x: Array) -> bool:
    """Are the channels last?"""
    _, channels, inner = x.shape
    return bool(channels > 1 and inner == 1)


def elementwise(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Array | float], out: Array) -> None:
    """Write the result of an operation."""
    if operation.formula != LEAKY:
        numpy_backend.elementwise(operation, inputs, parameters, out)
        return
    v, x, slope = inputs[0], inputs[-1], parameters[0]
    if not isinstance(slope, float):
        _run(_make_columns if _last(out) else _make_rows, v, x, slope, out)
        return
    v, out = v.ravel(), out.ravel()
    x = v if len(inputs) == 1 else x.ravel()
    if out.size <= SMALL:
        _compiled(_make_flat, out.dtype.char, False, False)(v, x, slope, out)  # noqa: FBT003
    else:
        _run(_make_flat, v, x, slope, out)


def slope_gradient(grad: Array, x: Array, slope: Array, dx: Array, dslope: Array) -> None:
    """Write both gradients of PReLU."""
    _run(_make_backward_columns if _last(x) else _make_backward_rows, grad, x, slope, dx, dslope)
