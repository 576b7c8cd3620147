"""PyTorch, compiled: what it does eagerly as fused loops in C++, by Inductor."""

from __future__ import annotations

import functools
import os
import shutil
from typing import Any

from benchmarks.peers import torch_
from benchmarks.peers.peer import MissingError, Peer, Prepared
from benchmarks.workloads import Case, Layer

COMPILED = "torch.compile"


def prepare(case: Case, layers: list[Layer]) -> list[Prepared]:
    """Compile all layers as one function, which spares most of a call's cost; results go to the given arrays."""
    if not case.fused or case.channels_last:
        return []
    import torch

    if shutil.which(os.environ.get("CXX", "g++")) is None:
        raise MissingError("there is no C++ compiler, which Inductor calls")
    torch.set_num_threads(case.threads)
    calls = [torch_.FUSED[case.operation](case, layer) for layer in layers]
    outs = [[torch_.tensor(layer[name]) for name in ("out", *case.op.results[1:])] for layer in layers]

    def every() -> Any:
        results = [call() for call in calls]
        if case.fresh:
            return results
        for given, made in zip(outs, results, strict=True):
            for out, result in zip(given, made if isinstance(made, tuple) else (made,), strict=True):
                out.copy_(result)  # Inductor computes it there
        return [tuple(given) for given in outs]

    # Every case is compiled for its shapes, and counts by itself: without that, a process may compile but eight.
    compiled = torch.compile(every, dynamic=False, fullgraph=True, isolate_recompiles=True)
    return [Prepared([functools.partial(compiled)], lambda value: torch_.arrays(value[0]), torch.inference_mode)]


PEER = Peer(COMPILED, prepare, ("torch",), "torch==2.13.0", everywhere=False)
