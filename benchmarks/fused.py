"""The goals for fused operations: beside the activation alone, and beside who fuses them, or does not."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from benchmarks import machine
from benchmarks.goals import Goal, against, speed, time
from benchmarks.parts import Extent
from benchmarks.peers import PEERS
from benchmarks.peers.limits import NEGATIVE
from benchmarks.peers.ours import OURS
from benchmarks.peers.torch_ import TORCH
from benchmarks.peers.torch_compile import COMPILED
from benchmarks.workloads import Case, network_case, sweep_case
from fastleaky._operations import OPERATIONS, PLAIN

Shape = tuple[int, ...]

SMALL = ((1, 64, 28, 28), (1, 64, 56, 56))  # which the first caches hold
GAN = (*SMALL, (1, 512, 64, 64), (1, 256, 128, 128), (1, 128, 256, 256))  # StyleGAN's
DETECTOR = (*SMALL, (1, 512, 64, 64), (1, 16, 416, 416), (1, 32, 608, 608))  # Darknet's
CACHE = 2**25  # bytes of the last cache, where the system does not tell
NETWORKS = ("MobileFaceNet", "iresnet50", "YOLOv3-tiny")
FUSED = [name for name in OPERATIONS if name not in PLAIN]
NORMALIZED = [name for name in FUSED if name.startswith("scale_shift")]


def last_cache() -> int:
    """Bytes of the largest cache."""
    return max(machine.caches().values(), default=CACHE)


def past_the_cache(*shapes: Shape) -> tuple[Shape, ...]:
    """Make the last one a batch that takes twice the last cache, if one image does not."""
    images = math.ceil(2 * last_cache() / PEERS[OURS].bytes(Case("", "leaky_relu", shapes[-1:])))
    return (*shapes[:-1], (images, *shapes[-1][1:]))


def cases(operation: str, shapes: tuple[Shape, ...], **options: Any) -> list[Case]:
    """One layer of each shape, which is its name."""
    return [Case("x".join(map(str, shape)), operation, (shape,), 0.2, **options) for shape in shapes]


def network_cases(extent: Extent) -> list[Case]:
    """Every pair of a batch norm and an activation in some networks."""
    return [
        dataclasses.replace(network_case(network), operation=f"scale_shift_{network.operation}")
        for network in extent.networks
        if network.name in NETWORKS
    ]


def beside(what: str, layers: list[Case], eager: float) -> list[Goal]:
    """Compare a forward operation with leaky ReLU alone, which is the limit, and with PyTorch."""
    last = last_cache()
    places = {
        "past the cache": (1.15, [case for case in layers if PEERS[OURS].bytes(case) >= last]),
        "inside": (1.35, [case for case in layers if PEERS[OURS].bytes(case) < last]),
    }
    limits = [
        Goal(f"{what}, {where}", "leaky_relu", time, against(OURS, some, operation="leaky_relu"), at_most=bound)
        for where, (bound, some) in places.items()
        if some
    ]
    rivals = {TORCH: eager, COMPILED: 1.25}
    return limits + [Goal(what, name, speed, against(name, layers), bound) for name, bound in rivals.items()]


def goals(extent: Extent, peers: list[str]) -> list[Goal]:
    """Return the table; a quick run has time for the small layers."""
    gan, detector = (SMALL, SMALL) if extent.quick else (past_the_cache(*GAN), past_the_cache(*DETECTOR))
    tiny = [sweep_case(6, name, fresh=True) for name in FUSED]
    negative = against(NEGATIVE, tiny, operation="leaky_relu", shapes=sweep_case(6).shapes)
    residual = [case for name in NORMALIZED for case in cases(name, detector, residual=True)]
    normalized = [case for name in NORMALIZED for case in cases(name, detector)]
    backward = cases("bias_leaky_relu_backward", gan)
    whole = network_cases(extent)
    fusing = [name for name in peers if PEERS[name].everywhere or name == COMPILED]
    table = [
        *beside("bias_leaky_relu, gain, clamp", cases("bias_leaky_relu", gan), 4),
        *beside("scale_shift_leaky_relu, scale_shift_prelu", normalized, 1.8),
        Goal(
            "the same with a residual",
            "leaky_relu_backward",
            time,
            against(OURS, residual, operation="leaky_relu_backward", residual=False),
            at_most=1.15,
        ),
        Goal(
            "bias_leaky_relu_backward",
            "prelu_backward",
            time,
            against(OURS, backward, operation="prelu_backward"),
            at_most=1.1,
        ),
        Goal("64 elements in 8 channels, fresh output", NEGATIVE, time, negative, at_most=1.5),
        Goal("all batch norms and activations of networks", TORCH, speed, against(TORCH, whole), 1.8),
        Goal(
            "all batch norms and activations of networks",
            "the fastest peer",
            speed,
            [pair for name in fusing for pair in against(name, whole)],
            1,
        ),
    ]
    return [dataclasses.replace(goal, part="fused") for goal in table]
