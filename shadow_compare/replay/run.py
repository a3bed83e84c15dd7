"""Asking two applications what was asked before, comparing, and keeping the results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from shadow_compare.capture import Capture
from shadow_compare.compare import compare
from shadow_compare.finding import finding_of
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.redact import Redactor
from shadow_compare.replay.progress import Progress, Resumed
from shadow_compare.replay.recorded import Item, Recorded, Unreadable
from shadow_compare.replay.wire import wire
from shadow_compare.rules import CompareRules
from shadow_compare.store.record import Record
from shadow_compare.transport import BrokenError, Origin, Transport, UnreachableError
from shadow_compare.verdict import Comparison, Verdict

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
UNREADABLE: Final = "(unreadable)"
"""The route under which lines are counted that hold no request."""
COMMIT_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay may do; `rate` in requests per second to each side, 0 for as fast as it goes.

    `headers` are put in the place of those that were recorded; times are seconds, sizes bytes.
    """

    legacy: Origin
    modern: Origin
    route_of: Callable[[str, str], tuple[str, CompareRules]]
    rate: float = 0.0
    concurrency: int = 8
    writes: bool = False
    timeout: float = 30.0
    body_max: int = 16 * 1024 * 1024
    headers: Mapping[str, str] = field(default_factory=dict)


class Replay:
    """One run over recorded traffic; `asked` counts what was sent so far."""

    def __init__(self, plan: Plan, progress: Progress, redactor: Redactor) -> None:
        self.asked = 0
        self.items = 0
        self.unreadable: list[Unreadable] = []
        self._plan = plan
        self._progress = progress
        self._redactor = redactor
        self._transport = Transport(plan.body_max, plan.timeout, time.monotonic)
        self._finished: list[tuple[int, Record]] = []
        self._failure: Exception | None = None

    async def run(self, items: Iterator[Item], resumed: Resumed, moved: Callable[[], None]) -> None:
        """Ask what is not done yet; `moved` is called now and then. Raises StoreError."""
        free = asyncio.Semaphore(self._plan.concurrency)
        writer = asyncio.create_task(self._keep(moved))
        tasks: set[asyncio.Task[None]] = set()
        try:
            due = time.monotonic()
            for self.items, item in enumerate(items, start=1):
                if writer.done() or self._failure is not None:
                    break
                if resumed.is_done(self.items):
                    continue
                if isinstance(item, Unreadable) or not self._may_send(item):
                    self._left_out(self.items, item)
                    if not self.items % 1000:
                        await asyncio.sleep(0)
                    continue
                if self.items in resumed.claimed:
                    self._done(self.items, item, "interrupted")
                    continue
                due = await self._pace(due)
                await free.acquire()
                task = asyncio.create_task(self._guarded(self.items, item))
                task.add_done_callback(lambda _: free.release())
                task.add_done_callback(tasks.discard)
                tasks.add(task)
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._transport.close()
            await self._commit()
        if self._failure is not None:
            raise self._failure
        moved()

    async def _pace(self, due: float) -> float:
        """Wait until the next request is due; a pause is not made up for by a burst."""
        if not self._plan.rate:
            return due
        now = time.monotonic()
        if due > now:
            await asyncio.sleep(due - now)
        return max(due, now) + 1 / self._plan.rate

    def _may_send(self, item: Recorded) -> bool:
        return item.method in SAFE or self._plan.writes

    def _left_out(self, number: int, item: Item) -> None:
        if isinstance(item, Unreadable):
            self.unreadable = [*self.unreadable[:19], item]
            record = Record(UNREADABLE, time.time(), 0, Verdict.NOT_COMPARED, "unreadable")
            self._finished.append((number, record))
        else:
            self._done(number, item, "unsafe_method")

    def _done(self, number: int, item: Recorded, reason: str) -> None:
        route, _ = self._plan.route_of(item.method, item.target)
        record = Record(route, time.time(), 0, Verdict.NOT_COMPARED, reason, method=item.method)
        self._finished.append((number, record))

    async def _guarded(self, number: int, item: Recorded) -> None:
        """End the run when a result cannot be kept: the item is not done, and comes again."""
        try:
            await self._one(number, item)
        except Exception as error:
            self._failure = error

    async def _one(self, number: int, item: Recorded) -> None:
        if item.method not in SAFE:
            await self._progress.claim(number)
        item = self._as_sent(item)
        capture = self._capture(number, item)
        sides = self._plan.legacy, self._plan.modern
        asked = (self._ask(item, side) for side in sides)
        legacy, modern = await asyncio.gather(*asked, return_exceptions=True)
        self.asked += 1
        for answer in (legacy, modern):
            if isinstance(answer, BaseException):
                known = isinstance(answer, NotComparableError)
                self._done(number, item, str(answer) if known else "internal_error")
                return
        assert not isinstance(legacy, BaseException)  # noqa: S101 - told apart just before
        assert not isinstance(modern, BaseException)  # noqa: S101
        self._compared(number, capture, legacy, modern)

    def _as_sent(self, item: Recorded) -> Recorded:
        """Give the request with the fields that were named for this run; a recorded Host goes."""
        wanted = {name.lower(): value for name, value in self._plan.headers.items()}
        kept = (pair for pair in item.headers if pair[0] not in (*wanted, "host"))
        return replace(item, headers=(*kept, *wanted.items()))

    def _capture(self, number: int, item: Recorded) -> Capture:
        route, _ = self._plan.route_of(item.method, item.target)
        return Capture(
            id=f"replay-{number}", route=route, method=item.method, target=item.target,
            request_headers=item.headers, request_body=item.body, primary="legacy",
            status=0, headers=(), body=b"", truncated=False, at=time.time(), latency=0.0,
            identity=0, version=0,
        )  # fmt: skip

    async def _ask(self, item: Recorded, origin: Origin) -> tuple[Answer, float]:
        """Ask one side once; a write on a connection of its own, so that it cannot go twice."""
        started = time.monotonic()
        sent = wire(item, origin)
        try:
            async with asyncio.timeout(self._plan.timeout):
                answer = await self._transport.exchange(
                    origin, sent, is_head=item.method == "HEAD", fresh=item.method not in SAFE
                )
        except UnreachableError as error:
            raise NotComparableError("unreachable") from error
        except BrokenError as error:
            raise NotComparableError("broken") from error
        except TimeoutError as error:
            raise NotComparableError("timeout") from error
        return answer, time.monotonic() - started

    def _compared(
        self,
        number: int,
        capture: Capture,
        legacy: tuple[Answer, float],
        modern: tuple[Answer, float],
    ) -> None:
        (old, old_latency), (new, new_latency) = legacy, modern
        _, rules = self._plan.route_of(capture.method, capture.target)
        try:
            found = compare(old, new, rules, datetime.now(UTC).date())
        except Exception:  # one request of many: it is counted, and the others go on
            found = Comparison.not_compared("internal_error")
        seen = _answered(capture, old, old_latency)
        finding = None
        if found.verdict is Verdict.MISMATCH:
            redactor = self._redactor.declaring(rules.redact)
            finding = finding_of(seen, new, new_latency, found, redactor)
        record = Record(
            route=capture.route, at=capture.at, version=0, verdict=found.verdict,
            reason=found.reason, fired=found.fired, finding=finding, method=capture.method,
            status=old.status,
        )  # fmt: skip
        self._finished.append((number, record))

    async def _keep(self, moved: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY)
            await self._commit()
            moved()

    async def _commit(self) -> None:
        finished, self._finished = self._finished, []
        if finished:
            await self._progress.commit((n for n, _ in finished), [r for _, r in finished])


def _answered(capture: Capture, answer: Answer, latency: float) -> Capture:
    return replace(
        capture,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        truncated=answer.truncated,
        latency=latency,
    )
