"""Checks against the specification: the known answer at first use, and the large one of ``python -m fastleaky``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from fastleaky import reference
from fastleaky._typing import Array

if TYPE_CHECKING:
    from fastleaky._backends import Kernels

Rng = np.random.Generator


@dataclass(frozen=True)
class Operation:
    """One of the four operations: the one table that checks, tests and benchmarks go through."""

    name: str
    inputs: tuple[str, ...]  # its arrays with the shape of x, in the order of the arguments
    parameter: str  # "negative_slope" or "weight", which follows them

    def __call__(self, module: ModuleType, data: dict[str, Any], **options: Any) -> tuple[Array, ...]:
        """Apply this operation of `module`, fastleaky or its reference, to the data; always a tuple of results."""
        arguments = [data[name] for name in (*self.inputs, self.parameter)]
        result = getattr(module, self.name)(*arguments, **options)
        return result if isinstance(result, tuple) else (result,)


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("leaky_relu", ("x",), "negative_slope"),
        Operation("leaky_relu_backward", ("grad", "x"), "negative_slope"),
        Operation("prelu", ("x",), "weight"),
        Operation("prelu_backward", ("grad", "x"), "weight"),
    )
}


def same_bits(a: Array, b: Array) -> bool:
    """Are two arrays equal to the last bit, where any NaN equals any NaN?"""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    bits = f"u{a.dtype.itemsize}"
    equal = np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(bits)
    return bool(np.all(equal | (np.isnan(a) & np.isnan(b)).reshape(equal.shape)))


def draw(rng: Rng, shape: tuple[int, ...] | int, dtype: Any, special: float = 0.1) -> Array:
    """Draw numbers of random sign, a share of them special: zeros, subnormals, the largest, infinities, NaN."""
    info = np.finfo(dtype)
    specials = np.array(
        [0, info.smallest_subnormal, info.tiny, info.tiny * 0.75, info.max, info.max / 3, np.inf, np.nan], dtype
    )
    numbers = rng.standard_normal(shape).astype(dtype)
    chosen = rng.choice(specials, shape) * rng.choice(np.array([1, -1], dtype), shape)
    return np.asarray(np.where(rng.random(shape) < special, chosen, numbers), dtype)


def data(rng: Rng, shape: tuple[int, ...], dtype: Any, axis: int = 1, special: float = 0.1) -> dict[str, Any]:
    """Draw arguments for every operation."""
    channels = shape[axis] if shape else 1
    return {
        "x": draw(rng, shape, dtype, special),
        "grad": draw(rng, shape, dtype, special),
        "weight": draw(rng, channels, dtype, special),
        "negative_slope": float(draw(rng, (), dtype, special)),
    }


KNOWN_SHAPES = ((1, 1, 300), (3, 2, 150), (150, 3, 1))  # one row; blocks that span rows; channels last


def known_answer(kernels: Kernels, dtype: str) -> None:
    """See that the kernels compute a small example to the last bit; an ArithmeticError says where they do not."""
    rng = np.random.default_rng(1)
    for shape in KNOWN_SHAPES:
        given = data(rng, shape, dtype, special=0.02)
        x, grad, weight, slope = given["x"], given["grad"], given["weight"], given["negative_slope"]
        out, dweight = np.empty_like(x), np.empty_like(weight)
        writers: dict[str, Callable[[], Any]] = {
            "leaky_relu": lambda: kernels.leaky_relu(x, slope, out),
            "leaky_relu_backward": lambda: kernels.leaky_relu_backward(grad, x, slope, out),
            "prelu": lambda: kernels.prelu(x, weight, out),
            "prelu_backward": lambda: kernels.prelu_backward(grad, x, weight, out, dweight),
        }
        for name, operation in OPERATIONS.items():
            writers[name]()
            wanted = operation(reference, given)
            if not all(map(same_bits, (out, dweight), wanted)):
                raise ArithmeticError(f"its {name} gave wrong numbers for {x.dtype} in a known case")


@dataclass(frozen=True)
class Case:
    """One comparison: an operation on drawn arguments, in one memory layout."""

    operation: Operation
    given: dict[str, Any]
    wanted: tuple[Array, ...]

    def agrees(self, module: ModuleType) -> bool:
        """Does `module`, with the backend that it uses now, give the specification's bits?"""
        return all(map(same_bits, self.operation(module, self.given), self.wanted))


def cases() -> Iterator[Case]:
    """Every operation and type: all short lengths, block and chunk ends, short rows, channels first and last."""
    rng = np.random.default_rng(2)
    lengths = [*range(70), 127, 128, 129, 255, 257, 1000, 16383, 16384, 16385, 32769, 150_001]
    shapes = [(1, 1, n) for n in lengths]
    shapes += [(2, 64, 7, 7), (3, 5, 14, 14), (1, 16, 52, 52), (4, 3, 1), (300, 3, 1), (200, 70, 1), (17_000, 2, 9)]
    for shape in shapes:
        for dtype in ("f", "d"):
            given = data(rng, shape, dtype)
            channels_last = {**given, "x": np.moveaxis(np.ascontiguousarray(np.moveaxis(given["x"], 1, -1)), -1, 1)}
            for operation in OPERATIONS.values():
                wanted = operation(reference, given)
                yield Case(operation, given, wanted)
                if operation.parameter == "weight" and len(shape) > 3:
                    yield Case(operation, channels_last, wanted)
