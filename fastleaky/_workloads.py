"""Layers of real networks, and how fast the operations are on them."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastleaky
from fastleaky._check import Operation, data

ROUNDS = 7
LEAST_SECONDS = 2e-3  # a sample repeats its call until it takes this long


@dataclass(frozen=True)
class Workload:
    """One activation layer: the shape of x as (N, C, H, W), and the slope that its network uses or starts from."""

    network: str
    shape: tuple[int, int, int, int]
    slope: float

    def draw(self, dtype: Any = np.float32) -> dict[str, Any]:
        """Draw arguments: random signs, as after a batch norm, and no special values."""
        given = data(np.random.default_rng(0), self.shape, dtype, kind="plain")
        return {**given, "negative_slope": self.slope, "weight": np.full(self.shape[1], self.slope, dtype)}


WORKLOADS = (
    Workload("YOLOv3-tiny", (1, 16, 416, 416), 0.1),  # its largest leaky layer
    Workload("DCGAN", (64, 64, 32, 32), 0.2),  # the discriminator's first, at the training batch of 64
    Workload("iresnet50", (1, 64, 112, 112), 0.25),  # the first PReLU of ArcFace's backbone
)


def outputs(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Return ``out=`` for an operation, already written to once, so that no page of it is new."""
    x, weight = np.zeros_like(given["x"]), np.zeros_like(given["weight"])
    return {"out": (x, weight) if operation.name == "prelu_backward" else x}


def moved(operation: Operation, given: dict[str, Any]) -> int:
    """Count the bytes that an operation reads and writes in arrays of the size of x."""
    return (len(operation.inputs) + 1) * int(given["x"].nbytes)


@dataclass(frozen=True)
class Speed:
    """Bytes moved a second: by an operation of a backend, or by np.copyto (backend "copy") on the same x."""

    network: str
    operation: str
    backend: str
    bytes_per_second: float


def _sample(call: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def speeds(workload: Workload, operation: Operation, backends: list[str]) -> Iterator[Speed]:
    """Time one operation on one layer: the backends and a copy in turn, ROUNDS times, and the median of each."""
    given = workload.draw()
    options = outputs(operation, given)
    copied = np.zeros_like(given["x"])
    calls: dict[str, Callable[[], object]] = {
        "copy": lambda: np.copyto(copied, given["x"]),
        **dict.fromkeys(backends, lambda: operation(fastleaky, given, **options)),
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    times: dict[str, int] = {}
    for round_ in range(-1, ROUNDS):
        for name, call in calls.items():
            with fastleaky.use(name if name != "copy" else fastleaky.backend):
                if round_ < 0:  # compiles, warms up, and shows how often to repeat
                    call()
                    times[name] = max(1, int(LEAST_SECONDS / max(_sample(call, 1), sys.float_info.min)))
                else:
                    taken[name].append(_sample(call, times[name]))
    for name, seconds in taken.items():
        size = moved(operation, given) if name != "copy" else 2 * copied.nbytes
        yield Speed(workload.network, operation.name, name, size / statistics.median(seconds))
