"""Any array as the dense (outer, channels, inner) that kernels take, and back: _layout.py, for Numba to compile.

A layout is the order of the axes, from the outermost to the innermost, and the shape (outer, channels, inner) to which
they coalesce. A set of axes is an integer with a bit for each.
"""

from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import register_jitable
from numba.np.arrayobj import populate_array

from fastleaky._backends.numba_intrinsics import primitive
from fastleaky._njit.generated import generated, is_none

Axes = tuple[int, ...]
Shape = tuple[int, int, int]
Layout = tuple[Axes, Shape]

replaced: Any = tuple_setitem  # Numba's annotation gives the result the arguments of the maker


@generated
def plan(x: Any, varying: Any, ordered: Any) -> Any:
    """Choose the layout for parameters that vary along some axes: see _layout.plan."""
    c_order = tuple(range(x.ndim))

    def scalar(x: Any, varying: int, ordered: bool) -> Layout:
        return (), (1, 1, 1)

    def array(x: Any, varying: int, ordered: bool) -> Layout:
        for axes in (in_memory(x), c_order):
            suits, shape = _coalesced(x.shape, axes, varying, ordered)
            if suits:
                return axes, shape
        axes, last = c_order, 0
        for side in (1, 0):
            for axis in c_order:
                if varying >> axis & 1 == side:
                    axes = replaced(axes, last, axis)
                    last += 1
        return axes, _coalesced(x.shape, axes, varying, ordered)[1]

    return array if x.ndim else scalar


@generated
def in_memory(x: Any) -> Any:
    """Return the axes in the order in which they lie in memory."""
    known = tuple(range(x.ndim))
    if x.layout == "F":
        known = known[::-1]

    def contiguous(x: Any) -> Axes:
        return known

    def strided(x: Any) -> Axes:
        axes = known
        for axis in range(1, x.ndim):
            at = axis
            while at > 0 and abs(x.strides[axes[at - 1]]) < abs(x.strides[axis]):
                axes = replaced(axes, at, axes[at - 1])
                at -= 1
            axes = replaced(axes, at, axis)
        return axes

    return strided if x.layout == "A" else contiguous


@register_jitable
def _coalesced(sizes: Axes, axes: Axes, varying: int, ordered: bool) -> tuple[bool, Shape]:
    """Coalesce the axes to three. Does that suit: are the channels adjacent and in order, and for a sum the others?"""
    outer, channels, inner = 1, 1, 1
    last_varying, last_shared = -1, -1
    suits, channels_begun, channels_ended = True, not varying, not varying
    for axis in axes:
        size = sizes[axis]
        if size == 1:
            continue
        if varying >> axis & 1:
            suits = suits and not channels_ended and axis > last_varying
            channels_begun, last_varying = True, axis
            channels *= size
        else:
            suits = suits and (axis > last_shared or not ordered)
            channels_ended, last_shared = channels_begun, axis
            if channels_begun:
                inner *= size
            else:
                outer *= size
    return suits, (outer, channels, inner)


@register_jitable
def _is_dense(array: Any, axes: Axes) -> bool:
    """Are the elements adjacent in this order of the axes, and aligned?"""
    step = array.itemsize
    for i in range(len(axes)):
        axis = axes[len(axes) - 1 - i]
        if array.shape[axis] != 1 and array.strides[axis] != step:
            return bool(array.size == 0)
        step *= array.shape[axis]
    return bool(array.ctypes.data % array.itemsize == 0)


@primitive
def _as_dense(_: Any, array: Any, shape: Any) -> Any:
    """Return the memory of a dense array in another shape."""
    dense = types.Array(array.dtype, shape.count, "C", readonly=not array.mutable)

    def emit(context: Any, builder: Any, _: Any, values: Any) -> Any:
        given = context.make_array(array)(context, builder, values[0])
        result = context.make_array(dense)(context, builder)
        sizes = cgutils.unpack_tuple(builder, values[1])
        strides: list[Any] = []
        step = given.itemsize
        for size in reversed(sizes):
            strides, step = [step, *strides], builder.mul(step, size)
        populate_array(result, given.data, sizes, strides, given.itemsize, given.meminfo, given.parent)
        return impl_ret_borrowed(context, builder, dense, result._getvalue())  # noqa: SLF001 - Numba's own way

    return dense(array, shape), emit


@generated
def dense(array: Any, layout: Any, like: Any) -> Any:
    """Return an array in a layout, in the type of another: its own memory if it lies so, else a copy."""

    def same_type(array: Any, layout: Layout, like: Any) -> Any:
        axes, shape = layout
        if _is_dense(array, axes):
            return _as_dense(array, shape)
        return _as_dense(_transposed(array, axes).copy(), shape)

    def other_type(array: Any, layout: Layout, like: Any) -> Any:
        axes, shape = layout
        return _as_dense(_transposed(array, axes).astype(like.dtype), shape)

    def scalar(array: Any, layout: Layout, like: Any) -> Any:
        return np.full((1, 1, 1), array[()], like.dtype)

    def absent(array: Any, layout: Layout, like: Any) -> Any:
        return None

    if is_none(array):
        return absent
    if not array.ndim:
        return scalar
    return same_type if array.dtype == like.dtype else other_type


@register_jitable
def _transposed(array: Any, axes: Axes) -> Any:
    """Return the array, its axes in this order. With np.transpose, the first compilation takes three seconds more."""
    return np.lib.stride_tricks.as_strided(array, _permuted(array.shape, axes), _permuted(array.strides, axes))


@register_jitable
def _permuted(values: Axes, axes: Axes) -> Axes:
    permuted = values
    for i in range(len(axes)):
        permuted = replaced(permuted, i, values[axes[i]])
    return permuted


@generated
def restored(written: Any, layout: Any, x: Any) -> Any:
    """Return what a kernel has written, in the shape and the memory order of x."""
    c_order = tuple(range(x.ndim))
    fortran_order = c_order[::-1]

    def scalar(written: Any, layout: Layout, x: Any) -> Any:
        return _as_dense(written, ())

    def in_c_order(written: Any, layout: Layout, x: Any) -> Any:
        return _as_dense(written, x.shape) if layout[0] == c_order else _untransposed(written, layout, x).copy()

    def in_fortran_order(written: Any, layout: Layout, x: Any) -> Any:
        if layout[0] == fortran_order:
            return _as_dense(written, x.shape[::-1]).T
        return _untransposed(written, layout, x).T.copy().T

    if not x.ndim:
        return scalar
    if x.layout == "A" and x.ndim > 1:
        return _untransposed
    return in_fortran_order if x.layout == "F" else in_c_order


@register_jitable
def _untransposed(written: Any, layout: Layout, x: Any) -> Any:
    """Return it in the shape of x."""
    axes, _ = layout
    inverse = axes
    for i in range(x.ndim):
        inverse = replaced(inverse, axes[i], i)
    return _transposed(_as_dense(written, _permuted(x.shape, axes)), inverse)
