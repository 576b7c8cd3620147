"""JAX, compiled."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from benchmarks.peers.formulas import FORMULAS, leaky
from benchmarks.peers.peer import Array, Peer, Prepared, arguments, models, per_channel
from benchmarks.workloads import Case, Layer


def arrays(value: Any) -> tuple[Array, ...]:
    """Read the first layer's results."""
    first = value[0]
    return tuple(np.asarray(array) for array in (first if isinstance(first, tuple) else (first,)))


def where(x: Any, slope: Any) -> Any:
    """Leaky ReLU or PReLU, as one writes it in JAX."""
    import jax.numpy as jnp

    return leaky(jnp, x, per_channel({"x": x, "weight": slope}) if np.ndim(slope) else slope)


def build(peer: str, case: Case, layers: list[Layer]) -> Prepared:
    """Compile a function of these layers, or the gradients that JAX derives from it. Outputs are always new.

    Arrays are the compiled function's arguments, numbers a part of it.
    """
    import jax
    import jax.numpy as jnp

    name = case.operation.removesuffix("_backward")
    function = where if peer == JAX else getattr(importlib.import_module(peer), name)

    def one(layer: dict[str, Any]) -> Any:
        if case.fused:
            return FORMULAS[case.operation](jnp, **layer, **{name: layers[0][name] for name in case.op.numbers})
        forward = function if case.op.channel else (lambda x: function(x, case.slope))
        inputs = [layer[name] for name in ("x", *case.op.channel)]
        return jax.vjp(forward, *inputs)[1](layer["grad"]) if "grad" in case.op.inputs else forward(*inputs)

    compiled = jax.jit(lambda every: [one(layer) for layer in every])
    shaped = [arguments(case, layer) if case.fused else layer for layer in layers]
    every = [{name: jnp.asarray(layer[name]) for name in (*case.op.inputs, *case.op.channel)} for layer in shaped]

    def call() -> Any:
        return jax.block_until_ready(compiled(every))

    return Prepared([functools.partial(call)], arrays)


def prepare(peer: str, case: Case, layers: list[Layer]) -> list[Prepared]:
    """All but channels last, which XLA would decide itself."""
    if case.channels_last or case.whole or (case.fused and peer == OURS):
        return []
    return models(functools.partial(build, peer))(case, layers)


JAX, OURS = "JAX", "fastleaky.jax"
PEERS = tuple(
    Peer(name, functools.partial(prepare, name), ("jax",), home=JAX, everywhere=name == JAX) for name in (JAX, OURS)
)
