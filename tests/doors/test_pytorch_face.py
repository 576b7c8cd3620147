"""The example in PyTorch: what it prints, what it draws, and that its comparison of the losses can fail."""

import importlib.util
import re

import pytest

pytest.importorskip("torch")
pytest.importorskip("ml_dtypes")
pytest.importorskip("matplotlib")

from pages import ROOT
from tensors import one_thread

from fastleaky.torch import _kernels, functional


@pytest.fixture(scope="module")
def face():
    spec = importlib.util.spec_from_file_location("pytorch_face", ROOT / "examples" / "pytorch_face.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def test_it_learns_the_same_with_and_without(face, capsys, tmp_path):
    picture = tmp_path / "faces.png"
    assert face.main(["--steps", "40", "--batch", "12", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    out = " ".join(capsys.readouterr().out.split())
    assert "The first losses are the same to the last bit" in out
    rows = re.findall(r"(PyTorch|with fastleaky) ([\d.]+) ([\d.]+) ([\d.]+)% [\d.]+ ms [\d.]+ ms", out)
    assert [name for name, *_ in rows] == ["PyTorch", "with fastleaky"]
    for _, first, last, recognised in rows:
        assert float(last) < float(first)
        assert float(recognised) > 15  # of 24 persons; by chance 4 %


def test_a_difference_is_told(face, capsys, monkeypatch):
    right = _kernels.prelu
    monkeypatch.setattr(functional, "SMALL", 0)
    monkeypatch.setattr(_kernels, "prelu", lambda x, weight: right(x, weight + 1e-3))
    assert face.main(["--steps", "2", "--batch", "2"]) == 1
    assert "The first losses are DIFFERENT" in " ".join(capsys.readouterr().out.split())
