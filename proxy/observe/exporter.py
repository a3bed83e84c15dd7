"""Spans on their way to a collector: a bounded buffer in front of somebody who may be slow or gone.

Whoever offers a span never waits and never fails. What there is no room for is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import orjson

from proxy.observe.collector import Answer
from proxy.observe.span import Envelope, Span, Value

WAITING_MAX: Final = 4 * 1024 * 1024
"""Bytes of spans that may wait, some 5,000 of them; beyond it new ones are dropped."""

BATCH_MAX: Final = 1024 * 1024
"""Bytes of spans in one request; collectors take 20 MiB unless they are told otherwise."""

EVERY: Final = 1.0
"""Seconds for which a span waits for others."""

ATTEMPTS_MAX: Final = 5
FIRST_PAUSE: Final = 1.0
PAUSE_MAX: Final = 60.0
"""Attempts at one batch, with pauses that double; a collector may ask for longer ones, up to this.

Meanwhile the buffer fills, so whatever is tried again is paid for with newer spans.
"""

CLOSING: Final = 1.0
"""Seconds that are given to what still waits at the end of the process."""

AGAIN: Final = frozenset({429, 502, 503, 504})
"""What may be sent again (OTLP, Retryable Response Codes); any other refusal is final."""

DROPPED: Final = "spans_dropped"
SENT: Final = "spans_sent"

log = logging.getLogger(__name__)

Note = Callable[[str, str, int], None]
"""Counts an event, with a label, so many times."""


class Post(Protocol):
    """A collector, or what stands for one."""

    async def post(self, body: bytes) -> Answer:
        """Send a body; never raises."""
        ...


class Exporter:
    """Takes spans, and sends them in batches while `run` runs. `share` is that of new traces."""

    def __init__(
        self,
        collector: Post,
        resource: Mapping[str, Value],
        version: str,
        share: float,
        note: Note,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.share: Final = share
        self._collector = collector
        self._envelope = Envelope(resource, version)
        self._note = note
        self._sleep = sleep
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._trouble = ""

    def offer(self, span: Span) -> None:
        """Take a span, unless too many wait."""
        encoded = span.encode()
        if self._size + len(encoded) > WAITING_MAX:
            self._note(DROPPED, "full", 1)
            return
        self._waiting.append(encoded)
        self._size += len(encoded)

    async def run(self) -> None:
        """Send what waits, for ever."""
        while True:
            if self._size < BATCH_MAX:
                await self._sleep(EVERY)
            try:
                await self.flush()
            except Exception:
                log.exception("spans could not be sent")

    async def flush(self) -> None:
        """Send one batch of what waits, if anything does."""
        batch = self._take()
        try:
            if batch:
                await self._deliver(batch)
        except BaseException:
            self._note(DROPPED, "gave_up", len(batch))
            raise

    async def close(self) -> None:
        """Send once what still waits, or count it; `run` has ended before."""
        try:
            async with asyncio.timeout(CLOSING):
                while batch := self._take():
                    answer = await self._collector.post(self._envelope.around(batch))
                    self._settle(answer, len(batch), "gave_up")
        except TimeoutError:
            self._note(DROPPED, "gave_up", len(batch) + len(self._waiting))

    def _take(self) -> list[bytes]:
        """Take the oldest of what waits, as much as one request holds."""
        batch: list[bytes] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0]) <= BATCH_MAX):
            batch.append(self._waiting.popleft())
            size += len(batch[-1])
        self._size -= size
        return batch

    async def _deliver(self, batch: list[bytes]) -> None:
        """Send a batch, again where that is allowed and may help; give it up at last."""
        body, pause = self._envelope.around(batch), FIRST_PAUSE
        for attempt in range(1, ATTEMPTS_MAX + 1):
            answer = await self._collector.post(body)
            self._tell(answer)
            if attempt == ATTEMPTS_MAX or not _is_worth_another(answer):
                break
            await self._sleep(min(max(pause, answer.wait or 0.0), PAUSE_MAX))
            pause *= 2
        self._settle(answer, len(batch), "gave_up" if _is_worth_another(answer) else "refused")

    def _settle(self, answer: Answer, spans: int, otherwise: str) -> None:
        """Count what came of a batch."""
        if not _is_taken(answer):
            self._note(DROPPED, otherwise, spans)
            return
        refused = min(_refused(answer), spans)
        if refused:
            self._note(DROPPED, "refused", refused)
        if spans > refused:
            self._note(SENT, "", spans - refused)

    def _tell(self, answer: Answer) -> None:
        """Log that there is trouble with the collector, when it begins, and when it is over."""
        trouble = "" if _is_taken(answer) else answer.told
        if trouble and not self._trouble:
            log.warning("traces: the collector %s: %s", self._collector, trouble)
        elif self._trouble and not trouble:
            log.info("traces: the collector %s takes spans again", self._collector)
        self._trouble = trouble


def _is_taken(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _is_worth_another(answer: Answer) -> bool:
    return answer.status == 0 or answer.status in AGAIN


def _refused(answer: Answer) -> int:
    """Give how many spans of a batch were refused all the same (OTLP, Partial Success)."""
    try:
        return int(orjson.loads(answer.body)["partialSuccess"]["rejectedSpans"])
    except (ValueError, KeyError, TypeError):
        return 0
