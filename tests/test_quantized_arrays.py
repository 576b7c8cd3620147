"""The quantized operations on arrays of any shape and layout, in place, overlapping, large."""

import functools
import itertools

import numpy as np
import pytest
from layouts import LAYOUTS, WRITABLE, Liar
from quantized_examples import TYPES, draw, leaky_parameters, prelu_parameters, same, weights_of, zero_points

from fastleaky.quantized import LeakyReLU, PReLU, leaky_relu, prelu, reference

SHAPES = [
    # q, weight, axis
    ((), (), 1),
    ((1,), (1,), 1),
    ((5,), (5,), 0),
    ((0,), (1,), 1),
    ((3, 0), (1,), 1),
    ((3, 0, 2), (0,), 1),
    ((0, 4, 2), (4,), 1),
    ((4, 8, 16), (8,), 1),
    ((4, 8, 16), (16,), -1),
    ((4, 8, 16), (4,), 0),
    ((4, 8, 16), (1, 8, 1), 1),
    ((4, 8, 16), (4, 1, 16), 1),
    ((4, 8, 16), (4, 8, 16), 1),
    ((4, 8, 16), (1, 1, 1, 1, 1), 1),
    ((3, 1, 9), (1,), 1),
    ((2, 3, 70, 70), (3,), 1),
    ((2, 70, 70, 3), (3,), -1),
]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
def test_shapes(dtype):
    for shape, weight_shape, axis in SHAPES:
        q, weight = draw(shape, dtype), draw(weight_shape, weights_of(dtype))
        given = prelu_parameters(dtype, axis=axis)
        assert same(prelu(q, weight, **given), reference.prelu(q, weight, **given)), (shape, weight_shape, axis)
        given = leaky_parameters((0.05, 0.04), zero_points(dtype)[-1])
        assert same(leaky_relu(q, 0.1, **given), reference.leaky_relu(q, 0.1, **given)), shape


def both(dtype, shape):
    """Return numbers; and the operations, as functions of them and of out, with their results by the specification."""
    q, weight, *wanted = _numbers_and_results(dtype, shape)
    leaky, given = leaky_parameters((0.05, 0.04), zero_points(dtype)[-1]), prelu_parameters(dtype)
    functions = [
        lambda q, **out: leaky_relu(q, 0.1, **leaky, **out),
        lambda q, **out: prelu(q, weight, **given, **out),
        LeakyReLU(0.1, dtype, **leaky),
        PReLU(weight, dtype, **given),
    ]
    return q, zip(functions, wanted * 2, strict=True)


@functools.cache  # for all engines and layouts
def _numbers_and_results(dtype, shape):
    q, weight = draw(shape, dtype), draw(shape[1] if len(shape) > 1 else (), weights_of(dtype))
    leaky = reference.leaky_relu(q, 0.1, **leaky_parameters((0.05, 0.04), zero_points(dtype)[-1]))
    arrays = q, weight, leaky, reference.prelu(q, weight, **prelu_parameters(dtype))
    for array in arrays:
        array.flags.writeable = False
    return arrays


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
def test_layouts(dtype):
    for (name, layout), shape in itertools.product(LAYOUTS.items(), [(), (37,), (5, 9), (3, 5, 7, 4)]):
        dense, functions = both(dtype, shape)
        q = layout(dense)
        for function, wanted in functions:
            assert same(function(q), wanted), (name, shape)
            assert np.array_equal(q, dense), (name, shape)
            if name in WRITABLE:
                out = layout(np.zeros_like(dense))
                assert function(dense, out=out) is out
                assert np.array_equal(out, wanted), (name, shape)
                out = layout(dense)
                assert function(out, out=out) is out
                assert np.array_equal(out, wanted), (name, shape)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
def test_partial_overlap(dtype):
    for shift, shape in itertools.product([-9, -1, 1, 40], [(1, 1, 300), (3, 5, 20), (150, 2, 1)]):
        dense, functions = both(dtype, shape)
        for function, wanted in functions:
            room = np.zeros(dense.size + 80, dtype)
            room[40 : 40 + dense.size] = dense.ravel()
            q, out = room[40 : 40 + dense.size].reshape(shape), room[40 + shift :][: dense.size].reshape(shape)
            assert same(function(q, out=out), wanted), (shift, shape)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_out_overlaps_the_weight(dtype):
    q, room, given = draw((6, 4, 3), dtype), draw(6 * 4 * 3, dtype, 1), prelu_parameters(dtype)
    weight = room[5:9]
    wanted = reference.prelu(q, weight.copy(), **given)
    assert same(prelu(q, weight, out=room.reshape(6, 4, 3), **given), wanted)


def test_a_layer_keeps_its_weight():
    weight = draw(4, "int8")
    layer, q = PReLU(weight, "int8", **prelu_parameters("int8")), draw((5, 4), "int8")
    wanted = layer(q)
    weight[:] = 0
    assert same(layer(q), wanted)
    assert layer.weight.any()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(300_001,), (2, 700, 300), (300_001, 2), (1, 3, 200_000), (10_000, 100)], ids=str)
def test_large_arrays(dtype, shape):
    """Several pieces; and where two numbers are looked up at a time, an odd number of them, at an odd address."""
    q, functions = both(dtype, shape)
    for function, wanted in functions:
        assert same(function(q), wanted)
        out = LAYOUTS["off_by_one_element"](q)
        assert same(function(out, out=out), wanted)


def test_subclasses_and_lists():
    masked = np.ma.masked_array(np.array([-100, 100], np.int8), [True, False])
    given = leaky_parameters((1.0, 1.0), (0, 0))
    assert leaky_relu(masked, 0.5, **given).tolist() == [None, 100]
    assert leaky_relu(np.int8(-100), 0.5, **given) == -50


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("dtype", TYPES)
def test_subclasses_that_lie(dtype):
    q, weight, given = draw((4, 3), dtype), draw(3, weights_of(dtype)), prelu_parameters(dtype)
    wanted = reference.prelu(q, weight, **given)
    assert same(np.asarray(prelu(q.view(Liar), weight, **given)), wanted)
    assert same(prelu(q, weight.view(Liar), **given), wanted)
    out = np.zeros_like(q)
    prelu(q, weight, out=out.view(Liar), **given)
    assert same(out, wanted)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="is read-only"):
        prelu(q, weight, out=out.view(Liar), **given)
