"""Shiryaev and Roberts' recursion over several alternatives: what all evidence detectors share.

Under the null hypothesis each factor L_k has mean 1 or less, so `mean_k R_k - n` is a
supermartingale: the mean number of events to a false alarm at `mean_k R_k >= G` is at least G,
however often one looks. (Shin, Ramdas, Rinaldo: E-detectors, 2023.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

HOLD_AT: Final = 1e6
ROLLBACK_AT: Final = 1e9
"""Mean events between two false alarms of one detector."""

EVIDENCE_MAX: Final = 1e15
"""Evidence does not grow beyond this: far above any limit, and good events still wash it down."""


class Mixture:
    """R_k <- (1 + R_k) L_k for each alternative k. `value` is their mean, the evidence.

    `n` counts the events that the evidence rests on and `hits` those of them that speak for it:
    both begin anew whenever the evidence is down to `calm`.
    """

    __slots__ = ("_calm", "_r", "hits", "n")

    def __init__(self, start: Sequence[float], calm: float) -> None:
        self._r: list[float] = list(start)
        self._calm = calm
        self.n = 0
        self.hits = 0

    @property
    def value(self) -> float:
        """The evidence: without a regression it reaches G once in G events on average."""
        return sum(self._r) / len(self._r)

    def take(self, factors: Iterable[float], *, hit: bool) -> None:
        """Take one event, by the likelihood ratio of each alternative."""
        if not hit and self.value <= self._calm:
            self.n = self.hits = 0
        self.n += 1
        self.hits += hit
        self._r = [
            min((1.0 + r) * factor, EVIDENCE_MAX)
            for r, factor in zip(self._r, factors, strict=True)
        ]

    def kept(self) -> dict[str, Any]:
        """Give the state as JSON-able values."""
        return {"r": self._r, "n": self.n, "hits": self.hits}

    def restore(self, plain: dict[str, Any]) -> None:
        """Go on from what `kept` gave; raises KeyError, TypeError, ValueError, changing nothing."""
        found = [float(each) for each in plain["r"]]
        n, hits = plain["n"], plain["hits"]
        if len(found) != len(self._r):
            raise ValueError("evidence over other alternatives")
        if not all(math.isfinite(r) and 0.0 <= r <= EVIDENCE_MAX for r in found):
            raise ValueError("evidence out of its bounds")
        if type(n) is not int or type(hits) is not int or not 0 <= hits <= n:
            raise ValueError("counts that contradict one another")
        self._r, self.n, self.hits = found, n, hits
