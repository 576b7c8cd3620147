"""Golden vectors: what they cover, the files that are written, and the way to C and back."""

import errno
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ml_dtypes")

from golden_results import log, refused

import fastleaky
from fastleaky import __main__ as cli
from fastleaky import reference
from fastleaky._backends.selftest import same_bits
from fastleaky._operations import OPERATIONS
from fastleaky.golden import formats, verification
from fastleaky.golden.vectors import SLOPES, specials, vectors


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
        assert {"residual" in vector.given for vector in of_type if vector.operation.more} == {True, False}
        for name in ("dweight", "dbias"):
            sums = np.concatenate([vector.wanted[name] for vector in of_type if name in vector.wanted])
            assert np.sum(np.isfinite(sums) & (sums != 0)) > 50


def test_every_backend_computes_them(backend):
    assert fastleaky.backend == backend
    for vector in vectors():
        got = vector.operation(fastleaky, vector.given)
        assert all(map(same_bits, got, vector.wanted.values())), str(vector)


def test_the_inputs_never_change():
    """Neither with NumPy's version nor with ours: where this fails, FORMAT has to change too."""
    assert f"{formats.digest():08x}" == "9b04f5bd"


def test_the_files(golden_folder):
    header = (golden_folder / "vectors.h").read_text()
    assert f"FL_VECTORS_DIGEST 0x{formats.digest():08x}u" in header
    assert header.endswith("#define FL_VECTORS_END 1\n")
    size = sum(dtype.itemsize * len(formats.Table(t).words) for t, dtype in formats.DTYPES.items())
    assert size < 88_000  # with check.c, a Cortex-M3 with 192 kB of flash has room
    with np.load(golden_folder / "vectors.npz") as file:
        for number, vector in enumerate(vectors()):
            for name, array in {**vector.given, **vector.wanted}.items():
                assert np.array_equal(
                    file[f"{number:03d}.{name}"], formats.stored(array), equal_nan=vector.type != "bf16"
                )
    manifest = (golden_folder / "MANIFEST.txt").read_text()
    assert all(f"{number:03d} {vector}\n" in manifest for number, vector in enumerate(vectors()))


def test_right_results(golden_folder, tmp_path, capsys):
    (tmp_path / "log").write_text("boot\r\n" + log("scalar").replace("\n", "\r\n") + log("mve"))
    for path in (golden_folder / "vectors.npz", tmp_path / "log"):
        assert cli.main(["verify", str(path)]) == 0
        out = capsys.readouterr().out
        assert f"{len(vectors())} of {len(vectors())} vectors compared, identical" in out
    assert "mve: " in out
    assert "scalar: " in out


@pytest.mark.parametrize("arguments", [["vectors"], ["verify"], ["check", "somewhere"], ["somewhere"]])
def test_a_path_where_it_belongs(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "path" in capsys.readouterr().err or arguments == ["somewhere"]


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
def test_check_c_reads_and_answers(golden_folder, tmp_path):
    """In C: the header form, and the way back; and check.c refuses what is damaged, truncated or of another version.

    Without AVX, whose kernels take longest to compile.
    """
    root = Path(__file__).parent.parent
    csrc = shutil.copytree(root / "csrc", tmp_path / "csrc")
    isas = (csrc / "isas.def").read_text()
    (csrc / "isas.def").write_text(re.sub(r"FL_ISA\(avx.*\n", "", isas))
    sources = [source for source in csrc.glob("**/*.c") if source.parent.name != "threads" and "avx" not in source.name]
    compile_ = ["cc", "-O1", "-DROOM=17000", f"-I{csrc}", f"-I{tmp_path}"]
    subprocess.run([*compile_, "-c", *sources], cwd=tmp_path, check=True)
    compile_ += [*tmp_path.glob("*.o"), root / "tests" / "c" / "check.c", "-o", "check"]

    def build(header, *flags):
        (tmp_path / "vectors.h").write_text(header)
        command = [*compile_, *flags]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else None

    header = (golden_folder / "vectors.h").read_text()
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
    assert "is of another version" in build(header.replace("FORMAT 3", "FORMAT 2"))
    assert "is truncated" in build(header[: header.rindex("#define")])
