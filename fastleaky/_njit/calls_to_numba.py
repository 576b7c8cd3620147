"""How compiled code calls our Numba kernels, where there is no C: the serial ones, since parallel ones do not nest."""

from typing import Any

from numba.core.errors import TypingError
from numba.extending import register_jitable

from fastleaky._backends.numba_elementwise import for_columns, make_columns, make_flat, make_rows
from fastleaky._backends.numba_intrinsics import jit
from fastleaky._backends.numba_ordered_sum import for_backward_columns, make_backward_columns, make_backward_rows
from fastleaky._operations import LEAKY, Operation

Arrays = tuple[Any, ...]  # as in C: the inputs, the rows of channel parameters, the results
Shape = tuple[int, int, int]

_flat, _rows, _columns, _backward_rows, _backward_columns = (
    jit(make(range, None)) for make in (make_flat, make_rows, make_columns, make_backward_rows, make_backward_columns)
)


@register_jitable
def ready() -> None:
    """Raise no error: the kernels are compiled together with what calls them."""


def runner(operation: Operation) -> Any:
    """Return what calls the kernel of an operation."""
    if operation.formula != LEAKY:
        raise TypingError(f"{operation.name}: compiled code has it only where fastleaky has its C kernels")
    if len(operation.results) > 1:
        return _slope_gradient
    return _per_channel if operation.channel else _shared


@register_jitable
def _shared(arrays: Arrays, _: Shape, numbers: tuple[float, ...]) -> None:
    _flat(arrays[0].reshape(-1), arrays[-2].reshape(-1), float(numbers[0]), arrays[-1].reshape(-1))


@register_jitable
def _per_channel(arrays: Arrays, shape: Shape, _: tuple[float, ...]) -> None:
    v, x, slope, out = arrays[0], arrays[-3], arrays[-2], arrays[-1]
    if not out.size:
        return
    if _channels_last(shape):
        _columns(v, x, (for_columns(slope),), out)
    else:
        _rows(v, x, (slope,), out)


@register_jitable
def _slope_gradient(arrays: Arrays, shape: Shape, _: tuple[float, ...]) -> None:
    grad, x, slope, dx, dslope = arrays
    if _channels_last(shape):
        _backward_columns(grad, x, (for_backward_columns(slope),), dx, dslope)
    else:
        _backward_rows(grad, x, (slope,), dx, dslope)


@register_jitable
def _channels_last(shape: Shape) -> bool:
    _, channels, inner = shape
    return channels > 1 and inner == 1
