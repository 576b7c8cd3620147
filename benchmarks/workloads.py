"""What is timed: an operation on one array after another, with the arrays to do it on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastleaky._operations import OPERATIONS, PLAIN, Operation
from fastleaky.cli.workloads import NETWORKS, Network

Layer = dict[str, Any]  # the arguments by their names, and where the results go: out, and the sums by their names

DRAWN = 2**22  # random numbers, which are repeated from there on: no branch predictor remembers so many
PAGE, LINE = 4096, 64  # bytes
LARGEST = 26  # the sweep ends at 2**26 elements
HALVES, INTEGERS = ("float16", "bfloat16"), ("int8", "uint8", "int16")
FORMATS = (*HALVES, *INTEGERS)
SIGNS = (0.5, 0.05, 0.0)  # fractions of x that are negative; the first is the headline
GAIN, CLAMP = 2**0.5, 2.0  # the gain is StyleGAN's; its clamp is 256, but one that limits some shows that a peer does

# Training: many images, whose rows are short; larger than the last cache.
_FACES = next(network for network in NETWORKS if network.name == "MobileFaceNet")
_SIZES = tuple(dict.fromkeys(_FACES.layers))  # each once
BATCHES = (
    dataclasses.replace(_FACES, name="MobileFaceNet, batch of 64", batch=64, layers=_SIZES),
    # Super-resolution, whose channels are no multiple of a vector.
    Network("FSRCNN, batch of 16", "prelu", 0.25, 16, ((56, 100, 100), (12, 100, 100))),
)


@dataclass(frozen=True)
class Case:
    """One operation on the activations of some shapes, one call each."""

    name: str
    operation: str
    shapes: tuple[tuple[int, ...], ...]
    slope: float = 0.01
    shared: bool = False  # one PReLU weight for all channels
    channels_last: bool = False  # in memory; the shapes stay (N, C, H, W)
    negative: float = SIGNS[0]
    fresh: bool = False  # results in new arrays, rather than in given ones
    residual: bool = False  # the operation is given one, of the size of x
    threads: int = 1
    dtype: str = "float32"  # or a number format of 16 or 8 bits
    whole: bool = False  # the whole network of this name, on a batch of images of this shape

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Case:
        """Make the case again of what JSON has made of it."""
        return cls(**{**fields, "shapes": tuple(map(tuple, fields["shapes"]))})

    @property
    def op(self) -> Operation:
        """The entry in the table of operations."""
        return OPERATIONS[self.operation]

    @property
    def fused(self) -> bool:
        """Is it an activation and what stands before it?"""
        return self.operation not in PLAIN

    @property
    def element_type(self) -> np.dtype[Any]:
        """The type of x; NumPy has bfloat16 from ml_dtypes."""
        if self.dtype == "bfloat16":
            import ml_dtypes  # noqa: F401 - from here on NumPy knows the name
        return np.dtype(self.dtype)

    @property
    def quantization(self) -> dict[str, Any]:
        """The quantization parameters of quantized.leaky_relu or quantized.prelu."""
        zero = {"int8": -7, "uint8": 121, "int16": 0}[self.dtype]
        given = {"input_scale": 0.05, "input_zero_point": zero, "output_scale": 0.04, "output_zero_point": zero}
        weights = {"weight_scale": 0.007, "weight_zero_point": 128 if self.dtype == "uint8" else 0}
        return given | weights if self.op.channel else given

    @property
    def elements(self) -> int:
        """How many elements the activations have, together."""
        return sum(map(math.prod, self.shapes))

    @property
    def arrays(self) -> int:
        """How many arrays of the size of x are read and written."""
        return 2 + self.two_inputs

    @property
    def two_inputs(self) -> bool:
        """Is there an input of the size of x besides x?"""
        return len(self.op.inputs) > 1 or self.residual


def network_case(network: Network, *, backward: bool = False, **options: Any) -> Case:
    """Every activation of a network."""
    shapes = tuple((network.batch, *layer) for layer in network.layers)
    operation = network.operation + "_backward" * backward
    return Case(network.name, operation, shapes, network.slope, **options)


def whole_case(network: str, batch: int = 1, *, training: bool = False) -> Case:
    """A whole training step, or a whole inference, of a network of networks.py."""
    return Case(network, "prelu_backward" if training else "prelu", ((batch, 3, 112, 112),), 0.25, whole=True)


def sweep_case(exponent: int, operation: str = "leaky_relu", **options: Any) -> Case:
    """One array of 2**exponent elements: flat, or where channels count in 8 of them, if it has so many elements."""
    elements = 2**exponent
    channels = min(8, elements)
    shape = (1, channels, elements // channels) if OPERATIONS[operation].has_channels else (elements,)
    return Case(f"2^{exponent}", operation, (shape,), **options)


def real_cases(operation: str, networks: Iterable[Network], **options: Any) -> list[Case]:
    """Any operation on the activations of real networks, whatever these use themselves."""
    return [
        Case(network.name, operation, network_case(network).shapes, network.slope, **options) for network in networks
    ]


def place(elements: int, nth: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Make an array that begins on a cache line, and the n-th of three in the n-th third of a page.

    Where two arrays happen to begin at almost the same place of their pages, `rep movsb`, with which memcpy copies, is
    ten times slower on some processors (glibc bug 30994), and the limit would be none. Power-of-two sizes from malloc
    happen to.
    """
    raw = np.empty(dtype.itemsize * elements + 2 * PAGE, np.uint8)
    start = -raw.ctypes.data % PAGE + nth * PAGE // 3 // LINE * LINE
    return raw[start : start + dtype.itemsize * elements].view(dtype)


def fill(array: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any]) -> None:
    """Write some numbers again and again."""
    for start in range(0, array.size, numbers.size):
        part = array[start : start + numbers.size]
        part[:] = numbers[: part.size]


def draw(case: Case) -> list[Layer]:
    """Make the arrays of a case: every layer takes the front of the same few, as in an inference engine's arena.

    x has normal numbers with as many negative ones, in random places, as the case says. The arrays for results have
    been written to, so that no page of them is new. Integers are any of their type. All operations with as many arrays
    have the same.
    """
    rng, dtype = np.random.default_rng(0), case.element_type
    largest = max(map(math.prod, case.shapes))
    x, out, grad = (place(largest, nth, dtype) for nth in range(3))
    numbers = rng.standard_normal(min(largest, DRAWN), np.float32)
    if dtype.kind in "iu":
        numbers = rng.integers(0, 256, numbers.size * dtype.itemsize, np.uint8).view(dtype)
    if case.negative != SIGNS[0]:
        numbers = np.where(rng.random(numbers.size) < case.negative, -np.abs(numbers), np.abs(numbers))
    fill(x, numbers)
    out[:] = 0
    if case.two_inputs:
        fill(grad, rng.standard_normal(numbers.size, np.float32))

    def front(array: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        part = array[: math.prod(shape)]
        if case.channels_last:
            return np.moveaxis(part.reshape(shape[0], *shape[2:], shape[1]), -1, 1)
        return part.reshape(shape)

    layers = []
    for shape in case.shapes:
        channels = 1 if len(shape) == 1 else shape[1]
        weight = np.full(1 if case.shared else channels, case.slope).astype(dtype)
        if dtype.kind in "iu":
            weight = rng.integers(0, 256, weight.size, np.uint8).view("u1" if case.dtype == "uint8" else "i1")
        layer: Layer = {"x": front(x, shape), "y": front(x, shape), "out": front(out, shape), "weight": weight}
        layer |= {name: rng.standard_normal(channels, np.float32).astype(dtype) for name in ("bias", "scale", "shift")}
        layer |= {"negative_slope": case.slope, "gain": GAIN, "clamp": CLAMP}
        layer |= {"dweight": np.zeros_like(weight), "dbias": np.zeros(channels, dtype)}
        if case.two_inputs:
            layer |= dict.fromkeys(("grad", "residual"), front(grad, shape))
        layers.append(layer)
    return layers
