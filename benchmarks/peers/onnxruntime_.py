"""ONNX Runtime: inputs and outputs bound to the arrays."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, arguments, given, models
from benchmarks.peers.torch_ import tensor
from benchmarks.workloads import Case, Layer

CPU, OURS = "ONNX Runtime, CPU provider", "fastleaky.onnxruntime"


def operators(case: Case, layer: Layer) -> list[tuple[str, list[Array], dict[str, float]]]:
    """Return a layer's operators: the name of each, its inputs besides the running one, and its attributes."""
    given = arguments(case, layer)
    activation = ("PRelu", [given["weight"]], {}) if "weight" in given else ("LeakyRelu", [], {"alpha": case.slope})
    if "scale" in given:
        scale, shift = layer["scale"], layer["shift"]
        return [
            ("BatchNormalization", [scale, shift, np.zeros_like(shift), np.ones_like(scale)], {"epsilon": 0.0}),
            activation,
        ]
    if "bias" in given:
        gain, low, high = np.array([layer["gain"], -layer["clamp"], layer["clamp"]], np.float32)[:, None]
        return [("Add", [given["bias"]], {}), activation, ("Mul", [gain], {}), ("Clip", [low[0], high[0]], {})]
    return [activation]


def model(case: Case, layers: list[Layer]) -> bytes:
    """Build a graph with the operators of each layer, side by side."""
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    weights: list[Any] = []
    for i, layer in enumerate(layers):
        chain = operators(case, layer)
        running = [f"x{i}", *(f"t{i}_{step}" for step in range(1, len(chain))), f"y{i}"]
        for step, (name, more, attributes) in enumerate(chain):
            names = [f"{name}{i}_{number}" for number in range(len(more))]
            weights += map(numpy_helper.from_array, more, names)
            nodes.append(helper.make_node(name, [running[step], *names], [running[step + 1]], **attributes))
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


def session(model: bytes, threads: int, peer: str = CPU) -> Any:
    """Make a session of ONNX Runtime's own provider, or of ours and its own."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if peer == OURS:
        return importlib.import_module(OURS).session(model, options)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Make a session; for results in new arrays without bindings."""
    made = session(model(case, layers), case.threads)
    if case.fresh:
        feeds = {f"x{i}": layer["x"] for i, layer in enumerate(layers)}
        return Prepared([functools.partial(made.run, None, feeds)], lambda value: (value[0],))
    binding = made.io_binding()
    for i, layer in enumerate(layers):
        x, out = layer["x"], layer["out"]
        binding.bind_input(f"x{i}", "cpu", 0, np.float32, x.shape, x.ctypes.data)
        binding.bind_output(f"y{i}", "cpu", 0, np.float32, out.shape, out.ctypes.data)
    return Prepared([functools.partial(made.run_with_iobinding, binding)], given(layers))


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators."""
    if len(case.op.inputs) > 1 or case.channels_last:
        return []
    return models(build)(case, layers)


def prepare_network(peer: str, case: Case, layers: list[Layer]) -> list[Prepared]:
    """Run a whole network, from the file that PyTorch exports."""
    if not case.whole or len(case.op.inputs) > 1:
        return []
    from benchmarks import networks

    file = networks.onnx_model(networks.NETWORKS[case.name](), tensor(layers[0]["x"]))
    run = session(file, case.threads, peer).run
    return [Prepared([functools.partial(run, None, {"x": layers[0]["x"]})], None)]


MODULES = ("onnxruntime", "onnx")
NETWORKS = [
    Peer(name, functools.partial(prepare_network, name), (*MODULES, "torch"), home=CPU, everywhere=False)
    for name in (CPU, OURS)
]
PEERS = (Peer("ONNX Runtime", prepare, MODULES), *NETWORKS)
