"""PyTorch as people use it: eager, with autograd; whole networks, too. With its own activations, and with ours."""

from __future__ import annotations

import contextlib
import functools
import importlib
from typing import Any

from benchmarks.peers.peer import Peer, Prepared
from benchmarks.peers.torch_ import arrays, tensor
from benchmarks.workloads import Case, Layer

EAGER, OURS = "PyTorch, eager", "fastleaky.torch"


def prepare(peer: str, case: Case, layers: list[Layer]) -> list[Prepared]:
    """Make the call for a whole network, or for one activation forward and backward."""
    import torch

    torch.set_num_threads(case.threads)
    training = "grad" in case.op.inputs
    if case.whole:
        call = whole(peer, case, tensor(layers[0]["x"]), training=training)
        return [Prepared([functools.partial(call)], None, contextlib.nullcontext if training else torch.inference_mode)]
    if not training or len(layers) > 1 or case.fused:
        return []
    return [Prepared([functools.partial(gradients(peer, case, layers[0]))], arrays)]


def whole(peer: str, case: Case, images: Any, *, training: bool) -> Any:
    """Make a training step or an inference."""
    from benchmarks import networks

    net = networks.NETWORKS[case.name]()
    if peer == OURS:
        importlib.import_module(OURS).convert(net)
    return networks.training_step(net, images) if training else functools.partial(net, images)


def gradients(peer: str, case: Case, layer: Layer) -> Any:
    """Make a function that computes an activation, and then its gradients."""
    import torch

    module = torch.nn.functional if peer == EAGER else importlib.import_module(OURS)
    function = getattr(module, case.operation.removesuffix("_backward"))
    inputs = [tensor(layer[name]).requires_grad_() for name in ("x", *case.op.channel)]
    numbers = [layer[name] for name in case.op.numbers]
    grad = tensor(layer["grad"])
    return lambda: torch.autograd.grad(function(*inputs, *numbers), inputs, grad)


PEERS = tuple(
    Peer(name, functools.partial(prepare, name), ("torch",), "torch==2.13.0", "PyTorch, eager", everywhere=False)
    for name in (EAGER, OURS)
)
