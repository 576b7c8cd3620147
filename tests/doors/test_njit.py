"""The operations inside a user's @njit: the specification's bits, with the C kernels and with the Numba kernels."""

import functools
import itertools
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from children import HAS_C, HIDE, needs_c, python, words
from layouts import LAYOUTS

import fastleaky
from examples import example
from fastleaky import prelu_backward, reference
from fastleaky._backends.selftest import data, draw, same_bits
from fastleaky._operations import OPERATIONS, PLAIN

numba = pytest.importorskip("numba")
from numba.core.errors import TypingError  # noqa: E402 - only where it is installed
from numba.core.runtime import _nrt_python, rtsys  # noqa: E402

from fastleaky._backends import native  # noqa: E402
from fastleaky._njit.implementation import implementation  # noqa: E402
from fastleaky._njit.overloads import OPTIONS  # noqa: E402

NATIVE = {name: layout for name, layout in LAYOUTS.items() if name != "byte_swapped"}  # Numba takes no other byte order
SHAPES = [(3, 4, 5), (1, 1, 300), (3, 2, 150), (150, 3, 1), (2, 130, 33), (1, 17, 1), (0, 4, 5), (3, 0, 5), (3, 4, 0)]
ANY = "c" if HAS_C else "numba"  # for what does not depend on the kernels
WEIGHTS = [(), (1,), (1, 1, 1), (1, 4, 1), (3, 1, 1), (1, 1, 5), (3, 4, 1), (1, 4, 5), (3, 1, 5), (3, 4, 5)]


@pytest.fixture(autouse=True, scope="module")
def _allocations_are_counted():
    _nrt_python.memsys_enable_stats()
    yield
    _nrt_python.memsys_disable_stats()


@pytest.fixture(params=PLAIN)
def operation(request):
    """Each operation that has kernels in C and in Numba."""
    return PLAIN[request.param]


@pytest.fixture(params=[name for name in OPERATIONS if name not in PLAIN])
def fused(request):
    """Each operation that has kernels in C only."""
    return OPERATIONS[request.param]


@pytest.fixture(params=[pytest.param("c", marks=needs_c), "numba"])
def kernels(request):
    return request.param


@functools.cache
def compiled(name, kernels):
    """What Numba compiles of an operation, with some kernels."""
    return numba.njit(**OPTIONS)(implementation(OPERATIONS[name], kernels))


def apply(operation, kernels, given, axis=1):
    options = {"axis": axis} if operation.has_channels else {}
    return operation(SimpleNamespace(**{operation.name: compiled(operation.name, kernels)}), given, **options)


def check(operation, kernels, given, axis=1, wanted=None):
    """Compare with the specification; the arguments stay as they are."""
    before = {name: value.copy() for name, value in given.items() if isinstance(value, np.ndarray)}
    wanted = wanted or operation(reference, given, **{"axis": axis} if operation.has_channels else {})
    assert all(map(same_bits, apply(operation, kernels, given, axis), wanted))
    assert all(same_bits(given[name], before[name]) for name in before)


def laid_out(operation, given, layout):
    names = (*operation.inputs, *operation.channel, operation.more)
    return given | {name: NATIVE[layout](given[name]) for name in names if given.get(name) is not None}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits(kernels, operation, dtype):
    for shape in SHAPES:
        for kind in ("finite", "special"):
            given, wanted = example(shape, dtype, kind)
            check(operation, kernels, given, wanted=wanted[operation])


@pytest.mark.parametrize("layout", NATIVE)
def test_layouts(operation, layout):
    for shape in SHAPES:
        given, wanted = example(shape)
        check(operation, ANY, laid_out(operation, given, layout), wanted=wanted[operation])


@pytest.mark.parametrize("shape", [(), (1,), (7,), (5, 3), (2, 3, 2, 3, 2)], ids=str)
def test_dimensions(operation, shape):
    given, wanted = example(shape, weight_shape=() if not shape else None)
    check(operation, ANY, given, wanted=wanted[operation], axis=min(1, len(shape) - 1))


def test_layouts_and_types_differ(operation):
    given, _ = example((3, 4, 5), "float64")
    names = [*operation.inputs, *operation.channel]
    for turned in range(3):
        layouts = np.roll(["transposed", "strided", "contiguous"], turned)
        check(
            operation,
            ANY,
            given | {name: NATIVE[layout](given[name]) for name, layout in zip(names, layouts, strict=False)},
        )
    check(operation, ANY, given | {name: given[name].astype(np.float32) for name in names if name != "x"})


@pytest.mark.parametrize("name", ["prelu", "prelu_backward"])
def test_weights(name):
    """Along each axis; shared; or broadcast, also along axes that are not neighbours."""
    for layout in ("contiguous", "transposed", "channels_last"):
        given, _ = example((3, 4, 5))
        for axis in range(-3, 3):
            given["weight"] = draw(np.random.default_rng(axis + 3), (3, 4, 5)[axis], "float32")
            check(OPERATIONS[name], ANY, laid_out(OPERATIONS[name], given, layout), axis)
        for shape in WEIGHTS:
            given, _ = example((3, 4, 5), weight_shape=shape)
            check(OPERATIONS[name], ANY, laid_out(OPERATIONS[name], given, layout), 7)


@needs_c
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused(fused, dtype):
    """With what may be left out, and without; where arrays must be copied, and where not."""
    left_out = dict.fromkeys([fused.more, *fused.optional])
    for shape, kind in itertools.product([*SHAPES, (7, 1), (2, 3, 300, 5)], ("finite", "special")):
        given = data(np.random.default_rng(0), shape, dtype, kind=kind)
        check(fused, "c", given)
        check(fused, "c", given | left_out)
        check(fused, "c", laid_out(fused, given, "transposed"))
        check(fused, "c", given | {"residual": draw(np.random.default_rng(1), shape, "float32", kind)})
    for axis in (0, -1):
        check(fused, "c", data(np.random.default_rng(1), (2, 4, 300), dtype, axis=axis), axis=axis)


def test_fused_without_c(fused):
    given = data(np.random.default_rng(0), (2, 3), "float32")
    with pytest.raises(TypingError, match=f"{fused.name}: compiled code has it only where fastleaky has its C kernels"):
        apply(fused, "numba", given)


@pytest.mark.parametrize("slope", [0.1, -3, 2**60 + 1, np.float32(0.1), np.uint8(2), np.nan, -np.inf, 1e-320, 0])
def test_numbers(kernels, slope):
    """As a slope; and as a weight, whose gradient has no dimensions."""
    given, _ = example((2, 3, 4))
    given.update(negative_slope=slope, weight=slope)
    wanted = reference.prelu_backward(given["grad"], given["x"], np.float32(slope))
    check(OPERATIONS["leaky_relu"], kernels, given)
    check(OPERATIONS["prelu_backward"], kernels, given, wanted=wanted)


def test_large_arrays(kernels, operation):
    """With several chunks of the sums; with the threads of the library, where these are C; beyond the cache."""
    for shape in ((2, 3, 40_000), (40_000, 3, 1), (3, 7, 20_001)):
        given, wanted = example(shape)
        check(operation, kernels, given, wanted=wanted[operation])


@numba.njit
def step(x, weight, grad):
    """As a user writes it."""
    y = fastleaky.prelu(x, weight)
    dx, dweight = prelu_backward(grad, x, weight=weight, axis=-2)
    dz = fastleaky.leaky_relu_backward(grad, x, negative_slope=0.3, out=None)
    return y + fastleaky.leaky_relu(x), dx, dweight, dz


def test_calls_of_users():
    given, _ = example((3, 4, 5))
    x, weight, grad = (given[name] for name in ("x", "weight", "grad"))
    y, *others = step(x, weight, grad)
    assert same_bits(y, reference.prelu(x, weight) + reference.leaky_relu(x))
    wanted = [*reference.prelu_backward(grad, x, weight), reference.leaky_relu_backward(grad, x, 0.3)]
    assert all(map(same_bits, others, wanted))


def test_memory_order():
    """A result has that of x, whatever that is."""
    given, _ = example((3, 4, 5))
    prelu, backward = compiled("prelu", ANY), compiled("prelu_backward", ANY)
    for layout in ("contiguous", "transposed", "channels_last", "rotated"):
        laid = laid_out(OPERATIONS["prelu_backward"], given, layout)
        assert prelu(laid["x"], laid["weight"]).strides == laid["x"].strides
        dx, _ = backward(laid["grad"], laid["x"], laid["weight"])
        assert layout == "rotated" or dx.strides == laid["x"].strides  # there, the sums ask for a copy


@numba.njit(parallel=True)
def each(x, weight):
    out = np.empty_like(x)
    for i in numba.prange(x.shape[0]):
        out[i] = fastleaky.prelu(x[i], weight, axis=0)
    return out


def test_parallel():
    for shape in ((8, 3, 40_000), (300, 2, 5)):
        given, wanted = example(shape)
        for _ in range(5):
            assert same_bits(each(given["x"], given["weight"]), *wanted[OPERATIONS["prelu"]])


def test_threads():
    released = numba.njit(nogil=True)(step.py_func)
    given, _ = example((2, 4, 40_000))
    arguments = [given[name] for name in ("x", "weight", "grad")]
    wanted, results = step(*arguments), [None] * 8

    def run(i):
        for _ in range(5):
            results[i] = released(*arguments)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same_bits(a, b) for result in results for a, b in zip(result, wanted, strict=True))


def test_options_of_the_user(operation, kernels):
    """A licence to forget NaN, infinity and the order of sums does not reach the operations."""
    inner = numba.extending.register_jitable(**OPTIONS)(implementation(operation, kernels))

    @numba.njit(fastmath=True, error_model="python", boundscheck=True)
    def user(*given):
        return inner(*given)

    for shape in SHAPES:
        given, wanted = example(shape, "float32", "special")
        results = user(*(given[name] for name in operation.positional))
        results = results if isinstance(results, tuple) else (results,)
        assert all(map(same_bits, results, wanted[operation]))


WRONG = [
    ("leaky_relu_backward", ((1, 3), (2, 3), 0.1)),
    ("leaky_relu_backward", ((6,), (6, 1), 0.1)),
    ("prelu", ((2, 3, 4), (2,))),
    ("prelu", ((2, 3, 4), (3,), 2)),
    ("prelu", ((2, 3, 4), (3,), 3)),
    ("prelu", ((2, 3, 4), (3,), -4)),
    ("prelu", ((2, 3, 4), (0,))),
    ("prelu", ((2, 3, 4), (1, 3))),
    ("prelu", ((2, 3, 4), (1, 3, 1, 1))),
    ("prelu", ((2, 3, 4), (1, 2, 1))),
    ("prelu", ((2, 1, 4), (1, 3, 1))),
    ("prelu", ((0, 3), (3, 3))),
    ("prelu", ((), (3,), 0)),
    ("prelu_backward", ((2, 3, 4), (2, 3, 5), (3,))),
    ("prelu_backward", ((2, 3, 4), (2, 3, 4), (4,))),
]


WRONG_FUSED = [
    ("bias_leaky_relu", ((2, 3), (4,)), {}),
    ("bias_leaky_relu", ((2, 3), (3,), 0.2, -1.0), {}),
    ("bias_leaky_relu", ((2, 3), (3,)), {"gain": np.nan}),
    ("bias_leaky_relu", ((2, 3), (3,)), {"clamp": 0}),
    ("bias_leaky_relu", ((2, 3), (3,), 0.2, 1.0, np.inf), {}),
    ("bias_leaky_relu_backward", ((2, 3), (2, 4)), {}),
    ("bias_leaky_relu_backward", ((2, 3), (2, 3), 0.0), {}),
    ("bias_leaky_relu_backward", ((2, 3), (2, 3)), {"axis": 2}),
    ("bias_leaky_relu_backward", ((2, 1), (2, 1)), {"axis": -3}),
    ("bias_leaky_relu_backward", ((), ()), {"axis": 0}),
    ("scale_shift_leaky_relu", ((2, 3), (3,), (3,)), {"residual": (3,)}),
    ("scale_shift_prelu", ((2, 3), (3,), (3,), (2,)), {}),
    ("scale_shift_prelu", ((2, 3), (3,), (3,), (3,)), {"residual": (2, 4)}),
]


@pytest.mark.parametrize(("name", "given"), WRONG, ids=str)
def test_shapes_that_do_not_fit(kernels, name, given):
    *shapes, last = given
    is_axis = name == "prelu" and isinstance(last, int)
    check_error(kernels, name, shapes if is_axis else given, {"axis": last} if is_axis else {})


@needs_c
@pytest.mark.parametrize(("name", "given", "options"), WRONG_FUSED, ids=str)
def test_arguments_of_fused_operations_that_do_not_fit(name, given, options):
    check_error("c", name, given, options)


def check_error(kernels, name, given, options):
    """The error is that of Python, and comes before anything is allocated."""
    arguments = [array_of(value) for value in given]
    options = {option: array_of(value) for option, value in options.items()}
    with pytest.raises(ValueError, match=f"^{name}: ") as wanted:
        getattr(fastleaky, name)(*arguments, **options)

    def fail():
        with pytest.raises(ValueError, match=f"^{name}: ") as found:
            compiled(name, kernels)(*arguments, **options)
        assert str(found.value) == str(wanted.value)

    fail()
    before = rtsys.get_allocation_stats()
    fail()
    after = rtsys.get_allocation_stats()
    arrays = sum(isinstance(value, np.ndarray) for value in (*arguments, *options.values()))
    assert after.alloc - before.alloc == after.free - before.free
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free == arrays


def array_of(value):
    """An array, if that is a shape."""
    return np.ones(value, np.float32) if isinstance(value, tuple) else value


x, half, numbers = np.ones((2, 3), np.float32), np.ones(3, np.float16), np.ones(3, np.int32)
wide = x.astype(float)
TYPES = {
    "leaky_relu: x is float64; it must be an array": lambda: fastleaky.leaky_relu(1.0),
    "leaky_relu: x is reflected list": lambda: fastleaky.leaky_relu([1.0]),
    "leaky_relu: x has type int32; it must be float32, float64": lambda: fastleaky.leaky_relu(numbers),
    "leaky_relu: x has type float16, for which Numba compiles": lambda: fastleaky.leaky_relu(half),
    "leaky_relu: negative_slope has type float16": lambda: fastleaky.leaky_relu(x, half[0]),
    "leaky_relu: negative_slope is bool; it must be a real number": lambda: fastleaky.leaky_relu(x, True),
    "leaky_relu: negative_slope is unicode_type; it must be a real": lambda: fastleaky.leaky_relu(x, "1"),
    "leaky_relu: negative_slope is array": lambda: fastleaky.leaky_relu(x, x),
    "got an unexpected keyword argument 'slope'": lambda: fastleaky.leaky_relu(x, slope=0.1),
    "missing a required argument: 'weight'": lambda: fastleaky.prelu(x),
    "prelu: weight is none; it must be an array or a real number": lambda: fastleaky.prelu(x, None),
    "prelu: weight has type int32; it must be float32": lambda: fastleaky.prelu(x, numbers),
    "prelu: axis is float64; it must be an integer": lambda: fastleaky.prelu(x, x, axis=1.0),
    "too many positional arguments": lambda: fastleaky.prelu(x, x, 1),
    "bias_leaky_relu: gain is none; it must be a real number": lambda: fastleaky.bias_leaky_relu(x, x, 0.2, None),
    "bias_leaky_relu: clamp has type float16": lambda: fastleaky.bias_leaky_relu(x, x, 0.2, 1.0, half[0]),
    "scale_shift_prelu: residual is float64; it must be an array, or None": lambda: fastleaky.scale_shift_prelu(
        x, x, x, x, residual=0.5
    ),
    "scale_shift_prelu: residual has type float64, which does not": lambda: fastleaky.scale_shift_prelu(
        x, x, x, x, residual=wide
    ),
    "bias_leaky_relu_backward: axis is none; it must be an integer": lambda: fastleaky.bias_leaky_relu_backward(
        x, x, axis=None
    ),
    "prelu: compiled code takes no out; assign the result": lambda: fastleaky.prelu(x, x, out=x),
}


@pytest.mark.parametrize("message", TYPES)
def test_types_that_do_not_fit(message):
    with pytest.raises(TypingError) as found:
        numba.njit(TYPES[message])()
    assert message in str(found.value)


USER = """
import fastleaky, numba, numpy as np

@numba.njit(cache=True)
def prelu(x, weight):
    return fastleaky.prelu(x, weight)

@numba.njit("float32[:,::1](float32[:,::1])", cache=True, parallel=True)
def each(x):
    out = np.empty_like(x)
    for i in numba.prange(len(x)):
        out[i] = fastleaky.leaky_relu(x[i])
    return out
"""
USE = """
import sys; sys.path.insert(0, {folder!r})
import numpy as np, user
print(*user.prelu(np.float32([-1, -2, 3]), np.float32([2, 3, 4])), *user.each(np.float32([[-100, 4]]))[0])
print(*(sum(function.stats.cache_hits.values()) for function in (user.prelu, user.each)))
"""
RESULTS = ["-2.0", "-6.0", "3.0", "-1.0", "4.0"]


@pytest.fixture
def user(tmp_path):
    """Run the functions of USER in a new process, some of whose modules may be hidden."""
    (tmp_path / "user.py").write_text(USER)

    def run(hidden=(), **environment):
        code = HIDE.format(hidden=hidden) + USE.format(folder=str(tmp_path))
        return python(code, "-W", "error", NUMBA_CACHE_DIR=str(tmp_path / "cache"), **environment)

    return run


def outcome(child):
    assert child.returncode == 0, child.stderr
    return child.stdout.split()


@needs_c
def test_cache_with_c(user):
    """The second process compiles nothing, nor does one with another instruction set; one without C says what to do."""
    assert outcome(user()) == [*RESULTS, "0", "0"]
    assert outcome(user()) == [*RESULTS, "1", "1"]
    assert outcome(user(FASTLEAKY_BACKEND="c:scalar")) == [*RESULTS, "1", "1"]
    child = user(hidden=["fastleaky._ffi"])
    assert child.returncode == 1
    assert "RuntimeError: fastleaky: this function was compiled for the C kernels" in child.stderr


def test_cache_without_c(user):
    """The Numba kernels are a part of what is compiled, so it works wherever it is loaded."""
    assert outcome(user(hidden=["fastleaky._ffi"])) == [*RESULTS, "0", "0"]
    assert outcome(user(hidden=["fastleaky._ffi"])) == [*RESULTS, "1", "1"]
    assert outcome(user()) == [*RESULTS, "1", "1"]


@needs_c
def test_instruction_set():
    """Compiled code takes the one that is chosen when it is called, and in a place of C the best."""
    from fastleaky._njit.calls_to_c import isa

    in_use = numba.njit(lambda: isa())  # noqa: PLW0108 - an intrinsic is no function
    sets = native.instruction_sets()
    for name in [*fastleaky.backends(), "c"]:
        with fastleaky.use(name):
            chosen = fastleaky.backend if name.startswith("c") else fastleaky.backends()[0]
            assert in_use() == sets[chosen.removeprefix("c:")]


def test_programs_without_fastleaky():
    """Numba imports it, but neither its kernels nor a framework; a wrong environment is only a warning of Numba's."""
    code = "import numba, sys; numba.njit(lambda x: x)(1); print(*sys.modules)"
    modules = words(code, "-W", "error")
    assert "fastleaky._njit.overloads" in modules
    assert not {"fastleaky._njit.implementation", "fastleaky._backends.numba_intrinsics", "torch", "jax"} & set(modules)
