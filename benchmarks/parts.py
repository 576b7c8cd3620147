"""What a run consists of: groups of runs that are timed against each other, round by round."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.lab import Run
from benchmarks.peers import PEERS, activations, limits, ours, torch_
from benchmarks.workloads import FORMATS, LARGEST, SIGNS, Case, network_case, sweep_case
from fastleaky.cli.workloads import NETWORKS, Network

FORMAT_SIZES = (21, 25)
SMALL = 14  # the sweep over small arrays ends at 2**14 elements


@dataclass(frozen=True)
class Extent:
    """How much is timed. A quick run shows that the suite works; its figures are nothing to go by."""

    quick: bool = False
    match: str = ""  # only the goals that this is part of

    @property
    def networks(self) -> tuple[Network, ...]:
        """All of them; or the small layers of one."""
        iresnet50 = NETWORKS[4]
        return (dataclasses.replace(iresnet50, layers=iresnet50.layers[-4:]),) if self.quick else NETWORKS

    @property
    def exponents(self) -> list[int]:
        """Sizes of the sweep, as powers of two."""
        return [0, 6, 10, 14, 18] if self.quick else list(range(LARGEST + 1))

    @property
    def rounds(self) -> int:
        """How often each run has its turn."""
        return 3 if self.quick else 9

    @property
    def batches(self) -> int:
        """How many times so many rounds there are at most, until the repeats agree."""
        return 1 if self.quick else 8

    @property
    def least_seconds(self) -> float:
        """How long each turn lasts at least."""
        return 5e-4 if self.quick else 5e-3


@dataclass(frozen=True)
class Group:
    """Runs that are timed against each other."""

    part: str  # of the report
    name: str
    runs: tuple[Run, ...]


def everyone(case: Case, peers: list[str]) -> tuple[Run, ...]:
    """Return every one of `peers` that makes sense for a case."""
    left_out = {limits.NEGATIVE} if not case.fresh else {limits.COPY, limits.STREAM}
    left_out |= {peer.name for peer in PEERS.values() if not peer.everywhere}
    return tuple(
        Run(name, case)
        for name in peers
        if name not in left_out and (PEERS[name].threaded or case.threads == 1) and case.dtype in PEERS[name].dtypes
    )


def networks(extent: Extent, peers: list[str], cpus: int) -> Iterator[Group]:
    """All activations of networks, forward and backward, with one thread and with all."""
    for threads in sorted({1, cpus}):
        for backward in (False, True):
            for network in extent.networks:
                case = network_case(network, backward=backward, threads=threads)
                yield Group("networks", f"{case.name} {case.operation}, threads: {threads}", everyone(case, peers))


def sweep(extent: Extent, peers: list[str], _: int) -> Iterator[Group]:
    """One array of each size, results in given arrays."""
    for operation in ("leaky_relu", "prelu_backward"):
        for exponent in extent.exponents:
            case = sweep_case(exponent, operation)
            yield Group("sweep", f"{case.name} {operation}", everyone(case, peers))


def latency(extent: Extent, peers: list[str], _: int) -> Iterator[Group]:
    """Small arrays, results in new arrays, as one calls a function without much thought."""
    for exponent in extent.exponents:
        if exponent <= SMALL:
            case = sweep_case(exponent, fresh=True)
            yield Group("latency", f"{case.name} {case.operation}, fresh", everyone(case, peers))


def signs(extent: Extent, peers: list[str], _: int) -> Iterator[Group]:
    """Fewer negative numbers: what branches make of them."""
    network = next(network for network in extent.networks if network.name == "iresnet50")
    for backward in (False, True):
        for negative in SIGNS[1:] if extent.quick else SIGNS:
            case = network_case(network, backward=backward, negative=negative)
            yield Group("signs", f"{case.name} {case.operation}, {negative:.0%} negative", everyone(case, peers))


def formats(extent: Extent, peers: list[str], _: int) -> Iterator[Group]:
    """Number formats of 16 and 8 bits, on arrays that a cache holds and on ones that it does not."""
    for operation in ("leaky_relu", "prelu"):
        for exponent in extent.exponents[-1:] if extent.quick else FORMAT_SIZES:
            for dtype in ("float32", *FORMATS):
                case = sweep_case(exponent, operation, dtype=dtype)
                yield Group("formats", f"{case.name} {operation} {dtype}", everyone(case, peers))


def compared(extent: Extent, _: list[str], __: int) -> Iterator[Group]:
    """Leaky ReLU and PReLU, PyTorch's and ours, beside PyTorch's other activations, on one layer."""
    network = next(network for network in extent.networks if network.name == "iresnet50")
    for way in ("", "_backward"):
        leaky, prelu = (
            Case(network.name, name + way, ((1, *network.layers[0]),), network.slope)
            for name in ("leaky_relu", "prelu")
        )
        runs = [Run(peer, case) for peer in (ours.OURS, torch_.TORCH) for case in (leaky, prelu)]
        runs += [Run(peer.name, leaky) for peer in activations.PEERS]
        yield Group("activations", f"{leaky.name}, one layer{way.replace('_', ', ')}", (*runs, Run(limits.COPY, leaky)))


PARTS = {
    "networks": networks,
    "sweep": sweep,
    "latency": latency,
    "signs": signs,
    "formats": formats,
    "activations": compared,
}
