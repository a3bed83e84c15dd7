"""401, 403, 419 and 422 right after a step: users whose session did not come along.

Such an answer is no failure of an upstream, and how many there are differs from route to route; so
what is asked is whether there are more on modern after a step than there were before it.
"""

from __future__ import annotations

from typing import Any, Final

from proxy.rollout.bound import score_bound
from proxy.rollout.evidence import AbsoluteEvidence

ARMED_SECONDS: Final = 600.0
"""How long after a step a jump is put down to it."""

BEFORE_LEAST: Final = 100
"""Requests from which on it is known how many were denied before."""


class JumpEvidence:
    """What is denied after a step of the weight, against what was denied before it.

    `answered` is always the number of requests of the route that either side answered since the
    controller began; times are monotonic seconds.
    """

    __slots__ = ("_before", "_mark", "_until", "legacy", "modern")

    def __init__(self) -> None:
        self._begin(0)

    def _begin(self, answered: int) -> None:
        self._before = 0
        self._mark = answered
        self._until: float | None = None
        self.modern: AbsoluteEvidence | None = None
        self.legacy: AbsoluteEvidence | None = None

    @property
    def is_armed(self) -> bool:
        """Whether a step was taken lately."""
        return self._until is not None

    def step(self, answered: int, now: float) -> None:
        """Note that the weight has been raised."""
        if self._until is None:
            self._learn(answered)
        self._until = now + ARMED_SECONDS

    def add(self, *, by_modern: bool, good: int, denied: int, answered: int, now: float) -> None:
        """Take so many answers, of which `denied` were refused to distinct identities."""
        if self._until is not None and now >= self._until:
            self._begin(answered)  # what comes now is what was before the next step
        evidence = self.modern if by_modern else self.legacy
        if evidence is not None:
            evidence.add(good, denied)
        elif self._until is None or not by_modern:
            self._before += denied
            if self._until is not None:
                self._learn(answered)

    def _learn(self, answered: int) -> None:
        """Fix what was usual, as soon as it is known."""
        seen = answered - self._mark
        if seen < BEFORE_LEAST or self.modern is not None:
            return
        tolerated = score_bound(min(self._before, seen), seen)
        self.modern, self.legacy = AbsoluteEvidence(tolerated), AbsoluteEvidence(tolerated)

    def kept(self) -> dict[str, Any] | None:
        """Give the state as JSON-able values, or None when nothing speaks for a jump."""
        return None if self.modern is None or self.modern.at_rest else self.modern.kept()

    def restore(self, plain: dict[str, Any], now: float) -> None:
        """Go on from what `kept` gave; raises KeyError, TypeError or ValueError."""
        modern = AbsoluteEvidence(0.0)
        modern.restore(plain)
        self.modern, self.legacy = modern, AbsoluteEvidence(modern.tolerated)
        self._until = now + ARMED_SECONDS
