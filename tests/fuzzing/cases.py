"""Random calls for the fuzzer: most are right, by construction; in the others some arguments were exchanged."""

import decimal
import fractions
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
from layouts import LAYOUTS

from fastleaky import reference
from fastleaky._backends.selftest import draw
from fastleaky._operations import PLAIN, Operation

FLOATS = [np.dtype(kind) for kind in ("f4", "f8", "f2", ml_dtypes.bfloat16)]
OTHERS = [np.dtype(kind) for kind in ("?", "i1", "u1", "i2", "i4", "u8", "g", "F", "D", "O", "S3", "U2", "M8[s]", "V4")]
OTHERS += [np.dtype(kind) for kind in (ml_dtypes.int4, ml_dtypes.uint1, ml_dtypes.float8_e5m2)]
SIZES = [0, 1, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 129]
LONG = [127, 128, 129, 1000, 16383, 16384, 16385, 33_000]
MOST, MOST_SLOPES = 600, 64  # elements; the specification takes long for a sum of each of many slopes
SLOPES = [0.01, 0.0, -0.0, 1.0, -0.3, 1.5, 1e-40, 1e-310, 3e38, 1e300, np.inf, -np.inf, np.nan, 0, 2, -(2**60)]
SLOPES += [np.float32(0.1), np.float64(-0.2), np.float16(0.3), np.int8(-3), np.array(0.25), fractions.Fraction(1, 3)]
POSITIVE = [0.1, 1.0, 2**0.5, 256.0, 1e-30, 3e38, 1, 2**60, np.float32(0.5), np.float64(3), fractions.Fraction(1, 3)]
ANYTHING = [None, True, np.False_, 3, 10**400, 1.5, np.nan, 1j, "0.1", b"x", [], [1.0, -2.0], [[1.0], [1.0, 2.0]], {}]
ANYTHING += [object(), ..., float, np.ones(1), np.ones(3, "f4"), np.ones(()), np.float32(2), decimal.Decimal(1), len]
AXES = [5, -6, 10**30, -(2**63), 1.0, None, "1", True, np.int64(0), (1,), np.ones(1, int)]
MOST_STRIDED = 2  # dimensions: the memory between elements would be the larger part by far

Rng = np.random.Generator


def chosen(rng: Rng, values: Any) -> Any:
    """One of the values, as it is."""
    return values[rng.integers(len(values))]


@dataclass
class Case:
    """A call of an operation, by the names of its arguments; and what else a door may draw for it."""

    operation: Operation
    given: dict[str, Any]
    axis: Any
    right: bool  # else an error will do, too
    rng: Rng
    out: Any = None  # the input that is written in place
    specification: ModuleType = reference
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that must be given by name."""
        return ({"axis": self.axis} if self.operation.has_channels else {}) | self.others

    def wanted(self) -> tuple[np.ndarray, ...] | None:
        """Return the results that the specification gives, or None if it cannot take the arguments."""
        given = {name: native(value) for name, value in self.given.items()}
        try:
            for name in self.operation.channel:
                if type(given.get(name)) in (int, float):  # it takes the type of x
                    given[name] = np.asarray(given[name], np.asarray(given["x"]).dtype)
            with warnings.catch_warnings(action="ignore"):
                return self.operation(self.specification, given, **self.options)
        except Exception:
            if self.right:
                raise
            return None

    def __str__(self) -> str:
        names = (*self.operation.positional, *filter(None, [self.operation.more]))
        named = {name: self.given[name] for name in names} | self.options
        shown = ", ".join(f"{name}={described(value)}" for name, value in named.items())
        return f"{self.operation.name}({shown}), which is {'right' if self.right else 'perhaps wrong'}"


def native(value: Any) -> Any:
    """Return an array in the machine's byte order, and anything else as it is."""
    return value.astype(value.dtype.newbyteorder("=")) if isinstance(value, np.ndarray) else value


def described(value: Any) -> str:
    """Show an array by its form, and anything else as it is."""
    if not isinstance(value, np.ndarray):
        return repr(value)[:60]
    flags = "".join(name[0].upper() for name in ("aligned", "writeable") if getattr(value.flags, name))
    return f"<{value.dtype} {value.shape} strides {value.strides} {flags}>"


def draw_case(seed: int, number: int, operations: Mapping[str, Operation] = PLAIN) -> Case:
    """Draw a case, the same for the same numbers."""
    rng = np.random.default_rng([seed, number])
    operation = chosen(rng, list(operations.values()))
    shape, dtype, kind = draw_shape(rng), chosen(rng, FLOATS), chosen(rng, ["normal", "finite", "special"])
    axis = int(rng.integers(-len(shape), len(shape))) if shape and rng.random() < 0.5 else 1
    channels = shape[axis] if -len(shape) <= axis < len(shape) else 1
    given: dict[str, Any] = {
        "x": lay(rng, draw(rng, shape, dtype, kind)),
        "grad": lay(rng, draw(rng, shape, no_wider(rng, dtype), kind)),
        "weight": lay(rng, draw(rng, draw_weight_shape(rng, shape, channels), no_wider(rng, dtype), kind)),
        "negative_slope": chosen(rng, SLOPES),
    }
    right = True
    if operation.name not in PLAIN:
        arrays = [name for name in (*operation.inputs, operation.more) if name and name not in given]
        given |= {name: lay(rng, draw(rng, shape, no_wider(rng, dtype), kind)) for name in arrays if name != "y"}
        given |= {name: lay(rng, draw(rng, shape, dtype, kind)) for name in arrays if name == "y"}
        rows = {name: draw_weight_shape(rng, shape, channels) for name in operation.channel}
        given |= {name: lay(rng, draw(rng, of, no_wider(rng, dtype), kind)) for name, of in rows.items()}
        given |= {name: chosen(rng, POSITIVE) for name in operation.positive}
        given |= {name: None for name in (*operation.optional, operation.more) if name and rng.random() < 0.3}
        right = bool(operation.channel) or -len(shape) <= axis < len(shape)
    case = Case(operation, given, axis, right=right, rng=rng)
    if rng.random() < 0.3:
        spoil(case)
    return case


def draw_shape(rng: Rng) -> tuple[int, ...]:
    """Draw 0 to 5 sizes; one in fifty shapes is long."""
    if rng.random() < 0.02:
        return (*chosen(rng, [(), (1,), (3,)]), chosen(rng, LONG))
    shape: list[int] = []
    for _ in range(rng.integers(6)):
        room = MOST // max(1, math.prod(shape))
        shape.append(chosen(rng, [size for size in SIZES if size <= max(1, room)]))
    return tuple(shape)


def draw_weight_shape(rng: Rng, shape: tuple[int, ...], channels: int) -> tuple[int, ...]:
    """Draw the shape of a weight that fits x."""
    broadcast = tuple(size if rng.random() < 0.5 else 1 for size in shape)
    drawn = chosen(rng, [(), (1,), (channels,), (channels,), broadcast])
    return drawn if math.prod(drawn) <= MOST_SLOPES else (1,)


def no_wider(rng: Rng, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Mostly the type of x; else one that casts to it safely."""
    return np.dtype("f4") if dtype == "f8" and rng.random() < 0.2 else dtype


def lay(rng: Rng, array: np.ndarray) -> np.ndarray:
    """Return the array in some layout; or one of its slices repeated, without memory of their own."""
    if array.dtype.hasobject:
        return array
    if array.ndim and rng.random() < 0.1:
        axis = rng.integers(array.ndim)
        return np.broadcast_to(array.take(range(min(1, array.shape[axis])), axis), array.shape)
    names = [name for name in LAYOUTS if name != "strided" or array.ndim <= MOST_STRIDED]
    return LAYOUTS[chosen(rng, names)](array)


def spoil(case: Case) -> None:
    """Exchange up to three arguments for others, which may be wrong."""
    case.right = False
    for _ in range(case.rng.integers(1, 4)):
        name = chosen(case.rng, [*case.operation.positional, *case.operation.keywords[:-1], "axis"])
        if name == "axis":
            case.axis = chosen(case.rng, AXES)
        else:
            case.given[name] = spoiled(case.rng, case.given[name])


def spoiled(rng: Rng, value: Any) -> Any:
    """Return an array of another type or shape, or anything."""
    way = rng.integers(3)
    if way == 0 or not isinstance(value, np.ndarray):
        return chosen(rng, ANYTHING)
    if way == 1:
        return lay(rng, np.zeros(value.shape, chosen(rng, FLOATS + OTHERS)))
    return lay(rng, np.ones(chosen(rng, [draw_shape(rng), value.shape[1:], (*value.shape, 1)]), value.dtype))
