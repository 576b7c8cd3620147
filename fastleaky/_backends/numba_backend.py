"""The Numba backend: compiles kernels when they are first needed, and calls them. Imported only when it is chosen.

Each kernel is compiled twice: parallel, and serial. The serial one is for small arrays, for a second Python thread
while a parallel call runs (Numba's ``workqueue`` layer aborts the process when two threads enter it), and for forked
children (its ``omp`` layer hangs there).
"""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np

from fastleaky._backends import numpy_backend
from fastleaky._backends.cache import nontemporal_threshold
from fastleaky._backends.numba_elementwise import LONG, make_columns, make_flat, make_rows
from fastleaky._backends.numba_intrinsics import HAS_NONTEMPORAL, Kernel, jit
from fastleaky._backends.numba_ordered_sum import make_backward_columns, make_backward_rows
from fastleaky._backends.numpy_backend import integers
from fastleaky._backends.threads import get_num_threads
from fastleaky._operations import LEAKY, Operation
from fastleaky._typing import Array
from fastleaky.reference import BLOCK

__all__ = ["elementwise", "gradients", "integers"]

SMALL = 1 << 11  # elements: fewer fit every cache, and further checks cost more than they save
PARALLEL_FROM = 1 << 17  # elements: with fewer, waking the threads costs more than they save
PAGE, ALIASED = 4096, 256  # bytes: 4K aliasing, see csrc/isa/x86.h

Make = Callable[[Any, Any], Kernel]


@functools.cache
def _compiled(make: Make, types: str, parallel: bool, nontemporal: bool) -> Any:  # noqa: FBT001
    """Compile for inputs that may be read-only, which Numba takes for another type."""
    number, *rest = (numba.from_dtype(np.dtype(char)) for char in types)
    flat = make is make_flat
    array, row = (numba.types.Array(number, ndim, "C", readonly=True) for ndim in (1 if flat else 3, 1))
    function = make(numba.prange if parallel else range, True if nontemporal else None)
    out = array.copy(readonly=False)
    signature = numba.void(array, array, numba.float64 if flat else row, out, *(dslope[::1] for dslope in rest))
    return jit(function, signature, parallel=parallel)


_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_one_parallel_call = threading.Lock()
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _is_nontemporal(v: Array, x: Array, out: Array) -> bool:
    """Do non-temporal stores pay? Every run must begin at a multiple of 16 bytes.

    Tails are stored regularly, and cache lines with stores of both kinds take ten times as long.
    """
    if not HAS_NONTEMPORAL or (2 if v is x else 3) * out.nbytes < nontemporal_threshold():
        return False
    channels, inner = (1, *out.shape)[-2:]
    step = inner if inner > 1 else channels
    start, *starts = (array.__array_interface__["data"][0] for array in (out, v, x))
    aliased = any((start - other - 1) % PAGE < ALIASED for other in starts)  # then loads wait for stores
    aligned = start % 16 == 0 and (step == out.size or step * out.itemsize % 16 == 0)
    few_lines = step % BLOCK == 0 or step >= 2 * LONG
    return aligned and few_lines and start not in starts and not aliased


def _run(make: Make, v: Array, x: Array, slope: Array | float, out: Array, *dslope: Array) -> None:
    """Call a kernel: the parallel one where it pays and is safe."""
    if not out.size:
        for sums in dslope:
            sums.fill(0)
        return
    types, nontemporal = "".join([array.dtype.char for array in (out, *dslope)]), _is_nontemporal(v, x, out)
    threads = min(get_num_threads(), _THREADS)
    worth_it = threads > 1 and out.size >= PARALLEL_FROM and not _forked
    if not worth_it or not _one_parallel_call.acquire(blocking=False):
        _compiled(make, types, False, nontemporal)(v, x, slope, out, *dslope)  # noqa: FBT003 - names take time in each call
        return
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(threads)
        _compiled(make, types, True, nontemporal)(v, x, slope, out, *dslope)  # noqa: FBT003
    finally:
        numba.set_num_threads(before)
        _one_parallel_call.release()


def _last(x: Array) -> bool:
    """Are the channels last?"""
    _, channels, inner = x.shape
    return bool(channels > 1 and inner == 1)


def elementwise(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], out: Array) -> None:
    """Write the result of an operation."""
    if operation.formula != LEAKY:
        numpy_backend.elementwise(operation, inputs, parameters, out)
        return
    v, x, slope = inputs[0], inputs[-1], parameters[0]
    if not isinstance(slope, float):
        _run(make_columns if _last(out) else make_rows, v, x, slope, out)
        return
    v, out = v.ravel(), out.ravel()
    x = v if len(inputs) == 1 else x.ravel()
    if out.size <= SMALL:
        _compiled(make_flat, out.dtype.char, False, False)(v, x, slope, out)  # noqa: FBT003
    else:
        _run(make_flat, v, x, slope, out)


def gradients(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Any], outs: Sequence[Array]) -> None:
    """Write the gradients: with respect to x, and the ordered sum for each channel."""
    if operation.formula != LEAKY:
        numpy_backend.gradients(operation, inputs, parameters, outs)
        return
    _run(make_backward_columns if _last(inputs[1]) else make_backward_rows, *inputs, *parameters, *outs)
