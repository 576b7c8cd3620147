"""Non-temporal stores: the same bits; and from which size on they are used."""

import itertools
import sys

import numpy as np
import pytest
from layouts import channels_last, contiguous, off_by_one_element, rotated, transposed

import fastleaky
from examples import example
from fastleaky._backends import cache, native
from fastleaky._backends.selftest import same_bits

SHAPES = [  # long rows, short ones, few and many channels; blocks of the gradient that end with a row, or do not
    (1, 1, 20_001),
    (1, 1, 40_000),
    (3, 2, 5_000),
    (3, 7, 12, 11),
    (5, 64, 14, 14),
    (9, 270, 20),
    (5, 3, 70, 52),
    (3, 4, 16, 16),
    (700, 3, 4),
    (300, 70, 1),
    (300, 76, 1),
]
DENSE = (contiguous, transposed, channels_last, rotated, off_by_one_element)  # others are copied before a kernel runs


@pytest.fixture(params=[name for name in fastleaky.backends() if name != "numpy"])
def always_nontemporal(request, monkeypatch):
    """Store every result so, if the backend ever does: NumPy's never does."""
    lib = native.extension() if request.param.startswith("c:") else None
    with fastleaky.use(request.param):
        if lib:
            lib.fl_set_nontemporal_threshold(1)
        else:
            from fastleaky._backends import numba_backend

            monkeypatch.setattr(numba_backend, "nontemporal_threshold", lambda: 1)
        yield
        if lib:
            lib.fl_set_nontemporal_threshold(cache.nontemporal_threshold())


@pytest.mark.usefixtures("always_nontemporal")
def test_same_bits(dtype, operation):
    for shape, layout in itertools.product(SHAPES, DENSE):
        given, every = example(shape, dtype)
        of, wanted = operation.inputs[-1], every[operation]
        given[of] = layout(given[of])
        for room in (np.empty, lambda n, dtype: np.empty(n + 1, dtype)[1:]):  # aligned to 16 bytes, and not
            out = [np.reshape(room(right.size, right.dtype), right.shape) for right in wanted]
            results = operation(fastleaky, given, out=tuple(out) if len(out) > 1 else out[0])
            assert all(map(same_bits, results, wanted)), (shape, layout)


@pytest.mark.usefixtures("always_nontemporal")
def test_wherever_the_output_begins_in_its_page(dtype, operation):
    shapes = [(1, 1, 5_003), (1, 1, 5_009), (2, 3, 1_000), (700, 5, 1)]
    for ahead, shape in itertools.product((0, 4, 16, 64, 400, 2048, 4080), shapes):
        given, every = example(shape, dtype)
        of, wanted = operation.inputs[-1], every[operation]
        room = np.empty(3 * given[of].nbytes + 16384, np.uint8)
        size, start = given[of].nbytes, -room.ctypes.data % 4096
        x, out = (
            room[at : at + size].view(dtype).reshape(shape) for at in (start, start + -(-size // 4096) * 4096 + ahead)
        )
        x[...] = given[of]
        results = operation(fastleaky, {**given, of: x}, out=(out, wanted[1].copy()) if len(wanted) > 1 else out)
        assert all(map(same_bits, results, wanted)), (ahead, shape)
        assert same_bits(x, given[of])


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({0: ("1", "32K"), 1: ("1", "32K"), 2: ("2", "512K"), 3: ("3", "32768K")}, 24 << 20),
        ({0: ("1", "32K"), 1: ("2", "512K"), 2: ("1", "64K")}, 384 << 10),
        ({0: ("1", "much"), 1: ("2", "512K")}, 384 << 10),
        ({}, sys.maxsize),
    ],
)
def test_last_cache(files, wanted, tmp_path, monkeypatch):
    for index, (level, size) in files.items():
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        (folder / "level").write_text(level + "\n")
        (folder / "size").write_text(size + "\n")
    monkeypatch.setattr(cache, "CACHES", tmp_path)
    assert cache.nontemporal_threshold.__wrapped__() == wanted
