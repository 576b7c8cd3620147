"""Figures from repeats, and whether these agree enough for the figure to be shown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

BOUND = 0.10  # a figure whose repeats spread more is not shown
FEWEST = 3  # repeats that say anything about their spread


def middle(repeats: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(repeats)


def spread(repeats: Sequence[float]) -> float:
    """How far apart the middle half of the repeats lies, as a part of their median."""
    if len(repeats) < FEWEST:
        return float("inf")
    low, median, high = statistics.quantiles(repeats, n=4, method="inclusive")
    return (high - low) / abs(median) if median else float("inf")


def steady(repeats: Sequence[float]) -> bool:
    """May the figure be shown?"""
    return spread(repeats) <= BOUND
