"""Every backend against the specification, bit for bit: lengths, shapes, slopes, layouts, overlaps."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from layouts import LAYOUTS, WRITABLE, Liar, contiguous, laid

import fastleaky
from examples import VARIANTS, arrays_of, every_case, example, has_results
from fastleaky import _api, _apply, reference
from fastleaky._backends.selftest import data, draw, same_bits
from fastleaky._dtypes import limits
from fastleaky._operations import OPERATIONS

pytestmark = pytest.mark.usefixtures("backend")


def agree(operation, given, wanted=None, **options):
    """Does the backend give the specification's bits, and leave its inputs as they were?"""
    before = {name: value.tobytes() for name, value in given.items() if isinstance(value, np.ndarray)}
    wanted = wanted or operation(reference, given, **options)
    got = operation(fastleaky, given, **options)
    after = {name: value.tobytes() for name, value in given.items() if isinstance(value, np.ndarray)}
    assert before == after, "an input was written to"
    assert [g.dtype for g in got] == [w.dtype for w in wanted]
    assert [g.shape for g in got] == [w.shape for w in wanted]
    return all(map(same_bits, got, wanted))


def test_every_case_of_the_check():
    """Lengths 0 ... 69, around 128 and 16,384 and their multiples, short rows, channels first and last."""
    wrong = [(case.operation.name, case.wanted[0].shape) for case in every_case() if not case.agrees(fastleaky)]
    assert not wrong


def test_lengths(operation, dtype):
    for n in (*range(130, 140), 2047, 2048, 2049, 2 * 16384 - 1, 2 * 16384, 2 * 16384 + 1, 65536 + 200, (1 << 18) + 1):
        given, wanted = example((1, 1, n), dtype)
        assert agree(operation, given, wanted[operation]), n


SLOPES = [0.01, 0.2, -0.3, 0.0, -0.0, 1.0, 1.5, 3.0, 1e-30, 1e-40, 1e38, -1e38, 1e300, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("kind", ["finite", "special"])
def test_slopes(operation, dtype, kind):
    """And the same for each other parameter."""
    for shape, value in itertools.product([(5, 3, 77), (10, 3, 9, 11)], SLOPES):
        given, _ = example(shape, dtype, kind)
        row = reference.rounded(np.full(3, value), np.dtype(dtype))
        for name in operation.parameters:
            assert agree(operation, {**given, name: row if name in operation.channel else value}), (shape, name, value)


SHAPES = [
    ((), ()),
    ((1,), (1,)),
    ((5,), ()),
    ((5,), (5,)),
    ((0,), (1,)),
    ((3, 0), (1,)),
    ((3, 0, 2), (0,)),
    ((0, 4, 2), (4,)),
    ((4, 8, 16), (8,)),
    ((4, 8, 16), (1, 8, 1)),
    ((4, 8, 16), (4, 1, 1)),
    ((4, 8, 16), (1, 1, 16)),
    ((4, 8, 16), (4, 8, 1)),
    ((4, 8, 16), (1, 8, 16)),
    ((4, 8, 16), (4, 1, 16)),
    ((4, 8, 16), (4, 8, 16)),
    ((4, 8, 16), (1, 1, 1, 1, 1)),
    ((3, 1, 9), (1,)),
    ((2, 3, 7, 7), (3,)),
    ((2, 3, 7, 7), (2, 1, 7, 1)),
    ((2, 3, 4, 5, 6), (3,)),
    ((2, 3, 4, 5, 6), (1, 3, 1, 5, 1)),
    ((1, 1, 1), (1, 1, 1)),
    ((130, 20), (20,)),
    ((1, 70, 300), (70,)),
]


def test_shapes(operation, dtype):
    for shape, weight_shape in SHAPES:
        if has_results(operation, shape):
            given, wanted = example(shape, dtype, weight_shape=weight_shape)
            assert agree(operation, given, wanted[operation]), (shape, weight_shape)


def test_parameters_of_several_shapes(dtype):
    """One varies along the channels, another along all axes, the third not at all."""
    operation = OPERATIONS["scale_shift_prelu"]
    shapes = [(8,), (4, 1, 16), ()]
    given, _ = example((4, 8, 16), dtype)
    for order in itertools.permutations(shapes):
        rng = np.random.default_rng(2)
        rows = {name: draw(rng, shape, dtype) for name, shape in zip(operation.channel, order, strict=True)}
        wanted = operation(reference, given | rows)
        for name, layout in LAYOUTS.items():
            laid_so = {of: layout(value) for of, value in {**rows, "x": given["x"]}.items()}
            assert agree(operation, given | laid_so, wanted), (order, name)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -3, -4])
def test_axes(dtype, axis):
    given = data(np.random.default_rng(2), (4, 5, 6, 7), dtype, axis=axis)
    for operation in VARIANTS.values():
        if operation.has_channels:
            assert agree(operation, given, axis=axis), operation


@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_the_only_axis(dtype, n):
    given = data(np.random.default_rng(2), (n,), dtype, axis=0)
    for operation in VARIANTS.values():
        if operation.has_channels:
            assert agree(operation, given, axis=0), operation


def test_layouts(operation, dtype):
    shapes = [shape for shape in ((), (37,), (5, 9), (3, 5, 7, 4), (2, 20, 17, 1)) if has_results(operation, shape)]
    for shape, (name, layout) in itertools.product(shapes, LAYOUTS.items()):
        given, wanted = example(shape, dtype, weight_shape=None if len(shape) > 1 else ())
        arrays, rows = arrays_of(operation), {of: layout(given[of]) for of in operation.channel}
        for layouts in itertools.product((layout, contiguous), repeat=len(arrays)):
            laid_so = {of: put(given[of]) for of, put in zip(arrays, layouts, strict=True)}
            assert agree(operation, {**given, **rows, **laid_so}, wanted[operation]), (shape, name, layouts)


def test_what_kernels_are_given(operation, dtype, monkeypatch):
    """Dense, aligned and native, whatever the layout: not every processor forgives what x86 does."""
    arrays = []

    class Watched:
        def __init__(self, kernels):
            self._kernels = kernels

        def __getattr__(self, name):
            def call(*given):
                flat = [thing for one in given for thing in (one if isinstance(one, (list, tuple)) else [one])]
                arrays.extend(array for array in flat if isinstance(array, np.ndarray))
                getattr(self._kernels, name)(*given)

            return call

    monkeypatch.setattr(_apply, "backend", lambda dtype, real=_apply.backend: Watched(real(dtype)))
    monkeypatch.setattr(_apply, "ready", lambda dtype, real=_apply.ready: (found := real(dtype)) and Watched(found))
    given, wanted = example((3, 5, 7, 4), dtype)
    for name, layout in LAYOUTS.items():
        laid_so = {key: layout(value) if isinstance(value, np.ndarray) else value for key, value in given.items()}
        outs = tuple(map(WRITABLE.get(name, contiguous), wanted[operation]))
        operation(_api, laid_so, out=outs if len(outs) > 1 else outs[0])
        operation(_api, laid_so)
    assert len(arrays) >= len(LAYOUTS) * 2
    for array in arrays:
        assert type(array) is np.ndarray
        assert array.flags.c_contiguous
        assert array.flags.aligned
        assert array.dtype.isnative


def test_out(operation, dtype):
    given, wanted = example((3, 5, 7, 4), dtype)
    for name, layout in WRITABLE.items():
        outs = tuple(layout(np.zeros_like(result)) for result in wanted[operation])
        got = operation(fastleaky, given, out=outs if len(outs) > 1 else outs[0])
        assert all(g is o for g, o in zip(got, outs, strict=True)), name
        assert all(same_bits(o.astype(w.dtype), w) for o, w in zip(outs, wanted[operation], strict=True)), name


def test_in_place(operation, dtype):
    for shape, (name, layout) in itertools.product([(1, 1, 1000), (3, 5, 7, 4), (200, 3, 1)], WRITABLE.items()):
        given, wanted = example(shape, dtype)
        for of in arrays_of(operation):
            out = layout(given[of])
            got = operation(fastleaky, {**given, of: out}, out=(out, None) if len(operation.results) > 1 else out)
            assert got[0] is out, (shape, name, of)
            bits = [same_bits(g.astype(w.dtype), w) for g, w in zip(got, wanted[operation], strict=True)]
            assert all(bits), (shape, name, of)


def test_partial_overlap(operation, dtype):
    for shape in ((1, 1, 300), (3, 5, 20), (150, 2, 1)):
        given, wanted = example(shape, dtype)
        n = given["x"].size
        for name, shift in itertools.product(arrays_of(operation), (-9, -3, -1, 1, 2, 40)):
            room = np.zeros(n + 80, dtype)
            room[40 : 40 + n] = given[name].ravel()
            source, out = room[40 : 40 + n].reshape(shape), room[40 + shift : 40 + shift + n].reshape(shape)
            out = (out, None) if len(operation.results) > 1 else out
            got = operation(fastleaky, {**given, name: source}, out=out)
            assert all(map(same_bits, got, wanted[operation])), (shape, name, shift)


def test_out_overlaps_a_channel_parameter(operation, dtype):
    given, wanted = example((6, 4, 3), dtype)
    for name in operation.channel:
        room = np.zeros(6 * 4 * 3, dtype)
        room[5:9] = given[name]
        out = room.reshape(6, 4, 3)
        got = operation(fastleaky, {**given, name: room[5:9]}, out=(out, None) if len(operation.results) > 1 else out)
        assert got[0] is out
        assert all(map(same_bits, got, wanted[operation])), name


def test_sums_overlap_an_input(dtype):
    for operation in VARIANTS.values():
        for name in (*arrays_of(operation), *operation.channel) if len(operation.results) > 1 else ():
            given, wanted = example((6, 4, 3), dtype)
            sums = given[name].reshape(-1)[:4]
            got = operation(fastleaky, given, out=(None, sums))
            assert got[1] is sums
            assert all(map(same_bits, got, wanted[operation])), (operation, name)


def test_out_as_a_transposed_view_of_the_input(dtype):
    x = draw(np.random.default_rng(8), (50, 50), dtype)
    wanted = reference.leaky_relu(x, 0.1)
    assert same_bits(fastleaky.leaky_relu(x, 0.1, out=x.T), wanted)


def test_mixed_types():
    rng = np.random.default_rng(9)
    given = data(rng, (4, 5, 6), "float64")
    grad, weight = draw(rng, (4, 5, 6), "float32"), draw(rng, 5, "float32")
    wanted = reference.prelu_backward(grad.astype("float64"), given["x"], weight)
    got = fastleaky.prelu_backward(grad, given["x"], weight)
    assert got[1].dtype == np.float32, "dweight has the type of weight"
    assert all(map(same_bits, got, wanted))
    assert same_bits(fastleaky.prelu(np.float32([-2]), 0.1), np.float32([-2]) * np.float32(0.1))
    assert fastleaky.prelu_backward(np.float32([1]), np.float32([-2]), 0.1)[1].dtype == np.float32
    given |= {"bias": draw(rng, 5, "float32"), "residual": grad, "shift": 0.1, "grad": grad}
    for name in ("bias_leaky_relu", "bias_leaky_relu_backward", "scale_shift_leaky_relu", "scale_shift_prelu"):
        assert agree(OPERATIONS[name], given), name


def test_python_numbers_and_lists():
    assert fastleaky.leaky_relu([10.0, -5.0, 0.0], 0.1).tolist() == [10.0, -0.5, 0.0]
    assert fastleaky.leaky_relu(-5.0, 0.1) == -0.5
    assert fastleaky.prelu([[1.0, -1.0]], [0.5, 0.25]).tolist() == [[1.0, -0.25]]


def test_memory_order_of_the_result(dtype):
    x = np.zeros((2, 3, 4, 5), dtype)
    for layout in ("rotated", "channels_last", "transposed"):
        view = LAYOUTS[layout](x)
        assert fastleaky.leaky_relu(view).strides == view.strides
        rows = [np.zeros(3, dtype)] * 3
        assert fastleaky.prelu(view, rows[0]).strides == view.strides
        assert fastleaky.bias_leaky_relu(view, rows[0]).strides == view.strides
        assert fastleaky.scale_shift_prelu(view, *rows, residual=x).strides == view.strides
    view = LAYOUTS["channels_last"](x)
    assert fastleaky.bias_leaky_relu_backward(x, view)[0].strides == view.strides


def test_more_parts_of_a_sum_than_one_wave_of_them():
    """C adds up behind each 2048 parts of a channel or more, and may not mix up those of different waves."""
    x = draw(np.random.default_rng(12), (1, 101, 16_400), "float32", kind="normal")  # 101: no batch begins like another
    weight = np.resize(np.float32([0.1, 0.2, 0.3]), 101)
    wanted = np.resize(reference.prelu_backward(x, x, weight)[1], 1100)
    x, weight = np.resize(x, (1, 1100, 16_400)), np.resize(weight, 1100)
    assert same_bits(fastleaky.prelu_backward(x, x, weight)[1], wanted)


class Labelled(np.ndarray):
    """A subclass of the simplest kind."""


def test_subclasses(dtype):
    x = draw(np.random.default_rng(10), (4, 6), dtype)
    wanted = reference.leaky_relu(x, 0.1)
    got = fastleaky.leaky_relu(x.view(Labelled), 0.1)
    assert type(got) is Labelled
    assert same_bits(np.asarray(got), wanted)
    assert type(fastleaky.leaky_relu(x, 0.1, out=np.empty_like(x).view(Labelled))) is Labelled
    masked = np.ma.masked_array(x, x > 0)
    got = fastleaky.leaky_relu(masked, 0.1)
    assert np.array_equal(got.mask, x > 0)
    assert same_bits(got.data, wanted)
    assert np.array_equal(fastleaky.leaky_relu_backward(masked, x).mask, x > 0)
    weight = np.full(6, 0.1, dtype)
    matrix = fastleaky.prelu(x.view(np.matrix), weight)
    assert type(matrix) is np.matrix
    assert same_bits(np.asarray(matrix), reference.prelu(x, weight))


def test_nothing_warns(operation, dtype, recwarn):
    """Nor does anything raise, where the caller has asked NumPy to, small arrays or not."""
    for shape in ((4, 5, 60), (4, 5, 200)):
        given, _ = example(shape, dtype, "special")
        for number, state in itertools.product(SLOPES, ({}, {"all": "raise"})):
            with np.errstate(**state):
                before = np.geterr()
                operation(fastleaky, given | dict.fromkeys(operation.numbers, number))
                assert np.geterr() == before
    assert not recwarn.list


def test_sums_beyond_the_largest_number_do_not_warn(dtype, recwarn):
    """Blocks that are finite and whose sum is not, and chunks of opposite infinities."""
    largest = limits(dtype).max
    grad = np.zeros((1, 2, 40_000), dtype)
    grad[0, 0, [0, 128]] = -largest
    grad[0, 1, [0, 16384]] = [np.inf, -np.inf]
    x = np.full_like(grad, -1)
    _, dweight = fastleaky.prelu_backward(grad, x, np.ones(2, dtype))
    _, dbias = fastleaky.bias_leaky_relu_backward(-grad, x, 1.0)
    assert not recwarn.list
    for sums in (dweight, dbias):
        assert sums[0] == np.inf
        assert np.isnan(sums[1])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_shape_and_weight(draws):
    """Random shapes, axis orders, steps and weights, element by element random bits."""
    kind = draws.draw(st.sampled_from(["float32", "float64"]))
    shape = draws.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
    bits = {"float32": np.uint32, "float64": np.uint64}[kind]

    def array(of_shape):
        values = draws.draw(hnp.arrays(bits, of_shape, elements=st.integers(0, np.iinfo(bits).max))).view(kind)
        order = draws.draw(st.permutations(range(len(of_shape))))
        mixed = laid(values, order)
        return np.repeat(mixed, 2, axis=0)[::2] if of_shape and draws.draw(st.booleans()) else mixed

    weight_shape = [draws.draw(st.sampled_from([1, n])) for n in shape]
    axis = 1
    if shape and draws.draw(st.booleans()):
        axis = draws.draw(st.integers(-len(shape), len(shape) - 1))
        weight_shape = [shape[axis]]
    given = {"x": array(shape), "grad": array(shape), "y": array(shape), "residual": array(shape)}
    given |= {name: array(tuple(weight_shape)) for name in ("weight", "bias", "scale", "shift")}
    given |= {"negative_slope": 0.3, "gain": 1.5, "clamp": 10.0}
    if len(weight_shape) == 1 != len(shape) and weight_shape != [1] and weight_shape[0] != shape[axis]:
        return
    for operation in VARIANTS.values():
        if operation.channel or -len(shape) <= axis < len(shape) or len(operation.results) == 1:
            assert agree(operation, given, **({"axis": axis} if operation.has_channels else {}))


def test_subclasses_that_lie(operation):
    """Only what is true of an array decides what is read and written."""
    given, wanted = example((2, 3, 4))
    wanted = wanted[operation]
    for name in (*arrays_of(operation), *operation.channel):
        results = operation(fastleaky, {**given, name: given[name].view(Liar)})
        assert all(map(same_bits, map(np.asarray, results), wanted)), name
    outs = [np.zeros_like(result).view(Liar) for result in wanted]
    operation(fastleaky, given, out=outs[0] if len(outs) == 1 else tuple(outs))
    assert all(map(same_bits, map(np.asarray, outs), wanted))
    for i in range(len(outs)):
        outs[i].setflags(write=False)
        with pytest.raises(ValueError, match="is read-only"):
            operation(fastleaky, given, out=outs[0] if len(outs) == 1 else tuple(outs))
        outs[i].setflags(write=True)


SIGNALLING = np.array([0x7F800001, 0xFF800001, 0x3F800000, 0xBF800000], np.uint32).view(np.float32)


def test_conversions_are_quiet(operation):
    """A signalling NaN is an answer like any other, also where it is converted on its way to a kernel."""
    x = np.array([[1.0, -1.0, 2.0, -2.0]])
    given = {"negative_slope": 0.1, "gain": 1.0, "clamp": 5.0} | dict.fromkeys((*operation.inputs[-1:], "residual"), x)
    given |= dict.fromkeys(operation.inputs[:-1], SIGNALLING.reshape(1, 4)) | dict.fromkeys(
        operation.channel, SIGNALLING
    )
    wanted = operation(reference, {**given, **dict.fromkeys(operation.inputs[:-1], x * [np.nan, np.nan, 1, 0.5])})
    with np.errstate(all="raise"):
        results = operation(fastleaky, given)
    assert all(np.array_equal(np.isnan(a), np.isnan(b)) for a, b in zip(results, wanted, strict=True))
