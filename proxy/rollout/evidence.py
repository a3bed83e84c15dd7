"""T1, absolute: sequential evidence that something happens more often than is tolerated."""

from __future__ import annotations

from typing import Any, Final

from proxy.rollout.mixture import Mixture

TOLERATED_LEAST: Final = 0.005
TOLERATED_MOST: Final = 0.9
"""p0 is never below the first: nobody's upstream is better, and a smaller one would alarm on noise.
Above the second nothing could be proved."""

AT_REST: Final = 1e-9
"""How near, in proportion, the evidence is to where good events alone bring it, to stay there."""


class AbsoluteEvidence(Mixture):
    """A mixture over alternatives p_k in {3 p0, 10 p0, 0.5, 0.95} that lie between p0 and 1.

    It begins at rest, where a long row of good events would have brought it.
    """

    __slots__ = ("_bad", "_good", "_rest", "at_rest", "tolerated")

    def __init__(self, tolerated: float) -> None:
        self.at_rest = True
        self._use(tolerated)
        super().__init__(self._rest, calm=self._calm_level())

    def tolerate(self, tolerated: float) -> None:
        """Go on against another tolerated rate.

        The evidence so far is shared out evenly among the new alternatives: which ones they are was
        known before the events that are to come, so what it promises still holds.
        """
        if _bounded(tolerated) == self.tolerated:
            return
        value = self.value
        self._use(tolerated)
        self._calm = self._calm_level()
        self._r = list(self._rest) if self.at_rest else [value] * len(self._rest)

    def add(self, good: int, bad: int) -> None:
        """Take so many good events, and as many bad ones spread evenly among them.

        A single bad one comes last: a worker tells of it at once. Of several, nobody knows how they
        lay among the good ones; to take them one after another would make a row of failures out of
        any large batch, and a false alarm out of the row.
        """
        for left in range(bad, 0, -1):
            part = good // left
            good -= part
            self._take_good(part)
            self.at_rest = False
            self.take(self._bad, hit=True)
        self._take_good(good)

    def _take_good(self, good: int) -> None:
        if good and not self.at_rest:
            self.n += good
            self._wash_down(good)
        if self.at_rest or self.value <= self._calm:
            self.n = self.hits = 0

    def kept(self) -> dict[str, Any]:
        """Give the state as JSON-able values."""
        return {**super().kept(), "tolerated": self.tolerated}

    def restore(self, plain: dict[str, Any]) -> None:
        """Go on from what `kept` gave; raises KeyError, TypeError or ValueError."""
        tolerated = float(plain["tolerated"])
        if _bounded(tolerated) != tolerated:
            raise ValueError("a tolerated rate out of its bounds")
        again = AbsoluteEvidence(tolerated)
        Mixture.restore(again, plain)
        self.tolerate(tolerated)
        Mixture.restore(self, plain)
        self.at_rest = False

    def _use(self, tolerated: float) -> None:
        self.tolerated = p0 = _bounded(tolerated)
        alternatives = sorted({p for p in (3 * p0, 10 * p0, 0.5, 0.95) if p0 < p < 1.0})
        self._bad = [p / p0 for p in alternatives]
        self._good = [(1 - p) / (1 - p0) for p in alternatives]
        # Good events alone bring R_k to L / (1 - L).
        self._rest = [f / (1 - f) for f in self._good]

    def _calm_level(self) -> float:
        """Up to twice of what good events alone come to, nothing is going on."""
        return 2 * sum(self._rest) / len(self._rest)

    def _wash_down(self, good: int) -> None:
        """R <- (1 + R) L, so many times: a geometric series, because L < 1 stays the same."""
        for k, (factor, rest) in enumerate(zip(self._good, self._rest, strict=True)):
            power = factor**good
            self._r[k] = power * self._r[k] + rest * (1 - power)
        # Most routes are there for ever, and their controller need not reckon any further.
        self.at_rest = all(
            abs(r - rest) <= AT_REST * rest for r, rest in zip(self._r, self._rest, strict=True)
        )


def _bounded(tolerated: float) -> float:
    return min(max(tolerated, TOLERATED_LEAST), TOLERATED_MOST)
