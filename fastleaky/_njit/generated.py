"""Functions of compiled code whose implementation depends on the types of their arguments."""

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.extending import overload


def generated(choose: Callable[..., Callable[..., Any]]) -> Callable[..., Any]:
    """Make such a function from one that is given the types, and returns the implementation for them."""

    def function(*_: Any) -> Any:
        """Only Numba calls it."""

    overload(function, strict=False)(choose)  # strict would have both signatures alike, to their annotations
    return function


def is_none(kind: Any) -> bool:
    """Is an argument of this type None, given or by default?"""
    return kind in (None, types.none) or (isinstance(kind, types.Omitted) and kind.value is None)
