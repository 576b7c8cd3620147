"""The way straight to C (entry.c): taken where it can be, the same answers and errors where it cannot, no leaks."""

import copy
import inspect
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastleaky
from examples import VARIANTS, arrays_of, example
from fastleaky import _api, _apply, _arguments
from fastleaky._backends.selftest import same_bits
from fastleaky._operations import OPERATIONS

if not any(name.startswith("c:") for name in fastleaky.backends()):
    pytest.skip("there is no C here", allow_module_level=True)


@pytest.fixture(autouse=True)
def c():
    with fastleaky.use("c"):
        for dtype in ("f4", "f8"):
            fastleaky.leaky_relu(np.ones(1, dtype))  # proves the kernels; from then on they are called directly
        yield


def test_looks_like_the_general_function():
    for name in OPERATIONS:
        function, general = getattr(fastleaky, name), getattr(_api, name)
        assert function is not general
        assert function.__name__ == function.__qualname__ == name
        assert function.__module__ == "fastleaky"
        assert function.__doc__ == general.__doc__
        plain = [p.replace(annotation=p.empty) for p in inspect.signature(general).parameters.values()]
        assert list(inspect.signature(function).parameters.values()) == plain
        assert pickle.loads(pickle.dumps(function)) is function


class TakenError(Exception):
    """The general function was called."""


def forbid_the_general(monkeypatch):
    def general(*_):
        raise TakenError

    monkeypatch.setattr(_apply, "ready", general)
    monkeypatch.setattr(_arguments, "floats", general)


def array(*shape, dtype="float32", order="C"):
    return np.asarray(np.random.default_rng(0).standard_normal(shape).astype(dtype), order=order)


def nhwc(*shape, dtype="float32"):
    n, c, h, w = shape
    return array(n, h, w, c, dtype=dtype).transpose(0, 3, 1, 2)


class Contrary(float):
    """A float that converts to another."""

    def __float__(self):
        return 7.0


X, W = array(2, 3, 4, 5), array(3)
PLAIN = {
    "defaults": lambda f: f.leaky_relu(X),
    "0-d": lambda f: f.leaky_relu(array()),
    "a slope": lambda f: f.leaky_relu(X, 0.1),
    "a float of another class": lambda f: f.leaky_relu_backward(X, X, Contrary(0.1)),
    "an integer": lambda f: f.leaky_relu(X, 1),
    "by name": lambda f: f.leaky_relu(x=X, negative_slope=np.float64(0.1)),
    "Fortran order": lambda f: f.leaky_relu(array(3, 4, order="F")),
    "axes permuted": lambda f: f.leaky_relu_backward(nhwc(2, 3, 4, 5), nhwc(2, 3, 4, 5), 0.1),
    "axes of length 1": lambda f: f.leaky_relu(array(1, 3, 1, 4)[:, ::1]),
    "out": lambda f: f.leaky_relu(X, out=np.empty_like(X)),
    "in place": lambda f: f.leaky_relu_backward(X, (x := X.copy()), -0.5, out=x),
    "float64": lambda f: f.prelu(array(2, 3, dtype="float64"), array(3, dtype="float64")),
    "a shared weight": lambda f: f.prelu(X, array(1)),
    "a weight of one element": lambda f: f.prelu_backward(X, X, array(1, 1, 1)),
    "a 0-d weight": lambda f: f.prelu_backward(X, X, array()),
    "channels": lambda f: f.prelu_backward(X, X, W),
    "the last axis": lambda f: f.prelu_backward(X, X, array(5), axis=-1),
    "the first axis": lambda f: f.prelu_backward(X, X, array(2), axis=0),
    "channels last in memory": lambda f: f.prelu_backward(nhwc(2, 3, 4, 5), nhwc(2, 3, 4, 5), W),
    "the channels innermost, Fortran": lambda f: f.prelu(array(3, 4, order="F"), array(4)),
    "a pair": lambda f: f.prelu_backward(X, X, W, out=(np.empty_like(X), np.empty_like(W))),
    "half a pair": lambda f: f.prelu_backward(X, X, W, out=(None, np.empty_like(W))),
    "a bias": lambda f: f.bias_leaky_relu(X, W),
    "numbers by position": lambda f: f.bias_leaky_relu(X, W, 0.2, 2**0.5, 256.0),
    "numbers by name": lambda f: f.bias_leaky_relu(nhwc(2, 3, 4, 5), W, gain=2, clamp=np.float64(1), axis=1),
    "no clamp": lambda f: f.bias_leaky_relu(X, W, clamp=None),
    "sums along an axis": lambda f: f.bias_leaky_relu_backward(X, X),
    "sums along the last axis": lambda f: f.bias_leaky_relu_backward(X, X, 0.5, 2.0, 1.0, axis=-1),
    "sums along the only axis": lambda f: f.bias_leaky_relu_backward(W, W, axis=0),
    "sums, channels last in memory": lambda f: f.bias_leaky_relu_backward(nhwc(2, 3, 4, 5), nhwc(2, 3, 4, 5)),
    "a pair of sums": lambda f: f.bias_leaky_relu_backward(X, X, out=(np.empty_like(X), np.empty_like(W))),
    "in place of y": lambda f: f.bias_leaky_relu_backward(X, (y := X.copy()), out=(y, None)),
    "two rows": lambda f: f.scale_shift_leaky_relu(X, W, W),
    "a shared scale and a shared shift": lambda f: f.scale_shift_leaky_relu(X, array(1), array(), 0.3),
    "three rows": lambda f: f.scale_shift_prelu(array(2, 3, dtype="float64"), *[array(3, dtype="float64")] * 3),
    "a residual": lambda f: f.scale_shift_leaky_relu(X, W, W, residual=X + 1),
    "no residual": lambda f: f.scale_shift_prelu(X, W, W, W, residual=None, out=np.empty_like(X)),
    "in place of the residual": lambda f: f.scale_shift_prelu(X, W, W, W, residual=(r := X.copy()), out=r),
    "a residual, channels last in memory": lambda f: f.scale_shift_leaky_relu(
        nhwc(2, 3, 4, 5), W, W, residual=nhwc(2, 3, 4, 5)
    ),
    "a large array": lambda f: f.prelu_backward(array(2, 3, 400, 300), array(2, 3, 400, 300), W),
}


@pytest.mark.parametrize("call", PLAIN.values(), ids=PLAIN)
def test_plain_calls_are_direct(monkeypatch, call):
    forbid_the_general(monkeypatch)
    direct = call(fastleaky)
    monkeypatch.undo()
    general = call(_api)
    pairs = zip(direct, general, strict=True) if isinstance(direct, tuple) else [(direct, general)]
    for a, b in pairs:
        assert type(a) is type(b)
        assert a.strides == b.strides
        assert same_bits(a, b)


OVERLAPPING = array(25)
GENERAL = {
    "a list": lambda f: f.leaky_relu([1.0]),
    "a subclass": lambda f: f.leaky_relu(np.ma.masked_array([1.0])),
    "strides": lambda f: f.leaky_relu(X[..., ::2]),
    "negative strides": lambda f: f.leaky_relu(X[::-1]),
    "a broadcast array": lambda f: f.leaky_relu(np.broadcast_to(array(1), (3,))),
    "big-endian": lambda f: f.leaky_relu(X.astype(">f4")),
    "misaligned": lambda f: f.leaky_relu(np.frombuffer(b"\0" * 9, np.float32, 2, 1)),
    "empty": lambda f: f.prelu_backward(array(0, 3), array(0, 3), W),
    "mixed types": lambda f: f.leaky_relu_backward(X, X.astype("f8")),
    "mixed orders": lambda f: f.leaky_relu_backward(array(3, 4), array(3, 4, order="F")),
    "sums in another order": lambda f: f.prelu_backward(*[array(3, 4, order="F")] * 2, array(1)),
    "a weight with axes": lambda f: f.prelu(X, W[:, None, None][None]),
    "a strided weight": lambda f: f.prelu(X, array(6)[::2]),
    "float weight": lambda f: f.prelu(X, 0.25),
    "overlap": lambda f: f.leaky_relu(OVERLAPPING[:-1].copy(), out=np.empty(48, "f4")[::2]),
    "overlap by one": lambda f: f.leaky_relu((a := OVERLAPPING.copy())[:-1], out=a[1:]),
    "out overlaps the weight": lambda f: f.prelu((a := OVERLAPPING.copy())[None, :5], a[5:10], out=a[None, 4:9]),
    "dweight overlaps x": lambda f: f.prelu_backward(
        (a := OVERLAPPING.copy())[None, :5], a[None, :5], array(5), out=(None, a[5 - 1 : 10 - 1])
    ),
    "a gain that is not a float": lambda f: f.bias_leaky_relu(X, W, 0.2, np.float32(2)),
    "rows of different lengths": lambda f: f.scale_shift_leaky_relu(X, W, array(1)),
    "a residual of another type": lambda f: f.scale_shift_leaky_relu(
        X.astype("f8"), W.astype("f8"), W.astype("f8"), residual=X
    ),
    "a residual in another order": lambda f: f.scale_shift_leaky_relu(X, W, W, residual=nhwc(2, 3, 4, 5)),
    "out overlaps the residual": lambda f: f.scale_shift_leaky_relu(
        array(1, 24), array(1), array(1), residual=(a := OVERLAPPING.copy())[None, :24], out=a[None, 1:]
    ),
    "out overlaps the shift": lambda f: f.scale_shift_prelu(
        array(1, 5), array(5), (a := OVERLAPPING.copy())[5:10], array(5), out=a[None, 4:9]
    ),
    "dbias overlaps y": lambda f: f.bias_leaky_relu_backward(
        array(1, 5), (a := OVERLAPPING.copy())[None, :5], out=(None, a[4:9])
    ),
    "float32 slope": lambda f: f.leaky_relu(X, np.float32(0.1)),
}


@pytest.mark.parametrize("first", [*PLAIN.values(), *GENERAL.values()], ids=[*PLAIN, *GENERAL])
def test_whatever_is_called_first(monkeypatch, first):
    """The first call after a choice proves the kernels, the general way; what follows it goes straight to them."""
    with fastleaky.use("c"):
        first(fastleaky)
        fastleaky.leaky_relu(X)
        fastleaky.leaky_relu(array(1, dtype="float64"))
        forbid_the_general(monkeypatch)
        for call in PLAIN.values():
            call(fastleaky)


@pytest.mark.parametrize("call", GENERAL.values(), ids=GENERAL)
def test_other_calls_are_not(monkeypatch, call):
    direct, general = call(fastleaky), call(_api)
    pairs = zip(direct, general, strict=True) if isinstance(direct, tuple) else [(direct, general)]
    assert all(same_bits(np.asarray(a), np.asarray(b)) for a, b in pairs)
    forbid_the_general(monkeypatch)
    with pytest.raises(TakenError):
        call(fastleaky)


ARRAYS = [array(*shape, dtype=dtype) for shape in [(), (1,), (3,), (2, 3), (3, 2)] for dtype in ("f4", "f8", "i4")]
ARRAYS += [np.broadcast_to(array(), (2, 3)), array(2, 3, order="F"), array(2, 6)[:, ::2]]
THINGS = st.one_of(
    st.sampled_from(ARRAYS),
    st.sampled_from(
        [None, 1, -1, 0, 7, 10**400, 2**70, 0.5, float("nan"), True, "x", [1.0], object(), (), (None, None)]
    ),
    st.tuples(st.sampled_from([None, *ARRAYS]), st.sampled_from([None, *ARRAYS])),
)


NAMES = sorted({name for operation in OPERATIONS.values() for name in operation.positional + operation.keywords})

for one in ARRAYS:
    one.flags.writeable = False


def outcome(function, positional, named):
    """What a call gives, with outputs of its own: the answer in bytes, or the error."""

    def own(value):
        return tuple(map(own, value)) if isinstance(value, tuple) else copy.copy(value)

    named = {name: own(value) if name == "out" else value for name, value in named.items()}
    try:
        result = function(*positional, **named)
    except (TypeError, ValueError) as error:
        return type(error), str(error).replace(function.__module__, "")
    results = result if isinstance(result, tuple) else (result,)
    return [(r.dtype.str, r.shape, np.where(np.isnan(r), 0, r).tobytes()) for r in results]


@settings(deadline=None, max_examples=1500)
@given(
    st.sampled_from(list(OPERATIONS)),
    st.lists(THINGS, max_size=5),
    st.dictionaries(st.sampled_from([*NAMES, "slope"]), THINGS, max_size=3),
)
def test_the_same_answers_and_errors(name, positional, named):
    assert outcome(getattr(fastleaky, name), positional, named) == outcome(getattr(_api, name), positional, named)


def see_no_references_lost(calls, kept):
    calls()
    before = [sys.getrefcount(thing) for thing in kept]
    for _ in range(100):
        calls()
    after = [sys.getrefcount(thing) for thing in kept]
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 50


def test_no_references_are_lost():
    given_, _ = example((2, 3, 4))
    kept = [given_["x"], given_["weight"], np.float64(0.5), np.dtype("f4"), type(np.ones(1)), (None, None)]
    kept += [given_[name] for name in ("y", "residual", "bias")]

    def calls():
        for variant in VARIANTS.values():
            variant(fastleaky, {**given_, "negative_slope": kept[2]})
        fastleaky.prelu_backward(kept[0], kept[0], kept[1], out=kept[5])
        fastleaky.leaky_relu(kept[0][:, ::2], negative_slope=kept[2], out=None)
        with pytest.raises(TypeError):
            fastleaky.leaky_relu(kept[0], out=kept[1], nonsense=kept[2])

    see_no_references_lost(calls, kept)


def test_no_references_to_outputs_are_lost():
    """One that does not fit is left to the general function, which copies to it or refuses it, and kept by nobody."""
    x, weight = array(4, 6), array(6)
    strided, short, read_only = np.empty((4, 12), "f4")[:, ::2], np.empty(5, "f4"), array(4, 6)
    read_only.flags.writeable = False
    fitting, dweight = np.empty_like(x), np.empty_like(weight)
    kept = [strided, short, read_only, fitting, dweight]

    def calls():
        fastleaky.leaky_relu(x, out=strided)
        fastleaky.prelu_backward(x, x, weight, out=(strided, dweight))
        fastleaky.prelu_backward(x, x, weight, out=(fitting, dweight))
        for outs in ((fitting, short), (read_only, dweight), (short, dweight), (fitting, fitting)):
            with pytest.raises(ValueError, match=r"out\[[01]\]"):
                fastleaky.prelu_backward(x, x, weight, out=outs)
        with pytest.raises(ValueError, match="out is read-only"):
            fastleaky.leaky_relu(x, out=read_only)

    see_no_references_lost(calls, kept)


def test_many_axes(monkeypatch):
    """Up to eight go straight to C, which has room for no more."""
    for ndim in (8, 9, 12):
        x, weight = array(*(2,) * ndim), array(2)
        assert all(map(same_bits, fastleaky.prelu_backward(x, x, weight), _api.prelu_backward(x, x, weight))), ndim
    forbid_the_general(monkeypatch)
    fastleaky.leaky_relu(array(*(2,) * 8))
    with pytest.raises(TakenError):
        fastleaky.leaky_relu(array(*(2,) * 9))


PLACES = [
    (variant, which, on)
    for variant in VARIANTS.values()
    for which in range(len(variant.results))
    for on in (*arrays_of(variant), *variant.channel)
]


@pytest.mark.parametrize("shift", [-2, 0, 2])
@pytest.mark.parametrize(("operation", "which", "on"), PLACES)
def test_an_output_on_one_of_the_inputs(monkeypatch, operation, which, on, shift):
    """Each alone: the inputs as they were give the answer; and unless it is in place, C is not called directly."""
    given, every = example((3, 4))
    wanted = every[operation]
    room = np.zeros(40, "f4")
    start, source = 14, given[on]
    room[start : start + source.size] = source.reshape(-1)
    given[on] = room[start : start + source.size].reshape(source.shape)
    like = wanted[which]
    outs = [None] * len(wanted)
    outs[which] = room[start + shift : start + shift + like.size].reshape(like.shape)
    out = tuple(outs) if len(outs) > 1 else outs[0]
    assert all(map(same_bits, operation(fastleaky, given, out=out), wanted))
    forbid_the_general(monkeypatch)
    if which == 0 and on not in operation.channel and not shift:
        operation(fastleaky, given, out=out)
    else:
        with pytest.raises(TakenError):
            operation(fastleaky, given, out=out)


def test_another_backend_is_used_once_it_is_chosen(monkeypatch):
    """Then no call goes straight to C, whatever it was before."""
    with fastleaky.use("numpy"):
        forbid_the_general(monkeypatch)
        with pytest.raises(TakenError):
            fastleaky.leaky_relu(X)
