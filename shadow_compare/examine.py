"""From a capture to a comparison: ask the other side, compare, and look again when they differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from shadow_compare.allowance import Allowance
from shadow_compare.capture import Capture
from shadow_compare.compare import compare
from shadow_compare.config import LEGACY, ShadowConfig, ShadowSettings
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.rules import CompareRules
from shadow_compare.sides import Sides, other
from shadow_compare.verdict import Comparison, Verdict

_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of one capture; `latency` is the candidate's, in seconds."""

    comparison: Comparison
    candidate: Answer
    latency: float


class Examiner:
    """Examines captures, each by the configuration it is given with."""

    def __init__(
        self,
        settings: ShadowSettings,
        sides: Sides,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._sides = sides
        self._wall = wall
        # So that a broken side is not asked three times for each request.
        self._repeats = Allowance(settings.repeats_per_second, monotonic)

    async def examine(self, capture: Capture, config: ShadowConfig) -> Examined:
        """Examine a read, whose primary's answer is as the client got it.

        Raises NotComparableError when the other side gives no answer.
        """
        candidate, latency = await self._sides.ask(other(capture.primary), capture, config)
        examined = self.judge(capture, candidate, latency, config)
        # A server error is never the fault of two readers meeting a writer.
        differs = examined.comparison.verdict is Verdict.MISMATCH
        may_heal = differs and candidate.status < _SERVER_ERROR
        if may_heal and self._repeats.take() and await self._heals(capture, config):
            examined = replace(examined, comparison=examined.comparison.as_race())
        return examined

    def judge(
        self, capture: Capture, candidate: Answer, latency: float, config: ShadowConfig
    ) -> Examined:
        """Compare an answer of the other side with what the capture holds, and ask nobody."""
        primary = Answer(capture.status, capture.headers, capture.body, capture.truncated)
        comparison = self._compare(capture, primary, candidate, config)
        return Examined(comparison, candidate, latency)

    async def _heals(self, capture: Capture, config: ShadowConfig) -> bool:
        """Ask both sides again, in case the data changed between the first two readings."""
        try:
            (primary, _), (candidate, _) = await asyncio.gather(
                self._sides.ask(capture.primary, capture, config),
                self._sides.ask(other(capture.primary), capture, config),
            )
        except NotComparableError:
            return False
        again = self._compare(capture, primary, candidate, config)
        return again.verdict in (Verdict.MATCH, Verdict.IGNORED)

    def _compare(
        self, capture: Capture, primary: Answer, candidate: Answer, config: ShadowConfig
    ) -> Comparison:
        rules = config.routes.get(capture.route, CompareRules())
        today = datetime.fromtimestamp(self._wall(), UTC).date()
        old, new = (primary, candidate) if capture.primary == LEGACY else (candidate, primary)
        return compare(old, new, rules, today)
