"""LiteRT, which gives these operators to XNNPACK."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.litert_model import Operator, Tensor, model
from benchmarks.peers.peer import Array, Peer, Prepared, models
from benchmarks.workloads import Case, Layer


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The layout that LiteRT works in."""
    return (shape[0], *shape[2:], shape[1]) if len(shape) > 1 else shape


def operator(case: Case, layer: Layer) -> Operator:
    """What LiteRT is told of a layer."""
    shape = channels_last(layer["x"].shape)
    x, y = Tensor(shape), Tensor(shape)
    if case.op.parameter == "negative_slope":
        return Operator(x, y, negative_slope=case.slope)
    weight = layer["weight"]
    return Operator(x, y, weight=Tensor((*[1] * (len(shape) - 2), weight.size), contents=weight))


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Make an interpreter. The inputs are set once, which copies them; the outputs lie in its own memory."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(
        model_content=model([operator(case, layer) for layer in layers]), num_threads=case.threads
    )
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
