"""OpenVINO: inputs in the arrays themselves, outputs in its own memory."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, models
from benchmarks.workloads import Case, Layer


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Compile a model. Given the arrays for its outputs, it copies them there, and is slower."""
    import openvino
    from openvino import opset13

    inputs = [opset13.parameter(list(layer["x"].shape), np.float32) for layer in layers]
    weights = [layer["weight"] if case.op.channel else np.full(1, case.slope, np.float32) for layer in layers]
    nodes = [opset13.prelu(x, opset13.constant(weight)) for x, weight in zip(inputs, weights, strict=True)]
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(case.threads), "NUM_STREAMS": "1"}
    request = openvino.Core().compile_model(openvino.Model(nodes, inputs), "CPU", options).create_infer_request()
    for i, layer in enumerate(layers):
        request.set_input_tensor(i, openvino.Tensor(layer["x"], shared_memory=True))

    def read(_: Any) -> tuple[Array, ...]:
        return (request.get_output_tensor(0).data,)

    return Prepared([functools.partial(request.infer)], read)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators. Leaky ReLU is PReLU with one weight."""
    if len(case.op.inputs) > 1 or case.channels_last or case.fresh:
        return []
    return models(build)(case, layers)


PEER = Peer("OpenVINO", prepare, ("openvino",))
