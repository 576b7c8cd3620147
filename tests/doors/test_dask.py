"""The door to Dask: lazy, chunk by chunk, with NumPy's bits; and dweight as a tree of the chunks' sums."""

import doctest
import itertools
import re

import numpy as np
import pytest

import fastleaky
from examples import example
from fastleaky import reference
from fastleaky._backends.selftest import draw, same_bits
from fastleaky._operations import OPERATIONS, PLAIN

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
from dask.array.utils import meta_from_array  # noqa: E402 - only where it is installed

from fastleaky import dask as door  # noqa: E402

SHAPES = {  # with chunks of x, and of the weight and the gradient where these are dask arrays
    (): ((), (), ()),
    (0,): (0, 0, 0),
    (7,): (3, 2, 7),
    (9, 1): ((2, 1), 1, (9, 1)),
    (6, 8, 5): ((2, 3, 2), 5, (6, 2, 5)),
    (4, 0, 3): ((2, 0, 3), 0, (4, 0, 1)),
    (2, 3, 4, 5): ((1, 3, 2, 5), 1, (2, 1, 1, 1)),
    (3, 4, 2, 2, 3): ((2, 3, 1, 2, 2), 4, (3, 1, 2, 1, 3)),
}


@pytest.fixture(params=PLAIN)
def operation(request):
    """Each operation that this door has."""
    return PLAIN[request.param]


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


def chunked(given, shape):
    """The arguments as dask arrays, each in its own chunks."""
    x, weight, grad = (chunks or -1 for chunks in SHAPES[shape])
    chunks = {"x": x, "weight": weight, "grad": grad}
    return given | {name: da.from_array(np.asarray(given[name]), chunks[name]) for name in chunks}


def computed(operation, given, **options):
    return dask.compute(*operation(door, given, **options), scheduler="synchronous")


def tree(sums, shared):
    """Add an array of sums: four neighbours at a time along the shared axes, in C order, until there is one."""
    while any(sums.shape[i] > 1 for i in shared):
        shape = [-(-n // 4) if i in shared else n for i, n in enumerate(sums.shape)]
        added = np.zeros(shape)
        for at in np.ndindex(*shape):
            group = sums[tuple(slice(4 * i, 4 * i + 4) if axis in shared else [i] for axis, i in enumerate(at))]
            for term in group.ravel():
                added[at] = added[at] + term
        sums = added
    return sums


def specified_dweight(grad, x, weight, chunks):
    """The tree of the ordered sums of the chunks, as the documentation says it; the weight broadcasts to x."""
    wide = reference.wide(x).dtype
    shared = [i for i in range(x.ndim) if weight.shape[i] == 1]
    sums = np.zeros([len(c) if i in shared else n for i, (n, c) in enumerate(zip(weight.shape, chunks, strict=True))])
    edges = [np.cumsum([0, *sizes]) for sizes in chunks]
    for block in itertools.product(*(range(len(sizes)) for sizes in chunks)):
        here = tuple(slice(edge[i], edge[i + 1]) for edge, i in zip(edges, block, strict=True))
        own = tuple(slice(None) if i in shared else here[i] for i in range(x.ndim))
        to = tuple(slice(b, b + 1) if i in shared else here[i] for i, b in enumerate(block))
        _, part = reference.prelu_backward(grad[here].astype(wide), x[here].astype(wide), weight[own].astype(wide))
        sums[to] = part
    with np.errstate(all="ignore"):
        return reference.rounded(tree(sums, shared), weight.dtype)


@pytest.mark.parametrize("kind", ["finite", "special"])
@pytest.mark.parametrize("lazy_weight", [False, True])
def test_bits(operation, shape, dtype, kind, lazy_weight):
    given, wanted = example(shape, dtype, kind)
    lazy = chunked(given, shape)
    if not lazy_weight:
        lazy["weight"] = given["weight"]
    outs = operation(door, lazy)
    assert outs[0].chunks == lazy["x"].chunks
    for out, result, array in zip(outs, computed(operation, lazy), wanted[operation], strict=True):
        assert isinstance(out, da.Array)
        assert (out.dtype, out.shape, type(meta_from_array(out))) == (array.dtype, array.shape, np.ndarray)
        assert result.dtype == out.dtype
        if out is outs[0]:
            assert same_bits(np.asarray(result), array)
    if len(outs) > 1:
        broadcast = reference.along(given["weight"], given["x"], 1)
        dweight = specified_dweight(given["grad"], given["x"], broadcast, lazy["x"].chunks)
        assert same_bits(np.asarray(result), dweight.reshape(given["weight"].shape))


@pytest.mark.parametrize("weight_shape", [(), (1,), (1, 1, 1), (6, 1, 5), (1, 8, 5), (6, 8, 5), (5,)], ids=str)
def test_shapes_of_weights(weight_shape, dtype):
    shape = (6, 8, 5)
    given, _ = example(shape, dtype)
    given["weight"] = draw(np.random.default_rng(0), weight_shape, dtype)
    lazy = chunked({**given, "weight": np.zeros(8)}, shape)
    for weight in (given["weight"], da.from_array(np.asarray(given["weight"]))):
        (y,) = computed(OPERATIONS["prelu"], lazy | {"weight": weight}, axis=-1)
        assert same_bits(y, reference.prelu(given["x"], given["weight"], axis=2))
        dx, dweight = computed(OPERATIONS["prelu_backward"], lazy | {"weight": weight}, axis=2)
        wanted, _ = reference.prelu_backward(given["grad"], given["x"], given["weight"], axis=2)
        assert same_bits(dx, wanted)
        broadcast = reference.along(given["weight"], given["x"], 2)
        wanted = specified_dweight(given["grad"], given["x"], broadcast, lazy["x"].chunks).reshape(weight_shape)
        assert same_bits(np.asarray(dweight), wanted)


def test_a_number_as_the_weight():
    x = np.float32([1, -2, -3])
    lazy = da.from_array(x, 2)
    assert door.prelu(lazy, 0.5).compute().tolist() == [1, -1, -1.5]
    dx, dweight = dask.compute(*door.prelu_backward(lazy, lazy, 0.5))
    assert dx.dtype == dweight.dtype == np.float32
    assert (dx.tolist(), dweight.tolist()) == ([1, -1, -1.5], 13)


def test_a_weight_of_the_other_byte_order():
    x = da.from_array(np.float32([[1, -2], [-3, 4]]), 1)
    _, dweight = door.prelu_backward(x, x, np.array([0.5, 0.25], np.dtype("f4").newbyteorder("S")))
    assert dweight.dtype == dweight.compute().dtype == np.float32
    assert dweight.compute().tolist() == [9, 4]


def test_a_deep_tree():
    """150 chunks take four levels; the order is not that of the chunks in a row."""
    given, wanted = example((600, 3), "float64")  # whose sums are rounded
    x, grad = (da.from_array(given[name], (4, 3)) for name in ("x", "grad"))
    _, dweight = door.prelu_backward(grad, x, given["weight"])
    result = dweight.compute(scheduler="synchronous")
    broadcast = given["weight"][None]
    assert same_bits(result, specified_dweight(given["grad"], given["x"], broadcast, x.chunks)[0])
    assert np.allclose(result, wanted[OPERATIONS["prelu_backward"]][1], rtol=1e-5)
    with dask.config.set(split_every=7):
        assert same_bits(door.prelu_backward(grad, x, given["weight"])[1].compute(), result)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_chunks_that_share_no_slope_give_the_bits_of_numpy(kind):
    given, wanted = example((6, 8, 5), kind)
    x, grad = (da.from_array(given[name], (6, 3, 5)) for name in ("x", "grad"))
    _, dweight = door.prelu_backward(grad, x, given["weight"])
    assert same_bits(dweight.compute(), wanted[OPERATIONS["prelu_backward"]][1])


def test_sums_of_16_bits_are_rounded_once():
    """Each chunk's sum overflows float16, but the sum of all does not."""
    x = np.full((4, 1000), -100, np.float16)
    grad = np.ones_like(x)
    grad[::2] = -1
    lazy = [da.from_array(array, (1, 1000)) for array in (grad, x)]
    assert door.prelu_backward(*lazy, np.float16([0.25]))[1].compute().tolist() == [0]


def test_overflow_is_no_warning():
    x = da.from_array(np.float16([-60000]))
    dx, dweight = dask.compute(*door.prelu_backward(x, x, np.float16([3])), scheduler="synchronous")
    assert (dx.tolist(), dweight.tolist()) == ([-np.inf], [np.inf])


def test_unknown_sizes(operation, dtype):
    given, _ = example((6, 8, 5), dtype)
    keep = np.array([True, False, True, True, False, True])
    lazy = chunked(given, (6, 8, 5))
    lazy["grad"] = lazy["grad"].rechunk(lazy["x"].chunks)
    kept = {name: lazy[name][da.from_array(keep, 2)] for name in ("x", "grad")}
    outs = operation(door, lazy | kept)
    assert np.isnan(outs[0].shape[0])
    wanted = operation(reference, given | {name: given[name][keep] for name in ("x", "grad")})
    assert same_bits(outs[0].compute(), wanted[0])
    if len(outs) > 1:
        assert outs[1].shape == (8,)
        assert np.allclose(outs[1].compute().astype("f8"), wanted[1].astype("f8"), rtol=0.02, atol=0.02)


def test_empty_chunks():
    given, wanted = example((6, 8, 5), "float32")
    x = da.from_array(given["x"], ((0, 4, 0, 2), (8, 0), (5,)))
    dx, dweight = dask.compute(*door.prelu_backward(da.from_array(given["grad"]), x, given["weight"]))
    assert same_bits(dx, wanted[OPERATIONS["prelu_backward"]][0])
    assert np.allclose(dweight, wanted[OPERATIONS["prelu_backward"]][1], rtol=1e-5)


def test_types_that_cast_safely():
    given, _ = example((6, 8, 5), "float32")
    x = given["x"].astype("f8")
    dx, dweight = door.prelu_backward(given["grad"], da.from_array(x, 3), given["weight"])
    wanted = reference.prelu_backward(given["grad"].astype("f8"), x, given["weight"])
    assert (dx.dtype, dweight.dtype) == (np.float64, np.float32)
    assert same_bits(dx.compute(), wanted[0])
    assert same_bits(dweight.compute(), wanted[1])
    swapped = da.from_array(given["x"].astype(">f4"), 3)
    y = door.prelu(swapped, given["weight"])
    assert y.dtype == y.compute().dtype == np.float32


def explode(block):
    raise AssertionError(block.shape)


def test_nothing_is_computed_before_it_is_asked_for(operation):
    given = {
        name: da.ones((6, 8), dtype="f4", chunks=2).map_blocks(explode, dtype="f4", meta=np.empty((0, 0), "f4"))
        for name in ("x", "grad")
    }
    given |= {"weight": da.ones(8, dtype="f4").map_blocks(explode, meta=np.empty(0, "f4")), "negative_slope": 0.1}
    outs = operation(door, given)
    assert {out.dtype for out in outs} == {np.dtype("float32")}
    with pytest.raises(AssertionError):
        outs[0].compute()


def test_the_graph_stays_small(operation):
    """It has a few layers, of which none lists the chunks of x; optimized, a chunk of y or dx is one task."""
    given = {"x": da.ones((400, 8), dtype="f4", chunks=(4, 8)), "grad": da.zeros((400, 8), dtype="f4", chunks=(4, 8))}
    given |= {"weight": np.ones(8, np.float32), "negative_slope": 0.1}
    out = operation(door, given)[0]
    layers = out.dask.layers.values()
    assert len(layers) <= 6
    assert sum(len(layer) for layer in layers if not isinstance(layer, dask.blockwise.Blockwise)) <= 4
    (optimized,) = dask.optimize(out)
    assert len(optimized.dask) <= 104


def test_names_depend_on_the_arguments_only(operation):
    given = {name: da.ones((6, 8), dtype="f4", chunks=2) for name in ("x", "grad")}
    given |= {"weight": np.ones(8, np.float32), "negative_slope": 0.1}
    once, again, other = (
        [out.name for out in operation(door, given | change)]
        for change in ({}, {}, {"weight": np.zeros(8, np.float32), "negative_slope": 0.2})
    )
    assert once == again
    assert not set(once) & set(other)


@pytest.fixture(scope="module")
def many_chunks():
    given, _ = example((60, 8, 5), "float32")
    return {**given, **{name: da.from_array(given[name], (7, 3, 2)) for name in ("x", "grad")}}


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_schedulers(operation, many_chunks, scheduler):
    results = dask.compute(*operation(door, many_chunks), scheduler=scheduler)
    assert all(map(same_bits, results, computed(operation, many_chunks)))


def test_two_processes(many_chunks):
    """A cluster of two workers gives the same bits, wherever each chunk was."""
    distributed = pytest.importorskip("distributed")
    wanted = {name: computed(operation, many_chunks) for name, operation in PLAIN.items()}
    with (
        distributed.LocalCluster(2, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        for name, operation in PLAIN.items():
            outs = client.persist(operation(door, many_chunks))
            distributed.wait(outs)
            assert set(client.nthreads()) == {worker for at in client.who_has(outs[0]).values() for worker in at}
            assert all(map(same_bits, client.gather(client.compute(outs)), wanted[name]))


X = np.ones((4, 8, 16), np.float32)
LAZY = da.from_array(X, 2)
W = np.ones(8, np.float32)
UNKNOWN = LAZY[LAZY[:, 0, 0] > 0]
BAD = [
    (lambda: door.leaky_relu(LAZY.astype(int)), TypeError, "leaky_relu: x has type int64; it must be float32"),
    (lambda: door.leaky_relu("abc"), TypeError, "leaky_relu: x has type <U3"),
    (lambda: door.leaky_relu(LAZY, "0.1"), TypeError, "leaky_relu: negative_slope is '0.1'; it must be a real number"),
    (lambda: door.leaky_relu(LAZY, da.ones(())), TypeError, "leaky_relu: negative_slope is dask.array"),
    (
        lambda: door.leaky_relu_backward(LAZY[:1], LAZY),
        ValueError,
        "leaky_relu_backward: grad has shape (1, 8, 16); it must have x's, (4, 8, 16)",
    ),
    (
        lambda: door.leaky_relu_backward(LAZY.astype("f8"), LAZY),
        TypeError,
        "leaky_relu_backward: grad has type float64, which does not cast safely to x's float32",
    ),
    (lambda: door.leaky_relu_backward(LAZY, UNKNOWN), ValueError, "compute_chunk_sizes()"),
    (
        lambda: door.leaky_relu_backward(LAZY[0], UNKNOWN),
        ValueError,
        "leaky_relu_backward: grad has shape (8, 16); it must have x's, (nan, 8, 16)",
    ),
    (
        lambda: door.prelu(LAZY, da.ones(3, dtype="f4")),
        ValueError,
        "prelu: weight has 3 values for 8 channels (axis 1 of x with shape (4, 8, 16))",
    ),
    (lambda: door.prelu(LAZY, W, axis=3), ValueError, "prelu: axis 3 is out of range for x with shape (4, 8, 16)"),
    (lambda: door.prelu(LAZY, W, axis=1.0), TypeError, "prelu: axis is 1.0; it must be an integer"),
    (lambda: door.prelu(LAZY.astype(int), 1.5), TypeError, "prelu: x has type int64; it must be float32"),
    (lambda: door.prelu(LAZY.astype("i1"), 1e9), TypeError, "prelu: x has type int8; it must be float32"),
    (lambda: door.prelu(LAZY, None), TypeError, "prelu: weight has type object"),
    (lambda: door.prelu(LAZY, da.ones(8)), TypeError, "prelu: weight has type float64, which does not cast safely"),
    (lambda: door.prelu(LAZY, da.ones(8, dtype=int)), TypeError, "prelu: weight has type int64"),
    (lambda: door.prelu(LAZY, W.astype("f2")), TypeError, "prelu: weight has type float16, and x has float32"),
    (
        lambda: door.prelu(UNKNOWN, W[:4], axis=0),
        ValueError,
        "prelu: weight has 4 values for nan channels (axis 0 of x with shape (nan, 8, 16))",
    ),
    (lambda: door.prelu(LAZY, UNKNOWN[:, 0, 0]), ValueError, "prelu: weight has nan values for 8 channels"),
    (lambda: door.prelu_backward(LAZY, LAZY, W[:3]), ValueError, "prelu_backward: weight has 3 values for 8 channels"),
    (
        lambda: door.prelu_backward(LAZY.astype("f2"), LAZY, W),
        TypeError,
        "prelu_backward: grad has type float16, and x has float32",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=range(len(BAD)))
def test_errors_come_at_once(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()


def test_unknown_shapes_that_differ():
    """They are seen when they are computed."""
    other = LAZY[da.from_array(np.array([True, False, True, True]), 2)]
    late = door.leaky_relu_backward(other, UNKNOWN)
    with pytest.raises(ValueError, match=r"leaky_relu_backward: grad has shape \(1, 2, 2\); it must have x's, \(2, 2"):
        late.compute()


@pytest.mark.usefixtures("backend")
def test_functions_for_numpy_name_those_for_dask(operation):
    given, _ = example((4, 3), "float32")
    for name in (*operation.inputs, *operation.channel):
        lazy = da.from_array(given[name]).map_blocks(explode, dtype="f4", meta=np.empty((0, 0), "f4"))
        message = f"{operation.name}: {name} is lazy, of Dask; fastleaky.dask.{operation.name} takes it chunk by chunk"
        with pytest.raises(TypeError, match=re.escape(message)):
            operation(fastleaky, given | {name: lazy})


def test_examples_of_the_docstrings():
    assert doctest.testmod(door).failed == 0
