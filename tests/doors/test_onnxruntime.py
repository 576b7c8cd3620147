"""fastleaky.onnxruntime: the provider runs what it claims, with the specification's bits, and leaves the rest alone."""

import ctypes
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx
import onnxruntime
from children import HIDE, needs_c, python, words
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_models import declared, graph, model, own_tests

import fastleaky.onnxruntime
from fastleaky import reference
from fastleaky._backends.selftest import draw, same_bits
from fastleaky.onnxruntime import NAME

pytestmark = needs_c
CPU = "CPUExecutionProvider"
RUN = '''
import numpy as np, onnx, onnxruntime, fastleaky.onnxruntime
model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["": 16]>
    example (float[N, 3] x, float[3] slope) => (float[N, 3] y) { n = Neg(x) y = PRelu(n, slope) }
""").SerializeToString()
feed = {"x": np.ones((2, 3), np.float32), "slope": np.float32([1, 2, 3])}
'''


@pytest.fixture(scope="module", autouse=True)
def _registered():
    fastleaky.onnxruntime.register()


class Session:
    """A session with fastleaky that tells which provider ran which node."""

    def __init__(self, made, folder, threads=1):
        options = onnxruntime.SessionOptions()
        options.enable_profiling, options.profile_file_prefix = True, str(folder / "profile")
        options.intra_op_num_threads, options.log_severity_level = threads, 4
        self.session = fastleaky.onnxruntime.session(made.SerializeToString(), options)

    def run(self, **inputs):
        """Return the outputs."""
        return self.session.run(None, inputs)

    def ran(self):
        """Return (operator, provider) of each node that was run."""
        with open(self.session.end_profiling()) as file:
            events = [event.get("args", {}) for event in json.load(file)]
        return [(event["op_name"], event["provider"]) for event in events if "provider" in event]


@pytest.fixture
def session(tmp_path):
    return lambda made, **options: Session(made, tmp_path, **options)


def aligned(slope, x):
    return slope.reshape((1,) * (x.ndim - slope.ndim) + slope.shape)


# What the provider claims


@pytest.mark.parametrize("type_", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in own_tests() if not name.startswith("test_PReLU_")])
def test_own_tests(session, name, type_):
    """ONNX's tests of the operators, also in float64; but PRelu of operator set 6, which ONNX Runtime does not know."""
    made, data, tolerance = own_tests(type_)[name]
    here = session(made)
    kinds = [node.op_type for node in made.graph.node]
    for inputs, outputs in data:
        given = dict(zip([value.name for value in here.session.get_inputs()], inputs, strict=False))
        for got, wanted in zip(here.run(**given), outputs, strict=True):
            np.testing.assert_allclose(got, wanted, **tolerance)
    provider = CPU if (type_, kinds) == ("float32", ["LeakyRelu"]) else NAME
    assert here.ran() == [(kind, provider) for kind in kinds for _ in data]


CLAIMED = {
    "channels": (("N", 3, 4, 5), (3, 1, 1)),
    "channels, sizes unknown": (("N", 3, "H", "W"), (3, 1, 1)),
    "channels last": (("N", "H", 5), (5,)),
    "shared": (("N", "C", "H", "W"), (1,)),
    "a scalar": (("N", "C"), ()),
    "elements": ((3, 4), (3, 4)),
    "x is a scalar": ((), ()),
}
LEFT = {
    "larger": ((3,), (2, 3)),
    "larger by an axis": ((3,), (1, 3)),
    "perhaps larger": (("N", "C", 4, 5), (3, 1, 1)),
    "of unknown size": (("N", 3), ("C",)),
    "both of unknown size": (("N", "C"), ("C",)),
    "x of unknown rank": (None, (1,)),
    "of unknown rank": ((2, 3), None),
}


@pytest.mark.parametrize(("x_shape", "slope_shape"), [*CLAIMED.values(), *LEFT.values()], ids=[*CLAIMED, *LEFT])
def test_claims_by_shape(session, x_shape, slope_shape):
    """Taken is what the slope is certain to be broadcast to."""
    here = session(model("PRelu", {"x": (TensorProto.FLOAT, x_shape), "slope": (TensorProto.FLOAT, slope_shape)}))
    known = {"N": 2, "C": 3, "H": 4, "W": 5, None: 3}
    x, slope = (
        np.random.default_rng(0).standard_normal([known.get(size, size) for size in shape or (2, 3)], np.float32)
        for shape in (x_shape, slope_shape)
    )
    assert same_bits(here.run(x=x, slope=slope)[0], np.where(x > 0, x, slope * x))
    assert here.ran() == [("PRelu", NAME if (x_shape, slope_shape) in CLAIMED.values() else CPU)]


@pytest.mark.parametrize("opset", [7, 9, 16, 21])
@pytest.mark.parametrize(
    ("operator", "type_", "provider"),
    [
        ("PRelu", "float32", NAME),
        ("PRelu", "float64", NAME),
        ("LeakyRelu", "float32", CPU),
        ("LeakyRelu", "float64", NAME),
    ],
)
def test_claims_by_type(session, operator, type_, provider, opset):
    x, slope = np.ones((2, 3), type_), np.ones(3, type_)
    given = {"x": x} if operator == "LeakyRelu" else {"x": x, "slope": slope}
    here = session(model(operator, {name: declared(array) for name, array in given.items()}, opset))
    assert here.run(**given)[0].tolist() == x.tolist()
    assert here.ran() == [(operator, provider)]


def test_integers_are_left(session):
    x, slope = np.int32([[-3, 4]]), np.int32([2, 2])
    here = session(model("PRelu", {"x": declared(x), "slope": declared(slope)}))
    assert here.run(x=x, slope=slope)[0].tolist() == [[-6, 4]]
    assert {provider for _, provider in here.ran()} == {CPU}


def test_convolution_stays_fused(session):
    """A float32 LeakyRelu after a convolution is the CPU provider's, which computes both at once."""
    x, w = np.ones((1, 1, 4, 4), np.float32), -np.ones((1, 1, 3, 3), np.float32)
    nodes = [("Conv", ["x", "w"], "c"), ("LeakyRelu", ["c"], "y")]
    here = session(graph(nodes, {"x": x}, {"y": np.empty((1, 1, 2, 2), np.float32)}, [("w", w)]))
    np.testing.assert_allclose(here.run(x=x)[0], np.full((1, 1, 2, 2), -0.09))
    assert "LeakyRelu" not in dict(here.ran())


# What it computes

X_SHAPES_AND_SLOPES = {
    (2, 3, 4, 5): [
        (3, 1, 1),
        (1, 3, 1, 1),
        (1,),
        (),
        (5,),
        (4, 5),
        (2, 3, 4, 5),
        (3, 1, 5),
        (2, 1, 4, 1),
        (2, 1, 1, 5),
    ],
    (7,): [(7,), (1,)],
    (): [()],
    (0, 3, 4): [(3, 1)],
    (2, 3, 0): [(3, 1)],
    (1, 1, 1): [(1,)],
    (3, 64, 57, 33): [(64, 1, 1)],
    (3, 57, 33, 64): [(64,)],
    (5, 100_000): [(1,), (5, 1)],
    (2, 3, 1, 5, 1, 7): [(3, 1, 5, 1, 1)],
    (4, 1, 6, 1, 8): [(4, 1, 1, 1, 8)],
    (3, 40, 2, 50, 11): [(3, 1, 2, 1, 11), (40, 1, 50, 1), (3, 1, 1, 50, 1)],
    (1, 8, 300, 300): [(8, 1, 1)],
    (200, 3, 300): [(3, 1), (3, 300), (200, 1, 300)],
    (2,) * 12: [(2, 1) * 6, (1, 2) * 6],
}
PAIRS = [(x_shape, shape) for x_shape, shapes in X_SHAPES_AND_SLOPES.items() for shape in shapes]


def compute(x, slope, threads=1, *, constant=False, symbolic=False):
    """Return PRelu by a session: of a slope that is given or constant, for an x whose first size is known or not."""
    given = {"x": x} if constant else {"x": x, "slope": slope}
    shapes = {name: declared(array) for name, array in given.items()}
    if symbolic and x.ndim > slope.ndim:
        shapes["x"] = declared(x, ("N", *x.shape[1:]))
    made = model("PRelu", shapes, initializers=[("slope", slope)] if constant else [])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    return fastleaky.onnxruntime.session(made.SerializeToString(), options).run(None, given)[0]


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("type_", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("x_shape", "slope_shape"), PAIRS, ids=str)
def test_prelu(x_shape, slope_shape, type_, threads):
    rng = np.random.default_rng(len(x_shape))
    x, slope = draw(rng, x_shape, type_, "special"), draw(rng, slope_shape, type_)
    wanted = reference.prelu(x, aligned(slope, x))
    for how in ({}, {"constant": True}, {"symbolic": True}):
        assert same_bits(compute(x, slope, threads, **how), wanted)


@pytest.mark.parametrize("alpha", [None, 0.0, 0.1, -2.0])
@pytest.mark.parametrize("type_", ["float64", "float16"])
@pytest.mark.parametrize("shape", [(), (0, 3), (3, 4, 5), (7, 30_001)], ids=str)
def test_leaky_relu(session, shape, type_, alpha):
    x = draw(np.random.default_rng(1), shape, type_, "special")
    here = session(model("LeakyRelu", {"x": declared(x)}, **({} if alpha is None else {"alpha": alpha})), threads=2)
    wanted = reference.leaky_relu(x, np.float32(0.01 if alpha is None else alpha))
    assert same_bits(here.run(x=x)[0], wanted)
    assert here.ran() == [("LeakyRelu", NAME)]


@pytest.mark.parametrize("operator", ["PRelu", "LeakyRelu"])
def test_bfloat16(session, operator):
    """ONNX Runtime's own provider has neither of them in bfloat16, which NumPy arrays bring by way of casts."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = draw(np.random.default_rng(2), (3, 4, 5), ml_dtypes.bfloat16)
    slope = draw(np.random.default_rng(3), (4, 1), ml_dtypes.bfloat16)
    given = {"x": x.astype(np.float32), "slope": slope.astype(np.float32)}
    names = ["x", "slope"] if operator == "PRelu" else ["x"]
    nodes = [("Cast", [name], f"{name}16", {"to": TensorProto.BFLOAT16}) for name in names]
    nodes += [(operator, [f"{name}16" for name in names], "y16"), ("Cast", ["y16"], "y", {"to": TensorProto.FLOAT})]
    inputs = {name: given[name] for name in names}
    here = session(graph(nodes, inputs, {"y": given["x"]}))
    wanted = reference.prelu(x, slope[None]) if operator == "PRelu" else reference.leaky_relu(x, np.float32(0.01))
    assert same_bits(here.run(**inputs)[0], wanted.astype(np.float32))
    assert (operator, NAME) in here.ran()


def test_in_place(session):
    """The output takes the place of an input that nobody else needs, and of no other."""
    x, slope = draw(np.random.default_rng(4), (2, 3, 50, 400), "float32"), np.float32([[[2]], [[-3]], [[0.5]]])
    nodes = [
        ("Neg", ["x"], "a"),
        ("PRelu", ["a", "slope"], "b"),
        ("PRelu", ["b", "slope"], "c"),
        ("Add", ["c", "a"], "y"),
    ]
    here = session(graph(nodes, {"x": x, "slope": slope}, {"b": x, "y": x}), threads=2)
    before = x.copy()
    b, y = here.run(x=x, slope=slope)
    wanted = reference.prelu(-x, slope[None])
    assert same_bits(b, wanted)
    assert same_bits(y, reference.prelu(wanted, slope[None]) - x)
    assert same_bits(x, before)
    assert here.ran().count(("PRelu", NAME)) == 2


SHAPES = st.lists(st.integers(0, 5), max_size=5)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_shapes(data):
    """Any shapes and types, with any sizes unknown: what the CPU provider does, errors included."""
    x_shape = data.draw(SHAPES)
    fitting = [data.draw(st.sampled_from([1, size])) for size in x_shape[data.draw(st.integers(0, 5)) :]]
    slope_shape = data.draw(st.one_of(st.just(fitting), SHAPES))
    type_ = data.draw(st.sampled_from(["float32", "float64", "float16", "int64"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    given = {"x": rng.integers(-9, 9, x_shape).astype(type_), "slope": rng.integers(-9, 9, slope_shape).astype(type_)}
    stated = {
        name: declared(array, [data.draw(st.sampled_from([size, None])) for size in array.shape])
        for name, array in given.items()
    }
    made = model("PRelu", stated).SerializeToString()
    try:
        wanted = onnxruntime.InferenceSession(made, quiet(), providers=[CPU]).run(None, given)[0]
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's have no class in common
        with pytest.raises(type(error)):
            fastleaky.onnxruntime.session(made, quiet()).run(None, given)
    else:
        got = fastleaky.onnxruntime.session(made, quiet()).run(None, given)[0]
        assert np.array_equal(got, wanted)
        assert got.dtype == wanted.dtype


def quiet():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return options


# What it says


def test_wrong_annotations(session):
    """The shapes that a model states for its insides need not be true; then there is an error."""
    x, n, slope = np.ones((2, 3), np.float32), np.int64([-1]), np.ones(3, np.float32)
    nodes = [("Reshape", ["x", "n"], "flat"), ("PRelu", ["flat", "slope"], "y")]
    made = graph(nodes, {"x": x, "n": n, "slope": slope}, {"y": slope})
    made.graph.value_info.append(helper.make_tensor_value_info("flat", *declared(slope)))
    here = session(made)
    match = r"PRelu: a slope with shape \(3\) does not broadcast to x with shape \(6\)"
    with pytest.raises(Exception, match=match):
        here.run(x=x, n=n, slope=slope)


def test_an_older_version(monkeypatch):
    monkeypatch.setattr(onnxruntime, "__version__", "1.23.2")
    with pytest.raises(RuntimeError, match=r"needs ONNX Runtime 1\.24 or later, and this is 1\.23\.2: pip install"):
        fastleaky.onnxruntime.register()


def create_factories(api_of, version):
    """Call the library as an ONNX Runtime of a version would: the status, and how many factories there are."""
    get_api = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)(api_of)
    text = ctypes.create_string_buffer(version)
    get_version = ctypes.CFUNCTYPE(ctypes.c_void_p)(lambda: ctypes.addressof(text))
    base = (ctypes.c_void_p * 2)(*(ctypes.cast(call, ctypes.c_void_p) for call in (get_api, get_version)))
    create, count = ctypes.CDLL(fastleaky.onnxruntime.library()).CreateEpFactories, ctypes.c_size_t(1)
    create.restype = ctypes.c_void_p
    status = create(b"fastleaky", base, None, None, ctypes.c_size_t(0), ctypes.byref(count))
    return status, count.value


@pytest.mark.parametrize(
    ("newest", "version", "message"),
    [
        (23, b"1.23.2", b"fastleaky needs ONNX Runtime 1.24 or later, and this is 1.23.2"),
        (24, b"1.24.0", b"fastleaky serves another copy of ONNX Runtime in this process"),
    ],
)
def test_another_onnx_runtime(newest, version, message):
    """The library sees for itself what loads it."""
    said = []
    create_status = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)(
        lambda code, text: said.append((code, text)) or 1234
    )
    api = (ctypes.c_void_p * 1)(ctypes.cast(create_status, ctypes.c_void_p))
    result = create_factories(lambda asked: ctypes.addressof(api) if asked <= newest else None, version)
    assert result == (1234, 0)
    assert said == [(1, message)]


def test_without_c():
    child = python(HIDE.format(hidden=["fastleaky._ffi"]) + "import fastleaky.onnxruntime as door; door.register()")
    assert "ImportError: fastleaky was installed without its compiled module" in child.stderr.splitlines()[-1]


# The library in the process


def test_exports():
    library = ctypes.CDLL(fastleaky.onnxruntime.library())
    assert library.CreateEpFactories
    assert library.ReleaseEpFactory
    assert not hasattr(library, "fl_isa_best")


def test_registered_once():
    """However often it is asked for, and by several threads at once."""
    code = """
import concurrent.futures, onnxruntime, fastleaky.onnxruntime
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for done in [pool.submit(fastleaky.onnxruntime.register) for _ in range(16)]:
        done.result()
print(sum(device.ep_name == fastleaky.onnxruntime.NAME for device in onnxruntime.get_ep_devices()))
"""
    assert words(code, "-Werror") == ["1"]


@pytest.mark.parametrize("end", ["", "del session", "del session; gc.collect()", "import sys; sys.exit()"])
def test_the_end_of_a_process(end):
    """Sessions may outlive all else."""
    code = f"""{RUN}
import gc
session = fastleaky.onnxruntime.session(model)
print(*session.run(None, feed)[0][0])
{end}
"""
    assert words(code, "-Werror") == ["-1.0", "-2.0", "-3.0"]


def test_registered_by_others():
    """Under another name; and anew after it was taken away."""
    code = f"""{RUN}
onnxruntime.register_execution_provider_library("other", fastleaky.onnxruntime.library())
for name in "other", "fastleaky", "fastleaky":
    session = fastleaky.onnxruntime.session(model)
    print(*session.run(None, feed)[0][0])
    del session
    onnxruntime.unregister_execution_provider_library(name)
"""
    assert words(code, "-Werror") == ["-1.0", "-2.0", "-3.0"] * 3


def test_nothing_is_printed():
    """Not even a warning that a node is left to the CPU provider."""
    child = python(RUN + "fastleaky.onnxruntime.session(model).run(None, feed)", "-Werror")
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


def test_a_session_outlives_the_registration():
    code = f"""{RUN}
session = fastleaky.onnxruntime.session(model)
onnxruntime.unregister_execution_provider_library("fastleaky")
print(*session.run(None, feed)[0][0])
del session
print(*fastleaky.onnxruntime.session(model).run(None, feed)[0][0])
"""
    assert words(code, "-Werror") == ["-1.0", "-2.0", "-3.0"] * 2


def test_sessions_at_once():
    """Made and run by several threads; one session is also run by all of them."""
    rng = np.random.default_rng(5)
    x, slope = draw(rng, (2, 16, 80, 80), "float32"), draw(rng, (16, 1, 1), "float32")
    made = model("PRelu", {"x": declared(x), "slope": declared(slope)}).SerializeToString()
    shared = fastleaky.onnxruntime.session(made)

    def results():
        own = fastleaky.onnxruntime.session(made)
        return [session.run(None, {"x": x, "slope": slope})[0] for session in (own, shared) * 10]

    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(results) for _ in range(6)]
    assert all(same_bits(y, reference.prelu(x, slope[None])) for call in calls for y in call.result())


def test_by_name(tmp_path):
    if NAME not in onnxruntime.get_available_providers():
        pytest.skip("ONNX Runtime 1.24 takes no plugin by its name")
    made = model("PRelu", {"x": (TensorProto.FLOAT, ("N", 3)), "slope": (TensorProto.FLOAT, (3,))})
    path = tmp_path / "model.onnx"
    onnx.save(made, path)
    for source in (path, str(path), made.SerializeToString()):
        session = onnxruntime.InferenceSession(source, providers=[NAME, CPU])
        assert session.get_providers() == fastleaky.onnxruntime.session(source).get_providers() == [NAME, CPU]
