"""The element-wise kernels of the Numba backend: out = x > 0 ? v : slope * v.

Numba tells LLVM that the arrays of a parallel loop are disjoint, which is not so in place. So an element must be read
and written by one and the same step.
"""

from typing import Any, Literal

import numpy as np

from fastleaky._backends.numba_intrinsics import (
    Kernel,
    fence,
    jit,
    load,
    mul,
    prefetch,
    rounded,
    select,
    splat,
    store,
    store_nontemporal,
)
from fastleaky._typing import Array
from fastleaky.reference import CHUNK, LANES

STEP = 4 * LANES  # elements of an unrolled loop: 1.2 times as fast as LANES in the last cache
PREFETCH_DISTANCE = 512  # elements
LONG = 2048  # elements: shorter rows are joined, with their slopes repeated, so that few have tails


@jit
def _leaky(v: Array, x: Array, slope: Any, at: int) -> Any:
    value = load(v, at, slope)
    return select(load(x, at, slope), value, mul(slope, value))


Nontemporal = Literal[True] | None  # None, not False: Numba resolves `is None` at compile time


@jit
def write(out: Array, at: int, value: Any, nontemporal: Nontemporal) -> None:
    if nontemporal is None:
        store(out, at, value)
    else:
        store_nontemporal(out, at, value)


@jit
def prefetch_inputs(v: Array, x: Array, at: int, nontemporal: Nontemporal) -> None:
    if nontemporal is not None:
        prefetch(x, at + PREFETCH_DISTANCE)
        prefetch(v, at + PREFETCH_DISTANCE)


@jit
def _run_shared(v: Array, x: Array, slope: Any, out: Array, span: tuple[int, int], nontemporal: Nontemporal) -> None:
    at, end = span
    many = splat(slope)
    while at + STEP <= end:
        for i in range(at, at + STEP, LANES):
            prefetch_inputs(v, x, i, nontemporal)
            write(out, i, _leaky(v, x, many, i), nontemporal)
        at += STEP
    while at + LANES <= end:
        store(out, at, _leaky(v, x, many, at))
        at += LANES
    while at < end:
        store(out, at, _leaky(v, x, slope, at))
        at += 1


@jit
def _run_per_channel(
    v: Array, x: Array, slope: Array, out: Array, span: tuple[int, int], nontemporal: Nontemporal
) -> None:
    at, end = span
    c, like = -at, splat(slope[0])
    while at + LANES <= end:
        prefetch_inputs(v, x, at, nontemporal)
        write(out, at, _leaky(v, x, load(slope, c + at, like), at), nontemporal)
        at += LANES
    while at < end:
        store(out, at, _leaky(v, x, slope[c + at], at))
        at += 1


@jit
def repeated(row: Array, times: int) -> Array:
    """Repeat a row of slopes, so that several short rows are one long row."""
    copies = np.empty(times * row.size, row.dtype)
    for start in range(0, copies.size, row.size):
        copies[start : start + row.size] = row
    return copies


# The makers take `loop`, prange or range, as an argument, not a global, so that it is part of the key of the cache on
# disk. `nontemporal` is another constant.


def make_flat(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def flat(v: Array, x: Array, slope: float, out: Array) -> None:
        one = rounded(slope, out)
        for task in loop((x.size + CHUNK - 1) // CHUNK):
            _run_shared(v, x, one, out, (task * CHUNK, min(x.size, task * CHUNK + CHUNK)), nontemporal)
            if nontemporal is not None:
                fence()

    return flat


def make_rows(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def rows(v: Array, x: Array, slope: Array, out: Array) -> None:
        outer, channels, inner = x.shape
        together, parts = max(1, CHUNK // inner), (inner + CHUNK - 1) // CHUNK
        groups = (outer * channels + together - 1) // together
        for task in loop(groups * parts):
            first, start = task // parts * together, task % parts * CHUNK
            stop, c = min(inner, start + CHUNK), first % channels
            for row in range(first, min(outer * channels, first + together)):
                _run_shared(v, x, slope[c], out, (row * inner + start, row * inner + stop), nontemporal)
                c = c + 1 if c + 1 < channels else 0
            if nontemporal is not None:
                fence()

    return rows


def make_columns(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def columns(v: Array, x: Array, weight: Array, out: Array) -> None:
        slope = repeated(weight, max(1, LONG // weight.size))
        width = slope.size  # of a row, or of several that are one long row
        together = max(1, CHUNK // width) * width
        for task in loop((x.size + together - 1) // together):
            first = task * together
            for at in range(first, min(x.size, first + together), width):
                _run_per_channel(v, x, slope, out, (at, min(x.size, at + width)), nontemporal)
            if nontemporal is not None:
                fence()

    return columns
