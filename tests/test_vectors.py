"""Golden vectors: the files that are written, and what is made of results that come back."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ml_dtypes")

import fastleaky
from fastleaky import __main__ as cli
from fastleaky import _check, _golden, _verify, reference
from fastleaky._vectors import SLOPES, specials, vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    _golden.write(folder)
    return folder


@pytest.fixture
def npz(folder, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copy(folder / "vectors.npz", tmp_path))


def log(who="plain", **changed):
    """What check.c prints with -DRESULTS, in Python; `changed` are whole vectors, by vNUMBER, for other results."""
    lines, crc_of = [], b""
    for number, vector in enumerate(vectors()):
        results = changed.get(f"v{number}", list(vector.wanted.values()))
        if results is None:
            continue
        words = [f"{word:0{2 * result.itemsize}x}" for result in results for word in _golden.bits(result).tolist()]
        lines += [f"fl vector {number}", *(" ".join(["fl", *words[i : i + 8]]) for i in range(0, len(words), 8))]
        crc_of += number.to_bytes(4, "little") + b"".join(bytes.fromhex(word)[::-1] for word in words)
    crc = _golden.zlib.crc32(crc_of)
    return "\n".join([f"fl results {_golden.FORMAT} {_golden.digest():08x} {who}", *lines, f"fl end {crc:08x}", ""])


def nudged(number, at):
    """A vector's results, of which the element `at` of the first is off by one bit."""
    first, *rest = (result.copy() for result in vectors()[number].wanted.values())
    first.ravel().view(f"u{first.itemsize}")[at] ^= 1
    return [first, *rest]


def test_they_cover_everything():
    for type_, dtype in _golden.DTYPES.items():
        of_type = [vector for vector in vectors() if vector.type == type_]
        assert {vector.operation.name for vector in of_type} == set(_check.OPERATIONS)
        for operation in ("leaky_relu", "leaky_relu_backward"):
            slopes = [vector.given["negative_slope"] for vector in of_type if vector.operation.name == operation]
            wanted = reference.rounded(np.array(SLOPES), dtype).astype(float).tolist()
            assert {repr(slope) for slope in wanted} <= {repr(slope) for slope in slopes}
        for operation, value in (("leaky_relu", "x"), ("leaky_relu_backward", "grad")):
            vector = next(vector for vector in of_type if vector.operation.name == operation)
            assert set(_golden.bits(specials(dtype)).tolist()) <= set(_golden.bits(vector.given[value]).tolist())
        sums = [vector.wanted["dweight"] for vector in of_type if "dweight" in vector.wanted]
        assert sum(int(np.isfinite(dweight).sum()) for dweight in sums) > 50


def test_every_backend_computes_them(backend):
    assert fastleaky.backend == backend
    for vector in vectors():
        got = vector.operation(fastleaky, vector.given)
        assert all(map(_check.same_bits, got, vector.wanted.values())), str(vector)


def test_the_inputs_never_change():
    """Neither with NumPy's version nor with ours: where this fails, FORMAT has to change too."""
    assert f"{_golden.digest():08x}" == "b23fd82f"


def test_the_files(folder):
    header = (folder / "vectors.h").read_text()
    assert f"FL_VECTORS_DIGEST 0x{_golden.digest():08x}u" in header
    assert header.endswith("#define FL_VECTORS_END 1\n")
    size = sum(dtype.itemsize * len(_golden.Words(t).words) for t, dtype in _golden.DTYPES.items())
    assert size < 68_000  # a Cortex-M3 with 128 kB of flash has room
    with np.load(folder / "vectors.npz") as file:
        for number, vector in enumerate(vectors()):
            for name, array in {**vector.given, **vector.wanted}.items():
                assert np.array_equal(
                    file[f"{number:03d}.{name}"], _golden.stored(array), equal_nan=vector.type != "bf16"
                )
    manifest = (folder / "MANIFEST.txt").read_text()
    assert all(f"{number:03d} {vector}\n" in manifest for number, vector in enumerate(vectors()))


def test_right_results(folder, tmp_path, capsys):
    (tmp_path / "log").write_text("boot\r\n" + log("plain").replace("\n", "\r\n") + log("mve"))
    for path in (folder / "vectors.npz", tmp_path / "log"):
        assert cli.main(["verify", str(path)]) == 0
        out = capsys.readouterr().out
        assert f"{len(vectors())} of {len(vectors())} vectors compared, identical" in out
    assert "mve: " in out
    assert "plain: " in out


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
        rf"expected +0x{_golden.bits(first)[17]:0{2 * first.itemsize}x} +{re.escape(str(first[index]))}", out
    )
    assert re.search(rf"got +0x{_golden.bits(nudged(number, 17)[0])[17]:0{2 * first.itemsize}x}", out)


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
    assert not _verify.verify(tmp_path / "log")[0].differences


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:1], "holds no results"),
        (lambda text: text[:5000], "truncated: no line fl end"),
        (lambda text: text.replace("results 2", "results 3"), "of format 3; this version of fastleaky has format 2"),
        (
            lambda text: text.replace("results 2 b", "results 2 c"),
            "vectors of another version: their digest is c23fd82f",
        ),
        (lambda text: text.replace("3f800000", "3f800001", 1), "damaged: its CRC is"),
        (lambda text: text.replace("fl vector 7\n", "", 1), "damaged: its CRC is"),
        (lambda text: text.replace("fl vector 7\n", "fl vector seven\n", 1), "damaged: in or before vector 6"),
        (lambda text: text.replace("00000000", "0000000x", 1), "damaged: in or before vector 0"),
        (lambda text: text.splitlines()[0] + "\nfl end 00000000\n", "truncated: it holds no vector"),
        (lambda text: text.replace("results 2", "results one"), "damaged: the line fl results one"),
    ],
)
def test_a_bad_log_is_refused(tmp_path, capsys, spoil, message):
    (tmp_path / "log").write_text(spoil(log()))
    assert cli.main(["verify", str(tmp_path / "log")]) == 2
    assert message in capsys.readouterr().out


def test_results_of_a_wrong_size_are_refused(tmp_path):
    short = [result.ravel()[:-1] for result in vectors()[5].wanted.values()]
    (tmp_path / "log").write_text(log(v5=short))
    with pytest.raises(_verify.ResultsError, match="vector 5 has 66 numbers; it must have 67"):
        _verify.verify(tmp_path / "log")


def test_a_truncated_npz_is_refused(npz):
    whole = npz.read_bytes()
    for size in (0, 1, 1000, len(whole) // 2, len(whole) - 1):
        npz.write_bytes(whole[:size])
        with pytest.raises(_verify.ResultsError, match="truncated or damaged"):
            _verify.verify(npz)


def test_a_damaged_npz_is_refused_or_harmless(npz):
    """A flipped bit is found, unless it says nothing about the numbers (a date, say)."""
    whole = npz.read_bytes()
    refused = 0
    for at in range(0, len(whole), len(whole) // 300):
        npz.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            (verdict,) = _verify.verify(npz)
            assert not verdict.differences
        except _verify.ResultsError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("003.dx"), "truncated: 003.dx is missing"),
        (lambda arrays: arrays.pop("digest"), "no golden vectors: format and digest are missing"),
        (lambda arrays: arrays.update(format=0), "of format 0"),
        (lambda arrays: arrays.update(digest=1), "of another version: their digest is 00000001"),
        (lambda arrays: arrays.update({"003.dx": arrays["003.dx"].ravel()}), r"003.dx is float32 of shape \(67,\)"),
        (lambda arrays: arrays.update({"003.dx": arrays["003.dx"].astype("f8")}), "003.dx is float64"),
    ],
)
def test_a_wrong_npz_is_refused(npz, change, message):
    arrays = _golden.arrays()
    change(arrays)
    np.savez(npz, **arrays)
    with pytest.raises(_verify.ResultsError, match=message):
        _verify.verify(npz)


@pytest.mark.parametrize("arguments", [["vectors"], ["verify"], ["check", "somewhere"], ["somewhere"]])
def test_a_path_where_it_belongs(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "path" in capsys.readouterr().err or arguments == ["somewhere"]


def test_no_such_file(tmp_path, capsys):
    assert cli.main(["verify", str(tmp_path / "nothing")]) == 2
    assert "nothing" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_check_c_reads_and_answers(folder, tmp_path):
    """In C: the header form, and the way back; and check.c refuses what is damaged, truncated or of another version."""
    root = Path(__file__).parent.parent
    sources = [*root.glob("csrc/*.c"), *root.glob("csrc/isa/*.c")]
    compile_ = ["cc", "-O1", "-DROOM=17000", f"-I{root}/csrc", f"-I{tmp_path}"]
    subprocess.run([*compile_, "-c", *sources], cwd=tmp_path, check=True)
    compile_ += [*tmp_path.glob("*.o"), root / "tests" / "check.c", "-o", "check"]

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
    for verdict in _verify.verify(tmp_path / "log"):
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
