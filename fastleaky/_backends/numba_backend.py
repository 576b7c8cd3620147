"""The Numba backend: compiles kernels when they are first needed, and calls them. Imported only when it is chosen.

Each kernel is compiled twice: parallel, and serial. The serial one is for small arrays, for a second Python thread
while a parallel call runs (Numba's ``workqueue`` layer aborts the process when two threads enter it), and for forked
children (its ``omp`` layer hangs there).
"""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np

from fastleaky._backends import numpy_backend
from fastleaky._backends.cache import nontemporal_threshold
from fastleaky._backends.numba_elementwise import LONG, for_columns, make_columns, make_flat, make_rows
from fastleaky._backends.numba_intrinsics import HAS_NONTEMPORAL, Kernel, jit
from fastleaky._backends.numba_ordered_sum import for_backward_columns, make_backward_columns, make_backward_rows
from fastleaky._backends.numpy_backend import integers
from fastleaky._backends.threads import get_num_threads
from fastleaky._operations import LEAKY, Operation
from fastleaky._typing import Array, Parameter
from fastleaky.reference import BLOCK, quiet

__all__ = ["elementwise", "gradients", "integers"]

SMALL = 1 << 11  # elements: fewer fit every cache, and further checks cost more than they save
PARALLEL_FROM = 1 << 17  # elements: with fewer, waking the threads costs more than they save
PAGE, ALIASED = 4096, 256  # bytes: 4K aliasing, see csrc/isa/x86.h

FOR_COLUMNS = {make_columns: for_columns, make_backward_columns: for_backward_columns}

Make = Callable[[Any, Any], Kernel]


class Arguments(NamedTuple):
    """What types the arguments of a kernel have."""

    chars: str  # of the results: of the gradient or result, and of the sums
    v: bool  # is there another input?
    parameters: int  # how many have a row of values; 0: there is one, a number


@functools.cache
def _compiled(make: Make, arguments: Arguments, parallel: bool, nontemporal: bool) -> Any:  # noqa: FBT001
    """Compile for inputs that may be read-only, which Numba takes for another type."""
    number, *rest = (numba.from_dtype(np.dtype(char)) for char in arguments.chars)
    count = arguments.parameters
    array, row = (numba.types.Array(number, ndim, "C", readonly=True) for ndim in (3 if count else 1, 1))
    function = make(numba.prange if parallel else range, True if nontemporal else None)
    parameters = numba.types.UniTuple(row, count) if count else numba.float64
    v, out = array if arguments.v else numba.types.none, array.copy(readonly=False)
    signature = numba.void(v, array, parameters, out, *(sums[::1] for sums in rest))
    return jit(function, signature, parallel=parallel)


_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_one_parallel_call = threading.Lock()
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _is_nontemporal(v: Array | None, x: Array, out: Array) -> bool:
    """Do non-temporal stores pay? Every run must begin at a multiple of 16 bytes.

    Tails are stored regularly, and cache lines with stores of both kinds take ten times as long.
    """
    if not HAS_NONTEMPORAL or (2 if v is x or v is None else 3) * out.nbytes < nontemporal_threshold():
        return False
    channels, inner = (1, *out.shape)[-2:]
    step = inner if inner > 1 else channels
    start, *starts = (array.__array_interface__["data"][0] for array in (out, x if v is None else v, x))
    aliased = any((start - other - 1) % PAGE < ALIASED for other in starts)  # then loads wait for stores
    aligned = start % 16 == 0 and (step == out.size or step * out.itemsize % 16 == 0)
    few_lines = step % BLOCK == 0 or step >= 2 * LONG
    return aligned and few_lines and start not in starts and not aliased


def _run(make: Make, v: Array | None, x: Array, parameters: Any, out: Array, *sums: Array) -> None:
    """Call a kernel: the parallel one where it pays and is safe."""
    if not out.size:
        for each in sums:
            each.fill(0)
        return
    chars, count = "".join([array.dtype.char for array in (out, *sums)]), 0 if make is make_flat else len(parameters)
    arguments, nontemporal = Arguments(chars, v is not None, count), _is_nontemporal(v, x, out)
    if make in FOR_COLUMNS:
        parameters = tuple(map(FOR_COLUMNS[make], parameters))
    threads = min(get_num_threads(), _THREADS)
    worth_it = threads > 1 and out.size >= PARALLEL_FROM and not _forked
    if not worth_it or not _one_parallel_call.acquire(blocking=False):
        _compiled(make, arguments, False, nontemporal)(v, x, parameters, out, *sums)  # noqa: FBT003 - names take time in each call
        return
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(threads)
        _compiled(make, arguments, True, nontemporal)(v, x, parameters, out, *sums)  # noqa: FBT003
    finally:
        numba.set_num_threads(before)
        _one_parallel_call.release()


def _last(x: Array) -> bool:
    """Are the channels last?"""
    _, channels, inner = x.shape
    return bool(channels > 1 and inner == 1)


@quiet
def _row(number: float | None, x: Array) -> Array:
    """Return a number as the parameter of each channel. None, as a limit, is NaN, beyond which nothing is."""
    return np.full(x.shape[1], np.nan if number is None else number, x.dtype)


def _rows(parameters: Sequence[Parameter], x: Array) -> tuple[Array, ...]:
    return tuple([values if isinstance(values, np.ndarray) else _row(values, x) for values in parameters])


def elementwise(operation: Operation, inputs: Sequence[Array], parameters: Sequence[Parameter], out: Array) -> None:
    """Write the result of an operation."""
    if not operation.formula:
        numpy_backend.elementwise(operation, inputs, parameters, out)
        return
    x, *more = inputs[len(operation.inputs) - 1 :]
    v = inputs[0] if operation.formula == LEAKY else more[0] if more else None
    if operation.channel:
        _run(make_columns if _last(out) else make_rows, v, x, _rows(parameters, out), out)
        return
    v, flat = inputs[0].ravel(), out.ravel()
    x = v if len(inputs) == 1 else x.ravel()
    if out.size <= SMALL:
        _compiled(make_flat, Arguments(out.dtype.char, True, 0), False, False)(v, x, parameters[0], flat)  # noqa: FBT003
    else:
        _run(make_flat, v, x, parameters[0], flat)


def gradients(_: Operation, inputs: Sequence[Array], parameters: Sequence[Parameter], outs: Sequence[Array]) -> None:
    """Write the gradients: with respect to x, and the ordered sum for each channel."""
    grad, x = inputs
    _run(make_backward_columns if _last(x) else make_backward_rows, grad, x, _rows(parameters, x), *outs)
