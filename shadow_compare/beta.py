"""The Beta distribution: what is known of a rate from how often something happened.

With Jeffreys' prior the rate of something that happened `k` times of `n` is Beta(k + 1/2,
n - k + 1/2) (Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", 2001).
Counts may be fractions: memories fade.
"""

from __future__ import annotations

import math
from typing import Final

_PRIOR: Final = 0.5
_TINY: Final = 1e-300
_EXACT: Final = 1e-12
_STEPS: Final = 300
_HALVINGS: Final = 50


def at_most(rate: float, happened: float, tried: float) -> float:
    """Give the probability that the rate is at most this one."""
    return _cumulative(rate, happened + _PRIOR, tried - happened + _PRIOR)


def bound(probability: float, happened: float, tried: float) -> float:
    """Give the rate that is not exceeded with this probability."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if at_most(middle, happened, tried) < probability:
            low = middle
        else:
            high = middle
        if high - low < 1e-9:
            break
    return (low + high) / 2


def interval(happened: float, tried: float, level: float = 0.95) -> tuple[float, float]:
    """Give the bounds between which the rate lies with this probability.

    What never happened may have rate 0, and what always did rate 1.
    """
    tail = (1.0 - level) / 2
    low = 0.0 if happened <= 0 else bound(tail, happened, tried)
    high = 1.0 if happened >= tried else bound(1.0 - tail, happened, tried)
    return low, high


def _cumulative(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b) (DLMF 8.17)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    # DLMF 8.17.4: the fraction converges quickly on this side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _cumulative(1.0 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return math.exp(log_front) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Continued fraction of DLMF 8.17.22, by the modified method of Lentz."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, _STEPS):
        m = step // 2
        if step % 2:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + numerator * d)
        c = _not_zero(1.0 + numerator / c)
        value *= c * d
        if abs(c * d - 1.0) < _EXACT:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
