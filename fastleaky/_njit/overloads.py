"""The overloads of the public functions: what Numba is told of them, and what it may ask."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import overload
from numba.np.numpy_support import as_dtype

import fastleaky
from fastleaky import _api, _arguments
from fastleaky._backends import choice
from fastleaky._njit.generated import is_none
from fastleaky._operations import OPERATIONS, Operation

OPTIONS: Any = {"error_model": "numpy", "forceinline": True}  # a call that is not inlined takes 35 ns more
NUMBERS = (int, float, types.Integer, types.Float)  # a default, or a type


def publish() -> None:
    """Tell Numba of the operations."""
    for operation in OPERATIONS.values():
        overload(getattr(fastleaky, operation.name), OPTIONS, strict=False, target="cpu")(_typing(operation))


def _typing(operation: Operation) -> Callable[..., Any]:
    """Return what gives Numba an implementation for the types of arguments."""
    signature = inspect.signature(getattr(_api, operation.name))

    def typing(*args: Any, **options: Any) -> Any:
        bound = signature.bind(*args, **options)
        bound.apply_defaults()
        element = _check(operation, bound.arguments)
        from fastleaky._njit.implementation import implementation  # which takes as long to import as all the rest

        return implementation(operation, "c" if _is_c(as_dtype(element)) else "numba")

    typing.__signature__ = signature  # type: ignore[attr-defined]
    return typing


def _is_c(dtype: np.dtype[Any]) -> bool:
    """Is C chosen, also after its self-test?"""
    if choice.current().startswith("c:"):
        choice.backend(dtype)
    return choice.current().startswith("c:")


def _check(operation: Operation, given: dict[str, Any]) -> Any:
    """Check the types of the arguments, and return that of the elements."""
    op = operation.name
    absent = [name for name in (operation.more, *operation.optional) if name and is_none(given[name])]
    kinds = {name: kind.value if isinstance(kind, types.Omitted) else kind for name, kind in given.items()}
    kinds = {name: kind for name, kind in kinds.items() if name not in absent}
    _require(op, kinds, operation.inputs, (types.Array,), "an array")
    _require(op, kinds, (operation.more,), (types.Array,), "an array, or None")
    _require(op, kinds, operation.channel, (types.Array, *NUMBERS), "an array or a real number")
    _require(op, kinds, operation.numbers, NUMBERS, "a real number")
    _require(op, kinds, ("axis",), (int, types.Integer), "an integer")
    if kinds["out"] not in (None, types.none):
        raise TypingError(f"{op}: compiled code takes no out; assign the result, as in out[:] = fastleaky.{op}(...)")
    *examples, more = (
        _example(kinds[name]) if name in kinds else None for name in (*operation.positional, operation.more)
    )
    try:
        with contextlib.suppress(ValueError):  # shapes are compared when it is called
            _arguments.parse(operation, tuple(examples), 0, more)
    except TypeError as error:
        raise TypingError(str(error)) from None
    for name, kind in kinds.items():
        if types.float16 in (kind, getattr(kind, "dtype", None)):
            raise TypingError(
                f"{op}: {name} has type float16, for which Numba compiles nothing on CPUs; call it outside"
            )
    return kinds[operation.inputs[-1]].dtype


def _require(op: str, kinds: dict[str, Any], names: tuple[str, ...], allowed: tuple[type, ...], rule: str) -> None:
    for name in names:
        if name in kinds and not isinstance(kinds[name], allowed):
            raise TypingError(f"{op}: {name} is {kinds[name]}; it must be {rule}")


def _example(kind: Any) -> Any:
    """Return an argument of a type."""
    return np.zeros((1,) * kind.ndim, as_dtype(kind.dtype)) if isinstance(kind, types.Array) else 1.0
