"""ONNX Runtime: inputs and outputs bound to the arrays."""

from __future__ import annotations

import functools

import numpy as np

from benchmarks.peers.peer import Peer, Prepared, given, models, per_channel
from benchmarks.workloads import Case, Layer


def model(case: Case, layers: list[Layer]) -> bytes:
    """Build a graph with one operator for each layer, side by side."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights = [], []
    for i, layer in enumerate(layers):
        if case.op.channel:
            weights.append(numpy_helper.from_array(per_channel(layer), f"weight{i}"))
            nodes.append(helper.make_node("PRelu", [f"x{i}", f"weight{i}"], [f"y{i}"]))
        else:
            nodes.append(helper.make_node("LeakyRelu", [f"x{i}"], [f"y{i}"], alpha=case.slope))
    inputs, outputs = (
        [
            helper.make_tensor_value_info(f"{name}{i}", TensorProto.FLOAT, layer["x"].shape)
            for i, layer in enumerate(layers)
        ]
        for name in "xy"
    )
    graph = helper.make_graph(nodes, "layers", inputs, outputs, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    serialized: bytes = made.SerializeToString()
    return serialized


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Make a session; for results in new arrays without bindings."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model(case, layers), options, providers=["CPUExecutionProvider"])
    if case.fresh:
        feeds = {f"x{i}": layer["x"] for i, layer in enumerate(layers)}
        return Prepared([functools.partial(session.run, None, feeds)], lambda value: (value[0],))
    binding = session.io_binding()
    for i, layer in enumerate(layers):
        x, out = layer["x"], layer["out"]
        binding.bind_input(f"x{i}", "cpu", 0, np.float32, x.shape, x.ctypes.data)
        binding.bind_output(f"y{i}", "cpu", 0, np.float32, out.shape, out.ctypes.data)
    return Prepared([functools.partial(session.run_with_iobinding, binding)], given(layers))


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators."""
    if len(case.op.inputs) > 1 or case.channels_last:
        return []
    return models(build)(case, layers)


PEER = Peer("ONNX Runtime", prepare, ("onnxruntime", "onnx"))
