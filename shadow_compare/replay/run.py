"""Asking two applications what was asked before, comparing, and keeping the results.

The parts are those of a shadow worker (`sides`, `examine`, `memory`): ids are translated, noise is
measured, a difference is looked at twice, and the report says the same.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from shadow_compare.asking import SAFE
from shadow_compare.capture import Capture, Headers
from shadow_compare.comparer import Comparer
from shadow_compare.config import LEGACY, ShadowConfig, ShadowSettings
from shadow_compare.examine import Examined, Examiner
from shadow_compare.memory import Memory
from shadow_compare.normalize import NotComparableError
from shadow_compare.redact import Redactor, is_redacted
from shadow_compare.replay.paced import PacedSides
from shadow_compare.replay.progress import Progress, Resumed
from shadow_compare.replay.recorded import Recorded, Unreadable
from shadow_compare.replay.traffic import Traffic
from shadow_compare.store.errors import StoreError
from shadow_compare.store.record import Record
from shadow_compare.verdict import Verdict

UNREADABLE: Final = "(unreadable)"
"""The route under which lines are counted that hold no request."""
COMMIT_EVERY: Final = 0.5
NOTES_MAX: Final = 20
_AS_MANY_AS_COME: Final = 1e9
_CREDENTIALS: Final = frozenset({"cookie", "authorization"})

_log = logging.getLogger("cutover.replay")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay may do; `rate` in requests per second to each side, 0 for as fast as it goes.

    `route_of` gives the route of a method and a target, and the target as the proxy forwards it; it
    raises NotComparableError for what the proxy refuses. `primary` is the side that the recorded
    ids are of. `hosts` are whose traffic it is, all if none is named. `headers` are put in the
    place of those that were recorded, Host among them; times are seconds, sizes bytes.
    """

    config: ShadowConfig
    route_of: Callable[[str, str], tuple[str, str]]
    primary: str = LEGACY
    hosts: frozenset[str] = frozenset()
    rate: float = 0.0
    concurrency: int = 8
    writes: bool = False
    timeout: float = 30.0
    body_max: int = 16 * 1024 * 1024
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> ShadowSettings:
        """The limits of this run: what is repeated is held back by its rate alone.

        And every request is asked, however many were refused before it.
        """
        return ShadowSettings(
            redaction_key=b"",
            concurrency=self.concurrency,
            body_max=self.body_max,
            connect_timeout=self.timeout,
            deadline=self.timeout,
            repeats_per_second=_AS_MANY_AS_COME,
            baselines_per_second=_AS_MANY_AS_COME,
            marks_reads=False,
            spares_refusing=False,
        )


class Replay:
    """One run over recorded traffic.

    `items` counts what was read, `ended` by verdict what this run has come to, `notes` tells of the
    first things that could not be read, and `without` how many were sent without credentials that
    the recording does not hold.
    """

    def __init__(self, plan: Plan, progress: Progress, redactor: Redactor) -> None:
        self.items = 0
        self.ended: Counter[str] = Counter()
        self.notes: list[str] = []
        self.without = 0
        self._plan = plan
        self._progress = progress
        self._redactor = redactor
        memory = Memory()
        settings = plan.settings
        self._sides = PacedSides(settings, memory.pairs, plan.rate, time.monotonic)
        self._comparer = Comparer(settings, time.monotonic, time.time)
        self._examiner = Examiner(
            settings,
            self._sides,
            memory,
            self._comparer,
            monotonic=time.monotonic,
            chance=random.random,
        )
        self._finished: list[tuple[int, Record]] = []
        self._failure: Exception | None = None
        self._ending = asyncio.Event()

    @property
    def asked(self) -> int:
        """How many requests were sent, to both sides together."""
        return self._sides.asked

    async def run(self, traffic: Traffic, resumed: Resumed, moved: Callable[[], None]) -> None:
        """Ask what is not done yet; `moved` is called now and then. Raises StoreError, OSError."""
        free = asyncio.Semaphore(self._plan.concurrency)
        writer = asyncio.create_task(self._keep(moved))
        tasks: set[asyncio.Task[None]] = set()
        try:
            for self.items, item in enumerate(traffic, start=1):
                if writer.done() or self._failure is not None:
                    break
                if not self.items % 1000:
                    await asyncio.sleep(0)  # whatever is left out, the others go on
                if resumed.is_done(self.items):
                    continue
                if isinstance(item, Unreadable):
                    self._unreadable(self.items, item, traffic.name)
                    continue
                await free.acquire()
                claimed = self.items in resumed.claimed
                task = asyncio.create_task(self._one(self.items, item, claimed=claimed))
                task.add_done_callback(lambda _: free.release())
                task.add_done_callback(tasks.discard)
                tasks.add(task)
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            self._ending.set()  # to cancel it in a transaction would lose what that was to keep
            ended, *_ = await asyncio.gather(writer, *tasks, return_exceptions=True)
            self._sides.close()
            await self._comparer.close()
            await self._commit()
        if isinstance(ended, Exception):
            raise ended
        if self._failure is not None:
            raise self._failure
        moved()

    async def _one(self, number: int, item: Recorded, *, claimed: bool) -> None:
        """Deal with one request, whatever happens; only what cannot be kept ends the run."""
        capture = self._capture(number, item, "", item.target)
        try:
            route, target = self._plan.route_of(item.method, item.target)
            capture = self._capture(number, item, route, target)
            self._check(item, claimed=claimed)
            self.without += self._lacks_credentials(item)
            seen, examined = await self._examine(number, capture)
            if examined.comparison.verdict is Verdict.NOT_COMPARED:
                raise NotComparableError(examined.comparison.reason)
        except NotComparableError as error:
            self._not_compared(number, capture, error.reason)
        except StoreError as error:
            self._failure = error
        except Exception:  # one request of many: it is counted, and the others go on
            _log.exception("comparing request %d failed", number)
            self._not_compared(number, capture, "internal_error")
        else:
            await self._compared(number, seen, examined)

    def _check(self, item: Recorded, *, claimed: bool) -> None:
        """Raise NotComparableError for what is not to be sent."""
        if self._plan.hosts and item.host not in self._plan.hosts:
            raise NotComparableError("other_host")
        if item.method not in SAFE and not self._plan.writes:
            raise NotComparableError("unsafe_method")
        if claimed:
            raise NotComparableError("interrupted")
        if item.is_redacted:
            raise NotComparableError("redacted")

    async def _examine(self, number: int, capture: Capture) -> tuple[Capture, Examined]:
        if capture.method in SAFE:
            return await self._examiner.examine_anew(capture, self._plan.config)
        await self._progress.claim(number)
        return await self._examiner.examine_once(capture, self._plan.config)

    def _capture(self, number: int, item: Recorded, route: str, target: str) -> Capture:
        return Capture(
            id=f"replay-{number}", route=route, method=item.method, target=target,
            request_headers=self._headers(item), request_body=item.body,
            primary=self._plan.primary, status=0, headers=(), body=b"", truncated=False,
            at=time.time(), latency=0.0, identity=0, version=0,
        )  # fmt: skip

    def _headers(self, item: Recorded) -> Headers:
        """Give the fields as they are sent: those that were named for this run, then the others."""
        wanted = {name.lower(): value for name, value in self._plan.headers.items()}
        kept = (pair for pair in item.sendable_headers if pair[0] not in (*wanted, "host"))
        return (*wanted.items(), *kept)

    def _lacks_credentials(self, item: Recorded) -> bool:
        given = {name.lower() for name in self._plan.headers}
        return any(n in _CREDENTIALS - given and is_redacted(value) for n, value in item.headers)

    def _unreadable(self, number: int, item: Unreadable, file: str) -> None:
        if len(self.notes) < NOTES_MAX:
            self.notes.append(f"{file}:{item.place}: {item.why}")
        record = Record(UNREADABLE, time.time(), 0, Verdict.NOT_COMPARED, "unreadable")
        self._finish(number, record)

    def _not_compared(self, number: int, capture: Capture, reason: str) -> None:
        route = capture.route or UNREADABLE
        record = Record(route, time.time(), 0, Verdict.NOT_COMPARED, reason, method=capture.method)
        self._finish(number, record)

    async def _compared(self, number: int, seen: Capture, examined: Examined) -> None:
        comparison, finding = examined.comparison, None
        if comparison.verdict is Verdict.MISMATCH:
            rules = self._plan.config.routes.get(seen.route)
            redactor = self._redactor.declaring(rules.redact if rules else ())
            told = (seen, examined.candidate, examined.latency, comparison, redactor)
            with suppress(NotComparableError):  # that they differ counts all the same
                finding = await self._comparer.finding(*told)
        record = Record(
            route=seen.route, at=seen.at, version=0, verdict=comparison.verdict,
            reason=comparison.reason, fired=comparison.fired, finding=finding, method=seen.method,
            status=seen.status,
        )  # fmt: skip
        self._finish(number, record)

    def _finish(self, number: int, record: Record) -> None:
        self.ended[record.verdict] += 1
        self._finished.append((number, record))

    async def _keep(self, moved: Callable[[], None]) -> None:
        while not self._ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), COMMIT_EVERY)
            await self._commit()
            moved()

    async def _commit(self) -> None:
        finished, self._finished = self._finished, []
        if finished:
            await self._progress.commit((n for n, _ in finished), [r for _, r in finished])
