"""PyTorch, eager."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared
from benchmarks.workloads import HALVES, Case, Layer

TORCH = "PyTorch"


def arrays(value: Any) -> tuple[Array, ...]:
    """Read tensors; NumPy is given no bfloat16."""
    return tuple(tensor.float().numpy() for tensor in (value if isinstance(value, tuple) else (value,)))


def tensor(array: Array) -> Any:
    """Make a tensor on an array's memory."""
    import torch

    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Take the kernels as directly as it allows, with out= where there is one: the two of PReLU have none."""
    import torch

    torch.set_num_threads(case.threads)
    aten, functional = torch.ops.aten, torch.nn.functional

    def prelu_backward(grad: Any, x: Any, weight: Any, axes: tuple[int, ...]) -> Any:
        # The kernel gives the slope's gradient an element; autograd adds it up so.
        dx, terms = aten._prelu_kernel_backward(grad, x, weight)  # noqa: SLF001 - there is no public name
        return dx, terms.sum(axes)

    calls = []
    for layer in layers:
        x, weight, out = (tensor(layer[name]) for name in ("x", "weight", "out"))
        grad = tensor(layer["grad"]) if "grad" in layer else None
        axes = tuple(axis for axis in range(x.ndim) if axis != 1 or weight.numel() == 1)
        shape = [weight.numel() if axis == 1 else 1 for axis in range(x.ndim)]
        call = {
            # F.leaky_relu has no out=; torch._C._nn.leaky_relu is what it calls, and has.
            "leaky_relu": functools.partial(functional.leaky_relu, x, case.slope)
            if case.fresh
            else functools.partial(torch._C._nn.leaky_relu, x, case.slope, out=out),  # noqa: SLF001
            "leaky_relu_backward": functools.partial(
                aten.leaky_relu_backward,
                grad,
                x,
                case.slope,
                False,  # noqa: FBT003 - self_is_result
                **({} if case.fresh else {"grad_input": out}),
            ),
            "prelu": functools.partial(torch.prelu, x, weight),
            "prelu_backward": functools.partial(prelu_backward, grad, x, weight.view(shape), axes),
        }[case.operation]
        calls.append(call)
    return [Prepared(calls, arrays, torch.inference_mode)]


PEER = Peer(TORCH, prepare, ("torch",), "torch==2.13.0", dtypes=("float32", *HALVES))
