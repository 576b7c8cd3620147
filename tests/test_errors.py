"""Bad input: a clear TypeError or ValueError, before anything is written, and never a crash."""

import re

import numpy as np
import pytest
from conftest import TYPES
from hypothesis import given, settings
from hypothesis import strategies as st

import fastleaky
from examples import arrays_of
from fastleaky._backends import native
from fastleaky._operations import OPERATIONS


@pytest.fixture(params=["the first call", "later calls", "later calls, the general way"], autouse=True)
def way(request, monkeypatch):
    """The first call after a choice goes the general way, which proves the kernels; later ones may go straight to C."""
    monkeypatch.setattr(native, "ENTRIES", request.param != "later calls, the general way")
    with fastleaky.use(fastleaky.backends()[0]):
        for dtype in TYPES if request.param != "the first call" else []:
            fastleaky.leaky_relu(np.ones(1, dtype))
        yield


X = np.ones((4, 8, 16), np.float32)
W = np.ones(8, np.float32)


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def call(name, **changed):
    """Apply an operation to good arguments, some of them changed."""
    operation = OPERATIONS[name]
    given = {**dict.fromkeys(arrays_of(operation), X), **dict.fromkeys(operation.channel, W)}
    given |= dict.fromkeys(operation.numbers, 0.1) | changed
    options = {key: given[key] for key in operation.keywords if key in given}
    return getattr(fastleaky, name)(*(given[key] for key in operation.positional), **options)


SAME = np.ones(5, np.float32)
ROOM = np.ones(X.size + 4, np.float32)
EVERY = list(OPERATIONS)
BACKWARD, LEAKY, CLAMPED, FUSED = (
    [name for name, operation in OPERATIONS.items() if argument in (*operation.positional, operation.more)]
    for argument in ("grad", "negative_slope", "clamp", "residual")
)
PRELU = [name for name, operation in OPERATIONS.items() if operation.channel]
PAIRS = [name for name, operation in OPERATIONS.items() if len(operation.results) > 1]
CHANNELS, SUMS = PRELU + [name for name in PAIRS if name not in PRELU], [name for name in PAIRS if name not in PRELU]
NOT_POSITIVE = (
    1e-46,
    1e39,
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    -1.0,
    0,
    -1,
    -5e-324,
    10**300 * -1,
    np.float32(-1),
    np.float64(0),
)
NO_NUMBERS = ("0.1", 1j, [0.1], np.ones(1), np.ones(3), True, np.True_, X)

BAD = [
    # Operations, what is changed, the error, what its message must say. Whatever x and the weight, one after the other
    # each channel parameter, are called.
    *[
        (
            EVERY,
            {"x": X.astype(kind)},
            TypeError,
            f"x has type {np.dtype(kind)}; it must be float32, float64, float16 or",
        )
        for kind in ("int32", "uint8", "bool", "complex64", "object", "longdouble")
    ],
    (EVERY, {"x": "abc"}, TypeError, f"x has type {np.dtype('U3')}"),
    (EVERY, {"x": None}, TypeError, "x has type object"),
    (EVERY, {"x": [[1.0], [1.0, 2.0]]}, TypeError, "x cannot be made an array"),
    (EVERY, {"x": [1, 2, 3]}, TypeError, "x has type int64"),
    (BACKWARD, {"grad": X[:2]}, ValueError, "grad has shape (2, 8, 16); it must have x's, (4, 8, 16)"),
    (BACKWARD, {"grad": X[:1]}, ValueError, "grad has shape (1, 8, 16)"),
    (BACKWARD, {"grad": 1.0}, TypeError, "grad has type float64, which does not cast safely to x's float32"),
    (BACKWARD, {"grad": X.astype(int)}, TypeError, "grad has type int64"),
    (BACKWARD, {"grad": X.astype("f8")}, TypeError, "grad has type float64, which does not cast safely to x's float32"),
    *[(LEAKY, {"negative_slope": slope}, TypeError, "negative_slope is") for slope in (*NO_NUMBERS, None)],
    (LEAKY, {"negative_slope": 10**400}, ValueError, "negative_slope is 1000"),
    *[(CLAMPED, {"gain": gain}, TypeError, "gain is") for gain in (*NO_NUMBERS, None)],
    *[(CLAMPED, {"clamp": clamp}, TypeError, "clamp is") for clamp in NO_NUMBERS],
    *[
        (names, {name: value}, ValueError, f"{name} is {value!r}; as a float32 it must be positive and finite{also}")
        for names, name, also in (
            (CLAMPED, "gain", ""),
            (CLAMPED, "clamp", ", or None"),
            (["bias_leaky_relu_backward"], "negative_slope", ""),
        )
        for value in NOT_POSITIVE
    ],
    *[(CLAMPED, {name: 10**400}, ValueError, f"{name} is 1000") for name in ("gain", "clamp")],
    (FUSED, {"residual": X[:2]}, ValueError, "residual has shape (2, 8, 16); it must have x's, (4, 8, 16)"),
    (FUSED, {"residual": X[:1]}, ValueError, "residual has shape (1, 8, 16)"),
    (FUSED, {"residual": X.transpose(0, 2, 1)}, ValueError, "residual has shape (4, 16, 8)"),
    (FUSED, {"residual": W}, ValueError, "residual has shape (8,)"),
    (FUSED, {"residual": 1.0}, TypeError, "residual has type float64, which does not cast safely to x's float32"),
    (FUSED, {"residual": X.astype(int)}, TypeError, "residual has type int64; it must be float32, float64, float16"),
    (FUSED, {"residual": X.astype("f8")}, TypeError, "residual has type float64, which does not cast safely"),
    (FUSED, {"residual": X.astype("e")}, TypeError, "residual has type float16, and x has float32"),
    (PRELU, {"weight": W[:3]}, ValueError, "weight has 3 values for 8 channels (axis 1 of x with shape (4, 8, 16))"),
    (PRELU, {"weight": W[:0]}, ValueError, "weight has 0 values for 8 channels"),
    (SUMS, {"x": X[0, 0], "grad": X[0, 0]}, ValueError, "axis 1 is out of range for x with shape (16,)"),
    (SUMS, {"x": X[0, 0, 0], "grad": X[0, 0, 0], "axis": 0}, ValueError, "axis 0 is out of range for x with shape ()"),
    (PRELU, {"axis": 2}, ValueError, "weight has 8 values for 16 channels (axis 2 of x with shape (4, 8, 16))"),
    (PRELU, {"axis": -1}, ValueError, "weight has 8 values for 16 channels (axis -1"),
    (CHANNELS, {"axis": 3}, ValueError, "axis 3 is out of range for x with shape (4, 8, 16)"),
    (PRELU, {"weight": np.ones(X.strides[0], "f"), "axis": 3}, ValueError, "axis 3 is out of range"),
    (CHANNELS, {"axis": -4}, ValueError, "axis -4 is out of range"),
    (CHANNELS, {"axis": 1.0}, TypeError, "axis is 1.0; it must be an integer"),
    (CHANNELS, {"axis": None}, TypeError, "axis is None"),
    (CHANNELS, {"axis": "1"}, TypeError, "axis is '1'"),
    (PRELU, {"weight": np.ones((8, 1), "f")}, ValueError, "weight has shape (8, 1); for x with shape (4, 8, 16)"),
    (PRELU, {"weight": np.ones((1, 1, 8, 1), "f")}, ValueError, "weight has shape (1, 1, 8, 1)"),
    (PRELU, {"weight": np.ones((1, 7, 1), "f")}, ValueError, "(1, 7, 1) does not broadcast to x with shape (4, 8, 16)"),
    (PRELU, {"x": X[:1], "grad": X[:1], "weight": X}, ValueError, "(4, 8, 16) does not broadcast to x with shape (1,"),
    (PRELU, {"x": X[0, 0], "grad": X[0, 0], "weight": W}, ValueError, "(8,) does not broadcast to x with shape (16,)"),
    (PRELU, {"x": X[0, 0], "grad": X[0, 0], "weight": np.ones((2, 16), "f")}, ValueError, "weight has shape (2, 16)"),
    (PRELU, {"weight": np.ones(8)}, TypeError, "weight has type float64, which does not cast safely to x's float32"),
    (PRELU, {"weight": [0.5] * 8}, TypeError, "weight has type float64"),
    (PRELU, {"weight": W.astype("e")}, TypeError, "weight has type float16, and x has float32; 16 bits go with"),
    (BACKWARD, {"grad": X.astype("e")}, TypeError, "grad has type float16, and x has float32"),
    (PRELU, {"x": X.astype("e"), "grad": X.astype("e")}, TypeError, "does not cast safely to x's float16"),
    (PRELU, {"weight": np.ones(8, int)}, TypeError, "weight has type int64; it must be float32, float64, float16 or"),
    (PRELU, {"weight": True}, TypeError, "weight has type bool"),
    (PRELU, {"weight": None}, TypeError, "weight has type object"),
    *[
        (names, {"out": wrap(out)}, error, message.format(name=name))
        for names, name, wrap in (
            ([name for name in EVERY if name not in PAIRS], "out", lambda out: out),
            (PAIRS, "out[0]", lambda out: (out, None)),
        )
        for out, error, message in (
            (X[:2].copy(), ValueError, "{name} has shape (2, 8, 16); it must have x's, (4, 8, 16)"),
            (np.ones((1, 4, 8, 16), "f"), ValueError, "{name} has shape (1, 4, 8, 16)"),
            (X.astype("f8"), TypeError, "{name} has type float64; it must have x's, float32"),
            (X.astype(int), TypeError, "{name} has type int64"),
            (read_only(X), ValueError, "{name} is read-only"),
            (X.tolist(), TypeError, "{name} is list; it must be an array"),
            (3.0, TypeError, "{name} is float"),
        )
    ],
    (PAIRS, {"out": X.copy()}, TypeError, "out is ndarray; it must be a tuple of two arrays"),
    (PAIRS, {"out": (X.copy(),)}, ValueError, "out has 1 elements"),
    (
        PAIRS,
        {"out": (None, W[:3].copy())},
        ValueError,
        "out[1] has shape (3,); it must have weight's, (8,)",
    ),
    (PAIRS, {"out": (None, np.ones(8))}, TypeError, "out[1] has type float64; it must have weight's"),
    (PAIRS, {"out": (None, read_only(W))}, ValueError, "out[1] is read-only"),
    (
        PAIRS,
        {"x": SAME, "grad": SAME, "weight": SAME, "axis": 0, "out": (SAME, SAME)},
        ValueError,
        "out[0] and out[1] share memory",
    ),
    (
        PAIRS,
        {"out": (ROOM[: X.size].reshape(X.shape), ROOM[-8:])},
        ValueError,
        "out[0] and out[1] share memory",
    ),
]


def as_called(name, changed, message):
    """Yield what is changed and the message, as they are for an operation with other names."""
    operation = OPERATIONS[name]
    parameters = operation.channel or [operation.results[-1].removeprefix("d")]
    for parameter in parameters if "weight" in changed and "x" not in changed else parameters[:1]:
        names = {"x": operation.inputs[-1], "weight": parameter}
        text = re.sub(r"\bweight\b", parameter, re.sub(r"\bx\b", operation.inputs[-1], message))
        yield {names.get(key, key): value for key, value in changed.items()}, text


SPREAD = [
    (name, renamed, error, text)
    for names, changed, error, message in BAD
    for name in names
    for renamed, text in as_called(name, changed, message)
]


@pytest.mark.parametrize(("name", "changed", "error", "message"), SPREAD, ids=range(len(SPREAD)))
def test_message(name, changed, error, message):
    """It says what is wrong, and nothing was written, to no input and to no output."""
    with pytest.raises(error, match=re.escape(f"{name}: ")):
        call(name, **changed)
    outs = (np.full_like(X, 7), np.full_like(W, 7))[: len(OPERATIONS[name].results)]
    given = {"out": outs if len(outs) > 1 else outs[0], **changed}
    values = [one for value in (*given.values(), outs) for one in (value if type(value) is tuple else (value,))]
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    before = [array.tobytes() for array in arrays]
    with pytest.raises(error, match=re.escape(f"{name}: ")) as caught:
        call(name, **given)
    assert message in str(caught.value)
    assert [array.tobytes() for array in arrays] == before


def test_interleaved_outputs_share_no_memory():
    room = np.zeros(10, np.float32)
    x = np.float32([-1, -2, 3, 4, -5])
    dx, dweight = fastleaky.prelu_backward(x, x, SAME, out=(room[::2], room[1::2]))
    assert dweight.tolist() == [1, 4, 0, 0, 25]
    assert dx.tolist() == x.tolist()


def test_set_num_threads():
    before = fastleaky.get_num_threads()
    for bad in (0, -1):
        with pytest.raises(ValueError, match="n is"):
            fastleaky.set_num_threads(bad)
    for bad in (1.5, "2", None, True):
        with pytest.raises(TypeError, match="n is"):
            fastleaky.set_num_threads(bad)
    assert fastleaky.get_num_threads() == before


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.floats(), max_size=4),
    st.lists(st.lists(st.floats(), max_size=2), max_size=3),
    st.dictionaries(st.text(max_size=1), st.none(), max_size=1),
    st.sampled_from([object(), np.float32, len, ..., slice(3), np.ma.masked, np.datetime64("now"), float, range(3)]),
    st.sampled_from(
        [
            np.ones(shape, kind)
            for shape in [(), 0, 1, 8, (4, 8), (4, 8, 16)]
            for kind in ("f", "d", "e", "i", "O", "S1")
        ]
    ),
    st.sampled_from([(None, None), (X.copy(), W.copy()), (X.copy(),), X.copy(), W.copy(), [X.copy(), W.copy()]]),
)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(EVERY), st.data())
def test_fuzz(name, draws):
    """Whatever is passed: an answer, a TypeError or a ValueError."""
    keys = OPERATIONS[name].positional + OPERATIONS[name].keywords
    changed = draws.draw(st.sets(st.sampled_from(keys), min_size=1))
    arguments = {key: draws.draw(ANYTHING, label=key) for key in sorted(changed)}
    try:
        call(name, **arguments)
    except (TypeError, ValueError) as raised:
        error = raised
    else:
        return
    assert str(error).startswith(f"{name}: ")
