"""No kernel reads or writes outside its arrays: each array lies against a page that may not be touched."""

import ctypes
import itertools
import mmap
import os
import subprocess
import sys

import numpy as np
import pytest

import fastleaky
from examples import arrays_of, example
from fastleaky._backends.selftest import same_bits

PAGE = mmap.PAGESIZE

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mprotect is called as on Linux")


class Guarded:
    """Room for an array between two pages that may not be read or written."""

    def __init__(self, room: int) -> None:
        pages = -(-room // PAGE)
        self.map = mmap.mmap(-1, (pages + 2) * PAGE)
        self.start, self.end = PAGE, (pages + 1) * PAGE
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for page in (address, address + self.end):
            if protect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")

    def put(self, values: np.ndarray, *, at_end: bool) -> np.ndarray:
        """Copy `values` to where they begin right behind the first page, or end right before the last."""
        offset = self.end - values.nbytes if at_end else self.start
        array = np.frombuffer(self.map, values.dtype, values.size, offset).reshape(values.shape)
        array[...] = values
        return array


@pytest.fixture(scope="module")
def guards():
    return [Guarded(150_000) for _ in range(6)]


LENGTHS = [*range(1, 70), 127, 128, 129, 143, 144, 145, 255, 256, 257, 1000, 16383, 16384, 16385]
SHAPES = [(1, 1, n) for n in LENGTHS] + [(3, 5, n) for n in (2, 3, 7, 31, 49, 129)] + [(n, 3, 1) for n in (5, 129, 300)]
SHAPES += [(3, n, 1) for n in (*range(2, 20), 63, 64, 65, 67, 129)]


@pytest.mark.usefixtures("backend")
def test_guard_pages(guards, operation, dtype):
    for shape, at_end in itertools.product(SHAPES, (False, True)):
        given, wanted = example(shape, dtype)
        assert agree(guards, operation, given, wanted[operation], at_end=at_end), (shape, at_end)


def agree(guards, operation, given, wanted, *, at_end):
    names = (*arrays_of(operation), *operation.channel)
    places = iter(guards)
    laid = {name: next(places).put(given[name], at_end=at_end) for name in names}
    outs = [next(places).put(np.zeros_like(result), at_end=at_end) for result in wanted]
    got = operation(fastleaky, {**given, **laid}, out=outs[0] if len(outs) == 1 else tuple(outs))
    assert all(g is out for g, out in zip(got, outs, strict=True))
    return all(map(same_bits, got, wanted))


def test_the_guard_guards():
    """Reading past the end ends the process: shown in a child, so that the tests above prove something."""
    code = """
import numpy as np, sys
sys.path.insert(0, sys.argv[1])
from test_guard_pages import Guarded
a = Guarded(4096).put(np.zeros(10), at_end=True)
np.lib.stride_tricks.as_strided(a, (11,)).sum()
"""
    folder = os.path.dirname(__file__)
    child = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, check=False)
    assert child.returncode == -11, child.stderr
