"""The choice of a backend: at import, by name, without C, without Numba."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from children import HAS_C, HIDE, PACKAGE, SHOW, needs_c, needs_numba, python, words

import fastleaky
from fastleaky._backends import choice


def test_the_best_is_chosen():
    chosen, *usable = words(SHOW)
    assert usable == fastleaky.backends()
    assert chosen == usable[0]
    order = ["c:avx512", "c:avx2", "c:sse2", "c:scalar", "numba", "numpy"]
    assert usable == [name for name in order if name in usable]
    assert usable[-1] == "numpy"


@pytest.mark.parametrize("name", fastleaky.backends())
def test_forced_by_the_environment(name):
    """And every type is used for the first time with errors for everything: no backend is lost by that."""
    code = """
import numpy as np; np.seterr(all='raise')
try: from ml_dtypes import bfloat16
except ImportError: bfloat16 = 'f4'
import fastleaky
for dtype in 'f2', bfloat16, 'f4', 'f8':
    x = np.array([10, -5, 0, np.nan, np.inf], dtype)
    x[3:] *= x[4]
    dx, dweight = fastleaky.prelu_backward(x, x, x[:1])
    assert dx[:3].tolist() == [10, -50, 0], dx
print(fastleaky.backend, *fastleaky.backends())
"""
    assert words(code, "-Werror", FASTLEAKY_BACKEND=name) == [name, *fastleaky.backends()]


@needs_c
def test_c_means_its_best():
    assert words(SHOW, FASTLEAKY_BACKEND="c")[0] == fastleaky.backends()[0]


@pytest.mark.parametrize("name", ["cuda", "c:", "C", "c:mmx", "num"])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="no usable backend") as caught:
        fastleaky.use(name)
    assert isinstance(caught.value, ImportError)
    assert f"{name!r}; usable here: {', '.join(fastleaky.backends())}" in str(caught.value)
    for unusable, why in choice.unusable().items():
        assert f"{unusable} is not: {why}" in str(caught.value)


def test_unknown_name_in_the_environment():
    child = python(SHOW, FASTLEAKY_BACKEND="c:mmx")
    assert child.returncode == 1
    with pytest.raises(fastleaky.BackendError) as caught:
        fastleaky.use("c:mmx")
    assert child.stderr.splitlines()[-1].endswith(f"BackendError: FASTLEAKY_BACKEND: {caught.value}")


def test_use():
    first, last = fastleaky.backends()[0], fastleaky.backends()[-1]
    with fastleaky.use(last):
        assert fastleaky.backend == last
        with fastleaky.use(first) as inner:
            assert repr(inner) == f"use({first!r})"
            assert fastleaky.backend == first
        assert fastleaky.backend == last
    assert fastleaky.backend == words(SHOW)[0]
    with pytest.raises(TypeError, match="name is 3"):
        fastleaky.use(3)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = fastleaky.nonsense


def test_importing_is_light():
    show = "; import sys; print(*sorted({'numba', 'cffi', 'pycparser', 'rich', 'json'} & set(sys.modules)))"
    if HAS_C:
        assert words("import fastleaky" + show) == words("import numpy" + show)  # NumPy 1.25 itself imports json


@needs_numba
def test_without_c():
    chosen, *usable = words(HIDE.format(hidden=["fastleaky._ffi"]) + SHOW, "-Wignore")
    assert chosen == "numba"
    assert usable == ["numba", "numpy"]
    child = python(HIDE.format(hidden=["fastleaky._ffi"]) + SHOW, FASTLEAKY_BACKEND="c")
    assert "no usable backend 'c'; usable here: numba, numpy; c is not: " in child.stderr


def test_without_numba():
    _, *usable = words(HIDE.format(hidden=["numba"]) + SHOW, "-Werror")
    assert usable == [name for name in fastleaky.backends() if name != "numba"]
    child = python(HIDE.format(hidden=["numba"]) + SHOW, FASTLEAKY_BACKEND="numba")
    assert "numba is not: Numba is not installed" in child.stderr
    assert words("import sys; sys.modules['numba'] = None" + SHOW, "-Werror")[1:] == usable


def test_without_either():
    assert words(HIDE.format(hidden=["fastleaky._ffi", "numba"]) + SHOW, "-Wignore") == ["numpy", "numpy"]


def test_a_numba_that_does_not_import(tmp_path):
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 2.4 or less')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})" + HIDE.format(hidden=["fastleaky._ffi"]) + SHOW
    child = python(code)
    assert child.stdout.split() == ["numpy", "numpy"]
    assert "backend numba was dropped: Numba needs NumPy 2.4 or less; numpy is used instead" in child.stderr


@needs_numba
def test_numba_without_a_place_for_its_cache():
    code = "import numba.core.caching as c; c.CacheImpl._locator_classes = []"
    assert words(code + SHOW, FASTLEAKY_BACKEND="numba", NUMBA_OPT="0")[0] == "numba"  # it compiles all of it


@needs_numba
def test_numba_layers():
    """Two Python threads at once and a forked child, on the layers that abort and hang when they are misused.

    On Numba's first choice, test_threads.py itself runs.
    """
    import numba

    numba.get_num_threads()  # makes the choice
    for layer in {"workqueue", "omp"} - {numba.threading_layer()}:
        tests = Path(__file__).parent / "test_threads.py"
        selected = "numba and not float16 and not float64 and not in_place"
        found = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-k", selected, str(tests)],
            env={**os.environ, "NUMBA_THREADING_LAYER": layer, "PYTEST_ADDOPTS": ""},  # which may name this test again
            cwd=PACKAGE.parent,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if "No threading layer could be loaded" in found.stdout:
            pytest.skip(f"Numba has no threading layer {layer} here")
        assert found.returncode == 0, found.stdout


@pytest.mark.skipif(not (PACKAGE / "_backends" / "ffi_build.py").exists(), reason="these are not the sources")
def test_the_source_folder_is_never_a_silent_fallback(tmp_path):
    """It uses what is installed, if that was built from the same C sources, and else it says what is wrong."""
    for folder in ("fastleaky", "csrc"):
        shutil.copytree(PACKAGE.parent / folder, tmp_path / folder)
    assert words(SHOW, "-Werror", folder=tmp_path) == words(SHOW, "-Werror")
    if HAS_C:
        with (tmp_path / "csrc" / "float" / "float_ops.c").open("a") as file:
            file.write("/* changed */\n")
        again = "from fastleaky._backends import native\ntry: native.extension()"
        again += "\nexcept ImportError: print('refused again')"
        child = python(f"import fastleaky\n{again}", folder=tmp_path)
        assert child.stdout == "refused again\n"
        assert "RuntimeWarning: fastleaky: the C kernels are not used: the installed" in child.stderr
        assert "was built from other C sources than those beside" in child.stderr
        assert "pip install . again" in child.stderr


@pytest.mark.skipif(not (PACKAGE / "_backends" / "ffi_build.py").exists(), reason="these are not the sources")
def test_the_source_folder_without_an_installation(tmp_path):
    for folder in ("fastleaky", "csrc"):
        shutil.copytree(PACKAGE.parent / folder, tmp_path / folder)
    hide = f"""
import os, sys
os.path.exists = lambda path, found=os.path.exists: found(path) and not (
    path.endswith("__init__.py") and not path.startswith({str(tmp_path)!r})
)
"""
    child = python(hide + HIDE.format(hidden=["fastleaky._ffi"]) + "import fastleaky", folder=tmp_path)
    assert "RuntimeWarning: fastleaky: the C kernels are not used: " in child.stderr
    assert (
        f"{tmp_path}/fastleaky is the source folder, and fastleaky is not installed: run pip install ." in child.stderr
    )
