"""PyTorch's other activations, on the arrays of leaky ReLU: what the choice of one costs."""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.peers.ours import OURS
from benchmarks.peers.peer import Peer, Prepared
from benchmarks.peers.torch_ import TORCH, tensor
from benchmarks.workloads import Case, Layer

SELU = (1.6732632423543772, 1.0507009873554805)  # alpha and scale (Klambauer et al. 2017)
NAMES = ("ReLU", "ELU", "SELU", "SiLU", "GELU")


def forward(name: str, x: Any, out: Any) -> functools.partial[Any]:
    """Take what torch.nn.functional calls, which has out=."""
    import torch

    nn = torch._C._nn  # noqa: SLF001
    return {
        "ReLU": functools.partial(torch.clamp_min, x, 0, out=out),
        "ELU": functools.partial(nn.elu, x, out=out),
        "SELU": functools.partial(nn.elu, x, *SELU, out=out),
        "SiLU": functools.partial(nn.silu, x, out=out),
        "GELU": functools.partial(nn.gelu, x, out=out),
    }[name]


def backward(name: str, grad: Any, x: Any, out: Any) -> functools.partial[Any]:
    """Take what autograd calls."""
    import torch

    aten = torch.ops.aten
    is_result = False  # x is not the output
    return {
        "ReLU": functools.partial(aten.threshold_backward, grad, x, 0, grad_input=out),
        "ELU": functools.partial(aten.elu_backward, grad, 1, 1, 1, is_result, x, grad_input=out),
        "SELU": functools.partial(aten.elu_backward, grad, *SELU, 1, is_result, x, grad_input=out),
        "SiLU": functools.partial(aten.silu_backward, grad, x, grad_input=out),
        "GELU": functools.partial(aten.gelu_backward, grad, x, grad_input=out),
    }[name]


def prepare(name: str, case: Case, layers: list[Layer]) -> list[Prepared]:
    """Take the place of leaky ReLU; the results are others, and are not checked by its specification."""
    if case.operation not in {"leaky_relu", "leaky_relu_backward"} or case.whole:
        return []
    import torch

    torch.set_num_threads(case.threads)
    calls = []
    for layer in layers:
        x, out = tensor(layer["x"]), tensor(layer["out"])
        calls.append(backward(name, tensor(layer["grad"]), x, out) if case.two_inputs else forward(name, x, out))
    return [Prepared(calls, None, torch.inference_mode)]


def activation(peer: str, case: Case) -> str:
    """Name what a peer computes for the comparison of activations; ours with our name."""
    if peer not in {OURS, TORCH}:
        return peer.removesuffix(f" ({TORCH})")
    return ("PReLU" if case.op.channel else "leaky ReLU") + (f", {OURS}" if peer == OURS else "")


PEERS = tuple(
    Peer(f"{name} ({TORCH})", functools.partial(prepare, name), ("torch",), "torch==2.13.0", TORCH, everywhere=False)
    for name in NAMES
)
