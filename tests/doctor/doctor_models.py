"""Models for the tests of ``python -m fastleaky doctor``, made in memory; or its tests are skipped."""

import ml_dtypes
import numpy as np
import pytest

from benchmarks.peers.litert_model import Operator, Tensor, model

pytest.importorskip("tflite", reason="the doctor is not tested: pip install '.[doctor]'")
onnx = pytest.importorskip("onnx", reason="the doctor is not tested: pip install '.[doctor]'")
schema = pytest.importorskip(
    "ai_edge_litert.schema_py_generated", reason="the doctor is not tested: pip install '.[litert]' makes its models"
)

TensorProto, helper = onnx.TensorProto, onnx.helper

SHAPE = (1, 4, 5, 16)
SCALES = {"int8": ((0.05, -3), (0.04, 5)), "uint8": ((0.05, 130), (0.04, 120)), "int16": ((0.05, 0), (0.04, 0))}
QUANTIZED = tuple(SCALES)
ONNX_TYPES = {"int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int16": TensorProto.INT16}


def weights(dtype, size=16, seed=0):
    """Return slopes of a type: of each sign."""
    rng = np.random.default_rng(seed)
    if dtype in QUANTIZED:
        dtype = "int8" if dtype == "int16" else dtype
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, (1, 1, size), dtype, endpoint=True)
    return rng.normal(0.2, 0.3, (1, 1, size)).astype(dtype)


def tensors(dtype, shape=SHAPE):
    """Return the declarations of an input and an output."""
    if dtype not in QUANTIZED:
        return Tensor(shape, dtype), Tensor(shape, dtype)
    return tuple(Tensor(shape, dtype, *scales) for scales in SCALES[dtype])


def leaky(dtype="int8", slope=0.1, shape=SHAPE):
    return Operator(*tensors(dtype, shape), negative_slope=slope)


def prelu(dtype="int8", weight=None, shape=SHAPE):
    weight = weights(dtype) if weight is None else weight
    scales = (0.01, 3) if dtype in QUANTIZED else (None,)
    return Operator(*tensors(dtype, shape), weight=Tensor(weight.shape, weight.dtype.name, *scales, contents=weight))


def tflite(*operators):
    """Return the bytes of a .tflite file."""
    return model(list(operators))


def edited(data, edit):
    """Return a .tflite file as `edit` changes it, an object of the schema."""
    import flatbuffers

    made = schema.ModelT.InitFromPackedBuf(data)
    edit(made)
    builder = flatbuffers.Builder(1024)
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def constant(name, value):
    return onnx.numpy_helper.from_array(np.asarray(value), name)


def value(name, dtype, shape=SHAPE):
    kinds = {"bfloat16": TensorProto.BFLOAT16, **ONNX_TYPES}
    kind = kinds.get(dtype) or helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, shape)


def onnx_file(nodes, dtype="float32", constants=(), shape=SHAPE, opset=21, **more):
    """Return the bytes of an .onnx file whose nodes make y of x."""
    graph = helper.make_graph(nodes, "g", [value("x", dtype, shape)], [value("y", dtype, shape)], list(constants))
    domains = dict.fromkeys(["", *(node.domain for node in nodes)])
    opsets = [helper.make_opsetid(domain, 1 if domain else opset) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more).SerializeToString()


def onnx_leaky(dtype="float32", slope=0.1, shape=SHAPE, **more):
    return onnx_file([helper.make_node("LeakyRelu", ["x"], ["y"], alpha=slope)], dtype, shape=shape, **more)


def onnx_prelu(dtype="float32", weight=None, shape=SHAPE, **more):
    slopes = weights("float32") if weight is None else weight
    slopes = slopes.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    node = helper.make_node("PRelu", ["x", "slope"], ["y"])
    return onnx_file([node], dtype, [constant("slope", slopes)], shape, **more)


def parameters(dtype):
    """Return the scales and zero points of x and of y, as constants."""
    (s, z), (t, p) = SCALES[dtype]
    zero = np.dtype(dtype).type
    return [constant("s", np.float32(s)), constant("z", zero(z)), constant("t", np.float32(t)), constant("p", zero(p))]


def converted(node, dtype, constants=(), before=(), domain="", **more):
    """Return the bytes of an .onnx file with a node between DequantizeLinear and QuantizeLinear."""
    into = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["float_x"], domain=domain)
    out = helper.make_node("QuantizeLinear", ["float_y", "t", "p"], ["y"], domain=domain)
    return onnx_file([into, *before, node, out], dtype, [*parameters(dtype), *constants], **more)


def qdq_leaky(dtype="int8", slope=0.1, **more):
    return converted(helper.make_node("LeakyRelu", ["float_x"], ["float_y"], alpha=slope), dtype, **more)


def qdq_prelu(dtype="int8", weight=None, scale=0.01, zero_point=3, **more):
    weight = weights(dtype) if weight is None else weight
    zero_point = np.broadcast_to(weight.dtype.type(zero_point), np.shape(scale))
    constants = [constant("w", weight), constant("w_s", np.float32(scale)), constant("w_z", zero_point)]
    before = [helper.make_node("DequantizeLinear", ["w", "w_s", "w_z"], ["slope"], axis=-1 if np.ndim(scale) else 1)]
    node = helper.make_node("PRelu", ["float_x", "slope"], ["float_y"])
    return converted(node, dtype, constants, before, **more)


def qlinear_leaky(dtype="int8", slope=0.1, **more):
    inputs = ["x", "s", "z", "t", "p"]
    node = helper.make_node("QLinearLeakyRelu", inputs, ["y"], domain="com.microsoft", alpha=slope)
    return onnx_file([node], dtype, parameters(dtype), **more)


def samples():
    """Return files of both formats, with all that the readers know, by the name that each needs."""
    every = [leaky(dtype, slope) for dtype in (*QUANTIZED, "float32") for slope in (0.1, -0.5)]
    every += [prelu(dtype) for dtype in (*QUANTIZED, "float32")]
    onnx = [onnx_leaky(), onnx_prelu("bfloat16"), qdq_leaky("uint8"), qdq_prelu("int16"), qdq_prelu(), qlinear_leaky()]
    return [("m.tflite", tflite(*every)), *(("m.onnx", data) for data in onnx)]
