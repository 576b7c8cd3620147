"""Figures from repeats, and whether these agree enough for the figure to be shown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

BOUND = 0.05  # a figure that the repeats do not settle to within so much of itself is not shown
FEWEST = 3  # repeats that say anything about their spread


def present(repeats: Sequence[float]) -> list[float]:
    """Leave out the rounds that were sat out, which are NaN."""
    return [repeat for repeat in repeats if not math.isnan(repeat)]


def middle(repeats: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(repeats)


def interval(repeats: Sequence[float], of: int = 1) -> tuple[float, float]:
    """Between what the median lies, with a confidence of 95 %; or, of so many medians, what all are between.

    That is the interval of the sign test, between two of the sorted repeats: of 9, the second and the eighth. It
    supposes nothing of how they are distributed, a few disturbed ones do no harm, and more of them help. Where one of
    many must not be wrong by chance, it is as much wider as Bonferroni says.
    """
    count = len(repeats)
    if count < FEWEST:
        return float("-inf"), float("inf")
    deviations = statistics.NormalDist().inv_cdf(1 - 0.025 / of)
    below = max(0, int((count - deviations * count**0.5) / 2))
    ascending = sorted(repeats)
    return ascending[below], ascending[count - 1 - below]


def doubt(repeats: Sequence[float]) -> float:
    """How far off the median may be, as a part of it: half the width of its interval."""
    low, high = interval(repeats)
    return (high - low) / 2 / abs(middle(repeats)) if high > low else 0.0


def steady(repeats: Sequence[float]) -> bool:
    """May the figure be shown?"""
    return doubt(repeats) <= BOUND
