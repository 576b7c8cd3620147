"""A backend that gives wrong numbers or cannot be loaded is dropped; one that fails for a passing reason is not."""

import errno
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from children import HIDE, SHOW, needs_c, python, words

import fastleaky
from fastleaky._backends import choice, native, numpy_backend, selftest
from fastleaky._operations import OPERATIONS, TYPES

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
    child = python(HIDE.format(hidden=["numba"]) + BREAK.format(name=name) + SHOW)
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == ["numpy", "numpy"]
    best = fastleaky.backends()[0]
    assert f"RuntimeWarning: fastleaky: backend {best} was dropped: its {name} gave wrong" in child.stderr
    assert "numpy is used instead" in child.stderr


@needs_c
def test_a_broken_kernel_that_was_asked_for():
    child = python(BREAK.format(name="prelu") + SHOW, FASTLEAKY_BACKEND="c:scalar")
    assert child.returncode == 1
    assert "no usable backend 'c:scalar'" in child.stderr
    assert "c:scalar is not: its prelu gave wrong numbers for float32 in a known case" in child.stderr


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
    monkeypatch.setattr(choice, "_choice", choice.Choice(made, {}, {}))
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
    wrong = SimpleNamespace(**{name: getattr(right, name) for name in ("elementwise", "gradients")})
    numpy_only.clear()
    numpy_only.update(wrong=lambda: wrong, numpy=lambda: right)
    assert fastleaky.leaky_relu(np.float32([-1])) == np.float32(-0.01)
    assert fastleaky.backend == "wrong"
    wrong.gradients = lambda *_: None
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
