"""Numba, as one would write it: a loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import fastleaky
from benchmarks.peers.peer import Array, Peer, Prepared, returned
from benchmarks.workloads import Case, Layer


@functools.cache
def compiled(threads: int) -> SimpleNamespace:  # noqa: C901 - eight loops
    """The loops, over (outer, channels, inner); what would be written for one thread, and for several."""
    import numba

    prange = numba.prange

    def jit(function: Callable[..., Any]) -> Any:
        return numba.njit(function, parallel=threads > 1)

    def forward(x: Array, slope: Any, out: Array) -> Array:
        for i in prange(x.size):
            out[i] = x[i] if x[i] > 0 else slope * x[i]
        return out

    def allocating(x: Array, slope: Any) -> Array:
        out = np.empty_like(x)
        for i in prange(x.size):
            out[i] = x[i] if x[i] > 0 else slope * x[i]
        return out

    def backward(grad: Array, x: Array, slope: Any, out: Array) -> Array:
        for i in prange(x.size):
            out[i] = grad[i] if x[i] > 0 else slope * grad[i]
        return out

    def prelu(x: Array, weight: Array, out: Array) -> Array:
        for row in prange(x.shape[0] * x.shape[1]):
            i, c = row // x.shape[1], row % x.shape[1]
            for k in range(x.shape[2]):
                out[i, c, k] = x[i, c, k] if x[i, c, k] > 0 else weight[c] * x[i, c, k]
        return out

    def prelu_backward(grad: Array, x: Array, weight: Array, dx: Array, dweight: Array) -> tuple[Array, Array]:
        for c in prange(x.shape[1]):
            total = np.float32(0)
            for i in range(x.shape[0]):
                for k in range(x.shape[2]):
                    if x[i, c, k] > 0:
                        dx[i, c, k] = grad[i, c, k]
                    else:
                        dx[i, c, k] = weight[c] * grad[i, c, k]
                        total += grad[i, c, k] * x[i, c, k]
            dweight[c] = total
        return dx, dweight

    def bias_leaky_relu(x: Array, bias: Array, slope: Any, gain: Any, clamp: Any, out: Array) -> Array:  # noqa: PLR0913, PLR0917
        for row in prange(x.shape[0] * x.shape[1]):
            i, c = row // x.shape[1], row % x.shape[1]
            for k in range(x.shape[2]):
                t = x[i, c, k] + bias[c]
                out[i, c, k] = min(max((t if t > 0 else slope * t) * gain, -clamp), clamp)
        return out

    def bias_leaky_relu_backward(  # noqa: PLR0913, PLR0917
        grad: Array, y: Array, slope: Any, gain: Any, clamp: Any, dx: Array, dbias: Array
    ) -> tuple[Array, Array]:
        for c in prange(y.shape[1]):
            total = np.float32(0)
            for i in range(y.shape[0]):
                for k in range(y.shape[2]):
                    d = np.float32(0) if abs(y[i, c, k]) >= clamp else grad[i, c, k] * gain
                    dx[i, c, k] = d if y[i, c, k] > 0 else slope * d
                    total += dx[i, c, k]
            dbias[c] = total
        return dx, dbias

    def scale_shift_leaky_relu(x: Array, scale: Array, shift: Array, slope: Any, out: Array) -> Array:
        for row in prange(x.shape[0] * x.shape[1]):
            i, c = row // x.shape[1], row % x.shape[1]
            for k in range(x.shape[2]):
                t = x[i, c, k] * scale[c] + shift[c]
                out[i, c, k] = t if t > 0 else slope * t
        return out

    def scale_shift_prelu(x: Array, scale: Array, shift: Array, weight: Array, out: Array) -> Array:
        for row in prange(x.shape[0] * x.shape[1]):
            i, c = row // x.shape[1], row % x.shape[1]
            for k in range(x.shape[2]):
                t = x[i, c, k] * scale[c] + shift[c]
                out[i, c, k] = t if t > 0 else weight[c] * t
        return out

    fused = (bias_leaky_relu, bias_leaky_relu_backward, scale_shift_leaky_relu, scale_shift_prelu)
    functions = {
        **{function.__name__: jit(function) for function in fused},
        "leaky_relu": jit(forward),
        "leaky_relu_fresh": jit(allocating),
        "leaky_relu_backward": jit(backward),
        "prelu": jit(prelu),
        "prelu_backward": jit(prelu_backward),
    }
    both = functions["prelu_backward"]
    functions["prelu_backward_fresh"] = jit(
        lambda grad, x, weight: both(grad, x, weight, np.empty_like(x), np.empty_like(weight))
    )
    return SimpleNamespace(**functions)


def prepare_ours(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Call our functions inside of a user's, for results in new arrays."""
    if not case.fresh or case.threads > 1 or case.fused:
        return []
    import numba

    function = getattr(fastleaky, case.operation)

    def user(*arguments: Any) -> Any:
        return function(*arguments)

    compiled = numba.njit(user)
    calls = [functools.partial(compiled, *(layer[name] for name in case.op.positional)) for layer in layers]
    return [Prepared(calls, returned)]


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Compiled before the first timed call."""
    name = case.operation + "_fresh" * case.fresh
    if case.channels_last or (case.fused and case.shared) or not hasattr(compiled(case.threads), name):
        return []
    if case.threads > 1:
        import numba

        numba.set_num_threads(case.threads)
    function = getattr(compiled(case.threads), name)
    calls = []
    for layer in layers:
        x = layer["x"]
        flat: tuple[int, ...] = (-1,)
        if case.op.has_channels:
            flat = (1, 1, -1) if case.shared else (x.shape[0], x.shape[1], -1)
        inputs = [layer[name].reshape(flat) for name in case.op.inputs]
        parameters = [layer[name] for name in case.op.channel] + [np.float32(layer[name]) for name in case.op.numbers]
        outputs = [] if case.fresh else [layer["out"].reshape(flat), *(layer[name] for name in case.op.results[1:])]
        calls.append(functools.partial(function, *inputs, *parameters, *outputs))
    return [Prepared(calls, returned)]


LOOP, OURS = "Numba, a loop", "fastleaky in @njit"
PEERS = (
    Peer(LOOP, prepare, ("numba",)),
    Peer(OURS, prepare_ours, ("numba",), home=LOOP, everywhere=False),
)
