"""JAX, compiled."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers.peer import Array, Peer, Prepared, models, per_channel
from benchmarks.workloads import Case, Layer


def arrays(value: Any) -> tuple[Array, ...]:
    """Read the first layer's results."""
    first = value[0]
    return tuple(np.asarray(array) for array in (first if isinstance(first, tuple) else (first,)))


def build(case: Case, layers: list[Layer]) -> Prepared:
    """Compile a function of these layers. Outputs are always new."""
    import jax
    import jax.numpy as jnp

    def one(layer: dict[str, Any]) -> Any:
        x, value, slope = layer["x"], layer.get("grad", layer["x"]), layer["slope"]
        out = jnp.where(x > 0, value, slope * value)
        if case.operation != "prelu_backward":
            return out
        axes = tuple(axis for axis in range(x.ndim) if axis != 1 or slope.size == 1)
        return out, jnp.where(x > 0, 0, value * x).sum(axes).reshape(-1)

    compiled = jax.jit(lambda every: [one(layer) for layer in every])
    every = [
        {name: jnp.asarray(layer[name]) for name in case.op.inputs}
        | {"slope": jnp.asarray(per_channel(layer) if case.op.channel else np.float32(case.slope))}
        for layer in layers
    ]

    def call() -> Any:
        return jax.block_until_ready(compiled(every))

    return Prepared([functools.partial(call)], arrays)


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """All but channels last, which XLA would decide itself."""
    return [] if case.channels_last else models(build)(case, layers)


PEER = Peer("JAX", prepare, ("jax",))
