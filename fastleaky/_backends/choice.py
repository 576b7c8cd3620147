"""The choice of a backend: at import, by name, and again if one is broken."""

from __future__ import annotations

import errno
import functools
import importlib
import importlib.util
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from fastleaky._backends import native
from fastleaky._dtypes import name_in_c
from fastleaky._operations import TYPES
from fastleaky._typing import Backend, WrongAnswerError
from fastleaky.reference import HALF


class BackendError(ImportError, ValueError):
    """No backend of that name can be used here."""


class Choice(NamedTuple):
    """The backends, and which of them is wanted.

    The whole object is replaced on a change, so a call ends with the choice with which it began. Only `ready` grows.
    """

    usable: dict[str, Callable[[], Any]]  # best first, with their loaders
    unusable: dict[str, str]  # why not
    ready: dict[np.dtype[Any], Backend]  # the wanted one, after its self-test
    wanted: str | None = None  # None: the best

    def demand(self, wanted: str | None) -> str:
        """Return the best usable backend that `wanted` names; the error lists those that are."""
        for name in self.usable:
            if wanted is None or name == wanted or name.startswith(f"{wanted}:"):
                return name
        reasons = "".join(f"; {name} is not: {why}" for name, why in self.unusable.items())
        raise BackendError(f"no usable backend {wanted!r}; usable here: {', '.join(self.usable)}{reasons}")

    def in_c(self) -> Any:
        """Return the wanted backend if it is one of C, else the best one of C, or None; for code that needs C."""
        names = [name for name in self.usable if name.startswith("c:")]
        return self.usable[self.wanted if self.wanted in names else names[0]]() if names else None

    def without(self, name: str, why: str) -> Choice:
        """Return this choice without a backend."""
        usable = {other: make for other, make in self.usable.items() if other != name}
        return self._replace(usable=usable, unusable={**self.unusable, name: why}, ready={})


_choice = Choice({}, {}, {})
_changing = threading.RLock()  # held while the choice is replaced, never during a computation or an import
_proven: dict[tuple[str, str], Backend] = {}  # by name and element type, after their self-test

if hasattr(os, "register_at_fork"):  # a thread that holds it does not exist in a forked child
    os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_changing.release)


def _change(change: Callable[[Choice], Choice]) -> Choice:
    """Replace the choice, and return the former. There is no fast path until _prepare has tested the new one."""
    global _choice
    with _changing:
        before, _choice = _choice, change(_choice)
        native.choose(_choice.in_c())
        for name in TYPES:
            native.set_backend(None, name)
    return before


def _find() -> Choice:
    usable: dict[str, Callable[[], Any]] = {}
    unusable: dict[str, str] = {}
    try:
        for name, isa in native.instruction_sets().items():
            if isa is None:
                unusable[f"c:{name}"] = "this processor, or its operating system, does not have it"
            else:
                usable[f"c:{name}"] = functools.partial(native.Native, isa)
    except ImportError as error:
        unusable["c"] = str(error)
        if isinstance(error, native.SourceFolderError):  # the user believes that C is used
            warnings.warn(f"fastleaky: the C kernels are not used: {error}", RuntimeWarning, stacklevel=2)
    try:
        numba_is_there = importlib.util.find_spec("numba") is not None
    except ValueError:  # sys.modules["numba"] was set to None
        numba_is_there = False
    if numba_is_there:
        usable["numba"] = functools.partial(importlib.import_module, "fastleaky._backends.numba_backend")
    else:
        unusable["numba"] = "Numba is not installed"
    usable["numpy"] = functools.partial(importlib.import_module, "fastleaky._backends.numpy_backend")
    return Choice(usable, unusable, {})


def backends() -> list[str]:
    """Return the names of the backends that can be used here, best first."""
    return list(_choice.usable)


def unusable() -> dict[str, str]:
    """Return the backends that cannot be used here, each with the reason."""
    return dict(_choice.unusable)


def current() -> str:
    """Return the name of the chosen backend."""
    choice = _choice
    return choice.demand(choice.wanted)


def is_forced() -> bool:
    """Was a backend requested by name?"""
    return _choice.wanted is not None


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
        _choice.demand(name)
        self._name, self._before = name, _want(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _want(self._before)

    def __repr__(self) -> str:
        return f"use({self._name!r})"


def _want(name: str | None) -> str | None:
    """Switch to a backend by name, and return the name that was wanted before."""
    return _change(lambda choice: choice._replace(wanted=name, ready={})).wanted


def backend(dtype: np.dtype[Any]) -> Backend:
    """Return the chosen backend, ready for an element type."""
    return ready(dtype) or _prepare(dtype)


def ready(dtype: np.dtype[Any]) -> Backend | None:
    """Return the chosen backend if it is ready for an element type, in the processor's byte order."""
    return _choice.ready.get(dtype)


def _load(make: Callable[[], Any], dtype: np.dtype[Any]) -> Backend:
    loaded: Backend = make()
    if dtype.itemsize != HALF or isinstance(loaded, native.Native):
        return loaded
    from fastleaky._backends.half import Half

    return Half(loaded)


_PASSING = (MemoryError, RecursionError, FloatingPointError, Warning)
_PASSING_ERRNOS = (errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def _is_passing(error: BaseException | None, handled: BaseException | None) -> bool:
    """Is the cause of an error a temporary state of the process? The error being `handled` is not part of it."""
    if isinstance(error, WrongAnswerError):
        return False
    while error is not None and error is not handled:
        if isinstance(error, _PASSING) or (isinstance(error, OSError) and error.errno in _PASSING_ERRNOS):
            return True
        error = error.__cause__ or error.__context__
    return False


FRAMES = 300  # Numba's import and its compilation take 250


def _require_frames(frames: int) -> None:
    """Raise a RecursionError here rather than in modules in C and Cython, which turn it into other errors."""
    if frames:
        _require_frames(frames - 1)


def _prepare(dtype: np.dtype[Any]) -> Backend:
    """Test the chosen backend for an element type; if it is broken, drop it and take the next."""
    from fastleaky._backends.selftest import known_answers, see_known_answers

    handled, type_ = sys.exception(), name_in_c(dtype)
    while True:
        choice = _choice
        name = choice.demand(choice.wanted)
        if (name, type_) not in _proven:
            _require_frames(FRAMES)
            known = known_answers(np.dtype(dtype.type))
            try:
                loaded = _load(choice.usable[name], dtype)
                see_known_answers(loaded, known)
            except Exception as error:
                if _is_passing(error, handled):
                    raise
                _drop(name, str(error))
                continue
            _proven[name, type_] = loaded
        with _changing:
            if choice is _choice:  # else it was replaced meanwhile, and only this call uses the former one
                choice.ready[np.dtype(dtype.type)] = _proven[name, type_]
                native.set_backend(_proven[name, type_], type_, np.dtype(dtype.type))  # which nearly all arrays share
        return _proven[name, type_]


def _drop(name: str, why: str) -> None:
    before = _change(lambda choice: choice.without(name, why) if name in choice.usable else choice)
    if name not in before.usable:  # another thread was faster
        return
    try:
        following = f"{current()} is used instead"
    except BackendError:
        following = "there is none left to use instead"
    warnings.warn(f"fastleaky: backend {name} was dropped: {why}; {following}", RuntimeWarning, stacklevel=6)


def _choose_at_import() -> None:
    found = _find()
    _change(lambda _: found)
    if name := os.environ.get("FASTLEAKY_BACKEND"):
        try:
            use(name)
        except BackendError as error:
            raise BackendError(f"FASTLEAKY_BACKEND: {error}") from None


_choose_at_import()
