"""The last minutes of every route, sampled from the controller's status for the sparklines."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal, Protocol

from proxy.control.status import SideStatus, Status

SLOTS = 60
EVERY = 5.0
"""Sixty samples, five seconds apart: the last five minutes."""

Measure = Literal["requests_per_second", "error_rate", "p95"]


class StatusSource(Protocol):
    """Whoever can say how things stand."""

    def status(self) -> Status:
        """Everything now; cheap."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """Both sides of one route at one moment."""

    legacy: SideStatus
    modern: SideStatus


class History:
    """A bounded memory of samples per route; a route that left the rules is forgotten."""

    def __init__(self, slots: int = SLOTS, every: float = EVERY) -> None:
        self.slots = slots
        self.every = every
        self._fed_at: float | None = None
        self._samples: dict[str, deque[Sample]] = {}

    @property
    def span(self) -> float:
        """How many seconds a full chart covers."""
        return self.slots * self.every

    def feed(self, status: Status) -> None:
        """Take a sample unless the last is younger than `every`; a clock set back makes it old."""
        if self._fed_at is not None and 0 <= status.at - self._fed_at < self.every:
            return
        self._fed_at = status.at
        kept = self._samples
        self._samples = {}
        for route in status.routes:
            samples = kept.get(route.id) or deque(maxlen=self.slots)
            samples.append(Sample(route.legacy, route.modern))
            self._samples[route.id] = samples

    def series(self, route_id: str, side: str, measure: Measure) -> list[float | None]:
        """One measure of one side, oldest first; None where there was nothing to measure."""
        samples = self._samples.get(route_id, ())
        return [getattr(getattr(sample, side), measure) for sample in samples]

    async def watch(
        self,
        source: StatusSource,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Feed from `source` for ever, so that charts are full when the first operator looks."""
        while True:
            self.feed(source.status())
            await wait(self.every)

    @asynccontextmanager
    async def watched(self, source: StatusSource) -> AsyncIterator[None]:
        """Feed from `source` in the background for as long as the block runs."""
        watching = asyncio.create_task(self.watch(source))
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
