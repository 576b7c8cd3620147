"""PyTorch, eager."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, per_channel
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


def biased(case: Case, layer: Layer) -> Callable[[], Any]:
    """A bias, leaky ReLU, a gain and a clamp, as the reference of StyleGAN's bias_act has them."""
    import torch

    x, bias = (tensor(array) for array in (layer["x"], per_channel(layer, "bias")))
    gain, limit = layer["gain"], layer["clamp"]
    return lambda: torch.clamp(torch.nn.functional.leaky_relu(x + bias, case.slope) * gain, -limit, limit)


def biased_backward(case: Case, layer: Layer) -> Callable[[], Any]:
    """Both gradients, from the output."""
    import torch

    grad, y = tensor(layer["grad"]), tensor(layer["y"])
    gain, limit = layer["gain"], layer["clamp"]
    axes = (0, *range(2, y.ndim))

    def call() -> Any:
        limited = torch.where(y.abs() >= limit, 0, grad * gain)
        dx = torch.ops.aten.leaky_relu_backward(limited, y, case.slope, True)  # noqa: FBT003 - self_is_result
        return dx, dx.sum(axes)

    return call


def normalized(case: Case, layer: Layer) -> Callable[[], Any]:
    """A batch norm in inference, with the scale and the shift, and then the activation in place, if there is such."""
    import torch

    functional = torch.nn.functional
    x, scale, shift, weight = (tensor(layer[name]) for name in ("x", "scale", "shift", "weight"))
    mean, variance = torch.zeros_like(shift), torch.ones_like(scale)

    def call() -> Any:
        t = functional.batch_norm(x, mean, variance, scale, shift, eps=0.0)
        return torch.prelu(t, weight) if "weight" in case.op.channel else functional.leaky_relu_(t, case.slope)

    return call


FUSED = {
    "bias_leaky_relu": biased,
    "bias_leaky_relu_backward": biased_backward,
    "scale_shift_leaky_relu": normalized,
    "scale_shift_prelu": normalized,
}


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Take the kernels as directly as it allows, with out= where there is one: the two of PReLU have none."""
    import torch

    torch.set_num_threads(case.threads)
    if case.fused:
        calls = [functools.partial(FUSED[case.operation](case, layer)) for layer in layers]
        return [Prepared(calls, arrays, torch.inference_mode)]
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
