"""The formulas of the runtimes, and ONNX's integers, against the runtimes that are installed."""

import functools

import doctor_models as models
import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from fastleaky import quantized
from fastleaky.doctor import onnx_file, runtimes, tflite_file
from fastleaky.doctor.integers import integers, layer
from fastleaky.quantized._layer import every

litert = pytest.importorskip("ai_edge_litert.interpreter")

SLOPES = [0.1, 0.0, -0.0, -0.5, 1.5, 1e-40, -1e-40, 1e-38, np.inf, -np.inf, np.nan]
X = np.tile(np.float32(list(runtimes.INPUTS.values())), 9)  # vectors, and what is left over


def litert_run(data, x, resolver):
    kind = getattr(litert.OpResolverType, resolver)
    interpreter = litert.Interpreter(model_content=data, experimental_op_resolver_type=kind, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def onnxruntime_run(data, x):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def openvino_run(data, x):
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not tested: pip install openvino")
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return next(iter(compiled([x]).values()))


REFERENCE = functools.partial(litert_run, resolver="BUILTIN_REF")
BUILTIN = functools.partial(litert_run, resolver="BUILTIN_WITHOUT_DEFAULT_DELEGATES")
DELEGATE = functools.partial(litert_run, resolver="AUTO")
RUNS = {
    "LiteRT, TensorFlow Lite Micro": [REFERENCE, BUILTIN],
    "LiteRT with XNNPACK": [DELEGATE],
    "ONNX Runtime, OpenVINO": [onnxruntime_run, openvino_run],
}


def model_of(operator, slope):
    """Return a file with an operator of a slope on X, and its activation."""
    weight = np.float32([slope])
    if operator == "LEAKY_RELU":
        data = models.tflite(models.leaky("float32", slope, X.shape))
    elif operator == "PRELU":
        data = models.tflite(models.prelu("float32", weight, X.shape))
    elif operator == "LeakyRelu":
        data = models.onnx_leaky(slope=slope, shape=X.shape)
    else:
        data = models.onnx_prelu(weight=weight, shape=X.shape)
    (found,) = (tflite_file if operator.isupper() else onnx_file).read(data).activations
    return data, found


def inputs_that_differ(y, slope):
    differ = ~runtimes.same(y, runtimes.specified(X, np.full_like(X, slope.item()))).reshape(9, -1)
    return {name for name, column in zip(runtimes.INPUTS, differ.T, strict=True) if column.any()}


CASES = [
    (runtime, operator, run)
    for runtime in runtimes.RUNTIMES
    for operator in sorted(runtime.operators)
    for run in RUNS[runtime.name]
]


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize(("runtime", "operator", "run"), CASES)
def test_formulas(runtime, operator, run, slope):
    """What differs is told; and all of it differs, where there is one formula for all processors."""
    data, found = model_of(operator, slope)
    if run is openvino_run and not np.isfinite(slope) and operator == "LeakyRelu":
        pytest.skip("OpenVINO takes no such attribute")
    differ = inputs_that_differ(run(data, X), found.slopes)
    told = set(runtimes.disagreements(found, runtime.format).get(runtime.name, {}))
    assert differ <= told
    if len(runtime.formulas) == 1:
        assert differ == told


@pytest.mark.parametrize("slope", SLOPES)
def test_the_others_agree(slope):
    """Of LEAKY_RELU, LiteRT's own kernels have the specification's bits: nothing is told of them."""
    data, found = model_of("LEAKY_RELU", slope)
    for run in (REFERENCE, BUILTIN):
        assert not inputs_that_differ(run(data, X), found.slopes)


def test_openvino_and_slopes_along_one_axis():
    """A slope for each of as many places as axis 1 has: there OpenVINO is alone."""
    slopes = np.float32([0.1, 0.2, 0.3])
    x = -np.ones((1, 3, 2, 3), np.float32)
    data = models.onnx_prelu(weight=slopes, shape=x.shape)
    (found,) = onnx_file.read(data).activations
    assert any("OpenVINO" in hint for hint in runtimes.hints(found, "onnx"))
    assert np.array_equal(onnxruntime_run(data, x), slopes * x)
    assert np.array_equal(openvino_run(data, x), slopes[:, np.newaxis, np.newaxis] * x)
    for weight in (slopes.reshape(1, 1, 3), slopes[:1]):
        (found,) = onnx_file.read(models.onnx_prelu(weight=weight, shape=x.shape)).activations
        assert not list(runtimes.hints(found, "onnx"))


def test_bfloat16_in_onnx_runtime():
    (found,) = onnx_file.read(models.onnx_prelu("bfloat16")).activations
    assert any("bfloat16" in hint for hint in runtimes.hints(found, "onnx"))


def random_scales(dtype, rng):
    info = np.iinfo(dtype)
    scales = rng.uniform(0.002, 0.3, 2).astype(np.float32)
    points = (0, 0) if dtype == "int16" else rng.integers(info.min, info.max + 1, 2)
    return tuple((float(scale), int(point)) for scale, point in zip(scales, points, strict=True))


@pytest.mark.parametrize("make", [models.qdq_leaky, models.qlinear_leaky, models.qdq_prelu])
@pytest.mark.parametrize("dtype", models.QUANTIZED)
def test_integers_of_onnx(dtype, make, monkeypatch):
    """Every number, with random scales, zero points and slopes: as ONNX Runtime, and ONNX's evaluator, compute it."""
    own = make is models.qlinear_leaky  # ONNX Runtime's own operator, of 8 bits
    if own and dtype == "int16":
        return
    rng, q, wrong, cases = np.random.default_rng(1), every(np.dtype(dtype)), 0, 0
    for _ in range(3 if dtype == "int16" else 25):
        monkeypatch.setitem(models.SCALES, dtype, random_scales(dtype, rng))
        slope, weight = float(np.float32(rng.uniform(-0.5, 1.5))), rng.choice(models.weights(dtype).ravel(), 1)
        more = {"weight": weight} if make is models.qdq_prelu else {"slope": slope}
        data = make(dtype, shape=q.shape, **more)
        (found,) = onnx_file.read(data).activations
        (table,), _ = integers(found, "onnx")
        wrong += np.count_nonzero(onnxruntime_run(data, q) != table)
        if not own:
            wrong += np.count_nonzero(ReferenceEvaluator(data).run(None, {"x": q})[0] != table)
        cases += q.size
    assert wrong == 0, f"{wrong} of {cases}"


@pytest.mark.parametrize("scales", [((0.05, 0), (0.05, 0)), ((0.1, 0), (0.03, 0)), ((0.001, 0), (7.0, 0))])
@pytest.mark.parametrize("slope", [-0.5, -0.1, -1.0, -0.25])
def test_signed_multipliers(slope, scales, monkeypatch):
    """LiteRT's optimized kernel for int16 keeps a multiplier's sign."""
    monkeypatch.setitem(models.SCALES, "int16", scales)
    q = every(np.dtype("int16"))
    data = models.tflite(models.leaky("int16", slope, q.shape))
    (found,) = tflite_file.read(data).activations
    assert np.array_equal(BUILTIN(data, q), integers(found, "tflite-signed")[0][0])
    assert np.array_equal(REFERENCE(data, q), integers(found, "tflite")[0][0])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_tflite_integers(dtype):
    """The integers that are counted are LiteRT's: for every number, and for PReLU with each slope."""
    q = np.resize(every(np.dtype(dtype)), models.SHAPE)
    data = models.tflite(models.leaky(dtype))
    (found,) = tflite_file.read(data).activations
    for rounding, run in (("tflite", REFERENCE), ("xnnpack", DELEGATE)):
        assert np.array_equal(run(data, q), integers(found, rounding)[0][0][q.view(np.uint8)])
    data = models.tflite(models.prelu(dtype))
    (found,) = tflite_file.read(data).activations
    tables, times = integers(found, "tflite")
    row = np.searchsorted(np.unique(found.slopes), np.broadcast_to(found.slopes, q.shape))
    assert np.array_equal(REFERENCE(data, q), tables[row, q.view(np.uint8)])
    assert times.sum() == found.slopes.size
    assert isinstance(layer(found, "tflite"), quantized.PReLU)
