"""NumPy, as one would write it: np.where."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.formulas import FORMULAS, leaky
from benchmarks.peers.peer import Array, Peer, Prepared, arguments, per_channel, returned
from benchmarks.workloads import Case, Layer

NAIVE = "NumPy, np.where"


def backward(grad: Array, x: Array, slope: Any) -> Array:
    """The gradient with respect to x."""
    return np.where(x > 0, grad, slope * grad)


def prelu_backward(grad: Array, x: Array, weight: Array, axes: tuple[int, ...] | None) -> tuple[Array, Array]:
    """The gradients with respect to x and to the weight."""
    return backward(grad, x, weight), np.where(x > 0, 0, grad * x).sum(axes).reshape(-1)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """np.where has no out; the temporaries are part of the fashion."""
    calls: list[functools.partial[Any]] = []
    for layer in layers:
        x, weight = layer["x"], per_channel(layer)
        slope = weight if case.op.channel else np.float32(case.slope)
        if case.fused:
            calls.append(functools.partial(FORMULAS[case.operation], np, **arguments(case, layer)))
        elif case.operation == "prelu_backward":
            axes = tuple(axis for axis in range(x.ndim) if axis != 1) if weight.size > 1 else None
            calls.append(functools.partial(prelu_backward, layer["grad"], x, weight, axes))
        elif case.op.inputs == ("x",):
            calls.append(functools.partial(leaky, np, x, slope))
        else:
            calls.append(functools.partial(backward, layer["grad"], x, slope))
    return [Prepared(calls, returned)]


PEER = Peer(NAIVE, prepare, home="numpy", threaded=False)
