"""What the readers find in models that are made in memory, and in those that the onnx package ships."""

from pathlib import Path

import doctor_models as models
import numpy as np
import pytest

from fastleaky.doctor import files, onnx_file, tflite_file
from fastleaky.doctor.model import ModelError

SHIPPED = Path(models.onnx.__file__).parent / "backend/test/data/pytorch-converted"
LIKE_OURS = [b"MyPReLU", b"leaky_relu_v2"]


def only(model):
    (activation,) = model.activations
    return activation


def scales(tensor):
    return tensor.scales and (tensor.scales.scale.tolist(), tensor.scales.zero_point.tolist())


def in_float32(pair):
    return [float(np.float32(pair[0]))], [pair[1]]


@pytest.mark.parametrize("dtype", [*models.QUANTIZED, "float32"])
def test_tflite_leaky_relu(dtype):
    found = only(tflite_file.read(models.tflite(models.leaky(dtype, -0.3))))
    assert (found.operator, found.operation, found.name, found.x.name) == ("LEAKY_RELU", "leaky_relu", "y0", "x0")
    assert found.place.startswith("operator 0, byte ")
    assert found.x.shape == found.y.shape == models.SHAPE
    assert found.x.dtype == found.y.dtype == dtype
    assert found.slopes == np.float32(-0.3)
    assert found.quantized == (dtype != "float32")
    if found.quantized:
        assert (scales(found.x), scales(found.y)) == tuple(map(in_float32, models.SCALES[dtype]))


@pytest.mark.parametrize("dtype", [*models.QUANTIZED, "float32"])
def test_tflite_prelu(dtype):
    found = only(tflite_file.read(models.tflite(models.prelu(dtype))))
    assert (found.operator, found.operation) == ("PRELU", "prelu")
    assert np.array_equal(found.slopes, models.weights(dtype))
    assert found.slopes.dtype == found.weight.dtype
    real = models.weights(dtype)
    if dtype != "float32":
        assert scales(found.weight) == in_float32((0.01, 3))
        real = (real.astype(int) - 3) * np.float32(0.01)
    assert np.array_equal(found.real_slopes, real.astype(np.float32))


def test_tflite_operators_in_their_order():
    made = [models.leaky("int8"), models.prelu("int16"), models.leaky("float32"), models.prelu("float32")]
    found = tflite_file.read(models.tflite(*made)).activations
    assert [one.x.dtype for one in found] == ["int8", "int16", "float32", "float32"]
    assert [one.operation for one in found] == ["leaky_relu", "prelu"] * 2


def test_tflite_weights_that_are_computed():
    def compute(made):
        made.subgraphs[0].tensors[2].buffer = 0

    assert only(tflite_file.read(models.edited(models.tflite(models.prelu()), compute))).slopes is None


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_tflite_weights_that_are_dequantized(dtype):
    """As converters store them: the operator before it makes them float32."""
    stored = models.weights(dtype)
    scales = {"scale": 0.01, "zero_point": 3} if dtype == "int8" else {}

    def store(made):
        graph = made.subgraphs[0]
        constant, code, node = models.schema.TensorT(), models.schema.OperatorCodeT(), models.schema.OperatorT()
        constant.shape, constant.buffer, graph.tensors[2].buffer = list(stored.shape), graph.tensors[2].buffer, 0
        constant.type = models.schema.TensorType.INT8 if scales else models.schema.TensorType.FLOAT16
        made.buffers[constant.buffer].data = stored.reshape(-1).view(np.uint8)
        if scales:
            constant.quantization = models.schema.QuantizationParametersT()
            constant.quantization.scale, constant.quantization.zeroPoint = [0.01], [3]
        code.builtinCode = code.deprecatedBuiltinCode = models.schema.BuiltinOperator.DEQUANTIZE
        node.opcodeIndex, node.inputs, node.outputs = len(made.operatorCodes), [len(graph.tensors)], [2]
        made.operatorCodes.append(code)
        graph.tensors.append(constant)
        graph.operators.insert(0, node)

    found = only(tflite_file.read(models.edited(models.tflite(models.prelu("float32")), store)))
    real = (stored.astype(int) - 3).astype(np.float32) * np.float32(0.01) if scales else stored.astype(np.float32)
    assert found.slopes.dtype == np.float32
    assert np.array_equal(found.slopes, real)
    assert found.place.startswith("operator 1, byte ")


def test_tflite_sizes_that_are_not_known():
    def free(made):
        made.subgraphs[0].tensors[0].shapeSignature = [-1, 4, 5, 16]

    found = only(tflite_file.read(models.edited(models.tflite(models.leaky()), free)))
    assert found.x.shape == (None, 4, 5, 16)
    assert found.elements == 320


def test_tflite_subgraphs_have_their_place():
    def twice(made):
        made.subgraphs.append(made.subgraphs[0])

    found = tflite_file.read(models.edited(models.tflite(models.leaky()), twice)).activations
    assert ["of subgraph 0" in found[0].place, "of subgraph 1" in found[1].place] == [True, True]


def test_tflite_scales_along_an_axis():
    def each(made):
        quantization = made.subgraphs[0].tensors[2].quantization
        quantization.scale, quantization.zeroPoint = [0.01] * 16, [0] * 16

    found = only(tflite_file.read(models.edited(models.tflite(models.prelu()), each)))
    assert found.weight.scales.scale.size == 16
    assert found.real_slopes is None


@pytest.mark.parametrize("name", LIKE_OURS)
def test_tflite_skips_what_only_looks_like_ours(name):
    def customize(made):
        code = made.operatorCodes[0]
        code.builtinCode = code.deprecatedBuiltinCode = models.schema.BuiltinOperator.CUSTOM
        code.customCode = name

    model = tflite_file.read(models.edited(models.tflite(models.leaky()), customize))
    assert not model.activations
    (skipped,) = model.skipped
    assert skipped.startswith("operator 0, byte ")
    assert skipped.endswith(f"a custom operator, {name.decode()}")


@pytest.mark.parametrize("number", [0, 126, 30_000])
def test_tflite_skips_other_operators(number):
    def other(made):
        made.operatorCodes[0].builtinCode, made.operatorCodes[0].deprecatedBuiltinCode = number, min(number, 127)

    model = tflite_file.read(models.edited(models.tflite(models.leaky()), other))
    assert not model.activations
    assert not model.skipped


def refused(change, operator=models.leaky):
    with pytest.raises(ModelError) as error:
        tflite_file.read(models.edited(models.tflite(operator()), change))
    return str(error.value)


def test_tflite_references_that_lead_nowhere():
    def code(made):
        made.subgraphs[0].operators[0].opcodeIndex = 1

    def tensor(made):
        made.subgraphs[0].operators[0].inputs = [2]

    def buffer(made):
        made.subgraphs[0].tensors[2].buffer = 2

    for change, what in ((code, "operator code 1 of 1"), (tensor, "tensor 2 of 2")):
        message = refused(change)
        assert message.startswith("operator 0, byte ")
        assert message.endswith(f": it refers to {what}")
    assert refused(buffer, models.prelu).endswith(": it refers to buffer 2 of 2")


def test_tflite_operators_without_what_they_need():
    def options(made):
        made.subgraphs[0].operators[0].builtinOptions = None
        made.subgraphs[0].operators[0].builtinOptionsType = 0

    def inputs(made):
        made.subgraphs[0].operators[0].inputs = []

    def zero_points(made):
        made.subgraphs[0].tensors[0].quantization.zeroPoint = [1, 2]

    def values(made):
        made.subgraphs[0].tensors[2].shape = [1, 1, 17]

    assert refused(options).endswith("LEAKY_RELU has no LeakyReluOptions")
    assert refused(inputs).endswith("LEAKY_RELU has 0 inputs and 1 outputs")
    assert refused(zero_points).endswith("1 scales and 2 zero points")
    assert "cannot reshape" in refused(values, models.prelu)


@pytest.mark.parametrize("folder", sorted(path.name for path in SHIPPED.glob("test_*eLU*")))
def test_onnx_models_that_are_shipped(folder):
    path = SHIPPED / folder / "model.onnx"
    nodes = [node for node in models.onnx.load(path).graph.node if node.op_type in {"PRelu", "LeakyRelu"}]
    found = files.read(path).activations
    assert [one.operator for one in found] == [node.op_type for node in nodes]
    for one in found:
        assert one.x.dtype == "float32"
        assert len(one.x.shape) >= 3
        if one.operator == "PRelu":
            assert set(np.ravel(one.slopes)) == {np.float32(0.25)}
            assert one.slopes.shape[1:] == (1,) * (len(one.x.shape) - 2)  # operator set 6: along axis 1
        else:
            assert one.slopes == np.float32(0.5 if "negval" in folder else 0.01)


def test_there_are_models_that_are_shipped():
    assert len(list(SHIPPED.glob("test_*eLU*/model.onnx"))) >= 8


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_onnx_floats(dtype):
    found = only(onnx_file.read(models.onnx_leaky(dtype, 0.3)))
    assert (found.operator, found.name, found.place, found.x.dtype) == ("LeakyRelu", "y", "node 0", dtype)
    assert found.slopes == np.float32(0.3)
    found = only(onnx_file.read(models.onnx_prelu(dtype)))
    assert (found.operator, found.weight.shape, found.slopes.dtype.name) == ("PRelu", (1, 1, 16), dtype)


def test_onnx_default_slope():
    data = models.onnx_file([models.helper.make_node("LeakyRelu", ["x"], ["y"])])
    assert only(onnx_file.read(data)).slopes == np.float32(0.01)


@pytest.mark.parametrize("dtype", models.QUANTIZED)
def test_onnx_integers(dtype):
    made = [models.qdq_leaky(dtype), models.qdq_leaky(dtype, domain="com.microsoft"), models.qdq_prelu(dtype)]
    if dtype != "int16":
        made.append(models.qlinear_leaky(dtype))
    for data in made:
        found = only(onnx_file.read(data))
        assert (found.x.dtype, found.y.dtype, found.x.shape, found.y.shape) == (
            dtype,
            dtype,
            models.SHAPE,
            models.SHAPE,
        )
        assert (scales(found.x), scales(found.y)) == tuple(map(in_float32, models.SCALES[dtype]))
        if found.weight:
            assert np.array_equal(found.slopes, models.weights(dtype))
            assert scales(found.weight) == in_float32((0.01, 3))


def test_onnx_slopes_with_a_scale_each():
    each = np.linspace(0.01, 0.02, 16, dtype=np.float32)
    found = only(onnx_file.read(models.qdq_prelu("int8", scale=each)))
    assert found.weight.scales is None
    assert np.array_equal(found.slopes, (models.weights("int8").astype(int) - 3).astype(np.float32) * each)


def test_onnx_slopes_behind_other_nodes():
    slopes = models.weights("float32").ravel()
    constants = [models.constant("flat", slopes), models.constant("shape", np.array([1, 1, 16]))]
    nodes = [
        models.helper.make_node("Reshape", ["flat", "shape"], ["shaped"]),
        models.helper.make_node("Identity", ["shaped"], ["slope"]),
        models.helper.make_node("PRelu", ["x", "slope"], ["y"]),
    ]
    found = only(onnx_file.read(models.onnx_file(nodes, constants=constants)))
    assert np.array_equal(found.slopes, slopes.reshape(1, 1, 16))
    halves = [models.constant("halves", slopes.astype(np.float16))]
    cast = models.helper.make_node("Cast", ["halves"], ["slope"], to=models.TensorProto.FLOAT)
    found = only(onnx_file.read(models.onnx_file([cast, nodes[-1]], constants=halves)))
    assert found.slopes.dtype == np.float32
    assert np.array_equal(found.slopes, slopes.astype(np.float16))
    values = models.helper.make_node("Constant", [], ["slope"], value=models.constant("v", slopes))
    found = only(onnx_file.read(models.onnx_file([values, nodes[-1]])))
    assert np.array_equal(found.slopes, slopes)
    computed = models.helper.make_node("Exp", ["flat"], ["slope"])
    assert only(onnx_file.read(models.onnx_file([computed, nodes[-1]], constants=constants))).slopes is None


def test_onnx_shapes_that_are_inferred():
    nodes = [
        models.helper.make_node("Relu", ["x"], ["h"]),
        models.helper.make_node("LeakyRelu", ["h"], ["i"], name="inner"),
        models.helper.make_node("Relu", ["i"], ["y"]),
    ]
    found = only(onnx_file.read(models.onnx_file(nodes, shape=("N", 3, 4, 5))))
    assert (found.name, found.x.shape, found.x.dtype) == ("inner", (None, 3, 4, 5), "float32")


def test_onnx_graphs_in_nodes():
    inner = models.helper.make_graph(
        [models.helper.make_node("PRelu", ["x", "slope"], ["z"])], "branch", [], [models.value("z", "float32")]
    )
    node = models.helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    constants = [models.constant("c", np.array(True)), models.constant("slope", np.float32([0.5]))]
    found = onnx_file.read(models.onnx_file([node], constants=constants)).activations
    assert {one.place for one in found} == {"node 0, then_branch, node 0", "node 0, else_branch, node 0"}
    assert [one.slopes.tolist() for one in found] == [[0.5]] * 2
    assert found[0].x.shape == models.SHAPE


def test_onnx_functions():
    body = [models.helper.make_node("LeakyRelu", ["a"], ["b"], alpha=0.5)]
    function = models.helper.make_function("here", "Mine", ["a"], ["b"], body, [models.helper.make_opsetid("", 21)])
    data = models.onnx_file([models.helper.make_node("Mine", ["x"], ["y"], domain="here")], functions=[function])
    found = only(onnx_file.read(data))
    assert (found.place, found.x.shape, float(found.slopes)) == ("function Mine, node 0", None, 0.5)


def test_onnx_tensors_in_another_file(tmp_path):
    made = models.onnx.load_from_string(models.onnx_prelu(weight=models.weights("float32", 512), shape=(1, 4, 5, 512)))
    models.onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert np.array_equal(only(files.read(tmp_path / "m.onnx")).slopes, models.weights("float32", 512))
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError, match=r"m\.onnx: node 0: .*weights\.bin"):
        files.read(tmp_path / "m.onnx")


def test_onnx_skips_what_only_looks_like_ours():
    node = models.helper.make_node("LeakyReluGrad", ["x"], ["y"], domain="somebody")
    model = onnx_file.read(models.onnx_file([node]))
    assert not model.activations
    assert model.skipped == ["node 0: LeakyReluGrad of somebody"]


def test_onnx_operators_without_what_they_need():
    for operator, inputs in (("PRelu", ["x"]), ("LeakyRelu", [])):
        with pytest.raises(ModelError, match=f"^node 0: {operator} has {len(inputs)} inputs and 1 outputs$"):
            onnx_file.read(models.onnx_file([models.helper.make_node(operator, inputs, ["y"])]))
