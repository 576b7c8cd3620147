"""Golden vectors: the files that are written, and what is made of results that come back."""

import errno
import io
import os
import re
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

import fastleaky
from fastleaky import __main__ as cli
from fastleaky import reference
from fastleaky._backends import selftest
from fastleaky._operations import OPERATIONS
from fastleaky.golden import formats, verification
from fastleaky.golden.vectors import SLOPES, specials, vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    formats.write(folder)
    return folder


@pytest.fixture
def npz(folder, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copy(folder / "vectors.npz", tmp_path))


def log(who="scalar", **changed):
    """What check.c prints with -DRESULTS, in Python; `changed` are whole vectors, by vNUMBER, for other results."""
    lines, crc_of = [], b""
    for number, vector in enumerate(vectors()):
        results = changed.get(f"v{number}", list(vector.wanted.values()))
        if results is None:
            continue
        words = [f"{word:0{2 * result.itemsize}x}" for result in results for word in formats.bits(result).tolist()]
        lines += [f"fl vector {number}", *(" ".join(["fl", *words[i : i + 8]]) for i in range(0, len(words), 8))]
        crc_of += number.to_bytes(4, "little") + b"".join(bytes.fromhex(word)[::-1] for word in words)
    crc = formats.zlib.crc32(crc_of)
    return "\n".join([f"fl results {formats.FORMAT} {formats.digest():08x} {who}", *lines, f"fl end {crc:08x}", ""])


def nudged(number, at):
    """A vector's results, of which the element `at` of the first is off by one bit."""
    first, *rest = (result.copy() for result in vectors()[number].wanted.values())
    words = first.ravel().view(f"u{first.itemsize}")
    words[at] = int(words[at]) ^ 1
    return [first, *rest]


SHORT = log(**dict.fromkeys(f"v{number}" for number in range(9, len(vectors()))))


def results():
    """What an .npz has to hold."""
    inputs = {f"{number:03d}.{name}" for number, vector in enumerate(vectors()) for name in vector.given}
    return {name: array for name, array in formats.arrays().items() if name not in inputs}


def member(array, header=None):
    """An .npy, with another header if one is given."""
    file = io.BytesIO()
    np.save(file, array)
    if header is None:
        return file.getvalue()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + array.tobytes()


def archive(path, name, data):
    """An .npz of results, in which one member is other data."""
    with zipfile.ZipFile(path, "w") as file:
        for key, array in RESULTS.items():
            file.writestr(f"{key}.npy", data if key == name else member(array))


RESULTS = results()


def refused(capsys, path, message, command="verify"):
    """It is said in one line, which names the file, with the exit status 2."""
    assert cli.main([command, str(path)]) == 2
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert len(out) < 2000
    assert out.startswith(str(path.parent))
    assert message in out
    assert not err


def test_they_cover_everything():
    for type_, dtype in formats.DTYPES.items():
        of_type = [vector for vector in vectors() if vector.type == type_]
        assert {vector.operation.name for vector in of_type} == set(OPERATIONS)
        for operation in ("leaky_relu", "leaky_relu_backward"):
            slopes = [vector.given["negative_slope"] for vector in of_type if vector.operation.name == operation]
            wanted = reference.rounded(np.array(SLOPES), dtype).astype(float).tolist()
            assert {repr(slope) for slope in wanted} <= {repr(slope) for slope in slopes}
        for operation, value in (("leaky_relu", "x"), ("leaky_relu_backward", "grad")):
            vector = next(vector for vector in of_type if vector.operation.name == operation)
            assert set(formats.bits(specials(dtype)).tolist()) <= set(formats.bits(vector.given[value]).tolist())
        sums = [vector.wanted["dweight"] for vector in of_type if "dweight" in vector.wanted]
        assert sum(int(np.isfinite(dweight).sum()) for dweight in sums) > 50


def test_every_backend_computes_them(backend):
    assert fastleaky.backend == backend
    for vector in vectors():
        got = vector.operation(fastleaky, vector.given)
        assert all(map(selftest.same_bits, got, vector.wanted.values())), str(vector)


def test_the_inputs_never_change():
    """Neither with NumPy's version nor with ours: where this fails, FORMAT has to change too."""
    assert f"{formats.digest():08x}" == "b23fd82f"


def test_the_files(folder):
    header = (folder / "vectors.h").read_text()
    assert f"FL_VECTORS_DIGEST 0x{formats.digest():08x}u" in header
    assert header.endswith("#define FL_VECTORS_END 1\n")
    size = sum(dtype.itemsize * len(formats.Words(t).words) for t, dtype in formats.DTYPES.items())
    assert size < 68_000  # a Cortex-M3 with 128 kB of flash has room
    with np.load(folder / "vectors.npz") as file:
        for number, vector in enumerate(vectors()):
            for name, array in {**vector.given, **vector.wanted}.items():
                assert np.array_equal(
                    file[f"{number:03d}.{name}"], formats.stored(array), equal_nan=vector.type != "bf16"
                )
    manifest = (folder / "MANIFEST.txt").read_text()
    assert all(f"{number:03d} {vector}\n" in manifest for number, vector in enumerate(vectors()))


def test_right_results(folder, tmp_path, capsys):
    (tmp_path / "log").write_text("boot\r\n" + log("scalar").replace("\n", "\r\n") + log("mve"))
    for path in (folder / "vectors.npz", tmp_path / "log"):
        assert cli.main(["verify", str(path)]) == 0
        out = capsys.readouterr().out
        assert f"{len(vectors())} of {len(vectors())} vectors compared, identical" in out
    assert "mve: " in out
    assert "scalar: " in out


@pytest.mark.parametrize("number", [1, 4, 25, 28, 40])
def test_the_first_wrong_element_is_shown(tmp_path, capsys, number):
    vector = vectors()[number]
    (tmp_path / "log").write_text(log(**{f"v{number}": nudged(number, 17)}))
    assert cli.main(["verify", str(tmp_path / "log")]) == 1
    out = capsys.readouterr().out
    first = next(iter(vector.wanted.values()))
    index = tuple(map(int, np.unravel_index(17, first.shape)))
    assert "1 DIFFER" in out
    assert f"{number:03d} {vector}" in out
    assert f"wrong in 1 places, first at index {index}" in out
    for name in vector.operation.inputs:
        assert re.search(rf" {name} .*{re.escape(str(vector.given[name][index]))}", out)
    assert re.search(
        rf"expected +0x{formats.bits(first)[17]:0{2 * first.itemsize}x} +{re.escape(str(first[index]))}", out
    )
    assert re.search(rf"got +0x{formats.bits(nudged(number, 17)[0])[17]:0{2 * first.itemsize}x}", out)


def test_a_wrong_sum_is_shown(tmp_path, capsys):
    number = next(i for i, vector in enumerate(vectors()) if "19x2x7" in str(vector))
    dx, dweight = vectors()[number].wanted.values()
    (tmp_path / "log").write_text(log(**{f"v{number}": [dx, dweight + np.array([0, 1], "f4")]}))
    assert cli.main(["verify", str(tmp_path / "log")]) == 1
    out = capsys.readouterr().out
    assert "dweight is wrong in 1 places, first at index (1)" in out
    assert str(vectors()[number].given["weight"][1]) in out


def test_what_was_left_out_is_said(tmp_path, capsys):
    (tmp_path / "log").write_text(log(v35=None))
    assert cli.main(["verify", str(tmp_path / "log")]) == 0
    assert f"left out: 035 {vectors()[35]}" in capsys.readouterr().out


def test_any_nan_is_as_good(tmp_path):
    results = [np.where(np.isnan(result), -np.nan, result) for result in vectors()[0].wanted.values()]
    (tmp_path / "log").write_text(log(v0=[result.astype("f4") for result in results]))
    assert not verification.verify(tmp_path / "log")[0].differences


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:1], "holds no results"),
        (lambda text: text[:5000], "truncated or damaged: the line fl"),
        (lambda text: text[: text.index("fl vector 7")], "truncated: no line fl end"),
        (lambda text: text[: text.index("fl vector 7")] + text, "truncated: no line fl end"),
        (lambda text: text.replace("results 2", "results 3"), "of format 3; this version of fastleaky has format 2"),
        (
            lambda text: text.replace("results 2 b", "results 2 c"),
            "vectors of another version: their digest is c23fd82f",
        ),
        (lambda text: text.replace("3f800000", "3f800001", 1), "damaged: its CRC is"),
        (lambda text: text.replace("fl vector 7\n", "", 1), "vector 6 has 75 numbers; it must have 67"),
        (lambda text: text.replace("fl vector 8\n", "fl vector 7\n", 1), "vector 7: truncated or damaged: the line"),
        (lambda text: text.replace("fl vector 7\n", "fl vector seven\n", 1), "damaged: the line fl vector seven"),
        (lambda text: text.replace("fl vector 7\n", "fl vector 144\n", 1), "damaged: the line fl vector 144"),
        (lambda text: text.replace("fl vector 7\n", "fl vector -7\n", 1), "damaged: the line fl vector -7"),
        (lambda text: text.replace("fl vector 7\n", f"fl vector {'7' * 5000}\n", 1), "the line fl vector 777"),
        (lambda text: text.replace("fl vector 0\n", "", 1), "in or before vector 0: truncated or damaged: the line"),
        (lambda text: text.replace("00000000", "0000000x", 1), "in or before vector 0: truncated or damaged"),
        (lambda text: text.replace("00000000", "0000000000", 1), "in or before vector 0: truncated or damaged"),
        (lambda text: text.replace("fl end ", "fl end x"), "damaged: its CRC is x"),
        (lambda text: text.replace("fl end ", "fl end 0 "), "damaged: the line fl end 0 "),
        (lambda text: text + "fl vector 0\n", "after scalar: truncated or damaged: the line fl vector 0"),
        (lambda text: text.splitlines()[0] + "\nfl end 00000000\n", "truncated: it holds no vector"),
        (lambda text: text.replace("results 2", "results one"), "of format one; this"),
        (lambda text: text.replace("results 2", f"results {'2' * 5000}"), "of format 222"),
        (lambda text: text.replace("results 2", "results"), "damaged: the line fl results b23fd82f scalar"),
        (lambda text: text.replace("results 2 b23fd82f", "results 2 digest"), "their digest is digest"),
        (lambda text: text * (verification.MOST_RESULTS + 1), "holds results more than 100 times"),
    ],
)
def test_a_bad_log_is_refused(tmp_path, capsys, spoil, message):
    (tmp_path / "log").write_text(spoil(SHORT))
    refused(capsys, tmp_path / "log", message)


def test_a_long_line_is_passed_over(tmp_path, capsys):
    """It is read in pieces, of which none is taken for a line."""
    (tmp_path / "log").write_text("x" * verification.LONGEST_LINE + "fl results 7 8 9\n" + log())
    assert cli.main(["verify", str(tmp_path / "log")]) == 0
    assert "144 of 144" in capsys.readouterr().out


def test_names_are_only_quoted(tmp_path, capsys):
    """A log says who made it: neither that nor the name of a file does anything to a terminal."""
    unruly = "[/b][red]:x:\x1b]0;\x07\x1b[2J\u202e"  # markup, an emoji, escapes, letters from right to left
    ruled = r"[/b][red]:x:\x1b]0;\x07\x1b[2J\u202e"
    paths = [tmp_path / unruly.replace("/", ""), tmp_path / "[red]\x1b\n\udcff.npz"]
    for path, status in zip(paths, (0, 2), strict=True):
        path.write_text(log(unruly))
        assert cli.main(["verify", str(path)]) == status
    right, wrong = capsys.readouterr().out.splitlines()
    assert right == f"{ruled}: 144 of 144 vectors compared, identical"
    assert wrong.startswith(rf"{tmp_path}/[red]\x1b\n\udcff.npz: truncated or damaged: BadZipFile")
    paths[0].write_text(log(unruly).replace("fl end", "fl stop"))
    refused(capsys, paths[0], f"{ruled.replace('/', '')}, {ruled}, in or before vector 143")


def test_a_console_that_knows_few_letters(tmp_path, monkeypatch):
    (tmp_path / "log").write_text(log("Größe"), encoding="utf-8")
    with io.TextIOWrapper(io.BytesIO(), "ascii") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert cli.main(["verify", str(tmp_path / "log")]) == 0
        out.flush()
        assert out.buffer.getvalue().startswith(rb"Gr\xf6\xdfe: 144 of 144")


def test_results_of_a_wrong_size_are_refused(tmp_path):
    short = [result.ravel()[:-1] for result in vectors()[5].wanted.values()]
    (tmp_path / "log").write_text(log(v5=short))
    with pytest.raises(verification.ResultsError, match="vector 5 has 66 numbers; it must have 67"):
        verification.verify(tmp_path / "log")


def test_a_truncated_npz_is_refused(npz):
    whole = npz.read_bytes()
    for size in (0, 1, 1000, len(whole) // 2, len(whole) - 1):
        npz.write_bytes(whole[:size])
        with pytest.raises(verification.ResultsError, match="truncated or damaged"):
            verification.verify(npz)


def test_a_damaged_npz_is_refused_or_harmless(npz):
    """A flipped bit is found, unless it says nothing about the results (a date, say)."""
    np.savez_compressed(npz, **RESULTS)
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
    arrays = dict(RESULTS)
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
def test_edited_files_never_raise(folder, edits, what):
    """A status comes back: bytes are changed anywhere, in an array before its CRC is made, or in a directory."""
    path = folder / "edited"
    if what in RESULTS:
        archive(path, what, edited(member(np.asarray(RESULTS[what])), edits))
    else:
        archive(path, "", b"")
        whole = SHORT.encode() if what == "log" else path.read_bytes()
        start = whole.index(b"PK\1\2") if what == "directory" else 0
        path.write_bytes(whole[:start] + edited(whole[start:], edits))
    with redirect_stdout(io.StringIO()) as out:
        status = cli.main(["verify", str(path)])
    assert status in {0, 1, 2}
    assert out.getvalue().replace("\n", "").isprintable()
    assert status < 2 or out.getvalue().count("\n") == 1


@pytest.mark.parametrize("arguments", [["vectors"], ["verify"], ["check", "somewhere"], ["somewhere"]])
def test_a_path_where_it_belongs(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "path" in capsys.readouterr().err or arguments == ["somewhere"]


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
    (tmp_path / name).write_text(SHORT)
    opened = io.open

    def denied(file, *args, **options):
        if str(file).startswith(str(tmp_path)):
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return opened(file, *args, **options)

    monkeypatch.setattr(io, "open", denied)
    refused(capsys, tmp_path / name, f"{name}: ")


def test_a_folder_that_cannot_be_written(tmp_path, capsys, monkeypatch):
    (tmp_path / "[b]file").write_text("")
    refused(capsys, tmp_path / "[b]file", "[b]file: File exists", "vectors")
    refused(capsys, tmp_path / "[b]file" / "in", "in: Not a directory", "vectors")

    def denied(folder, **_):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "mkdir", denied)
    refused(capsys, tmp_path / "new", "new: Permission denied", "vectors")


def test_where_the_vectors_are_is_only_quoted(tmp_path, capsys):
    assert cli.main(["vectors", str(tmp_path / "[/b]\x1b[2J")]) == 0
    assert rf"{tmp_path}/[/b]\x1b[2J/vectors.h: " in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_check_c_reads_and_answers(folder, tmp_path):
    """In C: the header form, and the way back; and check.c refuses what is damaged, truncated or of another version."""
    root = Path(__file__).parent.parent
    sources = [source for source in root.glob("csrc/**/*.c") if source.parent.name != "threads"]
    compile_ = ["cc", "-O1", "-DROOM=17000", f"-I{root}/csrc", f"-I{tmp_path}"]
    subprocess.run([*compile_, "-c", *sources], cwd=tmp_path, check=True)
    compile_ += [*tmp_path.glob("*.o"), root / "tests" / "c" / "check.c", "-o", "check"]

    def build(header, *flags):
        (tmp_path / "vectors.h").write_text(header)
        command = [*compile_, *flags]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else None

    header = (folder / "vectors.h").read_text()
    assert build(header, "-DRESULTS") is None
    (tmp_path / "log").write_text(
        subprocess.run([tmp_path / "check"], capture_output=True, text=True, check=True).stdout
    )
    for verdict in verification.verify(tmp_path / "log"):
        assert verdict.compared == len(vectors())
        assert not verdict.differences

    at = header.index("0x3c23d70a")  # a slope
    for spoiled in (
        header[:at] + header[at:].replace("a,", "b,", 1),
        header.replace("{0, 1, 1, 67", "{0, 1, 1, 66", 1),
    ):
        assert build(spoiled) is None
        done = subprocess.run([tmp_path / "check"], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "vectors.h is damaged" in done.stdout
    assert "is of another version" in build(header.replace("FORMAT 2", "FORMAT 1"))
    assert "is truncated" in build(header[: header.rindex("#define")])
