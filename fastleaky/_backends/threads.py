"""The number of threads that a call may use, for all backends."""

import math
import os
import re
from collections.abc import Callable

_threads = 0
_listeners: list[Callable[[int], object]] = []
_MOST = 1 << 16  # a larger number might not fit a C int


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
    """Call `listener` with the number, now and at each change."""
    _listeners.append(listener)
    listener(min(_threads, _MOST))


def get_num_threads() -> int:
    """Return how many threads one call may use.

    That is what :func:`set_num_threads` said last, else ``FASTLEAKY_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the
    processors that this process may run on, or the share of them that its control group grants.
    """
    return _threads


def at_start() -> int:
    """Return the default: see :func:`get_num_threads`."""
    if given := os.environ.get("FASTLEAKY_NUM_THREADS", "").strip():
        if not _is_count(given):
            raise ValueError(
                f"FASTLEAKY_NUM_THREADS is {given!r}; it must be an integer of at least 1, in at most nine digits"
            )
        return int(given)
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # the others are for nested parallelism
    if _is_count(first):
        return int(first)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(processors, quota("/proc/self/cgroup", "/sys/fs/cgroup"))))


def _is_count(text: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", text) is not None and int(text) >= 1


def quota(own: str, mounted: str) -> float:
    """Return the number of processors that the control groups of this process grant (Linux), else infinity."""
    least = math.inf
    try:
        with open(own) as lines:
            for line in lines:
                _, controllers, path = line.rstrip("\n").split(":", 2)
                if controllers == "":
                    folder, files = mounted, ["cpu.max"]
                elif "cpu" in controllers.split(","):
                    folder, files = f"{mounted}/cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
                else:
                    continue
                while True:  # the parents of a group bound it too; in a container its own path may be invisible
                    least = min(least, _granted(f"{folder}{path}", files))
                    if path in ("", "/"):
                        break
                    path = path.rpartition("/")[0]
    except (OSError, ValueError):
        pass
    return least


def _granted(group: str, files: list[str]) -> float:
    try:
        words: list[str] = []
        for name in files:
            with open(f"{group}/{name}") as file:
                words += file.read().split()
        quota, period = map(float, words)
    except (OSError, ValueError):  # no such group, or "max"
        return math.inf
    return quota / period if quota > 0 else math.inf


_threads = at_start()
