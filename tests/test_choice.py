"""The choice of a backend: at import, by name, without C, without Numba, and when a kernel is broken."""

import errno
import math
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastleaky
from fastleaky._backends import choice, native, numpy_backend, selftest, threads
from fastleaky._operations import OPERATIONS, TYPES

PACKAGE = Path(fastleaky.__file__).parent
HAS_C = "c" not in choice.unusable()
HAS_NUMBA = "numba" in fastleaky.backends()
needs_c = pytest.mark.skipif(not HAS_C, reason="the C kernels are not built here")
needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="Numba is not installed")

# Imports as if these modules were not there.
HIDE = """
import importlib.machinery, sys
found = importlib.machinery.PathFinder.find_spec
hidden = {hidden!r}
importlib.machinery.PathFinder.find_spec = lambda name, *rest: None if name in hidden else found(name, *rest)
"""
SHOW = """
import fastleaky, numpy as np, sys
y = fastleaky.leaky_relu(np.float32([10, -5, 0]), 0.1)
assert y.tolist() == [10, -0.5, 0], y
print(fastleaky.backend, *fastleaky.backends())
"""


def python(code, *options, folder=PACKAGE.parent, **environment):
    """Run code in a new Python that imports the same fastleaky; its output, or its error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FASTLEAKY_")}
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        env={**inherited, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def words(code, *options, **others):
    child = python(code, *options, **others)
    assert child.returncode == 0, child.stderr
    return child.stdout.split()


def test_the_best_is_chosen():
    chosen, *usable = words(SHOW)
    assert usable == fastleaky.backends()
    assert chosen == usable[0]
    order = ["c:avx512", "c:avx2", "c:sse2", "c:scalar", "numba", "numpy"]
    assert usable == [name for name in order if name in usable]
    assert usable[-1] == "numpy"


@pytest.mark.parametrize("name", fastleaky.backends())
def test_forced_by_the_environment(name):
    assert words(SHOW, FASTLEAKY_BACKEND=name)[0] == name


@needs_c
def test_c_means_its_best():
    assert words(SHOW, FASTLEAKY_BACKEND="c")[0] == fastleaky.backends()[0]


@pytest.mark.parametrize("name", ["cuda", "c:", "C", "c:mmx", "num"])
def test_unknown_name(name):
    child = python(SHOW, FASTLEAKY_BACKEND=name)
    assert child.returncode == 1
    last = child.stderr.splitlines()[-1]
    assert "BackendError: FASTLEAKY_BACKEND: no usable backend" in last
    assert f"{name!r}; usable here: {', '.join(fastleaky.backends())}" in last
    for unusable, why in choice.unusable().items():
        assert f"{unusable} is not: {why}" in last
    with pytest.raises(ValueError, match="no usable backend"):
        fastleaky.use(name)
    with pytest.raises(ImportError, match="no usable backend"):
        fastleaky.use(name)


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


BREAK = """
from fastleaky._backends import native
right = native.Native._call
def wrong(self, name, arrays, *rest):
    right(self, name, arrays, *rest)
    if name == "{name}": arrays[-1].reshape(-1)[-1] += 1
native.Native._call = wrong
"""


@needs_c
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_broken_kernel_is_dropped(name):
    child = python(BREAK.format(name=name) + SHOW)
    assert child.returncode == 0, child.stderr
    following = next(n for n in fastleaky.backends() if not n.startswith("c:"))
    assert child.stdout.split()[0] == following
    assert (
        f"RuntimeWarning: fastleaky: backend {fastleaky.backends()[0]} was dropped: its {name} gave wrong"
        in child.stderr
    )
    assert f"{following} is used instead" in child.stderr


@needs_c
def test_a_broken_kernel_that_was_asked_for():
    child = python(BREAK.format(name="prelu") + SHOW, FASTLEAKY_BACKEND="c:scalar")
    assert child.returncode == 1
    assert "no usable backend 'c:scalar'" in child.stderr
    assert "c:scalar is not: its prelu gave wrong numbers for float32 in a known case" in child.stderr


@pytest.mark.parametrize("name", fastleaky.backends())
def test_whatever_numpy_is_told_to_raise(name):
    """Every type is used for the first time with errors for everything, and no backend is lost by that."""
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


@pytest.mark.parametrize("name", fastleaky.backends())
def test_deep_in_a_recursion(name):
    """A RecursionError, or the answer; and afterwards the same backends as before, for every type."""
    code = """
import sys, numpy as np, fastleaky
x = np.float32([10, -5, 0])
def call_at(depth, x):
    return call_at(depth - 1, x) if depth else fastleaky.prelu_backward(x, x, x[:1])
outcomes = set()
for dtype in 'f4', 'f2':
    for room in range(10, 400, 10):
        fastleaky.use(fastleaky.backend)
        try:
            call_at(sys.getrecursionlimit() - room, x.astype(dtype))
            outcomes.add('answer')
        except RecursionError:
            outcomes.add('error')
assert outcomes == {'answer', 'error'}
print(fastleaky.backend, *fastleaky.backends())
"""
    assert words(code, "-Werror", FASTLEAKY_BACKEND=name) == [name, *fastleaky.backends()]


def chained(error, cause):
    error.__cause__ = cause
    return error


PASSING = [
    MemoryError(),
    RecursionError(),
    FloatingPointError(),
    DeprecationWarning("as -W error raises it"),
    OSError(errno.EMFILE, "too many open files"),
    chained(ImportError("it did not load"), MemoryError()),
]


@pytest.fixture
def numpy_only(monkeypatch):
    """The NumPy backend, as the only one and not yet proven; afterwards all is as it was."""
    made = {"numpy": lambda: numpy_backend}
    monkeypatch.setattr(choice, "_proven", {})
    monkeypatch.setattr(choice, "_choice", choice.Choice(made, {}))
    for name in TYPES:
        native.set_backend(None, name)
    yield made
    monkeypatch.undo()
    with fastleaky.use("numpy"):  # and back: nothing that was proven here is called any longer
        pass


def fails_with(error):
    def make():
        raise error

    return make


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_passing_state_removes_no_backend(numpy_only, error):
    """It is the caller's; and what was not to be had once is asked for again."""
    x, right = np.float32([-1]), numpy_only["numpy"]
    numpy_only["numpy"] = fails_with(error)
    with pytest.raises(type(error)):
        fastleaky.leaky_relu(x)
    numpy_only["numpy"] = right
    assert fastleaky.leaky_relu(x) == np.float32(-0.01)


@pytest.mark.parametrize("error", [ImportError("no"), OSError("no library"), AttributeError("no name"), SystemError()])
def test_what_cannot_be_loaded_is_dropped(numpy_only, error):
    """Also if it is first used while an error that would pass is being handled."""
    right = numpy_only["numpy"]
    numpy_only.clear()
    numpy_only.update(broken=fails_with(error), numpy=right)

    def call_while_handling():
        try:
            bytearray(sys.maxsize)
        except MemoryError:
            fastleaky.leaky_relu(np.float32([-1]))

    with pytest.warns(RuntimeWarning, match="backend broken was dropped: .*; numpy is used instead") as caught:
        call_while_handling()
    assert [warning.filename for warning in caught] == [__file__]
    assert fastleaky.backends() == ["numpy"]
    assert choice.unusable() == {"broken": str(error)}


def test_a_backend_is_dropped_for_every_type(numpy_only):
    """What is wrong for one type is used for no other, so that fastleaky.backend tells what is used."""
    right = numpy_only["numpy"]()
    wrong = SimpleNamespace(**{name: getattr(right, name) for name in ("elementwise", "slope_gradient")})
    numpy_only.clear()
    numpy_only.update(wrong=lambda: wrong, numpy=lambda: right)
    assert fastleaky.leaky_relu(np.float32([-1])) == np.float32(-0.01)
    assert fastleaky.backend == "wrong"
    wrong.slope_gradient = lambda *_: None
    with pytest.warns(
        RuntimeWarning, match="backend wrong was dropped: its prelu_backward gave wrong numbers for float64"
    ):
        fastleaky.leaky_relu(np.float64([-1]))
    assert fastleaky.backend == "numpy"
    assert fastleaky.prelu(np.float32([[-1]]), np.float32([3])) == -3


@needs_c
@pytest.mark.parametrize("place", ["known_answers", "see_known_answers"])
def test_a_switch_amid_a_first_call(monkeypatch, place):
    """The call ends as it began, and what comes after it goes where the switch says: here not to C."""
    x, called = np.ones(3, np.float16), []
    original = getattr(selftest, place)

    def interrupted(*arguments):
        thread = threading.Thread(target=fastleaky.use, args=("numpy",))
        thread.start()
        thread.join()
        return original(*arguments)

    with fastleaky.use("c"):
        monkeypatch.setattr(selftest, place, interrupted)
        monkeypatch.setattr(choice, "_proven", {})
        assert fastleaky.leaky_relu(x).tolist() == [1, 1, 1]
        monkeypatch.undo()
        assert fastleaky.backend == "numpy"
        fastleaky.leaky_relu(x)  # proves NumPy's, if that has not been done before
        right = numpy_backend.elementwise
        monkeypatch.setattr(numpy_backend, "elementwise", lambda *given: called.append("numpy") or right(*given))
        fastleaky.leaky_relu(x)
        fastleaky.leaky_relu(x)
    assert called == ["numpy"] * 2


@needs_c
def test_switches_while_others_compute():
    """Each call has the right answer, whatever the others do; and the last word counts."""
    arrays = [np.array([-2, 3], dtype) for dtype in ("f4", "f2", "f8")]
    wrong, stop = [], threading.Event()

    def compute():
        while not stop.is_set():
            for x in arrays:
                try:
                    if fastleaky.prelu(x, x[:1]).tolist() != [4, 3]:
                        wrong.append(x.dtype)
                except BaseException as error:
                    wrong.append(error)
                    raise

    threads = [threading.Thread(target=compute) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        for name in ("numpy", "c:scalar", "c"):
            fastleaky.use(name)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert fastleaky.backend == fastleaky.backends()[0]


@needs_numba
def test_numba_without_a_place_for_its_cache():
    code = "import numba.core.caching as c; c.CacheImpl._locator_classes = []"
    assert words(code + SHOW, FASTLEAKY_BACKEND="numba")[0] == "numba"


@needs_numba
@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_numba_layers(layer):
    """Two Python threads at once and a forked child, on the layers that abort and hang when they are misused."""
    tests = Path(__file__).parent / "test_threads.py"
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "numba and not float16 and not float64", str(tests)],
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


@pytest.mark.parametrize("threads", ["0", "-1", "many", "1.5", "²", "9" * 5000])
def test_nonsense_in_num_threads(threads):
    child = python("import fastleaky", FASTLEAKY_NUM_THREADS=threads)
    assert child.returncode == 1
    assert f"FASTLEAKY_NUM_THREADS is {threads!r}; it must be an integer of at least 1" in child.stderr


def test_num_threads_from_the_environment():
    assert words("import fastleaky; print(fastleaky.get_num_threads())", FASTLEAKY_NUM_THREADS="5") == ["5"]


def test_other_bounds_on_threads():
    count = "import fastleaky; print(fastleaky.get_num_threads())"
    assert words(count, OMP_NUM_THREADS="3") == ["3"]
    assert words(count, OMP_NUM_THREADS="3,2") == ["3"]
    assert words(count, OMP_NUM_THREADS="3", FASTLEAKY_NUM_THREADS="2") == ["2"]
    for nonsense in ("", "many", "0", "-1", "9" * 5000):  # it is not ours to complain of
        assert int(*words(count, OMP_NUM_THREADS=nonsense)) >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_affinity_bounds_threads():
    count = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); import fastleaky; "
    assert words(count + "print(fastleaky.get_num_threads())") == ["1"]


GROUPS = {
    "version 2": ("0::/a/b", {"a/b/cpu.max": "150000 100000", "a/cpu.max": "max 100000"}, 1.5),
    "version 2, a parent's": ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 0.5),
    "version 2, in a container": ("0::/unseen", {"cpu.max": "200000 100000"}, 2.0),
    "version 1": (
        "4:cpuacct,cpu:/a\n1:name=systemd:/",
        {"cpu/a/cpu.cfs_quota_us": "30000", "cpu/a/cpu.cfs_period_us": "10000"},
        3.0,
    ),
    "version 1, without": ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "10000"}, math.inf),
    "nothing": ("0::/", {}, math.inf),
    "nonsense": ("what is this", {"cpu.max": "100 100"}, math.inf),
}


@pytest.mark.parametrize(("own", "files", "wanted"), GROUPS.values(), ids=GROUPS)
def test_quota(tmp_path, own, files, wanted):
    (tmp_path / "own").write_text(own + "\n")
    for name, text in files.items():
        file = tmp_path / "mounted" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert threads.quota(str(tmp_path / "own"), str(tmp_path / "mounted")) == wanted
    assert threads.quota(str(tmp_path / "none"), str(tmp_path / "mounted")) == math.inf


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
