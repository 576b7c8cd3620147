"""The second way in, by pytest-benchmark: every operation on layers of real networks, by every backend and peer.

One process for all, so runtimes may disturb each other; ``python -m benchmarks`` keeps them apart. float32, random
signs, outputs given where the callee takes them, one thread unless FASTLEAKY_NUM_THREADS says more.
"""

import functools
import os
from typing import Any

import pytest

import fastleaky
from benchmarks.peers import PEERS, Peer, ours
from benchmarks.peers.peer import MissingError
from benchmarks.workloads import Case, draw
from fastleaky._operations import OPERATIONS
from fastleaky.cli.workloads import WORKLOADS

THREADS = int(os.environ.get("FASTLEAKY_NUM_THREADS", "1"))
LAYERS = {f"{workload.network}-{'x'.join(map(str, workload.shape))}": workload for workload in WORKLOADS}
BACKENDS = {name: Peer(name, functools.partial(ours.prepare, name)) for name in fastleaky.backends()}
draw_once = functools.lru_cache(1)(draw)  # for all that compute the same layer
OTHERS = {
    name: peer
    for name, peer in PEERS.items()
    if peer.everywhere and peer not in ours.PEERS and "float32" in peer.dtypes
}


@pytest.mark.parametrize("who", [*BACKENDS, *OTHERS])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPERATIONS)
def bench_operation(benchmark: Any, name: str, layer: str, who: str) -> None:
    """Time one operation on one layer."""
    peer = (BACKENDS | OTHERS)[who]
    case = Case(LAYERS[layer].network, name, (LAYERS[layer].shape,), LAYERS[layer].slope, threads=THREADS)
    if why := peer.missing():
        pytest.skip(f"{who}: {why}")
    try:
        ways = peer.prepare(case, draw_once(case))
    except MissingError as error:
        pytest.skip(f"{who}: {error}")
    if not ways:
        pytest.skip(f"{who} has no {name}")
    benchmark.group = f"{name} {layer}"
    benchmark.extra_info["bytes"] = peer.bytes(case)
    call = ways[0].calls[0]
    with ways[0].around():
        call()
        benchmark(call.func, *call.args, **call.keywords)
