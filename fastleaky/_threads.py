"""How many threads a call may use: an upper bound that every backend reads here."""

import os
from collections.abc import Callable

_threads = 0
_listeners: list[Callable[[int], object]] = []
_MOST = 1 << 16  # what is more cannot be meant, and might not fit a C int


def set_num_threads(n: int) -> None:
    """Let one call use at most ``n`` threads. The results do not depend on it.

    C and Numba are threaded, and use threads where the arrays are large enough for that to pay.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If ``n`` is not an integer, or less than 1.
    """
    global _threads
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"set_num_threads: n is {n!r}; it must be an integer of at least 1")
    if n.__index__() < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; it must be at least 1")
    _threads = n.__index__()
    for listener in _listeners:
        listener(min(_threads, _MOST))


def tell(listener: Callable[[int], object]) -> None:
    """Tell a library that keeps the number itself, now and whenever it changes."""
    _listeners.append(listener)
    listener(min(_threads, _MOST))


def get_num_threads() -> int:
    """Return how many threads one call may use.

    That is what :func:`set_num_threads` said last, else ``FASTLEAKY_NUM_THREADS``, else the processors that this
    process may run on.
    """
    return _threads


def _at_start() -> int:
    given = os.environ.get("FASTLEAKY_NUM_THREADS", "").strip()
    if given:
        if not given.isascii() or not given.isdigit() or int(given) < 1:
            raise ValueError(f"FASTLEAKY_NUM_THREADS is {given!r}; it must be an integer of at least 1")
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_threads = _at_start()
