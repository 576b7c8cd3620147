"""The choice of a backend: at import, by name, and again if one turns out to be broken."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from fastleaky import _native
from fastleaky._typing import Kernels
from fastleaky.reference import HALF


class BackendError(ImportError, ValueError):
    """No backend of the wanted name can be used here."""


_usable: dict[str, Callable[[], Any]] = {}  # best first; what makes each one ready
_unusable: dict[str, str] = {}  # why not
_wanted: str | None = None  # None: the best
_proven: dict[tuple[str, str], Kernels] = {}  # by name and element type: kernels that have shown a known answer
_ready: dict[str, Kernels] = {}  # by element type: those of the chosen backend


def _find() -> None:
    try:
        for name, isa in _native.instruction_sets().items():
            if isa is None:
                _unusable[f"c:{name}"] = "this processor, or its operating system, does not have it"
            else:
                _usable[f"c:{name}"] = functools.partial(_native.Kernels, isa)
    except ImportError as error:
        _unusable["c"] = str(error)
        if isinstance(error, _native.SourceFolderError):  # nobody may think that the C kernels are used here
            warnings.warn(f"fastleaky: the C kernels are not used: {error}", RuntimeWarning, stacklevel=2)
    try:
        numba_is_there = importlib.util.find_spec("numba") is not None
    except ValueError:  # sys.modules["numba"] was set to None
        numba_is_there = False
    if numba_is_there:
        _usable["numba"] = functools.partial(importlib.import_module, "fastleaky._numba")
    else:
        _unusable["numba"] = "Numba is not installed"
    _usable["numpy"] = functools.partial(importlib.import_module, "fastleaky._numpy")


def _candidates(wanted: str | None) -> list[str]:
    """Return the usable names that `wanted` stands for, best first."""
    return [name for name in _usable if wanted is None or name == wanted or name.startswith(f"{wanted}:")]


def _demand(wanted: str | None) -> str:
    """Return the first usable name that `wanted` stands for, or say what there is."""
    names = _candidates(wanted)
    if not names:
        reasons = "".join(f"; {name} is not: {why}" for name, why in _unusable.items())
        raise BackendError(f"no usable backend {wanted!r}; usable here: {', '.join(_usable)}{reasons}")
    return names[0]


def backends() -> list[str]:
    """Return the names of the backends that can be used here, best first."""
    return list(_usable)


def unusable() -> dict[str, str]:
    """Return the backends that cannot be used here, each with the reason."""
    return dict(_unusable)


def current() -> str:
    """Return the name of the chosen backend."""
    return _demand(_wanted)


def is_forced() -> bool:
    """Was a backend asked for by name?"""
    return _wanted is not None


class use:  # noqa: N801 - called like a function, and a context manager only if one wants it
    """Switch to a backend, for all threads; as a context manager, switch back at the end.

    Parameters
    ----------
    name : str
        One of :func:`backends`, or "c" for its best instruction set.

    Raises
    ------
    BackendError
        (a ValueError) If there is none of that name here; it lists those that are, and says why the others are not.

    Examples
    --------
    >>> import fastleaky
    >>> with fastleaky.use("numpy"):
    ...     fastleaky.leaky_relu([-1.0])
    array([-0.01])
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"use: name is {name!r}; it must be a string such as {current()!r}")
        _demand(name)
        self._name, self._before = name, _wanted
        _switch(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _switch(self._before)

    def __repr__(self) -> str:
        return f"use({self._name!r})"


def _switch(wanted: str | None) -> None:
    global _wanted
    _wanted = wanted
    _ready.clear()
    for char in _native.TYPES:
        _native.choose(None, char)  # until _prepare has seen it work


def kernels(dtype: np.dtype[Any]) -> Kernels:
    """Return the chosen backend's kernels for an element type."""
    ready = _ready.get(dtype.char)
    return ready if ready is not None else _prepare(dtype)


def _load(name: str, dtype: np.dtype[Any]) -> Kernels:
    loaded: Kernels = _usable[name]()
    if dtype.itemsize != HALF or isinstance(loaded, _native.Kernels):
        return loaded
    from fastleaky._widened import Widened

    return Widened(loaded)


def _prepare(dtype: np.dtype[Any]) -> Kernels:
    """Load the chosen backend and see it give a known answer; drop it if it cannot, and take the next."""
    from fastleaky._check import known_answer

    while True:
        name = _demand(_wanted)
        try:
            if (name, dtype.char) not in _proven:
                loaded = _load(name, dtype)
                known_answer(loaded, dtype)
                _proven[name, dtype.char] = loaded
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, there is another backend
            _usable.pop(name, None)  # another thread may have found the same
            _unusable[name] = str(error)
            try:
                following = f"{_demand(_wanted)} is used instead"
            except BackendError:
                following = "there is none left to use instead"
            warnings.warn(f"fastleaky: backend {name} was dropped: {error}; {following}", RuntimeWarning, stacklevel=4)
        else:
            _ready[dtype.char] = _proven[name, dtype.char]
            _native.choose(_ready[dtype.char], dtype.char, np.dtype(dtype.type))  # the one of nearly all arrays
            return _ready[dtype.char]


def _choose_at_import() -> None:
    _find()
    if name := os.environ.get("FASTLEAKY_BACKEND"):
        try:
            use(name)
        except BackendError as error:
            raise BackendError(f"FASTLEAKY_BACKEND: {error}") from None


_choose_at_import()
