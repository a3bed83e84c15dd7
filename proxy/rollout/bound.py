"""What a sample proves about a rate: exact bounds for a binomial share (Clopper and Pearson, 1934).

With no hits in n the bound at 95% is `1 - 0.05 ** (1 / n)`, a little below 3 / n: the rule of
three. Exact, because a gate decides where hits are few, and there approximations are too kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

DOUBT: Final = 0.05
"""Bounds hold with a confidence of 1 - DOUBT, one-sided."""

_Z95: Final = 1.6449
"""One-sided 95% point of the normal distribution."""

ENOUGH_MAX: Final = 10**9
"""No gate asks for more than this many events; what needs more is not to be proved."""


def chance_of_at_most(hits: int, n: int, rate: float) -> float:
    """Give P(X <= hits) for X of a binomial distribution over n trials with this rate.

    Sums the terms on the far side of `hits` from the middle, where they fall off quickly: few are
    needed, and what is too small for a float is truly nothing.
    """
    if hits >= n or rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 0.0
    odds = rate / (1.0 - rate)
    if hits > n * rate:
        above = _sum(
            _term(hits + 1, n, rate), range(hits + 1, n), lambda k: (n - k) / (k + 1) * odds
        )
        return max(0.0, 1.0 - above)
    below = _sum(_term(hits, n, rate), range(hits, 0, -1), lambda k: k / (n - k + 1) / odds)
    return min(1.0, below)


def _term(k: int, n: int, rate: float) -> float:
    """P(X = k)."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(rate) + (n - k) * math.log1p(-rate))


def _sum(term: float, ks: Iterable[int], ratio: Callable[[int], float]) -> float:
    """Add up terms, each the one before times a ratio below 1, until they matter no more."""
    total = term
    for k in ks:
        term *= ratio(k)
        total += term
        if term <= total * 1e-16:
            break
    return total


def upper_bound(hits: int, n: int) -> float:
    """Bound that a rate does not exceed, at 95%, after `hits` in `n`; 1 without data."""
    if hits >= n:
        return 1.0
    if hits == 0:
        return -math.expm1(math.log(DOUBT) / n)
    low, high = hits / n, 1.0
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        if chance_of_at_most(hits, n, middle) > DOUBT:
            low = middle
        else:
            high = middle
    return high


def score_bound(hits: int, n: int) -> float:
    """Bound as `upper_bound` does, by Wilson's score: in a microsecond, and a little too low.

    For who asks at every batch and wants to know about how large a rate may be; never for a gate.
    """
    if n == 0:
        return 1.0
    share, z2 = hits / n, _Z95 * _Z95
    centre = share + z2 / (2 * n)
    margin = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return min(1.0, (centre + margin) / (1 + z2 / n))


@lru_cache(maxsize=4096)
def enough(hits: int, limit: float) -> int:
    """Least number of events, so many hits among them, that prove a rate of at most `limit`.

    This is where `upper_bound(hits, n) <= limit` begins. `ENOUGH_MAX` when nothing reasonable does;
    with a limit of 100%, one event: something must have been measured.
    """
    if limit >= 1.0:
        return max(hits, 1)
    if limit <= 0.0:
        return ENOUGH_MAX
    low, high = hits, max(2 * hits, 1)
    while chance_of_at_most(hits, high, limit) > DOUBT:
        low, high = high, 2 * high
        if high >= ENOUGH_MAX:
            return ENOUGH_MAX
    while high - low > 1:
        middle = (low + high) // 2
        if chance_of_at_most(hits, middle, limit) > DOUBT:
            low = middle
        else:
            high = middle
    return high
