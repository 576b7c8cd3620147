"""numexpr: an expression, in blocks that fit the cache."""

from __future__ import annotations

import functools

import numpy as np

from benchmarks.peers.peer import Peer, Prepared, given, per_channel
from benchmarks.workloads import Case, Layer

EXPRESSIONS = {
    "leaky_relu": "where(x > 0, x, slope * x)",
    "leaky_relu_backward": "where(x > 0, grad, slope * grad)",
    "prelu": "where(x > 0, x, slope * x)",
}


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It keeps the compiled expression itself, and finds it again at each call. It has no sum over two axes."""
    if case.operation not in EXPRESSIONS:
        return []
    import numexpr

    numexpr.set_num_threads(case.threads)
    calls = []
    for layer in layers:
        slope = per_channel(layer) if case.op.channel else np.float32(case.slope)
        names = {"slope": slope, **{name: layer[name] for name in case.op.inputs}}
        options = {} if case.fresh else {"out": layer["out"]}
        calls.append(functools.partial(numexpr.evaluate, EXPRESSIONS[case.operation], names, **options))
    return [Prepared(calls, (lambda value: (value,)) if case.fresh else given(layers))]


PEER = Peer("numexpr", prepare, ("numexpr",))
