"""fastleaky itself: the best backend here, and the two that need no compiler."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator

import fastleaky
from benchmarks.peers.peer import Array, Peer, Prepared, returned
from benchmarks.workloads import FORMATS, Case, Layer
from fastleaky import quantized

OURS = "fastleaky"


def quantized_layer(case: Case, layer: Layer) -> Callable[..., Array]:
    """Make the layer object for integers."""
    if case.op.channel:
        return quantized.PReLU(layer["weight"], case.dtype, **case.quantization)
    return quantized.LeakyReLU(case.slope, case.dtype, **case.quantization)


def prepare(backend: str, case: Case, layers: list[Layer]) -> list[Prepared]:
    """Call the public function, on one backend; or for integers, the layer, which is made before."""
    function = getattr(fastleaky, case.operation)
    integers = case.element_type.kind in "iu"

    @contextlib.contextmanager
    def around() -> Iterator[None]:
        before = fastleaky.get_num_threads()
        fastleaky.set_num_threads(case.threads)
        with fastleaky.use(backend or fastleaky.backends()[0]):
            yield
        fastleaky.set_num_threads(before)

    calls = []
    for layer in layers:
        outs = tuple(layer[name] for name in ("out", *case.op.results[1:]))
        options = {} if case.fresh else {"out": outs if len(outs) > 1 else outs[0]}
        if case.residual:
            options[case.op.more] = layer[case.op.more]
        arguments = [layer[name] for name in case.op.positional]
        if integers:
            calls.append(functools.partial(quantized_layer(case, layer), layer["x"], **options))
        else:
            calls.append(functools.partial(function, *arguments, **options))
    return [Prepared(calls, returned, around)]


PEERS = (
    Peer(OURS, functools.partial(prepare, ""), home="numpy", dtypes=("float32", *FORMATS)),
    Peer(f"{OURS}, Numba", functools.partial(prepare, "numba"), ("numba",)),
    Peer(f"{OURS}, NumPy", functools.partial(prepare, "numpy"), home="numpy", threaded=False),
)
