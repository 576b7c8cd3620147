"""``python -m fastleaky doctor``: its table, its JSON, its file and its errors."""

import json
from pathlib import Path

import doctor_models as models
import numpy as np
import pytest
from children import HIDE, python

from fastleaky import __main__ as cli
from fastleaky.doctor import cost, files, firmware

SHIPPED = Path(models.onnx.__file__).parent / "backend/test/data/pytorch-converted/test_PReLU_2d_multiparam/model.onnx"


@pytest.fixture
def file(tmp_path):
    """Return the path of a .tflite file with operators."""

    def of(*operators):
        path = tmp_path / "m.tflite"
        path.write_bytes(models.tflite(*operators))
        return str(path)

    return of


def printed(capsys, *arguments, status=0):
    assert cli.main(["doctor", *map(str, arguments)]) == status
    return capsys.readouterr()


def squeezed(text):
    return " ".join(text.split())


def test_table(capsys, file):
    weight = np.float32([-0.5, 0.25, 0, 2]).reshape(1, 1, 4)
    path = file(models.leaky(), models.leaky("float32", 0.2), models.prelu("float32", weight, (1, 4, 5, 4)))
    out = printed(capsys, path).out
    lines = [line.split() for line in out.splitlines()]
    table = cost.cores()["cortex-m4"]
    for number, name, shape, slope in (
        ("0", "y0", "1x4x5x16", "0.1"),
        ("1", "y1", "1x4x5x16", "0.2"),
        ("2", "y2", "1x4x5x4", "4:"),
    ):
        assert any(line[:4] == [number, name, shape, slope] for line in lines), out
    each = cost.instructions("cortex-m4", "leaky_relu_f32", 320) / 320
    assert table["leaky_relu_f32"][512] < each < table["leaky_relu_f32"][64]
    for text in (f"({each:.3g})", "tflite-single: 16", "xnnpack: ", "of 256", "0.05 (-3) to", "0.04 (5)", "-0.5 ... 2"):
        assert text in out
    said = squeezed(out)
    assert "Instructions: on cortex-m4" in said
    assert "2 (1 of 4 slopes): slopes that are negative: " in said
    assert "2 (1 of 4 slopes): slopes that are zero: " in said
    assert "2 (1 of 4 slopes): slopes that are above 1: " in said
    assert "2 (1 of 4 slopes): LiteRT with XNNPACK: other bits than ours where x is -0, +0." in said


def test_remarks_have_ranges(capsys, file):
    operators = [models.leaky("float32", slope) for slope in (-0.1, -0.2, 0.1, -0.3, -0.4, -0.5, 0.1, -0.6)]
    said = squeezed(printed(capsys, file(*operators)).out)
    assert "0-1, 3-5, 7: slopes that are negative: " in said
    weight = np.float32([-0.5, 0.25]).reshape(1, 1, 2)
    said = squeezed(printed(capsys, file(operators[0], models.prelu("float32", weight, (1, 4, 5, 2)))).out)
    assert "0-1 (2 of 3 slopes): slopes that are negative: " in said


def test_a_model_that_is_shipped(capsys):
    out = printed(capsys, SHIPPED, "--core", "riscv64-rvv, 128 bits").out
    assert "2x3x4x5" in out
    assert "3: 0.25 ... 0.25" in out
    assert "on riscv64-rvv, 128 bits" in out


def test_json(capsys, file):
    path = file(models.leaky(slope=-0.5), models.prelu("float32", np.float32([np.nan, np.inf]).reshape(1, 2), (1, 2)))
    found = json.loads(printed(capsys, path, "--json").out, parse_constant=pytest.fail)
    assert (found["model"], found["format"], found["core"]) == (path, "tflite", "cortex-m4")
    leaky, prelu = found["activations"]
    assert leaky["slopes"] == {"values": [-0.5], "unusual": {"negative": 1}}
    assert leaky["instructions"].keys() == {"leaky_relu_i8", "look_up_i8"}
    assert leaky["integers"]["of"] == 256
    assert prelu["slopes"] == {"values": ["nan", "inf"], "unusual": {"NaN": 1, "infinite": 1, "above 1": 1}}
    assert prelu["disagreements"]["LiteRT, TensorFlow Lite Micro"] == {"-0": 2, "+0": 2}


def test_nothing_of_ours(capsys, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(models.onnx_file([models.helper.make_node("LeakyReluGrad", ["x"], ["y"], domain="somebody")]))
    out = printed(capsys, path).out
    assert "There is no leaky ReLU and no PReLU in it." in out
    assert "Skipped: node 0: LeakyReluGrad of somebody" in out


@pytest.mark.parametrize("rounding", [None, "xnnpack"])
def test_emit_c(capsys, file, tmp_path, rounding):
    path, header = file(models.leaky(), models.prelu()), tmp_path / "net.h"
    printed(capsys, path, "--emit-c", header, *(["--rounding", rounding] if rounding else []))
    assert header.read_text() == firmware.header(files.read(Path(path)), "m.tflite", "net", rounding)
    assert f"net_0 = {{FL_{'XNNPACK' if rounding else 'TFLITE'}, " in header.read_text()


def test_errors(capsys, file, tmp_path):
    path = file(models.leaky())
    missing, folder, broken = tmp_path / "none.onnx", tmp_path, tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x0a\x3a\x05")
    for arguments, wrong in (
        ([missing], f"{missing}: No such file or directory"),
        ([folder], f"{folder}: Is a directory"),
        ([broken], f"{broken}: byte 2: 5 bytes should follow, and there are 0, in ModelProto"),
        ([path, "--core", "z80"], "--core is z80; it must be one of: "),
        ([path, "--emit-c", folder / "no" / "m.h"], f"{folder / 'no' / 'm.h'}: No such file or directory"),
    ):
        said = printed(capsys, *arguments, status=2)
        assert said.out == ""
        assert said.err.startswith(wrong)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["doctor"], "doctor needs a path"),
        (["check", "--core", "cortex-m4"], "--core, --emit-c and --rounding belong to doctor"),
        (["doctor", "m.onnx", "--rounding", "up"], "invalid choice: 'up'"),
    ],
)
def test_wrong_arguments(capsys, arguments, wrong):
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2
    assert wrong in capsys.readouterr().err


def test_names_are_no_commands_to_the_terminal(capsys, file):
    path = Path(file(models.leaky("float32")))

    def rename(made):
        made.subgraphs[0].tensors[1].name = "\x1b[31m[bold]\u2028red"

    path.write_bytes(models.edited(path.read_bytes(), rename))
    out = printed(capsys, path).out
    assert "\x1b" not in out
    assert r"\x1b[31m[bold]\u2028" in squeezed(out).replace(" ", "")


@pytest.mark.parametrize(("name", "missing"), [("m.tflite", "tflite"), ("m.onnx", "onnx")])
def test_an_extra_that_is_missing(tmp_path, name, missing):
    path = tmp_path / name
    path.write_bytes(dict(models.samples())[name])
    code = f"import sys\nfrom fastleaky.cli.main import main\nsys.exit(main(['doctor', {str(path)!r}]))"
    child = python(HIDE.format(hidden=[missing]) + code)
    assert child.returncode == 2
    wrong = f"fastleaky.doctor needs {missing}, which is not installed: pip install 'fastleaky[doctor]'"
    assert child.stderr.splitlines() == [wrong]
