"""The backends as a fixture: every one by name, C instruction sets included."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Numba: enough threads for every count that the tests set, whatever the machine.
os.environ.setdefault("NUMBA_NUM_THREADS", "4")

import numpy as np
import pytest
from quantized_examples import ENGINES

import fastleaky
from examples import VARIANTS
from fastleaky import _apply
from fastleaky._backends import choice, native, numpy_backend
from fastleaky._operations import Operation

USABLE = fastleaky.backends()
UNUSABLE = choice.unusable()
FRAMEWORKS = ("torch", "onnxruntime", "onnx", "jax", "dask", "distributed", "tflite")
TYPES = ["float32", "float64", "float16"]
try:
    import ml_dtypes  # NumPy knows the name bfloat16 from here on

    TYPES.append(np.dtype(ml_dtypes.bfloat16).name)
except ImportError:
    UNUSABLE_TYPES = ["fastleaky: NOT TESTED: bfloat16: there is no ml_dtypes"]
else:
    UNUSABLE_TYPES = []
GENERAL = {"numpy, no array is small": "numpy"}
if USABLE[0].startswith("c:"):
    GENERAL["c, the general way"] = USABLE[0]


def pytest_report_header() -> list[str]:
    """Show what is tested: an absent backend must not go unseen."""
    absent = [f"fastleaky: NOT TESTED: {name}: {why}" for name, why in UNUSABLE.items()]
    testing = f"fastleaky: testing {', '.join(USABLE)} from {os.path.dirname(fastleaky.__file__)}"
    return [testing, *absent, *UNUSABLE_TYPES]


def pytest_configure() -> None:
    """Fail at once where FASTLEAKY_EXPECT, a list of backends and frameworks, names one that is not there."""
    expected = [name for name in os.environ.get("FASTLEAKY_EXPECT", "").split(",") if name]
    missing = [name for name in expected if name not in [*USABLE, *filter(importlib.util.find_spec, FRAMEWORKS)]]
    if missing:
        pytest.exit(f"FASTLEAKY_EXPECT: {missing} missing; usable: {USABLE}; not usable: {UNUSABLE}", returncode=1)


@pytest.fixture(params=[*USABLE, *UNUSABLE, *GENERAL])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Use each backend in turn; and two once more, without the short cuts for what is plain or small."""
    if request.param in UNUSABLE:
        pytest.skip(f"{request.param}: {UNUSABLE[request.param]}")
    name = GENERAL.get(request.param, request.param)
    if request.param in GENERAL:
        monkeypatch.setattr(native, "ENTRIES", False)
        monkeypatch.setattr(_apply, "ready", lambda _: None)
        monkeypatch.setattr(numpy_backend, "SMALL", 0)
    with fastleaky.use(name):
        yield name


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Use each backend that has quantized operations of its own."""
    with fastleaky.use(request.param):
        yield


@pytest.fixture(params=VARIANTS)
def operation(request: pytest.FixtureRequest) -> Operation:
    """Each operation; and once more without what may be left out."""
    return VARIANTS[request.param]


@pytest.fixture(params=TYPES)
def dtype(request: pytest.FixtureRequest) -> str:
    """Each element type."""
    return str(request.param)


@pytest.fixture(scope="session")
def golden_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the golden vectors."""
    from fastleaky.golden import formats

    folder = tmp_path_factory.mktemp("golden")
    formats.write(folder)
    return folder
