"""T5's threshold: the latency from which on an answer is slow."""

from __future__ import annotations

from typing import Final

from proxy.rollout.window import SideWindow
from proxy.routing.rules import RollbackRules

SAMPLES_LEAST: Final = 1000
"""Answers of legacy from which on its p95 is known well enough to measure modern against."""

MOVED: Final = 0.05
"""By how much, in proportion, the threshold must move for anybody to be told."""


class SlowLimit:
    """`seconds` is frozen: it moves only when a window closes, from what legacy did in that window.

    The configured p95, unless the route says how many times slower than legacy modern may be.
    """

    __slots__ = ("_due", "_rules", "seconds")

    def __init__(self, rules: RollbackRules) -> None:
        self.seconds = rules.p95
        self._rules = rules
        self._due: float | None = None

    @property
    def is_measured(self) -> bool:
        """Whether it is for the controller to say, as the rules alone do not."""
        return self._rules.latency_tolerance is not None

    def look(self, legacy: SideWindow, now: float) -> None:
        """Take legacy's p95 when a window has just closed; `now` is monotonic seconds."""
        tolerance, window = self._rules.latency_tolerance, self._rules.window
        if tolerance is None or (self._due is not None and now < self._due):
            return
        first, self._due = self._due is None, now + window
        p95 = None if first or legacy.timed < SAMPLES_LEAST else legacy.latency(0.95)
        if p95 is not None and abs(p95 * tolerance - self.seconds) > MOVED * self.seconds:
            self.seconds = p95 * tolerance
