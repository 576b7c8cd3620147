"""ncnn: an extractor for each sample, since it has no batches."""

from __future__ import annotations

import functools
import pathlib
import tempfile
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, models
from benchmarks.workloads import Case, Layer


def network(case: Case, layers: list[Layer]) -> Any:
    """Load one operator for each layer, side by side."""
    import ncnn

    net = ncnn.Net()
    options = net.opt
    options.num_threads = case.threads
    # In light mode and with packing, an operator works in place on an array that is not ncnn's, and crashes.
    options.lightmode = options.use_packing_layout = False
    options.use_fp16_storage = options.use_fp16_arithmetic = options.use_bf16_storage = False
    lines = ["7767517", f"{2 * len(layers)} {2 * len(layers)}"]
    for i, layer in enumerate(layers):
        lines.append(f"Input in{i} 0 1 x{i}")
        if case.op.channel:
            lines.append(f"PReLU act{i} 1 1 x{i} y{i} 0={layer['weight'].size}")
        else:
            lines.append(f"ReLU act{i} 1 1 x{i} y{i} 0={case.slope}")
    weights = b"".join(layer["weight"].tobytes() for layer in layers if case.op.channel)
    with tempfile.TemporaryDirectory() as folder:
        param, model = pathlib.Path(folder) / "net.param", pathlib.Path(folder) / "net.bin"
        param.write_text("\n".join(lines) + "\n")
        model.write_bytes(weights)
        if net.load_param(str(param)) or net.load_model(str(model)):
            raise RuntimeError("ncnn does not load its network")
    return net


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Make a network. Outputs are always new, in its own memory."""
    import ncnn

    net = network(case, layers)
    samples = len(layers[0]["x"]) if layers[0]["x"].ndim > 1 else 1
    names = [(f"x{i}", f"y{i}") for i in range(len(layers))]
    inputs = [
        [ncnn.Mat(layer["x"][n] if layer["x"].ndim > 1 else layer["x"]) for layer in layers] for n in range(samples)
    ]

    def call() -> list[list[Any]]:
        results = []
        for mats in inputs:
            extractor = net.create_extractor()
            for (x, _), mat in zip(names, mats, strict=True):
                extractor.input(x, mat)
            results.append([extractor.extract(y)[1] for _, y in names])
        return results

    def read(results: list[list[Any]]) -> tuple[Array, ...]:
        return (np.stack([np.array(mats[0]) for mats in results]).reshape(layers[0]["x"].shape),)

    return Prepared([functools.partial(call)], read)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It has no backward operators, and fuses none of these."""
    if len(case.op.inputs) > 1 or case.channels_last or case.fresh or case.fused:
        return []
    return models(build)(case, layers)


PEER = Peer("ncnn", prepare, ("ncnn",))
