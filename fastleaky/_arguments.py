"""The checks of the arguments, in front of all backends, which trust what they get. Nothing is written before them."""

import math
import numbers
import operator
from typing import Any, NamedTuple

import numpy as np

from fastleaky._dtypes import name_in_c
from fastleaky._layout import row
from fastleaky._operations import Operation
from fastleaky._typing import Array, ArrayLike
from fastleaky.reference import HALF, along, quiet, rounded

FLOAT = 4  # bytes: smaller types are computed in float32
# Between these a number is positive and finite when it is rounded to a type: ties go to 0 and to infinity.
POSITIVE = {"float32": (2.0**-150, 2.0**128 - 2.0**103), "float64": (0.0, math.inf)}


class Channel(NamedTuple):
    """The parameters with a value for each channel."""

    given: list[Array]  # of any shape
    rows: list[Array]  # the same values, one for each channel, in the type of x
    varying: tuple[int, ...]  # the axes of x along which they vary


def parse(
    operation: Operation, given: tuple[Any, ...], axis: Any, more: Any = None
) -> tuple[list[Array], Channel, list[float | None]]:
    """Return the inputs, of which x is the last but for one more; the channel parameters and the numbers."""
    op, count = operation.name, len(operation.inputs)
    x = floats(op, operation.inputs[-1], given[count - 1])
    inputs = [like_x(operation, *named, x) for named in zip(operation.inputs[:-1], given, strict=False)]
    named_parameters = list(zip(operation.parameters, given[count:], strict=True))
    split = len(operation.channel)
    channel = _channel(op, named_parameters[:split], x, axis)
    if operation.has_channels and not operation.channel:
        channel = _summed(operation, x, axis)
    numbers = [number_of(operation, *named, x.itemsize) for named in named_parameters[split:]]
    inputs += [x] if more is None else [x, like_x(operation, operation.more, more, x)]
    return inputs, channel, numbers


def number_of(operation: Operation, name: str, value: Any, itemsize: int) -> float | None:
    """Return `value` as a number that the operation takes for an x of so many bytes an element."""
    if value is None and name in operation.optional:
        return None
    found = number(operation.name, name, value)
    low, high = POSITIVE[kind := "float64" if itemsize > FLOAT else "float32"]
    if name in operation.positive and not low < found < high:
        also = ", or None" if name in operation.optional else ""
        raise ValueError(f"{operation.name}: {name} is {value!r}; as a {kind} it must be positive and finite{also}")
    return found


def array(op: str, name: str, value: ArrayLike) -> Array:
    """Return `value` as an ndarray with its type and byte order, whatever a subclass says of itself."""
    try:
        return np.asarray(value)
    except Exception as error:
        raise TypeError(f"{op}: {name} cannot be made an array: {error}") from error


def floats(op: str, name: str, value: ArrayLike) -> Array:
    """Return `value` as an ndarray of one of our types, in its byte order."""
    if type(value).__module__.startswith("dask."):  # NumPy would load it
        raise TypeError(f"{op}: {name} is lazy, of Dask; fastleaky.dask.{op} takes it chunk by chunk")
    value = array(op, name, value)
    check_type(op, name, value.dtype)
    return value


def check_type(op: str, name: str, dtype: np.dtype[Any]) -> None:
    """Check that a type is one of ours."""
    if not name_in_c(dtype):
        raise TypeError(
            f"{op}: {name} has type {dtype}; it must be float32, float64, float16 or bfloat16 (convert it, as "
            f"with {name}.astype(np.float32))"
        )


def parameter(op: str, name: str, value: ArrayLike, x: Array) -> Array:
    """Return a channel parameter as an ndarray of one of our types: of x's, if it is a Python number."""
    if type(value) in (int, float):
        return _as_type(number(op, name, value), x.dtype.type)
    return floats(op, name, value)


def check_shape(op: str, name: str, values: Array, x: Array, of: str = "x") -> None:
    """Check that an input has the shape of `x`, which the operation may call by another name."""
    if values.shape != x.shape:
        raise ValueError(f"{op}: {name} has shape {values.shape}; it must have {of}'s, {x.shape}")


def number(op: str, name: str, value: Any) -> float:
    """Return `value` as a float."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, float):  # its value, as C, NumPy and math take it, whatever a subclass converts to
        return float.__float__(value)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{op}: {name} is {value!r}; it must be a real number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{op}: {name} is {value!r}; it must fit a float") from None


def varying_axes(op: str, name: str, values: Array, x: Array, axis: Any) -> tuple[int, ...]:
    """Return the axes of `x` along which a channel parameter varies."""
    axis = _integer(op, axis)
    if values.size == 1:
        return ()
    if values.ndim == x.ndim:
        varying = [i for i in range(x.ndim) if values.shape[i] != 1]
        if any(values.shape[i] != x.shape[i] for i in varying):
            raise ValueError(f"{op}: {name} with shape {values.shape} does not broadcast to x with shape {x.shape}")
        return tuple(i for i in varying if x.shape[i] != 1)
    if values.ndim != 1:
        raise ValueError(
            f"{op}: {name} has shape {values.shape}; for x with shape {x.shape} it must have one element, "
            f"one dimension or {x.ndim} dimensions"
        )
    at = _axis(op, "x", x, axis)
    channels = x.shape[at]
    if values.size != channels:
        raise ValueError(
            f"{op}: {name} has {values.size} values for {channels} channels (axis {axis} of x with shape {x.shape})"
        )
    return (at,)


def _integer(op: str, axis: Any) -> int:
    try:
        return operator.index(axis)
    except TypeError:
        raise TypeError(f"{op}: axis is {axis!r}; it must be an integer") from None


def _axis(op: str, name: str, x: Array, axis: Any) -> int:
    """Return the channel axis, counted from the first."""
    at = _integer(op, axis)
    if not -x.ndim <= at < x.ndim:
        raise ValueError(f"{op}: axis {axis} is out of range for {name} with shape {x.shape}")
    return at % x.ndim


def _summed(operation: Operation, x: Array, axis: Any) -> Channel:
    """Return the channels of a sum without a parameter of its own, as if there were one."""
    at, name = _axis(operation.name, operation.inputs[-1], x, axis), operation.results[-1].removeprefix("d")
    like = np.empty(x.shape[at], x.dtype.type)
    return Channel([like], [like], varying_axes(operation.name, name, like, x, at))


def outputs(operation: Operation, out: Any, x: Array, channel: Channel) -> tuple[Any, ...]:
    """Return the outputs that are given, or None in their place."""
    op, names, of = operation.name, operation.results, operation.inputs[-1]
    if len(names) == 1:
        check_output(op, "out", out, x, of)
        return (out,)
    if out is None:
        return (None,) * len(names)
    if not isinstance(out, tuple):
        raise TypeError(f"{op}: out is {type(out).__name__}; it must be a tuple of two arrays, ({', '.join(names)})")
    if len(out) != len(names):
        raise ValueError(f"{op}: out has {len(out)} elements; it must be a pair of arrays, ({', '.join(names)})")
    parameters = [name.removeprefix("d") for name in names[1:]]
    for i, (like, name) in enumerate(zip([x, *channel.given], [of, *parameters], strict=True)):
        check_output(op, f"out[{i}]", out[i], like, name)
    first, second = out
    if first is not None and second is not None and np.shares_memory(np.asarray(first), np.asarray(second)):
        raise ValueError(f"{op}: out[0] and out[1] share memory; each needs its own")
    return out


def check_output(op: str, name: str, out: Any, like: Array, like_name: str) -> None:
    """Check one output, which must have the shape and type of an input."""
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{op}: {name} is {type(out).__name__}; it must be an array")
    out = np.asarray(out)  # as it is, whatever a subclass says
    if out.dtype.type is not like.dtype.type:
        raise TypeError(f"{op}: {name} has type {out.dtype}; it must have {like_name}'s, {like.dtype}")
    if out.shape != like.shape:
        raise ValueError(f"{op}: {name} has shape {out.shape}; it must have {like_name}'s, {like.shape}")
    if not out.flags.writeable:
        raise ValueError(f"{op}: {name} is read-only; it must be writeable")


def shaped_like(sums: Array, parameter: Array, out: Array | None) -> Array:
    """Return a parameter's gradients in its shape and type: in `out`, if there is one."""
    if sums.dtype.type is not parameter.dtype.type:
        sums = rounded(sums, parameter.dtype)
    if out is None:
        return sums.reshape(parameter.shape)
    np.asarray(out)[...] = sums.reshape(parameter.shape)
    return out


def like_x(operation: Operation, name: str, value: ArrayLike, x: Array) -> Array:
    """Return another input in the type of `x`; it must have the same shape."""
    op, of = operation.name, operation.inputs[-1]
    values = _cast(op, name, floats(op, name, value), x, of)
    check_shape(op, name, values, x, of)
    return values


def _channel(op: str, named: list[tuple[str, Any]], x: Array, axis: Any) -> Channel:
    channel = Channel([], [], ())
    for name, value in named:
        values = parameter(op, name, value, x)
        channel.given.append(values)
        channel.rows.append(row(_cast(op, name, values, x)))
    each = [varying_axes(op, name, values, x, axis) for (name, _), values in zip(named, channel.given, strict=True)]
    varying = tuple(sorted({axis for axes in each for axis in axes}))
    for i, axes in enumerate(each):
        if axes != varying:  # another parameter varies along more axes
            shape = [x.shape[axis] if axis in varying else 1 for axis in range(x.ndim)]
            broadcast = np.broadcast_to(along(channel.given[i], x, axis), shape)
            channel.rows[i] = row(_as_type(broadcast, channel.rows[i].dtype))  # in the machine's byte order
    return channel._replace(varying=varying)


def _cast(op: str, name: str, values: Array, x: Array, of: str = "x") -> Array:
    """Return `values` in the type of `x`, which the operation may call by another name, if that loses nothing."""
    dtype = np.dtype(x.dtype.type)
    if values.dtype == dtype:
        return values
    check_cast(op, name, values.dtype, dtype, of)
    return _as_type(values, dtype)


def check_cast(op: str, name: str, given: np.dtype[Any], dtype: np.dtype[Any], of: str = "x") -> None:
    """Check that the type of another argument casts to that of `of` and loses nothing."""
    if given.type is not dtype.type and given.itemsize == HALF:
        raise TypeError(f"{op}: {name} has type {given}, and {of} has {dtype}; 16 bits go with their own type only")
    if not np.can_cast(given, dtype, "safe"):
        raise TypeError(f"{op}: {name} has type {given}, which does not cast safely to {of}'s {dtype}")


@quiet  # this costs a microsecond, so only what changes its type pays for it
def _as_type(value: ArrayLike, dtype: np.dtype[Any] | type) -> Array:
    return np.asarray(value, dtype)
