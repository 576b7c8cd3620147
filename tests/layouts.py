"""Ways for the same values to lie in memory; each takes an array and gives an equal one. And arrays that lie."""

from types import SimpleNamespace

import numpy as np


def laid(a, order):
    """A copy whose axes lie in memory in this order, the outermost first."""
    return np.array(a.transpose(order), order="C").transpose(np.argsort(order).astype(int))


def contiguous(a):
    return laid(a, range(a.ndim))


def transposed(a):
    return laid(a, range(a.ndim)[::-1])


def channels_last(a):
    return laid(a, sorted(range(a.ndim), key=lambda axis: axis == 1))


def rotated(a):
    return laid(a, sorted(range(a.ndim), key=lambda axis: axis == 0))


def strided(a):
    room = np.full([3 * n + 2 for n in a.shape], 7, a.dtype)
    view = room[(*(slice(1, 3 * n + 1, 3) for n in a.shape), ...)]
    view[...] = a
    return view


def reversed_(a):
    backwards = (*(slice(None, None, -1) for _ in a.shape), ...)
    return contiguous(a[backwards])[backwards]


def misaligned(a):
    room = np.empty(a.nbytes + 1, np.uint8)
    view = room[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def off_by_one_element(a):
    room = np.empty(a.size + 1, a.dtype)
    view = room[1:].reshape(a.shape)
    view[...] = a
    return view


def byte_swapped(a):
    return a.astype(a.dtype.newbyteorder())


def read_only(a):
    copy = a.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS = {
    layout.__name__.strip("_"): layout
    for layout in (
        contiguous,
        transposed,
        channels_last,
        rotated,
        strided,
        reversed_,
        misaligned,
        off_by_one_element,
        byte_swapped,
        read_only,
    )
}
WRITABLE = {name: layout for name, layout in LAYOUTS.items() if name != "read_only"}


class Liar(np.ndarray):
    """What it says of itself is wrong in every way."""

    shape = (10**9,)
    strides = (0,)
    size = 10**9
    ndim = 1
    itemsize = 8
    nbytes = 8 * 10**9
    dtype = np.dtype("f8")
    flags = SimpleNamespace(writeable=True, c_contiguous=True, aligned=True)

    def __array_function__(self, *_):
        """Whatever NumPy asks: it shares memory with everything."""
        return True
