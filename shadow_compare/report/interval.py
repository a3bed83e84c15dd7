"""How sure a rate is (pure)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

Z: Final = 1.959964
"""Of the normal distribution: 95% lie within so many standard deviations."""


class Rate(NamedTuple):
    """A share of a number of trials, and where it lies with 95% certainty; all fractions."""

    value: float
    low: float
    high: float


def rate_of(hits: int, trials: int) -> Rate | None:
    """Give a rate with its Wilson score interval, or None without trials.

    E. B. Wilson, "Probable inference", JASA 22 (1927): unlike value ± error it stays within 0 and
    1, and says something at 0 of n. Hits beyond the trials count as all of them.
    """
    if trials <= 0:
        return None
    share = min(1.0, hits / trials)
    spread = Z * Z / trials
    middle = (share + spread / 2) / (1 + spread)
    reach = Z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return Rate(share, max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach)))
