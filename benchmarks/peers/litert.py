"""LiteRT, which gives these operators to XNNPACK where that has them; and its reference kernels, for integers."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.litert_model import Operator, Tensor, model
from benchmarks.peers.peer import Array, Peer, Prepared, models
from benchmarks.workloads import INTEGERS, Case, Layer


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The layout that LiteRT works in."""
    return (shape[0], *shape[2:], shape[1]) if len(shape) > 1 else shape


def operator(case: Case, layer: Layer) -> Operator:
    """A layer as LiteRT declares it."""
    shape = channels_last(layer["x"].shape)
    given = case.quantization if case.dtype in INTEGERS else {}

    def tensor(of: str, shape: tuple[int, ...], contents: Array | None = None) -> Tensor:
        dtype = case.dtype if contents is None else contents.dtype.name
        return Tensor(shape, dtype, given.get(f"{of}_scale"), given.get(f"{of}_zero_point", 0), contents)

    x, y = tensor("input", shape), tensor("output", shape)
    if case.op.numbers:
        return Operator(x, y, negative_slope=case.slope)
    weight = layer["weight"]
    return Operator(x, y, weight=tensor("weight", (*[1] * (len(shape) - 2), weight.size), weight))


def build(resolver: str, case: Case, layers: list[Layer]) -> Prepared:
    """Make an interpreter. The inputs are set once, which copies them; the outputs lie in its own memory."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter: Any = Interpreter(
        model_content=model([operator(case, layer) for layer in layers]),
        num_threads=case.threads,
        experimental_op_resolver_type=OpResolverType[resolver],
    )
    interpreter.allocate_tensors()
    for details, layer in zip(interpreter.get_input_details(), layers, strict=True):
        x = layer["x"]
        interpreter.set_tensor(details["index"], np.ascontiguousarray(np.moveaxis(x, 1, -1) if x.ndim > 1 else x))

    def read(_: Any) -> tuple[Array, ...]:
        array = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return (np.moveaxis(array, -1, 1) if array.ndim > 1 else array,)

    return Prepared([functools.partial(interpreter.invoke)], read)


def prepare(resolver: str, case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators, and fuses none of these."""
    if len(case.op.inputs) > 1 or case.channels_last or case.fresh or case.fused:
        return []
    return models(functools.partial(build, resolver))(case, layers)


XNNPACK, REFERENCE = "LiteRT (XNNPACK)", "LiteRT, reference"
PEERS = tuple(
    Peer(
        name,
        functools.partial(prepare, resolver),
        ("ai_edge_litert", "flatbuffers"),
        "ai-edge-litert flatbuffers",
        dtypes=dtypes,
    )
    for name, resolver, dtypes in (
        (XNNPACK, "AUTO", ("float32", "int8", "uint8")),
        (REFERENCE, "BUILTIN_REF", INTEGERS),
    )
)
