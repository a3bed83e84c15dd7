"""The shadow worker: takes captures, has them examined, and tells what came of it.

take up  examine (a read) | send, or read back (a write)  conclude
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from shadow_compare.capture import Capture, CaptureError
from shadow_compare.comparer import Comparer
from shadow_compare.conclusions import Conclusions
from shadow_compare.config import LEGACY, ShadowConfig, ShadowSettings
from shadow_compare.examine import Examiner
from shadow_compare.intake import Source
from shadow_compare.keeping_evidence import EvidenceKeeper
from shadow_compare.memory import Memory
from shadow_compare.normalize import NotComparableError
from shadow_compare.pairs import (
    Baselines,
    Pair,
)
from shadow_compare.queue import CaptureQueue
from shadow_compare.reading_back import ReadBacks
from shadow_compare.recorder.recorder import Recorder
from shadow_compare.redact import Redactor
from shadow_compare.rules import CompareRules
from shadow_compare.sides import Sides, as_seen
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.permits import Permits
from shadow_compare.tally import Count
from shadow_compare.traced import Tell
from shadow_compare.writes import METHODS as WRITES
from shadow_compare.writes import Halt, MirroredWrites

_MIRRORED: Final = WRITES | {"GET", "HEAD"}
_NOT_MODIFIED: Final = 304
_NO_RULES: Final = CompareRules()

PAIRS_INTERVAL: Final = 0.02
"""Seconds for which a pair that is evidence waits for others."""

_log = logging.getLogger("cutover.shadow")


class ShadowWorker:
    """One process's share of the comparing.

    `on_counts` hears of it every 200 ms, `on_evidence` of single pairs within 20 ms, and `on_halt`
    at once of writes that must stop everywhere; `on_asked`, if it is given, of traced requests.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        store: ComparisonStore,
        on_counts: Callable[[list[Count]], None],
        *,
        permits: Permits,
        on_halt: Callable[[Halt], None],
        on_evidence: Callable[[list[Pair], Baselines], None] = lambda _pairs, _baselines: None,
        recorder: Recorder | None = None,
        on_asked: Tell | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._wall = wall
        self._recorder = recorder
        self._redactor = Redactor(settings.redaction_key)
        self._config = ShadowConfig(version=0)
        self._rewritten_anew: frozenset[str] = frozenset()
        self._queue = CaptureQueue(
            settings.queue_max, settings.queue_bytes_max, settings.concurrency
        )
        self._memory = Memory()
        self._comparer = Comparer(settings, monotonic, wall)
        self._ends = Conclusions(
            settings,
            store,
            self._comparer,
            lambda: self._config,
            on_counts=on_counts,
            on_evidence=on_evidence,
            wall=wall,
        )
        self._sides = Sides(settings, self._memory.pairs, monotonic, on_asked)
        self._examiner = Examiner(
            settings,
            self._sides,
            self._memory,
            self._comparer,
            monotonic=monotonic,
            chance=chance,
            on_baseline=self._ends.baseline,
        )
        self._evidence = EvidenceKeeper(
            self._memory.evidence,
            store.evidence,
            lambda error: self._ends.failed("store_error", None, error),
            wall,
        )
        self._writes = MirroredWrites(
            settings,
            self._sides,
            permits,
            self._examiner,
            self._ends,
            lambda: self._config,
            halted=on_halt,
            wall=wall,
        )
        self._read_backs = ReadBacks(
            settings,
            self._sides,
            self._examiner,
            self._ends,
            lambda: self._config,
            monotonic=monotonic,
        )

    @property
    def failures(self) -> Counter[str]:
        """How often the experiment failed, by reason."""
        return self._ends.failures

    @property
    def queued(self) -> int:
        """How many captures wait."""
        return len(self._queue)

    @property
    def halts(self) -> list[Halt]:
        """What `on_halt` was told, and the rules in force do not heed yet."""
        return self._writes.halts

    @property
    def version(self) -> int:
        """Version of the rules that are applied."""
        return self._config.version

    def configure(self, config: ShadowConfig) -> None:
        """Apply another version of the rules; what was counted by the last one is told first.

        Counts are told with the version in force, and a mismatch by rules that have just been
        mended must not pass for one by the new ones.
        """
        self._ends.tell()
        self._rewritten_anew = config.rewritten_anew(self._config)
        self._config = config
        self._memory.keep(config.routes, but=self._rewritten_anew)
        self._queue.limit(config.concurrency, config.together)
        self._sides.limit_legacy(config.legacy_rate)

    async def run(self, source: Source) -> None:
        """Work on what a source gives until cancelled; then tells and keeps what it still holds."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_lasting(source(self._queue, self._ends.failed)))
                for _ in range(2 * self._settings.concurrency):
                    tasks.create_task(self._work())
                tasks.create_task(self._ends.run())
                tasks.create_task(self._evidence.run(self._settings.evidence_interval))
        finally:
            await self._read_backs.close()
            await self._writes.close()
            await self._comparer.close()
            await self._ends.flush()
            await self._evidence.flush()
            self._sides.close()

    async def _work(self) -> None:
        while True:
            arrival = await self._queue.get()
            await self._take_up(arrival.frame)
            self._queue.done(arrival)  # not of one that we are cancelled in the middle of

    async def _take_up(self, frame: bytes) -> None:
        capture: Capture | None = None
        try:
            capture = Capture.decode(frame)
            if capture.recorded:
                self._record(capture)
            if capture.mirrored:
                await self._handle(capture)
        except CaptureError as error:
            self._ends.failed("bad_frame", None, error)
        except NotComparableError as error:
            self._ends.failed(error.reason, capture, error)
        except Exception as error:  # whatever it is, it ends here
            self._ends.failed("internal_error", capture, error)

    def _record(self, capture: Capture) -> None:
        """Write a request down, without what its route calls secret."""
        if self._recorder is not None:
            rules = self._config.routes.get(capture.route)
            redactor = None if rules is None else self._redactor.declaring(rules.redact)
            self._recorder.take(capture, redactor)

    async def _handle(self, capture: Capture) -> None:
        config = self._config
        self._check_comparable(capture, config)
        if capture.method in WRITES:
            self._handle_write(capture, config)
            return
        seen = as_seen(capture, config)
        examined = await self._examiner.examine(seen, config)
        if self._config is not config:  # judged by rules that are no longer in force
            await self._handle(capture)
            return
        await self._ends.compared(seen, examined)

    def _handle_write(self, capture: Capture, config: ShadowConfig) -> None:
        """Have a write carried out without effect, or its effect read back, or both."""
        try:
            is_read = self._read_backs.put(capture)
        except NotComparableError as error:
            is_read = True
            self._ends.failed(error.reason, capture, error)
        is_mirrored = capture.route in config.writes and capture.primary == LEGACY
        if is_mirrored or not is_read:
            self._writes.put(capture)

    def _check_comparable(self, capture: Capture, config: ShadowConfig) -> None:
        if capture.method not in _MIRRORED:
            raise NotComparableError("unsafe_method")
        if self._wall() - capture.at > self._settings.capture_age_max:
            raise NotComparableError("stale")
        if capture.status == _NOT_MODIFIED:
            raise NotComparableError("not_modified")
        # The primary was asked otherwise then: what differs would be the change itself.
        if capture.route in self._rewritten_anew and capture.version < config.version:
            raise NotComparableError("stale")


async def _lasting(work: Awaitable[None]) -> None:
    await work
