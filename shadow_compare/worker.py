"""The shadow worker: takes captures, asks the other side, compares, and tells what came of it.

Nobody waits for it. Whatever goes wrong in here goes through `_failed`, which counts it; the
client's answer was on its way long before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from shadow_compare.asking import Asker
from shadow_compare.capture import Capture
from shadow_compare.compare import compare
from shadow_compare.config import LEGACY, MODERN, ShadowConfig, ShadowSettings
from shadow_compare.intake import CaptureQueue, Intake
from shadow_compare.keeping import Keeper
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.redact import Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.sample import kept_difference, take_sample
from shadow_compare.signature import signature_of
from shadow_compare.store.comparisons import ComparisonStore, Finding, Record
from shadow_compare.verdict import Comparison, Verdict

Count = tuple[str, str, str, str, bool, int]
"""Route, side of the primary, verdict, reason, whether critical, and how often."""

_SAFE: Final = frozenset({"GET", "HEAD"})
_SERVER_ERROR: Final = 500
_NOT_MODIFIED: Final = 304

_log = logging.getLogger("cutover.shadow")


@dataclass(frozen=True, slots=True)
class _Examined:
    comparison: Comparison
    candidate: Answer
    latency: float


class ShadowWorker:
    """One process's share of the comparing; `on_counts` hears of it every 200 ms."""

    def __init__(
        self,
        settings: ShadowSettings,
        store: ComparisonStore,
        on_counts: Callable[[list[Count]], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.failures: Counter[str] = Counter()
        self._settings = settings
        self._on_counts = on_counts
        self._wall = wall
        self._config = ShadowConfig(version=0)
        self._rewritten_anew: frozenset[str] = frozenset()
        self._counts: Counter[tuple[str, str, str, str, bool]] = Counter()
        self._queue = CaptureQueue(settings.queue_max, settings.queue_bytes_max)
        self._intake = Intake(self._queue, self._failed)
        self._askers = {side: Asker(settings, monotonic) for side in (LEGACY, MODERN)}
        self._repeats = _Allowance(settings.repeats_per_second, monotonic)
        self._keeper = Keeper(settings, store, self._failed, wall)
        self._redactor = Redactor(settings.redaction_key)

    @property
    def queued(self) -> int:
        """How many captures wait."""
        return len(self._queue)

    @property
    def version(self) -> int:
        """Version of the rules that are applied."""
        return self._config.version

    def configure(self, config: ShadowConfig) -> None:
        """Apply another version of the rules; what was counted by the last one is told first.

        Counts are told with the version in force, and a mismatch by rules that have just been
        mended must not pass for one by the new ones.
        """
        self._tell_now()
        self._rewritten_anew = config.rewritten_anew(self._config)
        self._config = config

    async def run(self, socket_path: Path) -> None:
        """Work until cancelled; then tells and keeps what it still holds."""
        await self._intake.listen(socket_path)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(2 * self._settings.concurrency):
                    tasks.create_task(self._work())
                tasks.create_task(self._tell())
                tasks.create_task(self._keeper.run())
        finally:
            self._intake.close()
            self._tell_now()
            await self._keeper.flush()
            for asker in self._askers.values():
                asker.close()

    async def _work(self) -> None:
        while True:
            capture = await self._queue.get()
            try:
                await self._handle(capture)
            except NotComparableError as error:
                self._failed(error.reason, capture, error)
            except Exception as error:  # whatever it is, it ends here
                self._failed("internal_error", capture, error)

    async def _handle(self, capture: Capture) -> None:
        if capture.method not in _SAFE:
            raise NotComparableError("unsafe_method")
        if self._wall() - capture.at > self._settings.capture_age_max:
            raise NotComparableError("stale")
        if capture.status == _NOT_MODIFIED:
            raise NotComparableError("not_modified")
        config = self._config
        # The primary was asked otherwise then: what differs would be the change itself.
        if capture.route in self._rewritten_anew and capture.version < config.version:
            raise NotComparableError("stale")
        rules = config.routes.get(capture.route, CompareRules())
        asked, capture = capture, self._as_seen(capture)
        examined = await self._examine(capture, rules)
        if self._config is not config:  # judged by rules that are no longer in force
            await self._handle(asked)
            return
        if examined.comparison.verdict is Verdict.NOT_COMPARED:
            raise NotComparableError(examined.comparison.reason)
        self._conclude(capture, examined)

    async def _examine(self, capture: Capture, rules: CompareRules) -> _Examined:
        candidate, latency = await self._ask(_other(capture.primary), capture)
        primary = Answer(capture.status, capture.headers, capture.body, capture.truncated)
        comparison = self._compare(capture, primary, candidate, rules)
        # A server error is never the fault of two readers meeting a writer.
        may_heal = comparison.verdict is Verdict.MISMATCH and candidate.status < _SERVER_ERROR
        if may_heal and self._repeats.take() and await self._heals(capture, rules):
            comparison = comparison.as_race()
        return _Examined(comparison, candidate, latency)

    async def _heals(self, capture: Capture, rules: CompareRules) -> bool:
        """Ask both sides again, in case the data changed between the first two readings."""
        try:
            (primary, _), (candidate, _) = await asyncio.gather(
                self._ask(capture.primary, capture), self._ask(_other(capture.primary), capture)
            )
        except NotComparableError:
            return False
        again = self._compare(capture, primary, candidate, rules)
        return again.verdict in (Verdict.MATCH, Verdict.IGNORED)

    async def _ask(self, side: str, capture: Capture) -> tuple[Answer, float]:
        """Ask a side in its own words; its answer is compared in the client's."""
        rewrite = self._config.rewrites.get((capture.route, side))
        config = self._config.sides.get(side)
        if rewrite is None:
            return await self._askers[side].ask(capture, config)
        target, headers = rewrite.request(capture.target, capture.request_headers)
        asked = replace(capture, target=target, request_headers=headers)
        answer, latency = await self._askers[side].ask(asked, config)
        return replace(answer, headers=rewrite.answer(answer.headers, _host(capture))), latency

    def _as_seen(self, capture: Capture) -> Capture:
        """Give the capture with the primary's answer as the client got it."""
        rewrite = self._config.rewrites.get((capture.route, capture.primary))
        if rewrite is None:
            return capture
        return replace(capture, headers=rewrite.answer(capture.headers, _host(capture)))

    def _compare(
        self, capture: Capture, primary: Answer, candidate: Answer, rules: CompareRules
    ) -> Comparison:
        today = datetime.fromtimestamp(self._wall(), UTC).date()
        old, new = (primary, candidate) if capture.primary == LEGACY else (candidate, primary)
        return compare(old, new, rules, today)

    def _conclude(self, capture: Capture, examined: _Examined) -> None:
        comparison = examined.comparison
        finding = None
        if comparison.verdict is Verdict.MISMATCH:
            finding = self._finding(capture, examined)
        self._count(capture, comparison.verdict, comparison.reason, critical=comparison.critical)
        self._keeper.add(
            Record(
                route=capture.route,
                at=capture.at,
                version=capture.version,
                verdict=comparison.verdict,
                reason=comparison.reason,
                fired=comparison.fired,
                finding=finding,
            ),
            weight=len(capture.body) + len(examined.candidate.body) if finding else 0,
        )

    def _finding(self, capture: Capture, examined: _Examined) -> Finding:
        comparison = examined.comparison
        return Finding(
            signature=signature_of(capture.route, comparison),
            critical=comparison.critical,
            example=kept_difference(comparison.differences[0], self._redactor),
            take=partial(
                take_sample,
                capture,
                examined.candidate,
                examined.latency,
                comparison,
                self._redactor,
            ),
        )

    def _count(self, capture: Capture, verdict: str, reason: str, *, critical: bool) -> None:
        self._counts[capture.route, capture.primary, verdict, reason, critical] += 1

    def _failed(self, reason: str, capture: Capture | None, error: Exception | None) -> None:
        """Take every failure of the experiment: count it, and never let it out."""
        self.failures[reason] += 1
        if reason == "internal_error":
            _log.error("comparing failed", exc_info=error)
        if capture is not None:
            self._count(capture, Verdict.NOT_COMPARED, reason, critical=False)
            self._keeper.add(
                Record(capture.route, capture.at, capture.version, Verdict.NOT_COMPARED, reason)
            )

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._settings.counts_interval)
            self._tell_now()

    def _tell_now(self) -> None:
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            self._on_counts([(*key, count) for key, count in counts.items()])
        except Exception as error:  # a listener's failure is not ours
            self._failed("internal_error", None, error)


class _Allowance:
    """How many repeats are allowed per second, so that a broken side is not asked three times."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self._rate = per_second
        self._monotonic = monotonic
        self._left = per_second
        self._at = monotonic()

    def take(self) -> bool:
        """Use one up, if one is left."""
        now = self._monotonic()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def _host(capture: Capture) -> str:
    return next((value for name, value in capture.request_headers if name == "host"), "")


def _other(side: str) -> str:
    return MODERN if side == LEGACY else LEGACY
