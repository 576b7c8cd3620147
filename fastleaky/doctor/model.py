"""What the readers of model files find: leaky ReLUs and PReLUs, whatever the format calls them."""

import contextlib
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fastleaky._typing import Array
from fastleaky.reference import quiet

MOST_AXES = 32  # of a tensor, in the oldest NumPy
MOST_ELEMENTS = 2**63 - 1
MOST_LETTERS = 1000  # of a name
# What C calls the types: the ends of its functions' names.
C_NAMES = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16"}
C_NAMES |= {"int8": "i8", "uint8": "u8", "int16": "i16"}
# What the libraries of the formats raise when bytes are not what they should be.
DAMAGE = (struct.error, ValueError, TypeError, LookupError, ArithmeticError, OSError)


class ModelError(Exception):
    """A file cannot be read as a model; the text names the file and the place in it."""


@contextlib.contextmanager
def reading(place: str) -> Iterator[None]:
    """Read what stands at a place: whatever a library raises here becomes a ModelError that names the place."""
    try:
        yield
    except struct.error as error:  # whose text is of its own doing
        raise ModelError(f"{place}: it refers to what lies beyond the end") from error
    except DAMAGE as error:
        raise ModelError(f"{place}: {error or type(error).__name__}") from error


def shape_of(sizes: Iterable[int]) -> tuple[int | None, ...]:
    """Return a shape, of which the sizes below zero are not known."""
    shape = tuple(int(size) if size >= 0 else None for size in sizes)
    if len(shape) > MOST_AXES:
        raise ValueError(f"a tensor has {len(shape)} axes")
    if math.prod(size or 1 for size in shape) > MOST_ELEMENTS:
        raise ValueError(f"a tensor of shape {shape} is too large")
    return shape


def like_ours(operator: str) -> bool:
    """Does an operator of somebody's own look like one of ours?"""
    return any(name in operator.replace("_", "").casefold() for name in ("leakyrelu", "prelu"))


@dataclass(frozen=True, eq=False)
class Scales:
    """What the integers of a tensor stand for: ``scale * (q - zero_point)``; more than one along an axis."""

    scale: Array
    zero_point: Array


@quiet
def real(values: Array, scales: Scales | None, dtype: str) -> Array | None:
    """Return integers as the numbers that they stand for, and other numbers as they are, in a type of floats."""
    if scales is None:
        return values.astype(dtype)
    if scales.scale.size != 1:
        return None
    integers = values.astype(np.int64) - int(scales.zero_point[0])
    return (integers.astype(np.float32) * np.float32(scales.scale[0])).astype(dtype)


@dataclass(frozen=True)
class Tensor:
    """What a model declares a tensor to be."""

    name: str
    dtype: str  # NumPy's name, of a quantized tensor that of its integers; or "unknown"
    shape: tuple[int | None, ...] | None  # None stands for a size, or for a number of axes, that is not known
    scales: Scales | None = None


@dataclass(frozen=True, eq=False)
class Activation:
    """A leaky ReLU, or with a weight a PReLU."""

    place: str
    name: str
    operator: str  # as the format calls it
    x: Tensor
    y: Tensor
    slopes: Array | None  # as they stand in the file; None: they are computed at run time
    weight: Tensor | None = None

    @property
    def operation(self) -> str:
        """Our name for it."""
        return "leaky_relu" if self.weight is None else "prelu"

    @property
    def quantized(self) -> bool:
        """Does it compute with integers that stand for real numbers?"""
        return self.x.scales is not None and self.y.scales is not None

    @property
    def elements(self) -> int:
        """How many elements it has, where a size that is not known counts as 1."""
        return math.prod(1 if size is None else size for size in self.x.shape or ())

    @property
    def real_slopes(self) -> Array | None:
        """The slopes as numbers of their type, if they are known; quantized ones as the float32 that they stand for."""
        if self.slopes is None or self.weight is None or self.weight.scales is None:
            return self.slopes
        return real(self.slopes, self.weight.scales, "float32")


@dataclass(frozen=True)
class Model:
    """A file's leaky ReLUs and PReLUs, and what only looks like one."""

    format: str  # "tflite" or "onnx"
    activations: list[Activation]
    skipped: list[str]
