"""LiteRT, which gives these operators to XNNPACK."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, models
from benchmarks.workloads import Case, Layer


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The layout that LiteRT works in."""
    return (shape[0], *shape[2:], shape[1]) if len(shape) > 1 else shape


def model(case: Case, layers: list[Layer]) -> bytes:
    """Build a flat buffer with one operator for each layer, side by side."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    made, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [], [], []
    made.version, made.buffers, made.subgraphs, made.operatorCodes = 3, [schema.BufferT()], [graph], [code]
    leaky = case.op.parameter == "negative_slope"
    code.builtinCode = schema.BuiltinOperator.LEAKY_RELU if leaky else schema.BuiltinOperator.PRELU
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 1

    def tensor(name: str, shape: tuple[int, ...], contents: Array | None = None) -> int:
        new = schema.TensorT()
        new.name, new.shape, new.type, new.buffer = name, list(shape), schema.TensorType.FLOAT32, 0
        if contents is not None:
            buffer = schema.BufferT()
            buffer.data = contents.view(np.uint8)
            made.buffers.append(buffer)
            new.buffer = len(made.buffers) - 1
        graph.tensors.append(new)
        return len(graph.tensors) - 1

    for i, layer in enumerate(layers):
        operator, shape = schema.OperatorT(), channels_last(layer["x"].shape)
        operator.opcodeIndex, operator.inputs, operator.outputs = 0, [tensor(f"x{i}", shape)], [tensor(f"y{i}", shape)]
        graph.inputs += operator.inputs
        graph.outputs += operator.outputs
        if leaky:
            operator.builtinOptionsType = schema.BuiltinOptions.LeakyReluOptions
            operator.builtinOptions = schema.LeakyReluOptionsT()
            operator.builtinOptions.alpha = case.slope
        else:
            weight = layer["weight"]
            alpha = tensor(f"weight{i}", (*[1] * (len(shape) - 2), weight.size), weight)
            operator.inputs = [*operator.inputs, alpha]
        graph.operators.append(operator)
    builder = flatbuffers.Builder(1024)
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Make an interpreter. The inputs are set once, which copies them; the outputs lie in its own memory."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_content=model(case, layers), num_threads=case.threads)
    interpreter.allocate_tensors()
    for details, layer in zip(interpreter.get_input_details(), layers, strict=True):
        x = layer["x"]
        interpreter.set_tensor(details["index"], np.ascontiguousarray(np.moveaxis(x, 1, -1) if x.ndim > 1 else x))

    def read(_: Any) -> tuple[Array, ...]:
        array = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return (np.moveaxis(array, -1, 1) if array.ndim > 1 else array,)

    return Prepared([functools.partial(interpreter.invoke)], read)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators."""
    if len(case.op.inputs) > 1 or case.channels_last or case.fresh:
        return []
    return models(build)(case, layers)


PEER = Peer("LiteRT (XNNPACK)", prepare, ("ai_edge_litert", "flatbuffers"), "ai-edge-litert flatbuffers")
