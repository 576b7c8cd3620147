"""OpenVINO: inputs in the arrays themselves, outputs in its own memory."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, arguments, models
from benchmarks.workloads import Case, Layer


def chain(ops: Any, case: Case, layer: Layer, x: Any) -> Any:
    """Append a layer's operators to a node. Leaky ReLU is PReLU with one weight."""
    given = arguments(case, layer)
    if "scale" in given:
        scale, shift = layer["scale"], layer["shift"]
        x = ops.batch_norm_inference(x, scale, shift, np.zeros_like(shift), np.ones_like(scale), 0.0)
    if "bias" in given:
        x = ops.add(x, given["bias"])
    x = ops.prelu(x, ops.constant(layer["weight"] if "weight" in given else np.full(1, case.slope, np.float32)))
    if "gain" in given:
        x = ops.clamp(ops.multiply(x, np.float32(layer["gain"])), -layer["clamp"], layer["clamp"])
    return x


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Compile a model. Given the arrays for its outputs, it copies them there, and is slower."""
    import openvino
    from openvino import opset13

    inputs = [opset13.parameter(list(layer["x"].shape), np.float32) for layer in layers]
    nodes = [chain(opset13, case, layer, x) for layer, x in zip(layers, inputs, strict=True)]
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(case.threads), "NUM_STREAMS": "1"}
    request = openvino.Core().compile_model(openvino.Model(nodes, inputs), "CPU", options).create_infer_request()
    for i, layer in enumerate(layers):
        request.set_input_tensor(i, openvino.Tensor(layer["x"], shared_memory=True))

    def read(_: Any) -> tuple[Array, ...]:
        return (request.get_output_tensor(0).data,)

    return Prepared([functools.partial(request.infer)], read)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators."""
    if len(case.op.inputs) > 1 or case.channels_last or case.fresh:
        return []
    return models(build)(case, layers)


PEER = Peer("OpenVINO", prepare, ("openvino",))
