"""The activation layers of real networks, and the speed of the operations on some of them."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastleaky
from fastleaky._backends.selftest import data
from fastleaky._operations import Operation

ROUNDS = 7
LEAST_SECONDS = 2e-3  # a sample repeats its call until it takes this long


@dataclass(frozen=True)
class Network:
    """The activation layers of a network; the slope of a PReLU is its first."""

    name: str
    operation: str  # "leaky_relu" or "prelu"
    slope: float
    batch: int
    layers: tuple[tuple[int, int, int], ...]  # (C, H, W)


def _read(line: str) -> Network:
    """Read a network's fields; a layer is "channels x size", "*times" if it comes more than once; images are square."""
    name, operation, slope, batch, *words = line.split()
    layers: list[tuple[int, int, int]] = []
    for word in words:
        layer, _, times = word.partition("*")
        channels, size = map(int, layer.split("x"))
        layers += [(channels, size, size)] * int(times or 1)
    return Network(name, operation, float(slope), int(batch), tuple(layers))


# AlexeyAB's Darknet, 416 x 416, where every leaky layer follows a batch norm; the discriminators of PyTorch's DCGAN
# example, at its batch for training, and of StyleGAN2-ada, paper256, one image; InsightFace's backbones, 112 x 112,
# where a PReLU comes before the convolution that halves the image.
NETWORKS = tuple(
    _read(line)
    for line in (
        "YOLOv3-tiny leaky_relu 0.1 1 16x416 32x208 64x104 128x52 256x26 512x13 1024x13 256x13 512x13 128x13 256x26",
        (
            "YOLOv4-tiny leaky_relu 0.1 1 32x208 64x104*2 32x104*2 64x104 128x52 64x52*2 128x52 256x26 128x26*2 256x26 "
            "512x13 256x13 512x13 128x13 256x26"
        ),
        "DCGAN leaky_relu 0.2 64 64x32 128x16 256x8 512x4",
        "StyleGAN2 leaky_relu 0.2 1 64x256*2 128x128*2 256x64*2 512x32*2 512x16*2 512x8*2 512x4*2 512x1",
        "iresnet50 prelu 0.25 1 64x112*2 64x56*2 128x56 128x28*3 256x28 256x14*13 512x14 512x7*2",
        "MobileFaceNet prelu 0.25 1 128x56*3 128x28*9 256x28 256x14*13 512x14 512x7*2 256x7*4",
    )
)


@dataclass(frozen=True)
class Workload:
    """One activation layer: the shape of x as (N, C, H, W), and the slope that its network uses or starts from."""

    network: str
    shape: tuple[int, int, int, int]
    slope: float

    def draw(self, dtype: Any = np.float32) -> dict[str, Any]:
        """Draw arguments with random signs, as after a batch norm, and without special values."""
        given = data(np.random.default_rng(0), self.shape, dtype, kind="normal")
        return {**given, "negative_slope": self.slope, "weight": np.full(self.shape[1], self.slope, dtype)}


WORKLOADS = tuple(  # the first layer of each, which is its largest
    Workload(network.name, (network.batch, *network.layers[0]), network.slope)
    for network in NETWORKS
    if network.name in {"YOLOv3-tiny", "DCGAN", "iresnet50"}
)


def outputs(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Return ``out=`` for an operation, written to once, so that no page fault is timed."""
    x, weight = np.zeros_like(given["x"]), np.zeros_like(given["weight"])
    return {"out": (x, weight) if len(operation.results) > 1 else x}


def moved(operation: Operation, given: dict[str, Any]) -> int:
    """Return the bytes that an operation reads and writes, in arrays of the size of x."""
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
    """Time one operation on one layer: backends and a copy interleaved, the median of ROUNDS rounds."""
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
