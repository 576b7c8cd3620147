"""Archives and other files in the place of results: they are refused in one line, whatever they hold."""

import errno
import io
import os
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ml_dtypes")

from golden_results import archive, member, refused, right_arrays, short_log

from fastleaky import __main__ as cli
from fastleaky.golden import formats, verification
from fastleaky.golden.vectors import vectors


@pytest.fixture
def npz(golden_folder, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copy(golden_folder / "vectors.npz", tmp_path))


def test_a_truncated_npz_is_refused(npz):
    whole = npz.read_bytes()
    for size in (0, 1, 1000, len(whole) // 2, len(whole) - 1):
        npz.write_bytes(whole[:size])
        with pytest.raises(verification.ResultsError, match="truncated or damaged"):
            verification.verify(npz)


def test_a_damaged_npz_is_refused_or_harmless(npz):
    """A flipped bit is found, unless it says nothing about the results (a date, say)."""
    np.savez_compressed(npz, **right_arrays())
    whole = npz.read_bytes()
    found = 0
    for at in range(0, len(whole), len(whole) // 300):
        npz.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            (verdict,) = verification.verify(npz)
            assert not verdict.differences
        except verification.ResultsError:
            found += 1
    assert found > 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("003.dx"), "truncated: 003.dx is missing"),
        (lambda arrays: arrays.pop("digest"), "no golden vectors: format and digest are missing"),
        (lambda arrays: arrays.update(format=0), "of format 0"),
        (lambda arrays: arrays.update(digest=1), "of another version: their digest is 00000001"),
        (lambda arrays: arrays.update({"003.dx": arrays["003.dx"].ravel()}), r"003.dx is float32 of shape \(67,\)"),
        (lambda arrays: arrays.update({"003.dx": arrays["003.dx"].astype("f8")}), "003.dx is float64"),
        (lambda arrays: arrays.update({"003.dx": np.array(None)}), "003.dx is object"),
        (lambda arrays: arrays.update({"003.dx": np.zeros(1 << 20)}), "003.dx has 8388736 bytes; it must have at most"),
        (lambda arrays: arrays.update(format="two"), "format is <U3"),
        (lambda arrays: arrays.update(format=[2, 2]), r"format is int64 of shape \(2,\)"),
        (lambda arrays: arrays.update(format=np.nan), "format is float64"),
        (lambda arrays: arrays.update(format=-(2**63)), "of format -9223372036854775808"),
        (lambda arrays: arrays.update(format=2**64), "format is object"),
        (lambda arrays: arrays.update(digest=-1), "their digest is -0000001"),
        (lambda arrays: arrays.update(digest=np.array({})), "digest is object"),
    ],
)
def test_a_wrong_npz_is_refused(npz, capsys, change, message):
    arrays = dict(right_arrays())
    change(arrays)
    np.savez_compressed(npz, **arrays)
    with pytest.raises(verification.ResultsError, match=message):
        verification.verify(npz)
    refused(capsys, npz, "vectors.npz: ")


@pytest.mark.filterwarnings("default")  # as on the command line
@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{'descr': '<f4'",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 1, 67)}",  # of Python 2: NumPy warns
        b"{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1, 67)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -1, 67)}",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1, 1, 67)}",
        b"{'descr': '<f4" + b"9" * 900 + b"', 'fortran_order': False, 'shape': (1, 1, 67)}",
        b"{'descr': ('<f4', " + b"9" * 900 + b"), 'fortran_order': False, 'shape': (1, 1, 67)}",
        b"{'descr': '\\d', 'fortran_order': False, 'shape': (1, 1, 67)}",
        b"{[]: 1}",
        b"'''",
        b"(" * 1000,
        b"-" * 1000 + b"1",
        b"\xff\x1b[2J" * 100,
        b" " * 1020,
    ],
)
def test_a_broken_header_is_refused(npz, capsys, header):
    archive(npz, "003.dx", member(vectors()[3].wanted["dx"], header))
    refused(capsys, npz, "vectors.npz: 003.dx")


def test_an_array_is_no_archive(npz, capsys):
    with npz.open("wb") as file:
        np.save(file, np.zeros(3))
    refused(capsys, npz, "vectors.npz: truncated or damaged")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused(npz, capsys):
    with zipfile.ZipFile(npz, "a") as file:
        file.writestr("003.dx.npy", member(vectors()[3].wanted["dx"]))
    refused(capsys, npz, "two of its arrays have one name")


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (8, 1, "format: truncated or damaged: RuntimeError"),  # the flags: encrypted
        (10, 14, "format is compressed in a way that NumPy has not"),  # LZMA, which may ask for gigabytes
        (10, 99, "format is compressed in a way that NumPy has not"),
        (45, 255, "format: truncated or damaged: "),  # begins past the end
    ],
)
def test_an_unusual_member_is_refused(npz, capsys, at, value, message):
    """One byte of the first entry in the central directory is changed."""
    data = bytearray(npz.read_bytes())
    data[data.index(b"PK\1\2") + at] = value
    npz.write_bytes(data)
    refused(capsys, npz, message)


def bomb():
    """What deflate makes of a gigabyte of zeros."""
    deflate = zlib.compressobj(wbits=-15)
    piece = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return piece * 1024 + deflate.flush()


def packed_bomb(path, declared):
    """003.dx is a gigabyte, whatever the archive declares."""
    archive(path, "003.dx", data := bomb())
    with zipfile.ZipFile(path, "a") as file:
        info = file.getinfo("003.dx.npy")
        info.file_size, info.compress_type = declared, zipfile.ZIP_DEFLATED
        file.writestr("more", "so that the directory is written anew")
    whole = bytearray(path.read_bytes())
    whole[info.header_offset + 8 : info.header_offset + 10] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    assert data in whole
    path.write_bytes(whole)


def vast_header(path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2400000000,)}"
    archive(path, "003.dx", member(vectors()[3].wanted["dx"], header))


def many_names(path):
    with zipfile.ZipFile(path, "w") as file:
        for number in range(12_000):
            file.writestr(f"{number:0150}", "")


def endless_line(path):
    with path.open("wb") as file:
        file.truncate(1 << 28)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (vast_header, r"003.dx is float64 of shape (2400000000,)"),
        (lambda path: packed_bomb(path, 18 << 30), "003.dx has 19327352832 bytes"),
        (lambda path: packed_bomb(path, 396), "003.dx: truncated or damaged"),
        (many_names, "bytes; results have at most"),
        (endless_line, "holds no results"),
    ],
)
def test_memory_is_bounded(tmp_path, capsys, make, message):
    path = tmp_path / ("log" if make is endless_line else "results.npz")
    make(path)
    formats.digest()
    tracemalloc.start()
    try:
        refused(capsys, path, message)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


EDITS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 9), st.binary(max_size=9)), max_size=4)
WORDS = st.sampled_from(
    [b"fl ", b"\n", b"fl end 0\n", b"fl vector 3\n", b"fl results 2 b23fd82f ", b"-1", b"\0", b"\x1b["]
)
EDITS |= st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 9), WORDS), max_size=4)


def edited(data, edits):
    """At each place, so many bytes are replaced."""
    for place, length, new in edits:
        at = int(place * len(data))
        data = data[:at] + new + data[at + length :]
    return data


@settings(max_examples=150, deadline=None)
@given(EDITS, st.sampled_from(["log", "archive", "003.dx", "format", "directory"]))
def test_edited_files_never_raise(tmp_path_factory, edits, what):
    """A status comes back: bytes are changed anywhere, in an array before its CRC is made, or in a directory."""
    path = tmp_path_factory.getbasetemp() / "edited"
    if what in right_arrays():
        archive(path, what, edited(member(np.asarray(right_arrays()[what])), edits))
    else:
        archive(path, "", b"")
        whole = short_log().encode() if what == "log" else path.read_bytes()
        start = whole.index(b"PK\1\2") if what == "directory" else 0
        path.write_bytes(whole[:start] + edited(whole[start:], edits))
    with redirect_stdout(io.StringIO()) as out:
        status = cli.main(["verify", str(path)])
    assert status in {0, 1, 2}
    assert out.getvalue().replace("\n", "").isprintable()
    assert status < 2 or out.getvalue().count("\n") == 1


def test_no_such_file(tmp_path, capsys):
    refused(capsys, tmp_path / "nothing", "nothing: there is no such file")
    tmp_path.joinpath("folder.npz").mkdir()
    refused(capsys, tmp_path / "folder.npz", "folder.npz: there is no such file, or it is a folder")
    refused(capsys, tmp_path / ("n" * 300), "n: ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "fastleaky", "verify", tmp_path / "pipe"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (2, "")
    assert "it is a folder, a pipe or a device" in done.stdout


@pytest.mark.parametrize("name", ["log", "log.npz"])
def test_a_file_that_may_not_be_read(tmp_path, capsys, monkeypatch, name):
    (tmp_path / name).write_text(short_log())
    opened = io.open

    def denied(file, *args, **options):
        if str(file).startswith(str(tmp_path)):
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return opened(file, *args, **options)

    monkeypatch.setattr(io, "open", denied)
    refused(capsys, tmp_path / name, f"{name}: ")
