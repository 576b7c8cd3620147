"""Threads stay on their processors: one that moves, or two on one processor, spoil a comparison."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

CAN_PIN = hasattr(os, "sched_setaffinity")
TASKS = Path("/proc/self/task")


def cpus() -> list[int]:
    """Processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if CAN_PIN else list(range(os.cpu_count() or 1))


def confine(threads: int) -> list[int]:
    """Keep this process to as many processors as threads; the last ones, since the first has the interrupts.

    A framework that is imported afterwards starts as many threads.
    """
    chosen = cpus()[-threads:]
    if CAN_PIN:
        os.sched_setaffinity(0, chosen)
    return chosen


def release(chosen: list[int]) -> None:
    """Let all threads of this process use all of the chosen processors again; a new one inherits that."""
    for thread in busy():
        _place(thread, chosen)


def busy() -> dict[int, int]:
    """Nanoseconds that each thread of this process has run so far; nothing where the system does not tell."""
    if not CAN_PIN:
        return {}
    try:
        return {int(task.name): int((task / "schedstat").read_text().split()[0]) for task in TASKS.iterdir()}
    except OSError:
        return {}


def settle(chosen: list[int], before: dict[int, int]) -> None:
    """Give each of the threads that have worked most since `before` a processor of its own."""
    worked = {thread: time - before.get(thread, 0) for thread, time in busy().items()}
    for thread, cpu in zip(sorted(worked, key=worked.__getitem__, reverse=True), chosen, strict=False):
        _place(thread, [cpu])


def _place(thread: int, chosen: list[int]) -> None:
    with contextlib.suppress(OSError):  # the thread has ended
        os.sched_setaffinity(thread, chosen)
