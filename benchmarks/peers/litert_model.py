"""Models for LiteRT, built in memory: flat buffers of leaky ReLUs and PReLUs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Tensor:
    """What a tensor is declared to be; one with contents is a constant."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    scale: float | None = None
    zero_point: int = 0
    contents: Array | None = None


@dataclass(frozen=True)
class Operator:
    """A PReLU if it has a weight, else a leaky ReLU."""

    x: Tensor
    y: Tensor
    negative_slope: float = 0.0
    weight: Tensor | None = None


def _code(schema: Any, operator: Operator) -> Any:
    code = schema.OperatorCodeT()
    leaky, wide = operator.weight is None, operator.x.dtype == "int16"
    code.builtinCode = schema.BuiltinOperator.LEAKY_RELU if leaky else schema.BuiltinOperator.PRELU
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 2 if leaky and wide else 1
    return code


def model(operators: list[Operator]) -> bytes:
    """Build a flat buffer of operators; it has an input and an output for each, in their order."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    made, graph, codes = schema.ModelT(), schema.SubGraphT(), [_code(schema, operator) for operator in operators]
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [], [], []
    made.version, made.buffers, made.subgraphs, made.operatorCodes = 3, [schema.BufferT()], [graph], codes

    def add(name: str, tensor: Tensor) -> int:
        new = schema.TensorT()
        new.name, new.shape, new.buffer = name, list(tensor.shape), 0
        new.type = getattr(schema.TensorType, tensor.dtype.upper())
        if tensor.scale is not None:
            new.quantization = schema.QuantizationParametersT()
            new.quantization.scale, new.quantization.zeroPoint = [tensor.scale], [tensor.zero_point]
        if tensor.contents is not None:
            buffer = schema.BufferT()
            buffer.data = tensor.contents.reshape(-1).view(np.uint8)
            made.buffers.append(buffer)
            new.buffer = len(made.buffers) - 1
        graph.tensors.append(new)
        return len(graph.tensors) - 1

    for i, operator in enumerate(operators):
        node = schema.OperatorT()
        node.opcodeIndex, node.inputs, node.outputs = i, [add(f"x{i}", operator.x)], [add(f"y{i}", operator.y)]
        graph.inputs += node.inputs
        graph.outputs += node.outputs
        if operator.weight is None:
            node.builtinOptionsType = schema.BuiltinOptions.LeakyReluOptions
            node.builtinOptions = schema.LeakyReluOptionsT()
            node.builtinOptions.alpha = operator.negative_slope
        else:
            node.inputs = [*node.inputs, add(f"weight{i}", operator.weight)]
        graph.operators.append(node)
    builder = flatbuffers.Builder(1024)
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())
