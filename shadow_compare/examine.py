"""From a capture to a comparison: ask the other side, compare, and look again when they differ."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from shadow_compare.allowance import Allowance
from shadow_compare.capture import Capture
from shadow_compare.comparer import Comparer
from shadow_compare.config import LEGACY, ShadowConfig, ShadowSettings
from shadow_compare.corresponding import Known
from shadow_compare.memory import Memory
from shadow_compare.noise import RouteNoise
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.rules import CompareRules
from shadow_compare.sides import Heard, Sides, answered, other
from shadow_compare.verdict import Comparison, Verdict

A = TypeVar("A")
B = TypeVar("B")

_SERVER_ERROR: Final = 500
_ALIKE: Final = (Verdict.MATCH, Verdict.IGNORED)
_NO_RULES: Final = CompareRules()


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of one capture; `latency` is the candidate's, in seconds.

    `verified` is false for a difference that was to be looked at once more, and could not be.
    """

    comparison: Comparison
    candidate: Answer
    latency: float
    verified: bool = True


class Examiner:
    """Examines captures, each by the configuration it is given with; `chance` gives 0 to below 1.

    The allowances are there so that a broken side is not asked three times for each request.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        sides: Sides,
        memory: Memory,
        comparer: Comparer,
        *,
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        on_baseline: Callable[[str, bool], None] = lambda _route, _differs: None,
    ) -> None:
        self._on_baseline = on_baseline
        self._sides = sides
        self._memory = memory
        self._comparer = comparer
        self._chance = chance
        self._repeats = Allowance(settings.repeats_per_second, monotonic)
        self._baselines = Allowance(settings.baselines_per_second, monotonic)

    async def examine(self, capture: Capture, config: ShadowConfig) -> Examined:
        """Examine a read, whose primary's answer is as the client got it.

        Raises NotComparableError when the other side gives no answer.
        """
        heard, baseline = await self._asked(capture, config)
        return await self._weigh(capture, heard, baseline, config)

    async def examine_anew(
        self, capture: Capture, config: ShadowConfig
    ) -> tuple[Capture, Examined]:
        """Examine a read that nobody has answered yet: both sides are asked at one moment.

        Gives the capture with the primary's answer. Raises NotComparableError when a side gives no
        answer.
        """
        primary, (heard, baseline) = await _both(
            self._primary_anew(capture, config), self._asked(capture, config)
        )
        seen = answered(capture, primary)
        return seen, await self._weigh(seen, heard, baseline, config)

    async def examine_once(
        self, capture: Capture, config: ShadowConfig
    ) -> tuple[Capture, Examined]:
        """Examine what may change something: as `examine_anew`, and nobody is asked again."""
        self._sides.check(other(capture.primary), capture, config)
        primary, heard = await _both(
            self._primary_anew(capture, config),
            self._sides.ask(other(capture.primary), capture, config),
        )
        seen = answered(capture, primary)
        return seen, await self.judge(seen, heard, config, lasting=True)

    async def _weigh(
        self, capture: Capture, heard: Heard, baseline: Answer | None, config: ShadowConfig
    ) -> Examined:
        """Compare, by what is known of the noise; a difference that counts is looked at again."""
        rules = config.routes.get(capture.route, _NO_RULES)
        noise = self._memory.noise(capture.route, rules)
        if baseline is not None:
            again = await self._comparer.compare(_primary(capture), baseline, rules)
            # First: what is known of the noise now is what excuses a candidate now.
            left = noise.excuse(again, rules, primary_is_old=_is_old(capture))
            self._on_baseline(capture.route, left.verdict is Verdict.MISMATCH)
            noise.hear_baseline(again, rules)
            self._memory.evidence.baseline(capture.route, rules, again)
        candidate, latency, fired = heard
        known = self._memory.known(capture.route, rules)
        found = await self._compare(capture, _primary(capture), candidate, rules, known)
        self._memory.evidence.candidate(capture.route, rules, found)
        comparison = noise.judge(found, rules, primary_is_old=_is_old(capture))
        _learn(comparison, known)
        # A server error is never the fault of two readers meeting a writer.
        differs = comparison.verdict is Verdict.MISMATCH and candidate.status < _SERVER_ERROR
        may_heal = differs and rules.repeat and self._repeats.take()
        if may_heal and await self._heals(capture, config, rules, noise):
            comparison = comparison.as_race()
        if comparison.verdict is Verdict.MISMATCH:
            self._memory.evidence.mismatch(capture.route, rules, comparison)
        verified = may_heal or not rules.repeat
        return Examined(comparison.asked_by(fired), candidate, latency, verified)

    async def judge(
        self, capture: Capture, heard: Heard, config: ShadowConfig, *, lasting: bool
    ) -> Examined:
        """Compare an answer of the other side with what the capture holds, and ask nobody.

        When its names are not `lasting`, as those of a dry run, nothing is learned from them.
        """
        rules = config.routes.get(capture.route, _NO_RULES)
        known = self._memory.known(capture.route, rules)
        comparison = await self._compare(capture, _primary(capture), heard.answer, rules, known)
        if lasting:
            _learn(comparison, known)
        return Examined(comparison.asked_by(heard.fired), heard.answer, heard.latency)

    def _wants_baseline(self, capture: Capture, rules: CompareRules, noise: RouteNoise) -> bool:
        if rules.noise == 0.0 or capture.primary not in rules.baselines:
            return False
        wanted = noise.is_learning or self._chance() < rules.noise
        return wanted and self._baselines.take()

    async def _asked(self, capture: Capture, config: ShadowConfig) -> tuple[Heard, Answer | None]:
        """Ask the other side, and now and then the primary's, at the same moment.

        So time has changed as much for the candidate as for the baseline.
        """
        rules = config.routes.get(capture.route, _NO_RULES)
        noise = self._memory.noise(capture.route, rules)
        candidate = self._sides.ask(other(capture.primary), capture, config)
        if not self._wants_baseline(capture, rules, noise):
            return await candidate, None
        return await _both(candidate, self._baseline(capture, config))

    async def _primary_anew(self, capture: Capture, config: ShadowConfig) -> Heard:
        """Ask the primary; what fails has a name of its own, as it says nothing of the other."""
        try:
            return await self._sides.ask(capture.primary, capture, config)
        except NotComparableError as error:
            reason = error.reason.removeprefix("candidate_")
            raise NotComparableError(f"primary_{reason}") from error

    async def _baseline(self, capture: Capture, config: ShadowConfig) -> Answer | None:
        try:
            heard = await self._sides.ask(capture.primary, capture, config)
        except NotComparableError:  # the comparison does not need it
            return None
        return heard.answer

    async def _heals(
        self, capture: Capture, config: ShadowConfig, rules: CompareRules, noise: RouteNoise
    ) -> bool:
        """Ask both sides again, in case the data changed between the first two readings."""
        try:
            primary, candidate = await asyncio.gather(
                self._sides.ask(capture.primary, capture, config),
                self._sides.ask(other(capture.primary), capture, config),
            )
        except NotComparableError:
            return False
        known = self._memory.known(capture.route, rules)
        again = await self._compare(capture, primary.answer, candidate.answer, rules, known)
        judged = noise.excuse(again, rules, primary_is_old=_is_old(capture))
        _learn(judged, known)
        return judged.verdict in _ALIKE

    async def _compare(
        self,
        capture: Capture,
        primary: Answer,
        candidate: Answer,
        rules: CompareRules,
        known: Known | None,
    ) -> Comparison:
        old, new = (primary, candidate) if _is_old(capture) else (candidate, primary)
        return await self._comparer.compare(old, new, rules, known)


async def _both(one: Awaitable[A], another: Awaitable[B]) -> tuple[A, B]:
    """Await both to their ends, also when one fails: nothing goes on behind our back."""
    first, second = asyncio.ensure_future(one), asyncio.ensure_future(another)
    await asyncio.gather(first, second, return_exceptions=True)
    return first.result(), second.result()


def _learn(comparison: Comparison, known: Known | None) -> None:
    """Keep the names that met, when nothing speaks against their having met rightly."""
    if known is not None and comparison.verdict in _ALIKE:
        known.learn()


def _primary(capture: Capture) -> Answer:
    return Answer(capture.status, capture.headers, capture.body, capture.truncated)


def _is_old(capture: Capture) -> bool:
    return capture.primary == LEGACY
