"""The Numba backend: parallel loops over rows and whole chunks of the ordered sum. Imported only when it is chosen.

Each kernel exists twice, compiled when first needed: parallel, and serial. The serial one is for small arrays, for a
second Python thread while a parallel call runs (Numba's ``workqueue`` layer aborts the process when two threads enter
it), and for forked children (its ``omp`` layer hangs there).
"""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from fastleaky._threads import get_num_threads
from fastleaky._typing import Array
from fastleaky.reference import BLOCK, CHUNK, LANES, quiet

Kernel = Callable[..., Any]

PARALLEL_FROM = 1 << 17  # elements; below, waking the threads costs more than they save
TILE = 64  # channels that go down the rows together where channels are last


def _jit(function: Kernel, signature: Any = None, *, parallel: bool = False) -> Any:
    try:
        return numba.njit(signature, cache=True, nogil=True, parallel=parallel)(function)
    except RuntimeError:  # there is no directory that a cache could be written to
        return numba.njit(signature, nogil=True, parallel=parallel)(function)


@_jit
def _pick(x: Any, a: Any, b: Any) -> Any:
    return a if x > 0 else b


@_jit
def _select_row(v: Array, x: Array, slope: Any, out: Array) -> None:
    for i in range(x.size):
        out[i] = _pick(x[i], v[i], slope * v[i])


@_jit
def _select_each(v: Array, x: Array, slope: Array, out: Array) -> None:
    for i in range(x.size):
        out[i] = _pick(x[i], v[i], slope[i] * v[i])


@_jit
def _term_row(grad: Array, x: Array, slope: Any, dx: Array, terms: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        terms[i], dx[i] = _pick(x[i], zero, grad[i] * x[i]), _pick(x[i], grad[i], slope * grad[i])


@_jit
def _term_each(grad: Array, x: Array, slope: Array, dx: Array, lane: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        term, dx[i] = _pick(x[i], zero, grad[i] * x[i]), _pick(x[i], grad[i], slope[i] * grad[i])
        lane[i] += term


@_jit
def _fold(lanes: Array, width: int) -> None:
    """Add the upper half of the lanes, each ``width`` numbers, to the lower half until one is left."""
    half = lanes.size // 2
    while half >= width:
        low, high = lanes[:half], lanes[half : 2 * half]
        for i in range(half):
            low[i] += high[i]
        half //= 2


@_jit
def _block_sum(terms: Array, lanes: Array) -> Any:
    lanes[:] = 0
    for start in range(0, BLOCK, LANES):
        row = terms[start : start + LANES]
        for i in range(LANES):
            lanes[i] += row[i]
    _fold(lanes, 1)
    return lanes[0]


# The makers below take `loop`, prange or range, as an argument rather than a global: so it is part of the key of the
# cache on disk, and the serial and the parallel code are not taken for each other.


def _make_select(loop: Any) -> Kernel:
    def select(v: Array, x: Array, slope: Array, out: Array) -> None:
        outer, channels, inner = x.shape
        if inner == 1:
            for o in loop(outer):
                _select_each(v[o, :, 0], x[o, :, 0], slope, out[o, :, 0])
        else:
            parts = (inner + CHUNK - 1) // CHUNK
            for task in loop(outer * channels * parts):
                row, part = task // parts, task % parts
                o, c = row // channels, row % channels
                here = slice(part * CHUNK, min(inner, (part + 1) * CHUNK))
                _select_row(v[o, c, here], x[o, c, here], slope[c], out[o, c, here])

    return select


def _make_backward_rows(loop: Any) -> Kernel:
    def backward_rows(grad: Array, x: Array, slope: Array, dx: Array, sums: Array) -> None:
        outer, channels, inner = x.shape
        n, chunks = outer * inner, sums.shape[1]
        for task in loop(channels * chunks):
            c, chunk = task // chunks, task % chunks
            terms, lanes = np.empty(BLOCK, x.dtype), np.empty(LANES, x.dtype)
            for start in range(chunk * CHUNK, min(n, (chunk + 1) * CHUNK), BLOCK):
                have, block = 0, min(BLOCK, n - start)
                while have < block:
                    o, i = (start + have) // inner, (start + have) % inner
                    run = min(inner - i, block - have)
                    here = slice(i, i + run)
                    _term_row(grad[o, c, here], x[o, c, here], slope[c], dx[o, c, here], terms[have : have + run])
                    have += run
                terms[block:] = 0
                sums[c, chunk] += _block_sum(terms, lanes)

    return backward_rows


def _make_backward_columns(loop: Any) -> Kernel:
    def backward_columns(grad: Array, x: Array, slope: Array, dx: Array, sums: Array) -> None:
        outer, channels = x.shape[:2]
        tiles, chunks = (channels + TILE - 1) // TILE, sums.shape[1]
        for task in loop(tiles * chunks):
            first, chunk = task // chunks * TILE, task % chunks
            tile = slice(first, min(channels, first + TILE))
            width = tile.stop - tile.start
            lanes = np.empty(LANES * width, x.dtype)
            for start in range(chunk * CHUNK, min(outer, (chunk + 1) * CHUNK), BLOCK):
                lanes[:] = 0
                for row in range(start, min(outer, start + BLOCK)):
                    at = (row - start) % LANES * width
                    lane = lanes[at : at + width]
                    _term_each(grad[row, tile, 0], x[row, tile, 0], slope[tile], dx[row, tile, 0], lane)
                _fold(lanes, width)
                for i in range(width):
                    sums[first + i, chunk] += lanes[i]

    return backward_columns


@functools.cache
def _compiled(make: Callable[[Any], Kernel], dtype: str, *, parallel: bool) -> Any:
    """Compile for inputs that may be read-only: Numba would compile anew for arrays that are."""
    number = numba.from_dtype(np.dtype(dtype))
    inputs = [numba.types.Array(number, ndim, "C", readonly=True) for ndim in (3, 3, 1)]
    outputs = [number[:, :, ::1]] if make is _make_select else [number[:, :, ::1], numba.float64[:, ::1]]
    return _jit(make(numba.prange if parallel else range), numba.void(*inputs, *outputs), parallel=parallel)


_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_one_parallel_call = threading.Lock()
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _run(make: Callable[[Any], Kernel], *arrays: Array) -> None:
    """Call a kernel, with all threads where that pays and is safe."""
    threads = min(get_num_threads(), _THREADS)
    worth_it = threads > 1 and arrays[0].size >= PARALLEL_FROM and not _forked
    dtype = arrays[0].dtype.char
    if not worth_it or not _one_parallel_call.acquire(blocking=False):
        _compiled(make, dtype, parallel=False)(*arrays)
        return
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(threads)
        _compiled(make, dtype, parallel=True)(*arrays)
    finally:
        numba.set_num_threads(before)
        _one_parallel_call.release()


@quiet
def _one_slope(slope: float, x: Array) -> tuple[Array, tuple[int, int, int]]:
    return np.full(1, slope, x.dtype), (1, 1, x.size)


def leaky_relu(x: Array, slope: float, out: Array) -> None:
    """Write ``leaky_relu(x)``."""
    leaky_relu_backward(x, x, slope, out)


def leaky_relu_backward(grad: Array, x: Array, slope: float, dx: Array) -> None:
    """Write ``leaky_relu_backward(grad, x)``."""
    weight, shape = _one_slope(slope, x)
    _run(_make_select, grad.reshape(shape), x.reshape(shape), weight, dx.reshape(shape))


def prelu(x: Array, weight: Array, out: Array) -> None:
    """Write ``prelu(x)``."""
    _run(_make_select, x, x, weight, out)


@quiet
def prelu_backward(grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> None:
    """Write ``prelu_backward(grad, x)``."""
    outer, channels, inner = x.shape
    sums = np.zeros((channels, -(-outer * inner // CHUNK)))
    last = channels > 1 and inner == 1
    _run(_make_backward_columns if last else _make_backward_rows, grad, x, weight, dx, sums)
    total = np.zeros(channels)
    for chunk in sums.T:
        total += chunk
    dweight[...] = total
