"""Where every capture ends: counted, told as evidence, and kept, each of them once.

Nobody waits for it. Whatever goes wrong with the experiment goes through `failed`, which counts it;
the client's answer was on its way long before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from shadow_compare.capture import Capture
from shadow_compare.comparer import Comparer
from shadow_compare.config import ShadowConfig, ShadowSettings
from shadow_compare.examine import Examined
from shadow_compare.keeping import Keeper
from shadow_compare.normalize import NotAskedError, NotComparableError
from shadow_compare.pairs import Baselines, Evidence, Pair, pairs_of, pairs_without_answer
from shadow_compare.redact import Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.record import Finding, Record
from shadow_compare.tally import Count, Tally
from shadow_compare.verdict import Verdict

PAIRS_INTERVAL: Final = 0.02
"""Seconds for which a pair that is evidence waits for others."""
_NO_RULES: Final = CompareRules()

_log = logging.getLogger("cutover.shadow")


class Ends(Protocol):
    """How a capture ends, for whoever takes one up."""

    async def compared(self, capture: Capture, examined: Examined) -> None:
        """Take what came of a capture; raises NotComparableError when it is NOT_COMPARED."""
        ...

    def failed(self, reason: str, capture: Capture | None, error: Exception | None) -> None:
        """Take a failure; never raises."""
        ...


class Conclusions:
    """The ends of one worker's captures, by the configuration that is in force then."""

    def __init__(
        self,
        settings: ShadowSettings,
        store: ComparisonStore,
        comparer: Comparer,
        config: Callable[[], ShadowConfig],
        *,
        on_counts: Callable[[list[Count]], None],
        on_evidence: Callable[[list[Pair], Baselines], None],
        wall: Callable[[], float],
    ) -> None:
        self.failures: Counter[str] = Counter()
        self._settings = settings
        self._comparer = comparer
        self._config = config
        self._redactor = Redactor(settings.redaction_key)
        self._tally = Tally(on_counts, self._listener_failed)
        self._pairs = Evidence(on_evidence, self._listener_failed)
        self._pairs_due = False
        self._keeper = Keeper(settings, store, self.failed, wall)

    async def compared(self, capture: Capture, examined: Examined) -> None:
        """Count, tell and keep a comparison; raises NotComparableError when it is none."""
        comparison = examined.comparison
        if comparison.verdict is Verdict.NOT_COMPARED:
            raise NotComparableError(comparison.reason)
        finding = await self._finding(capture, examined)
        config = self._config()
        self._tally.count(
            capture.route,
            capture.primary,
            comparison.verdict,
            comparison.reason,
            critical=comparison.critical,
        )
        rules = config.routes.get(capture.route, _NO_RULES)
        self._add_pairs(pairs_of(capture, examined, rules, self._redactor.text))
        self._keeper.add(
            Record(
                route=capture.route,
                at=capture.at,
                version=min(capture.version, config.version),
                verdict=comparison.verdict,
                reason=comparison.reason,
                fired=comparison.fired,
                finding=finding,
                method=capture.method,
                status=capture.status,
            ),
            weight=len(capture.body) + len(examined.candidate.body) if finding else 0,
        )

    def failed(self, reason: str, capture: Capture | None, error: Exception | None) -> None:
        """Take every failure of the experiment: count it, and never let it out."""
        self.failures[reason] += 1
        if reason == "internal_error":
            _log.error("comparing failed", exc_info=error)
        if capture is not None:
            if not isinstance(error, NotAskedError):
                self._add_pairs(pairs_without_answer(capture, reason))
            self._tally.count(capture.route, capture.primary, Verdict.NOT_COMPARED, reason)
            self._keeper.add(
                Record(
                    route=capture.route,
                    at=capture.at,
                    version=capture.version,
                    verdict=Verdict.NOT_COMPARED,
                    reason=reason,
                    method=capture.method,
                    status=capture.status,
                )
            )

    def baseline(self, route: str, differs: bool) -> None:
        """Count a second answer of the primary's side."""
        self._pairs.baseline(route, differs=differs)

    def tell(self) -> None:
        """Tell of everything that was not told yet."""
        self._tally.tell()  # first: what came out alike meanwhile speaks against what differs
        self._pairs.tell()

    async def run(self) -> None:
        """Tell and keep again and again, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tally.run(self._settings.counts_interval))
            tasks.create_task(self._tell_baselines(self._settings.counts_interval))
            tasks.create_task(self._keeper.run())

    async def flush(self) -> None:
        """Tell and keep what there is now."""
        self.tell()
        await self._keeper.flush()

    async def _finding(self, capture: Capture, examined: Examined) -> Finding | None:
        if examined.comparison.verdict is not Verdict.MISMATCH:
            return None
        rules = self._config().routes.get(capture.route, _NO_RULES)
        redactor = self._redactor.declaring(rules.redact)
        told = (capture, examined.candidate, examined.latency, examined.comparison, redactor)
        try:
            return await self._comparer.finding(*told)
        except NotComparableError as error:  # that they differ counts all the same
            self.failed("sample_not_stored", None, error)
            return None

    def _add_pairs(self, pairs: list[Pair]) -> None:
        """Tell of pairs soon, with those of the same moment."""
        if not pairs:
            return
        self._pairs.add(pairs)
        if not self._pairs_due:
            self._pairs_due = True
            asyncio.get_running_loop().call_later(PAIRS_INTERVAL, self._tell_pairs)

    def _tell_pairs(self) -> None:
        self._pairs_due = False
        self.tell()

    async def _tell_baselines(self, interval: float) -> None:
        """Tell of baselines, which are no news, every so many seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            self._pairs.tell()

    def _listener_failed(self, error: Exception) -> None:
        self.failed("internal_error", None, error)
