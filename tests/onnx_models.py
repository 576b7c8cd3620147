"""Models with the two operators, and ONNX's own tests of them, for its reference evaluator and for ONNX Runtime."""

import functools
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

OPERATORS = ("LeakyRelu", "PRelu")


def declared(array, shape=None):
    """Return the type of an array, and its shape or another one."""
    return helper.np_dtype_to_tensor_dtype(array.dtype), array.shape if shape is None else shape


def model(operator, inputs, opset=16, initializers=(), **attributes):
    """Return a model that applies an operator: to inputs, each with its type and its shape, and to constants."""
    names = [*inputs, *(name for name, _ in initializers)]
    return assembled([(operator, names, "y", attributes)], inputs, {"y": inputs["x"]}, initializers, opset)


def graph(nodes, inputs, outputs, initializers=()):
    """Return a model of several nodes: (operator, inputs, output, attributes), on arrays like these."""
    inputs, outputs = ({name: declared(array) for name, array in arrays.items()} for arrays in (inputs, outputs))
    return assembled(nodes, inputs, outputs, initializers)


def assembled(nodes, inputs, outputs, initializers, opset=16):
    """Return a model of nodes on inputs and outputs of stated types and shapes, and on constants."""
    made = helper.make_graph(
        [helper.make_node(operator, names, [out], **dict(*rest)) for operator, names, out, *rest in nodes],
        "test",
        [helper.make_tensor_value_info(name, *stated) for name, stated in inputs.items()],
        [helper.make_tensor_value_info(name, *stated) for name, stated in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in initializers],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _tensor(path):
    return numpy_helper.to_array(onnx.load_tensor(path))


def _load(case):
    """Return the model of a test, and what goes in and what comes out."""
    if case.model is not None:
        return case.model, case.data_sets
    folders = sorted(Path(case.model_dir).glob("test_data_set_*"))
    data = [
        [[_tensor(path) for path in sorted(folder.glob(f"{kind}_*.pb"))] for kind in ("input", "output")]
        for folder in folders
    ]
    return onnx.load(Path(case.model_dir) / "model.onnx"), data


def _in_type(made, dtype):
    copy = onnx.ModelProto.FromString(made.SerializeToString())
    for value in (*copy.graph.input, *copy.graph.output):
        value.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(dtype)
    for tensor in copy.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(dtype), tensor.name))
    return copy


@functools.cache
def own_tests(dtype="float32"):
    """Return ONNX's own tests of the two operators by name, in a type: the model, its data, and the tolerances."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the making of other operators' tests overflows
        cases = load_model_tests(kind="node") + load_model_tests(kind="pytorch-converted")
    found = {}
    for case in cases:
        if "leaky" in case.name.lower() or "prelu" in case.name.lower():
            loaded, data = _load(case)
            if any(node.op_type in OPERATORS for node in loaded.graph.node):  # else it is expanded
                data = [[[array.astype(dtype) for array in arrays] for arrays in pair] for pair in data]
                found[case.name] = _in_type(loaded, np.dtype(dtype)), data, {"rtol": case.rtol, "atol": case.atol}
    return found
