"""The element-wise kernels of the Numba backend, for each of the formulas.

Numba tells LLVM that the arrays of a parallel loop are disjoint, which is not so in place. So an element must be read
and written by one and the same step.
"""

from typing import Any, Literal

import numpy as np
from numba.extending import register_jitable

from fastleaky._backends.numba_formulas import step
from fastleaky._backends.numba_intrinsics import (
    Kernel,
    fence,
    jit,
    load_each,
    prefetch,
    rounded,
    splat,
    splat_each,
    store,
    store_nontemporal,
)
from fastleaky._typing import Array
from fastleaky.reference import CHUNK, LANES

STEP = 4 * LANES  # elements of an unrolled loop: 1.2 times as fast as LANES in the last cache
PREFETCH_DISTANCE = 512  # elements
LONG = 2048  # elements: shorter rows are joined, with their slopes repeated, so that few have tails


Numbers = tuple[Any, ...]  # a number, or a vector of them, for each parameter
Rows = tuple[Array, ...]  # for each parameter a value for each channel
Nontemporal = Literal[True] | None  # None, not False: Numba resolves `is None` at compile time


@jit
def write(out: Array, at: int, value: Any, nontemporal: Nontemporal) -> None:
    if nontemporal is None:
        store(out, at, value)
    else:
        store_nontemporal(out, at, value)


@jit
def prefetch_inputs(v: Array | None, x: Array, at: int, nontemporal: Nontemporal) -> None:
    if nontemporal is not None:
        prefetch(x, at + PREFETCH_DISTANCE)
        if v is not None:
            prefetch(v, at + PREFETCH_DISTANCE)


@jit
def _run_shared(
    v: Array | None, x: Array, one: Numbers, out: Array, span: tuple[int, int], nontemporal: Nontemporal
) -> None:
    at, end = span
    many = splat_each(one)
    while at + STEP <= end:
        for i in range(at, at + STEP, LANES):
            prefetch_inputs(v, x, i, nontemporal)
            write(out, i, step(v, x, many, i), nontemporal)
        at += STEP
    while at + LANES <= end:
        store(out, at, step(v, x, many, at))
        at += LANES
    while at < end:
        store(out, at, step(v, x, one, at))
        at += 1


@jit
def _run_per_channel(
    v: Array | None, x: Array, parameters: Rows, out: Array, span: tuple[int, int], nontemporal: Nontemporal
) -> None:
    at, end = span
    c, one = -at, parameters[0][0]
    many = splat(one)
    while at + LANES <= end:
        prefetch_inputs(v, x, at, nontemporal)
        write(out, at, step(v, x, load_each(parameters, c + at, many), at), nontemporal)
        at += LANES
    while at < end:
        store(out, at, step(v, x, load_each(parameters, c + at, one), at))
        at += 1


@register_jitable
def repeated(row: Array, times: int) -> Array:
    """Repeat a parameter's row, so that several short rows of channels are one long row."""
    copies = np.empty((times, row.size), row.dtype)
    copies[:] = row
    return copies.reshape(-1)


@register_jitable
def for_columns(row: Array) -> Array:
    """Return the row of a parameter as the kernel for channels that are last wants it."""
    return repeated(row, max(1, LONG // row.size))


# The makers take `loop`, prange or range, as an argument, not a global, so that it is part of the key of the cache on
# disk. `nontemporal` is another constant.


def make_flat(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def flat(v: Array, x: Array, slope: float, out: Array) -> None:
        one = (rounded(slope, out),)
        for task in loop((x.size + CHUNK - 1) // CHUNK):
            _run_shared(v, x, one, out, (task * CHUNK, min(x.size, task * CHUNK + CHUNK)), nontemporal)
            if nontemporal is not None:
                fence()

    return flat


def make_rows(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def rows(v: Array | None, x: Array, parameters: Rows, out: Array) -> None:
        outer, channels, inner = x.shape
        together, parts = max(1, CHUNK // inner), (inner + CHUNK - 1) // CHUNK
        groups = (outer * channels + together - 1) // together
        for task in loop(groups * parts):
            first, start = task // parts * together, task % parts * CHUNK
            stop, c = min(inner, start + CHUNK), first % channels
            for row in range(first, min(outer * channels, first + together)):
                one = load_each(parameters, c, parameters[0][0])
                _run_shared(v, x, one, out, (row * inner + start, row * inner + stop), nontemporal)
                c = c + 1 if c + 1 < channels else 0
            if nontemporal is not None:
                fence()

    return rows


def make_columns(loop: Any, nontemporal: Nontemporal) -> Kernel:
    def columns(v: Array | None, x: Array, parameters: Rows, out: Array) -> None:
        width = parameters[0].size  # of a row, or of several that are one long row
        together = max(1, CHUNK // width) * width
        for task in loop((x.size + together - 1) // together):
            first = task * together
            for at in range(first, min(x.size, first + together), width):
                _run_per_channel(v, x, parameters, out, (at, min(x.size, at + width)), nontemporal)
            if nontemporal is not None:
                fence()

    return columns
