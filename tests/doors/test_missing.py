"""A door imports its framework only when asked for; where that is missing, the error says what to install."""

import re
import tomllib

import pytest
from children import HIDE, python, words
from conftest import FRAMEWORKS
from pages import ROOT

NEEDED = {  # what each door imports, or a module in it; the door has the extra of its own name
    "dask": ["dask"],
    "doctor.onnx_file": ["onnx"],
    "doctor.tflite_file": ["tflite", "flatbuffers"],
    "jax": ["jax"],
    "onnx": ["onnx"],
    "onnxruntime": ["onnxruntime"],
    "torch": ["torch", "ml_dtypes"],
}


@pytest.mark.parametrize(("module", "missing"), [(module, name) for module, names in NEEDED.items() for name in names])
def test_missing(module, missing):
    others = set(NEEDED[module]) - {missing}  # there, in name at least: else an error would name one of them
    stand_ins = f"import sys, types; sys.modules.update((name, types.ModuleType(name)) for name in {others}); "
    child = python(HIDE.format(hidden=[missing]) + (stand_ins if others else "") + f"import fastleaky.{module}")
    door = module.partition(".")[0]
    message = f"fastleaky.{door} needs {missing}, which is not installed: pip install 'fastleaky[{door}]'"
    assert child.stderr.splitlines()[-1] == f"ImportError: {message}"


def test_each_door_has_an_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    sources = [path.read_text() for path in (ROOT / "fastleaky").rglob("*.py")]
    doors = {name for source in sources for name in re.findall(r'with extra\("(\w+)"\)', source)}
    assert doors == {module.partition(".")[0] for module in NEEDED}
    assert doors <= set(extras)


def test_none_is_imported_unasked():
    imported = words("import fastleaky, sys; fastleaky.leaky_relu([1.0]); print(*sys.modules)")
    assert "fastleaky" in imported
    assert not set(imported) & {*FRAMEWORKS, "ml_dtypes"}
