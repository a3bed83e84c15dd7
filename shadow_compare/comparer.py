"""Comparing within a worker: what is soon done at once, and everything else aside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

from shadow_compare.aside.process import Aside
from shadow_compare.budget import Budget
from shadow_compare.capture import Capture
from shadow_compare.compare import compare
from shadow_compare.config import ShadowSettings
from shadow_compare.corresponding import Known, Met
from shadow_compare.finding import finding_of
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.redact import Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.sample import Sample
from shadow_compare.store.record import Finding
from shadow_compare.verdict import Comparison

LIGHT_BYTES: Final = 64 * 1024
"""Of one decoded body. Nothing takes longer for its size than pages: 40 ms for two of these."""
LIGHT_SECONDS: Final = 0.05
"""Of comparing smaller ones, whose arrays may still take long to pair."""
_RATIO: Final = 20
"""How many times its size a body of text may become when it is decoded."""
PATIENCE: Final = 3.0
"""Times its budget after which work is ended aside: the processor may be busy with others, or the
work may be at something that does not look at the clock."""


class Comparer:
    """Compares, and keeps what differs, without holding up the loop for more than LIGHT_SECONDS.

    `aside` is the process for the rest; `wall` and `monotonic` give seconds.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._seconds: Final = settings.compare_seconds
        self._monotonic = monotonic
        self._wall = wall
        self.aside: Final = Aside(settings.concurrency, PATIENCE * settings.compare_seconds)

    async def compare(
        self, old: Answer, new: Answer, rules: CompareRules, known: Known | None = None
    ) -> Comparison:
        """Compare legacy's answer (old) with modern's (new); see `compare.compare`.

        NOT_COMPARED may also be for `dropped`, when too much waits, and `aside_died`.
        """
        today = datetime.fromtimestamp(self._wall(), UTC).date()
        if not _is_large(old, new) or old.body == new.body:
            found = compare(old, new, rules, today, self._light_budget(), known)
            if found.reason not in ("too_big", "too_slow"):
                return found
        if old.truncated or new.truncated:
            return Comparison.not_compared("too_big")
        try:
            work = (old, new, rules, today, self._seconds, known and known.apart())
            found, met = await self.aside.run(compare_aside, *work)
        except NotComparableError as error:
            return Comparison.not_compared(error.reason)
        if known is not None:
            known.met[:] = met
        return found

    async def finding(
        self,
        capture: Capture,
        candidate: Answer,
        latency: float,
        comparison: Comparison,
        redactor: Redactor,
    ) -> Finding:
        """Give what is kept of a mismatch; raises NotComparableError when that cannot be done."""
        told = (capture, candidate, latency, comparison, redactor)
        primary = Answer(capture.status, capture.headers, capture.body)
        if not _is_large(primary, candidate):
            return finding_of(*told)
        return await self.aside.run(finding_aside, *told)

    async def close(self) -> None:
        """End what is under way."""
        await self.aside.close()

    def _light_budget(self) -> Budget:
        end = self._monotonic() + min(self._seconds, LIGHT_SECONDS)
        return Budget(is_over=lambda: self._monotonic() > end, bytes_max=LIGHT_BYTES)


def compare_aside(
    old: Answer,
    new: Answer,
    rules: CompareRules,
    today: date,
    seconds: float,
    known: Known | None,
) -> tuple[Comparison, list[Met]]:
    """Compare in the process beside; gives also the names that met."""
    end = time.process_time() + seconds
    budget = Budget(is_over=lambda: time.process_time() > end)
    found = compare(old, new, rules, today, budget, known)
    return found, [] if known is None else known.met


def finding_aside(
    capture: Capture, candidate: Answer, latency: float, comparison: Comparison, redactor: Redactor
) -> Finding:
    """Build a finding in the process beside, with its sample: the answers stay there."""
    found = finding_of(capture, candidate, latency, comparison, redactor)
    return replace(found, take=partial(_itself, found.take()))


def _itself(sample: Sample) -> Sample:
    return sample


def _is_large(*answers: Answer) -> bool:
    """Whether one of them may be large when it is decoded."""
    return any(
        len(each.body) * (_RATIO if each.header("content-encoding") else 1) > LIGHT_BYTES
        for each in answers
    )
