"""What rounds of measurements say: paired ratios, percentiles, and a slope with its doubt."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Give the median of the quotients of paired rounds.

    Both of a pair ran one after the other, so a mood of the machine that lasts longer than a round
    cancels out, which it would not in a quotient of two medians.
    """
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Give the median of the differences of paired rounds."""
    return statistics.median(a - b for a, b in zip(ours, theirs, strict=True))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest value that `share` of the values do not exceed (nearest rank)."""
    if not ordered:
        raise ValueError("no values, no percentile")
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


@dataclass(frozen=True, slots=True)
class Slope:
    """The trend of a series: y per x, and between which bounds it lies with 95% confidence."""

    middle: float
    low: float
    high: float


def slope(xs: Sequence[float], ys: Sequence[float]) -> Slope:
    """Give the slope of Theil and Sen with Sen's interval (JASA 63, 1968).

    It is the median of the slopes between all pairs of points. Nearly a third of the points may be
    arbitrarily wrong without moving it, so that a single garbage collection does not count as
    growth, nor hide it. Ties in y widen nothing here: the interval is that of a series without.
    """
    between = sorted(
        (ys[j] - ys[i]) / (xs[j] - xs[i])
        for i in range(len(xs))
        for j in range(i + 1, len(xs))
        if xs[j] != xs[i]
    )
    if not between:
        raise ValueError("a slope needs two points with different x")
    n, count = len(xs), len(between)
    doubt = 1.96 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(round((count - doubt) / 2) - 1, 0)
    high = min(round((count + doubt) / 2), count - 1)
    return Slope(statistics.median(between), between[low], between[high])
