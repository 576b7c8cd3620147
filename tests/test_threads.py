"""Thread counts, several Python threads at once, and forked children: the same bits, no deadlock, no crash."""

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

import fastleaky
from examples import VARIANTS, arrays_of, example
from fastleaky._backends import choice, native
from fastleaky._backends.selftest import same_bits
from fastleaky._operations import OPERATIONS

pytestmark = pytest.mark.filterwarnings("ignore:.*fork")  # of Python, and of JAX wherever it was imported before

SHAPES = [  # from 2**17 elements on
    (1, 1, 300_001),
    (2, 64, 56, 56),
    (7, 40, 52, 52),
    (40_000, 5, 1),
    (3, 70, 999),
    (300, 700, 1),
]


@pytest.fixture(autouse=True)
def restore_threads():
    before = fastleaky.get_num_threads()
    yield
    fastleaky.set_num_threads(before)


def all_agree(given, wanted):
    return all(all(map(same_bits, variant(fastleaky, given), wanted[variant])) for variant in VARIANTS.values())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.usefixtures("backend")
def test_thread_counts(dtype, shape):
    given, wanted = example(shape, dtype)
    for threads in (1, 2, 3, 100):
        fastleaky.set_num_threads(threads)
        assert fastleaky.get_num_threads() == threads
        assert all_agree(given, wanted), threads


@pytest.mark.usefixtures("backend")
def test_in_place(dtype, operation):
    fastleaky.set_num_threads(2)
    for shape, name in itertools.product(SHAPES, arrays_of(operation)):
        given, wanted = example(shape, dtype)
        out = (given[name], None) if len(operation.results) > 1 else given[name]
        results = operation(fastleaky, given, out=out)
        assert results[0] is given[name]
        assert all(map(same_bits, results, wanted[operation])), (shape, name)


@pytest.mark.usefixtures("backend")
def test_many_python_threads_at_once():
    fastleaky.set_num_threads(2)
    given, wanted = example(SHAPES[1])
    results = []

    def work():
        results.extend(all_agree(given, wanted) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 20


def test_many_python_threads_while_the_choice_changes():
    """Whatever is chosen when a call begins, it gives the same bits; without a GIL, too."""
    given, wanted = example(SHAPES[1])
    small, wanted_of_small = example((2, 3, 5))
    results, ended = [], threading.Event()

    def work():
        while not ended.is_set():
            results.append(all_agree(small, wanted_of_small) and all_agree(given, wanted))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n, name in enumerate(fastleaky.backends() * 10):
        fastleaky.set_num_threads(1 + n % 3)
        with fastleaky.use(name):
            assert all_agree(small, wanted_of_small)
    ended.set()
    for thread in threads:
        thread.join()
    assert all(results)
    assert len(results) >= len(threads)


def test_other_threads_run_meanwhile(backend):
    """A thread gets on while another computes. It could not if that did not let go of the interpreter.

    No thread is made to let go, since the switch interval is so long: this thread does so only where it computes. On
    the general way, some of NumPy's functions let go as well, so there the kernels are called by themselves.
    """
    fastleaky.set_num_threads(1)  # to set several, Numba lets go for a moment
    given, _ = example(SHAPES[1])
    x, grad = (np.concatenate([given[name]] * 4).reshape(8, 64, -1) for name in ("x", "grad"))
    weight, dx, dweight = given["weight"], np.empty_like(x), np.empty_like(given["weight"])
    kernels = choice.backend(x.dtype)

    def compute():
        if backend.startswith("c:") and native.ENTRIES:
            fastleaky.prelu_backward(grad, x, weight, out=(dx, dweight))
        else:
            kernels.gradients(OPERATIONS["prelu_backward"], (grad, x), (weight,), (dx, dweight))

    compute()  # compiles it, in Numba
    steps, ended = [0], [False]

    def count():
        while not ended[0]:
            steps[0] += 1
            time.sleep(0)  # lets go

    interval, meanwhile = sys.getswitchinterval(), 0
    thread = threading.Thread(target=count)
    sys.setswitchinterval(1000)
    try:
        thread.start()
        for _ in range(100):  # the system may not have given it a processor in one call
            before = steps[0]
            compute()
            meanwhile += steps[0] - before
            if meanwhile:
                break
    finally:
        ended[0] = True
        sys.setswitchinterval(interval)
        thread.join()
    assert meanwhile > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.usefixtures("backend")
def test_after_a_fork():
    """The child computes at once, though the parent's worker threads do not exist there."""
    fastleaky.set_num_threads(2)
    given, wanted = example(SHAPES[1])
    assert all_agree(given, wanted)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a hang ends here
        os._exit(0 if all_agree(given, wanted) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _in_a_child(backend):
    with fastleaky.use(backend):
        given, wanted = example(SHAPES[0])
        return all_agree(given, wanted)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on this system")
def test_multiprocessing_by_fork(backend):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_in_a_child, [backend] * 4).get(timeout=120) == [True] * 4


def test_numba_state_is_left_as_found():
    numba = pytest.importorskip("numba")
    before = numba.get_num_threads()
    fastleaky.set_num_threads(2 if before != 2 else 3)  # several: with one, Numba's number is not touched
    given, wanted = example(SHAPES[0])
    with fastleaky.use("numba"):
        assert all_agree(given, wanted)
    assert numba.get_num_threads() == before
