"""numexpr: an expression, in blocks that fit the cache."""

from __future__ import annotations

import functools

import numpy as np

from benchmarks.peers.peer import Peer, Prepared, arguments, given
from benchmarks.workloads import Case, Layer


def leaky(x: str, slope: str, value: str = "") -> str:
    """Write the expression; what comes twice in one, numexpr computes once."""
    value = value or x
    return f"where({x} > 0, {value}, {slope} * {value})"


EXPRESSIONS = {
    "leaky_relu": leaky("x", "negative_slope"),
    "leaky_relu_backward": leaky("x", "negative_slope", "grad"),
    "prelu": leaky("x", "weight"),
    "bias_leaky_relu": f"minimum(maximum({leaky('(x + bias)', 'negative_slope')} * gain, -clamp), clamp)",
    "scale_shift_leaky_relu": leaky("(x * scale + shift)", "negative_slope"),
    "scale_shift_prelu": leaky("(x * scale + shift)", "weight"),
}


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """It keeps the compiled expression itself, and finds it again at each call. It has no sum over two axes."""
    if case.operation not in EXPRESSIONS:
        return []
    import numexpr

    numexpr.set_num_threads(case.threads)
    calls = []
    for layer in layers:
        names = arguments(case, layer) | {name: np.float32(layer[name]) for name in case.op.numbers}
        options = {} if case.fresh else {"out": layer["out"]}
        calls.append(functools.partial(numexpr.evaluate, EXPRESSIONS[case.operation], names, **options))
    return [Prepared(calls, (lambda value: (value,)) if case.fresh else given(layers))]


PEER = Peer("numexpr", prepare, ("numexpr",))
