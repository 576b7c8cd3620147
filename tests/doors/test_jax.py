"""fastleaky.jax gives the specification's bits under JAX's transformations, and the derivatives of the formula."""

import concurrent.futures
import ctypes
import ctypes.util
import doctest
import functools

import numpy as np
import pytest
from children import HAS_C, HIDE, python, words

pytest.importorskip("jax")
if not HAS_C:
    pytest.skip("the C kernels are not built here", allow_module_level=True)

import jax
import jax.numpy as jnp

import fastleaky.jax
from fastleaky import reference
from fastleaky._backends import native
from fastleaky._backends.selftest import data, draw, same_bits
from fastleaky._operations import OPERATIONS
from fastleaky.jax import _handlers

prelu, leaky_relu = fastleaky.jax.prelu, fastleaky.jax.leaky_relu


@pytest.fixture(autouse=True)
def _float64():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def same(ours, wanted):
    """Have all arrays the same shapes, types and bits?"""
    return all(same_bits(np.asarray(a), np.asarray(b)) for a, b in zip(ours, wanted, strict=True))


def close(ours, wanted):
    """Have all arrays of two trees the same shapes and types, and nearly the same values?"""
    return all(
        a.shape == b.shape and a.dtype == b.dtype and np.allclose(a, b, rtol=1e-4, atol=1e-4)
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(wanted), strict=True)
    )


def both_ways(function):
    """Return a function of the gradient and the inputs that gives the result and the inputs' gradients."""

    def forward_and_backward(grad, *inputs):
        y, backward = jax.vjp(function, *inputs)
        return y, *backward(grad)

    return forward_and_backward


def specified(a, weight, axis=1):
    x = reference.prelu(a["x"], weight, axis=axis)
    return x, *reference.prelu_backward(a["grad"], a["x"], weight, axis=axis)


CASES = [((0, 3), 1), ((3, 0), 1), ((5,), 0), ((4, 3), 1), ((2, 3, 5, 6), 1), ((2, 6, 5, 3), -1), ((1, 2, 70_000), 1)]


@pytest.mark.parametrize(("shape", "axis"), CASES, ids=str)
def test_bits_of_prelu(dtype, shape, axis):
    for channels in {1, shape[axis]}:
        ours = jax.jit(both_ways(functools.partial(prelu, axis=axis)))
        for kind in ("finite", "special"):
            a = data(np.random.default_rng(0), shape, dtype, axis=axis, kind=kind)
            weight = draw(np.random.default_rng(1), channels, dtype, kind)
            assert same(ours(a["grad"], a["x"], weight), specified(a, weight, axis))


@pytest.mark.parametrize("weight_shape", [(), (1, 1, 1, 1), (1, 3, 1, 1), (2, 1, 5, 1), (2, 3, 5, 6), (1, 1, 5, 6)])
def test_bits_of_prelu_with_any_weight(weight_shape, dtype):
    kind = "normal" if dtype == "bfloat16" else "finite"  # XLA's copies of bfloat16 flush subnormals
    a = data(np.random.default_rng(0), (2, 3, 5, 6), dtype, kind=kind)
    weight = draw(np.random.default_rng(1), weight_shape, dtype, kind)
    assert same(both_ways(prelu)(a["grad"], a["x"], weight), specified(a, weight))


@pytest.mark.parametrize("slope", [0.01, -0.3, 1.5, 0.0, -0.0, 1e-40, 1e300, np.inf, np.nan, np.float64(1 / 3), 2])
def test_bits_of_leaky_relu(slope, dtype):
    ours = jax.jit(both_ways(lambda x: leaky_relu(x, slope)))
    for kind in ("finite", "special"):
        a = data(np.random.default_rng(0), (3, 50), dtype, kind=kind)
        wanted = reference.leaky_relu(a["x"], slope), reference.leaky_relu_backward(a["grad"], a["x"], slope)
        assert same(ours(a["grad"], a["x"]), wanted)
        assert same([leaky_relu(a["x"], slope)], wanted[:1])


def test_subnormals_are_kept_where_xla_flushes_them():
    x, half = np.float32([1e-40, -1e-40, -2e-38]), np.float32([0.5])
    flushed, ours = jax.jit(lambda x, w: (w * x, prelu(x, w)))(x, half)
    assert not np.any(flushed)
    assert same([ours], [np.float32([1e-40, -5e-41, -1e-38])])
    x = np.full((4, 1 << 18), -2e-38, np.float32)  # so much that workers help
    assert np.all(np.asarray(prelu(x, half)) == np.float32(-1e-38))


@pytest.mark.parametrize("name", [name for name in fastleaky.backends() if name.startswith("c:")])
def test_use_and_threads_hold_for_compiled_functions(name):
    compiled = jax.jit(both_ways(prelu))
    a = data(np.random.default_rng(0), (2, 4, 40_000), "float32")
    wanted, before = specified(a, a["weight"]), fastleaky.get_num_threads()
    assert same(compiled(a["grad"], a["x"], a["weight"]), wanted)
    module = native.extension()
    try:
        with fastleaky.use(name):
            for n in (1, 2, 5):
                fastleaky.set_num_threads(n)
                assert same(compiled(a["grad"], a["x"], a["weight"]), wanted)
            assert module.fl_isa_name(module.fl_chosen_isa()) == name[2:]
    finally:
        fastleaky.set_num_threads(before)
    with fastleaky.use("numpy"):
        assert same(compiled(a["grad"], a["x"], a["weight"]), wanted)


def test_many_python_threads():
    a = data(np.random.default_rng(0), (4, 8, 9_000), "float32")
    wanted, compiled = specified(a, a["weight"]), jax.jit(both_ways(prelu))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        every = [pool.submit(compiled, a["grad"], a["x"], a["weight"]) for _ in range(40)]
        assert all(same(future.result(), wanted) for future in every)


# Derivatives, of a formula in JAX's own operations too


def formula(x, weight):
    return jnp.where(x > 0, x, weight.reshape((-1,) + (1,) * (x.ndim - 2)) * x)


def example(seed=0, *leading):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((*leading, 2, 3, 4)), rng.standard_normal((*leading, 3))


def cubed(function):
    return lambda x, weight: (function(x, weight) ** 3).sum()


X, W = example()
XS, WS = example(1, 5)
TRANSFORMED = {
    "grad": lambda f: jax.grad(cubed(f), (0, 1))(X, W),
    "value_and_grad, of the weight": lambda f: jax.value_and_grad(cubed(f), 1)(X, W),
    "vmap": lambda f: jax.vmap(f)(XS, WS),
    "vmap, one weight": lambda f: jax.vmap(f, (0, None))(XS, W),
    "vmap, one x": lambda f: jax.vmap(f, (None, 0))(X, WS),
    "vmap, in and out elsewhere": lambda f: jax.vmap(f, (2, None), 1)(np.moveaxis(XS, 0, 2), W),
    "vmap of vmap": lambda f: jax.vmap(jax.vmap(f, (0, None)), (None, 0))(XS, WS),
    "vmap of grad": lambda f: jax.vmap(jax.grad(cubed(f), (0, 1)), (0, None))(XS, W),
    "grad of vmap": lambda f: jax.grad(cubed(jax.vmap(f, (0, None))), (0, 1))(XS, W),
    "grad of grad": lambda f: jax.grad(lambda *a: sum((g**2).sum() for g in jax.grad(cubed(f), (0, 1))(*a)), (0, 1))(
        X, W
    ),
    "jacrev": lambda f: jax.jacrev(f, (0, 1))(X, W),
    "jacrev of jacrev": lambda f: jax.jacrev(jax.jacrev(cubed(f), (0, 1)), (0, 1))(X, W),
    "third derivative": lambda f: jax.jacrev(jax.jacrev(jax.grad(cubed(f), 1), 0), 1)(X[:1, :, :1], W),
    "scan": lambda f: jax.grad(lambda x, w: jax.lax.scan(lambda c, w: (f(c, w), None), x, w)[0].sum(), (0, 1))(X, WS),
    "remat": lambda f: jax.grad(cubed(jax.checkpoint(lambda x, w: f(f(x, w), w))), (0, 1))(X, W),
    "while": lambda f: jax.lax.fori_loop(0, 3, lambda _, x: f(x, W), X),
    "cond": lambda f: jax.grad(lambda x: jax.lax.cond(x.sum() > 0, f, lambda x, _: x, x, W).sum())(X),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_transformations(name):
    ours, theirs = (jax.jit(functools.partial(TRANSFORMED[name], f))() for f in (prelu, formula))
    assert close(ours, theirs)


@pytest.mark.parametrize("name", ["grad", "vmap", "vmap of grad", "scan"])
def test_transformations_without_jit(name):
    assert close(TRANSFORMED[name](prelu), TRANSFORMED[name](formula))


SLOPED = {
    "grad": lambda f: jax.grad(lambda x: (f(x, 0.3) ** 3).sum())(X),
    "vmap": lambda f: jax.vmap(lambda x: f(x, -0.3))(XS),
    "jacrev of jacrev": lambda f: jax.jacrev(jax.jacrev(lambda x: (f(x, 0.3) ** 3).sum()))(X),
    "jit with a slope": lambda f: jax.jit(f)(X, 0.3),
    "gradient of the slope": lambda f: jax.grad(lambda x, s: (f(x, s) ** 2).sum(), (0, 1))(X, 0.3),
    "vmap over slopes": lambda f: jax.vmap(f, (None, 0))(X, W),
}


@pytest.mark.parametrize("name", SLOPED)
def test_transformations_of_leaky_relu(name):
    assert close(SLOPED[name](leaky_relu), SLOPED[name](lambda x, s: jnp.where(x > 0, x, s * x)))


def test_traced_slopes_have_the_same_bits(dtype):
    x = draw(np.random.default_rng(0), (3, 50), dtype)
    slope = draw(np.random.default_rng(1), (), dtype)
    assert same([jax.jit(leaky_relu)(x, slope)], [reference.prelu(x, slope)])
    rounded = np.asarray(0.3, dtype)  # a number of Python that is traced becomes one of x's type
    assert same([jax.jit(leaky_relu)(x, 0.3)], [reference.prelu(x, rounded)])


def test_each_element_of_a_batch_has_its_ordered_sum(dtype):
    rng = np.random.default_rng(0)
    grads, xs = draw(rng, (3, 2, 5, 700), dtype), draw(rng, (3, 2, 5, 700), dtype)
    weights = draw(rng, (3, 5), dtype)
    ours = jax.jit(jax.vmap(both_ways(prelu)))(grads, xs, weights)
    for i, weight in enumerate(weights):
        assert same([part[i] for part in ours], specified({"grad": grads[i], "x": xs[i]}, weight))


# Several devices, other platforms, exported programs

DEVICES = """
import functools
import jax, jax.numpy as jnp, numpy as np, fastleaky.jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P

def gradients(prelu, x, w):
    return jax.grad(lambda x, w: (prelu(x, w) ** 2).sum(), (0, 1))(x, w)

prelu, devices = fastleaky.jax.prelu, jax.devices()
assert len(devices) == 2
x, w = np.random.default_rng(0).standard_normal((4, 6, 50)).astype("f"), np.linspace(-1, 1, 6, dtype="f")
y, (dx, dw) = prelu(x, w), gradients(prelu, x, w)
mesh = Mesh(np.array(devices), ("i",))
for of_x, of_w in (P("i"), P()), (P(None, "i"), P("i")):
    xs, ws = jax.device_put(x, NamedSharding(mesh, of_x)), jax.device_put(w, NamedSharding(mesh, of_w))
    assert np.array_equal(jax.jit(prelu)(xs, ws), y)
    for ours, wanted in zip(jax.jit(functools.partial(gradients, prelu))(xs, ws), (dx, dw)):
        assert np.array_equal(ours, wanted)
    for options in {}, {"check_vma": False}:
        mapped = jax.shard_map(prelu, mesh=mesh, in_specs=(of_x, of_w), out_specs=of_x, **options)
        assert np.array_equal(mapped(xs, ws), y)
        if of_w or options:
            for ours, wanted in zip(gradients(mapped, xs, ws), (dx, dw)):
                assert np.allclose(ours, wanted)
assert np.array_equal(jax.pmap(prelu, in_axes=(0, None))(x.reshape(2, 2, 6, 50), w).reshape(x.shape), y)
print("done")
"""


@pytest.mark.skipif(not hasattr(jax, "shard_map"), reason="this JAX has no jax.shard_map")
def test_two_devices():
    assert words(DEVICES, XLA_FLAGS="--xla_force_host_platform_device_count=2") == ["done"]


def test_other_platforms_get_the_formula():
    export = pytest.importorskip("jax.export", exc_type=ImportError)  # JAX 0.5 needs absl for it
    exported = export.export(jax.jit(both_ways(prelu)), platforms=["cuda"])(X, X, W)
    assert "@fastleaky" not in exported.mlir_module()


def test_export():
    export = pytest.importorskip("jax.export", exc_type=ImportError)
    pytest.importorskip("flatbuffers")  # for serialize()
    kernel = "fastleaky_prelu"
    with pytest.raises(ValueError, match=kernel):
        export.export(jax.jit(prelu))(X, W)
    checks = [export.DisabledSafetyCheck.custom_call(kernel)]
    exported = export.export(jax.jit(prelu), disabled_checks=checks)(X, W)
    assert f"@{kernel}" in exported.mlir_module()
    assert same([export.deserialize(exported.serialize()).call(X, W)], [reference.prelu(X, W)])


# Wrong arguments

x, w = np.ones((2, 3, 4), np.float32), np.ones(3, np.float32)
WRONG = [
    (lambda: prelu(x, np.ones(4, "f")), ValueError, r"prelu: weight has 4 values for 3 channels \(axis 1 of x with"),
    (lambda: jax.jit(prelu)(x, np.ones(4, "f")), ValueError, "prelu: weight has 4 values for 3 channels"),
    (lambda: prelu(x, w, axis=3), ValueError, r"prelu: axis 3 is out of range for x with shape \(2, 3, 4\)"),
    (lambda: prelu(x, w, axis=1.0), TypeError, "prelu: axis is 1.0; it must be an integer"),
    (lambda: jax.jit(lambda axis: prelu(x, w, axis=axis))(1), TypeError, "prelu: axis is .*; it must be an integer"),
    (lambda: prelu(x, 10**400), ValueError, "prelu: weight is 10*; it must fit a float"),
    (lambda: prelu(x, np.ones((3, 4), "f")), ValueError, r"prelu: weight has shape \(3, 4\); for x with shape"),
    (lambda: prelu(x, np.ones((1, 2, 1), "f")), ValueError, "prelu: weight with shape .* does not broadcast to x with"),
    (lambda: prelu(np.float32(1), w), ValueError, r"prelu: axis 1 is out of range for x with shape \(\)"),
    (lambda: prelu(x.astype(int), w), TypeError, "prelu: x has type int64; it must be float32, float64, float16 or"),
    (lambda: jax.vmap(prelu, (0, None))(x.astype(bool), w), TypeError, "prelu: x has type bool; it must be"),
    (lambda: prelu(x.astype(complex), w), TypeError, "prelu: x has type complex128; it must be"),
    (lambda: prelu(jnp.ones((2, 3), jnp.float8_e5m2), w), TypeError, "prelu: x has type float8_e5m2; it must be"),
    (lambda: prelu(jax.random.key(0), w), TypeError, "prelu: x has type key<fry>; it must be"),
    (lambda: prelu(x, w.astype(int)), TypeError, "prelu: weight has type int64; it must be"),
    (lambda: prelu(x, True), TypeError, "prelu: weight has type bool; it must be"),
    (lambda: jax.jit(prelu)(x, 1j), TypeError, "prelu: weight has type complex128; it must be"),
    (
        lambda: prelu(x, w.astype(float)),
        TypeError,
        "weight has type float64, which does not cast safely to x's float32",
    ),
    (
        lambda: prelu(x, w.astype("e")),
        TypeError,
        "weight has type float16, and x has float32; 16 bits go with their own",
    ),
    (lambda: prelu("x", w), TypeError, "prelu: x cannot be made an array"),
    (lambda: prelu(x, object()), TypeError, "prelu: weight cannot be made an array"),
    (lambda: prelu([[1.0], [1.0, 2.0]], w), TypeError, "prelu: x cannot be made an array"),
    (lambda: leaky_relu(1), TypeError, "leaky_relu: x has type int64; it must be"),
    (lambda: leaky_relu(x, "0.1"), TypeError, "leaky_relu: negative_slope is '0.1'; it must be a real number"),
    (lambda: leaky_relu(x, True), TypeError, "leaky_relu: negative_slope is True; it must be a real number"),
    (lambda: leaky_relu(x, w), TypeError, r"leaky_relu: negative_slope is array\(.*; it must be a real number"),
    (lambda: jax.jit(leaky_relu)(x, w), ValueError, r"leaky_relu: negative_slope has shape \(3,\); it must have one"),
    (lambda: jax.jit(leaky_relu)(x, 1j), TypeError, "leaky_relu: negative_slope has type complex128; it must be"),
    (lambda: leaky_relu(x, 10**400), ValueError, "leaky_relu: negative_slope is 10*; it must fit a float"),
    (lambda: jax.jvp(leaky_relu, (x,), (x,)), TypeError, r"forward-mode autodiff \(jvp\)"),  # JAX's own text
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_arguments(number):
    call, error, text = WRONG[number]
    with pytest.raises(error, match=text):
        call()


def test_numbers_and_lists():
    assert prelu([-1.0, 2.0], 0.5).tolist() == [-0.5, 2]
    assert prelu([-1.0, 2.0], 2).tolist() == [-2, 2]
    assert jax.jit(prelu)(np.float32([-1, 2]), 2).tolist() == [-2, 2]
    assert leaky_relu(-1.0, 0.5) == -0.5
    assert prelu(np.float64([-1]), np.float32([0.5])).dtype == np.float64
    jax.config.update("jax_enable_x64", False)
    assert leaky_relu(np.float64([-1, 2]), 0.5).dtype == np.float32


# The interface


def address(*words):
    """Put words of 8 bytes into memory."""
    memory.append(np.array(words, np.int64))
    return memory[-1].ctypes.data


memory = []


def handler(name):
    """Return a handler, which takes the address of a call frame and gives NULL if all is well."""
    number = list(OPERATIONS).index(name)
    return ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(native.extension().fl_xla_handler(number))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ((0, 1), (0, 1)),
        ((0, 2), (0, 2)),
        ((0, 3), (0, 3)),
        (None, (0, 1)),
        ((0, 4), (0, 3)),
        ((0, 0), (0, 3)),
        ((1, 1), (0, 3)),
    ],
)
def test_version_that_a_handler_tells(theirs, ours):
    api = address(0, 0, 0, 0, *np.int32(theirs).view(np.int64)) if theirs else 0
    extension = address(0, 1, 0, address(0, 0, 0, 0))
    metadata = memory[-2]
    assert not handler("leaky_relu")(address(0, extension, api))
    assert tuple(metadata[3:].view(np.int32)) == ours


def test_a_handler_leaves_the_environment_as_it_was():
    def buffers(*arrays):
        each = [address(0, 0, 11, a.ctypes.data, a.ndim, address(*a.shape)) for a in arrays]
        return 0, 0, len(each), 0, address(*each)

    out, libm, invalid = np.empty_like(x), ctypes.CDLL(ctypes.util.find_library("m")), 1
    prelu_handler, frame = handler("prelu"), address(0, 0, 0, 0, 3, *buffers(-x, w), *buffers(out))
    libm.feraiseexcept(invalid)
    assert not prelu_handler(frame)
    assert libm.fetestexcept(invalid)
    assert np.all(out == -1)


@pytest.mark.parametrize("version", [(0, 1), (0, 3), (0, 4), (0, 0), (1, 1), ()])
def test_version_of_the_interface(version):
    names = ("MAJOR", "MINOR")
    header = "".join(f"#define XLA_FFI_API_{name} {number}\n" for name, number in zip(names, version, strict=False))
    if (0, 1) <= version < (1,):
        _handlers.check_interface(header)
        return
    text = ".".join(map(str, version)) or "unknown"
    with pytest.raises(ImportError, match=f"knows the versions 0.1 to 0.3 .*; jaxlib .* has version {text}$"):
        _handlers.check_interface(header)


LIKE_X = jax.ShapeDtypeStruct(x.shape, x.dtype)


@pytest.mark.parametrize(
    ("name", "result", "arguments"),
    [
        ("prelu", LIKE_X, (x, w[1:])),
        ("prelu", LIKE_X, (x[0], w)),
        ("prelu", LIKE_X, (x,)),
        ("prelu", LIKE_X, (x.astype(int), w.astype(int))),
        ("prelu", jax.ShapeDtypeStruct((1, 2, 3), x.dtype), (x, w)),
        ("prelu", jax.ShapeDtypeStruct(x.shape, np.int32), (x, w)),
        ("prelu", (LIKE_X, LIKE_X), (x, w)),
        ("leaky_relu", LIKE_X, (x, 1.0)),
    ],
)
def test_a_handler_refuses_other_arguments(name, result, arguments):
    with pytest.raises(jax.errors.JaxRuntimeError, match="fastleaky: these are not the arguments and results of this"):
        jax.block_until_ready(jax.ffi.ffi_call(f"fastleaky_{name}", result)(*arguments))


def test_examples_of_the_docstrings():
    jax.config.update("jax_enable_x64", False)
    assert doctest.testmod(fastleaky.jax).failed == 0


def test_without_c():
    code = HIDE.format(hidden=["fastleaky._ffi"]) + "import warnings; warnings.simplefilter('ignore')\n"
    child = python(code + "import fastleaky.jax")
    assert child.returncode == 1
    assert child.stderr.splitlines()[-1].startswith("ImportError: fastleaky.jax needs the C kernels: ")


def test_an_old_jax():
    child = python("import jax; jax.__version__ = '0.4.30'; jax.__dict__.pop('ffi', 0)\nimport fastleaky.jax")
    assert child.stderr.splitlines()[-1] == "ImportError: fastleaky.jax needs JAX 0.5 or later; this is 0.4.30"
