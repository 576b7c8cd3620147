"""Any array as the dense (outer, channels, inner) that kernels take, and back."""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastleaky._typing import Array, ArrayLike


class Layout(NamedTuple):
    """The order of an array's axes for the kernels, from the outermost to the innermost, coalesced to three."""

    array_shape: tuple[int, ...]
    axes: tuple[int, ...]
    in_c_order: bool  # the axes are 0, 1, 2, ...
    shape: tuple[int, int, int]

    def dense(self, array: Array) -> Array:
        """Return ``array`` in this layout: a view if it lies so in memory already, else a copy."""
        if self.in_c_order and _is_dense(array):
            return array.reshape(self.shape)
        dense = np.require(array.transpose(self.axes), array.dtype.type, ["C", "A", "E"])
        return dense.reshape(self.shape)

    def target(self, out: Array | None, inputs: Sequence[Array], rows: Sequence[Array] = ()) -> Array:
        """Return where a kernel may write: ``out`` if it is dense and each input is the same array or disjoint."""
        if out is not None:
            view = np.asarray(out)
            view = view if self.in_c_order else view.transpose(self.axes)
            if _is_dense(view):
                view = view.reshape(self.shape)
                disjoint = not any(np.may_share_memory(view, row) for row in rows)
                if disjoint and all(_same_or_disjoint(view, array) for array in inputs):
                    return view
        return np.empty(self.shape, inputs[0].dtype)

    def result(self, written: Array, out: Array | None, *given: ArrayLike) -> Array:
        """Return ``out``, filled, or a new array in the class of the ``given`` inputs."""
        if out is not None and np.may_share_memory(np.asarray(out), written):
            return out
        shape = self.array_shape
        if self.in_c_order:
            array = written.reshape(shape)
        else:
            array = written.reshape([shape[axis] for axis in self.axes]).transpose(np.argsort(self.axes))
        if out is None:
            return _in_class_of(given, array)
        np.asarray(out)[...] = array
        return out


@functools.lru_cache(maxsize=1024)
def plan(shape: tuple[int, ...], strides: tuple[int, ...], varying: tuple[int, ...], *, ordered: bool) -> Layout:
    """Choose the order of the axes for parameters that vary along the axes ``varying``.

    These become the channels, so they must be adjacent and in order. If ``ordered``, for a sum, the others must be in
    order too. The order in memory is tried first, since it needs no copy; then C order.
    """
    long = [axis for axis, size in enumerate(shape) if size != 1]
    shared = [axis for axis in long if axis not in varying]
    in_memory = sorted(long, key=lambda axis: -abs(strides[axis]))
    for axes in (in_memory, long, [*varying, *shared]):
        first = axes.index(varying[0]) if varying else 0
        end = first + len(varying)
        others = axes[:first] + axes[end:]
        if axes[first:end] == list(varying) and (not ordered or others == shared):
            break
    sizes = [shape[axis] for axis in axes]
    groups = (math.prod(sizes[:first]), math.prod(sizes[first:end]), math.prod(sizes[end:]))
    if axes == long:
        return Layout(shape, tuple(range(len(shape))), in_c_order=True, shape=groups)
    short = [axis for axis, size in enumerate(shape) if size == 1]
    return Layout(shape, (*short, *axes), in_c_order=False, shape=groups)


def row(array: Array) -> Array:
    """Return the values as a dense 1-d array: a view if they lie so in memory already, else a copy."""
    return (array if _is_dense(array) else np.require(array, requirements=["C", "A", "E"])).reshape(-1)


def fast_path(x: Any, out: Any, dtype: np.dtype[Any]) -> tuple[Array, Array] | None:
    """Return ``x`` and where to write, if a kernel can take both as they are, in C order; else None."""
    if type(x) is not np.ndarray or x.dtype != dtype or not _is_dense(x):
        return None
    if out is None:
        return x, np.empty(x.shape, dtype)
    if type(out) is not np.ndarray or out.dtype != dtype or out.shape != x.shape or not _is_dense(out):
        return None
    return (x, out) if out.flags.writeable and _same_or_disjoint(x, out) else None


def _is_dense(array: Array) -> bool:
    flags = array.flags
    return flags.c_contiguous and flags.aligned and array.dtype.isnative


def _in_class_of(inputs: Sequence[ArrayLike], array: Array) -> Array:
    """Return ``array`` as a ufunc of these inputs would: in their subclass, masked as they are."""
    subclassed = [given for given in inputs if isinstance(given, np.ndarray) and type(given) is not np.ndarray]
    if not subclassed:
        return array
    first = max(subclassed, key=lambda given: given.__array_priority__)
    ufunc = np.positive if len(inputs) == 1 else np.multiply
    return first.__array_wrap__(array, (ufunc, tuple(inputs), 0))


def _same_or_disjoint(a: Array, b: Array) -> bool:
    """Are two dense arrays of one shape and type at the same place, or without common memory?"""
    return not np.may_share_memory(a, b) or a.__array_interface__["data"] == b.__array_interface__["data"]
