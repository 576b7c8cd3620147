"""oneDNN, through the tensors in its own layout that PyTorch offers."""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.peers.peer import Array, MissingError, Peer, Prepared
from benchmarks.workloads import Case, Layer


def arrays(value: Any) -> tuple[Array, ...]:
    """Read tensors, from oneDNN's layout."""
    return tuple(tensor.to_dense().numpy() for tensor in (value if isinstance(value, tuple) else (value,)))


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Only PReLU is offered; leaky ReLU is PReLU with one weight. Outputs are always new."""
    if case.operation == "leaky_relu_backward" or case.channels_last or case.fused:
        return []
    import torch

    if not torch.backends.mkldnn.is_available():
        raise MissingError("this PyTorch has no oneDNN")
    torch.set_num_threads(case.threads)
    calls = []
    for layer in layers:
        x = torch.from_numpy(layer["x"])
        x = x.view(1, 1, -1) if x.ndim == 1 else x
        shape = [1, layer["weight"].size] + [1] * (x.ndim - 2)
        x, weight = x.to_mkldnn(), torch.from_numpy(layer["weight"]).view(shape).to_mkldnn()
        if case.operation == "prelu_backward":
            grad = torch.from_numpy(layer["grad"]).to_mkldnn()
            backward = torch.ops.aten._prelu_kernel_backward  # noqa: SLF001 - there is no public name
            calls.append(functools.partial(backward, grad, x, weight))
        else:
            forward = torch.ops.aten._prelu_kernel  # noqa: SLF001 - what torch.prelu calls
            calls.append(functools.partial(forward, x, weight))
    return [Prepared(calls, arrays, torch.inference_mode)]


PEER = Peer("oneDNN (PyTorch)", prepare, ("torch",), "torch==2.13.0")
