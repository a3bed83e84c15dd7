"""The last minutes of every route, sampled for the sparklines."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal, Protocol

from proxy.control.status import RouteFigures

SLOTS = 60
EVERY = 5.0
"""Sixty samples, five seconds apart: the last five minutes."""

PART: Final = 20
PAUSE: Final = 0.01
"""Routes sampled in one piece, and seconds that everybody else has until the next: a quantile takes
some microseconds, and with thousands of routes a decision would wait for all of them."""

Measure = Literal["requests_per_second", "error_rate", "p95"]

_MEASURES: Final = ("requests_per_second", "error_rate", "p95")
_SIDES: Final = ("legacy", "modern")
_WIDTH: Final = len(_SIDES) * len(_MEASURES)


class FiguresSource(Protocol):
    """Whoever knows how routes do."""

    def figures(self) -> Iterable[RouteFigures]:
        """Of each route, each worked out when it is asked for."""
        ...


class History:
    """A bounded memory of samples per route; a route that left the rules is forgotten.

    Samples of a route lie side by side in one array, a sixth of what as many objects would take.
    """

    def __init__(self, slots: int = SLOTS, every: float = EVERY) -> None:
        self.slots = slots
        self.every = every
        self._samples: dict[str, array[float]] = {}

    @property
    def span(self) -> float:
        """How many seconds a full chart covers."""
        return self.slots * self.every

    def series(self, route_id: str, side: str, measure: Measure) -> list[float | None]:
        """One measure of one side, oldest first; None where there was nothing to measure."""
        samples = self._samples.get(route_id, array("d"))
        place = _SIDES.index(side) * len(_MEASURES) + _MEASURES.index(measure)
        return [None if math.isnan(value) else value for value in samples[place::_WIDTH]]

    async def sample(
        self,
        source: FiguresSource,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take one sample of every route, a few at a time."""
        kept: dict[str, array[float]] = {}
        for number, route in enumerate(source.figures(), 1):
            samples = kept[route.id] = self._samples.setdefault(route.id, array("d"))
            if len(samples) >= self.slots * _WIDTH:
                del samples[:_WIDTH]
            for side in (route.legacy, route.modern):
                samples.extend(math.nan if value is None else value for value in side)
            if number % PART == 0:
                await wait(PAUSE)
        self._samples = kept

    async def watch(
        self,
        source: FiguresSource,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Sample `source` for ever, so that charts are full when the first operator looks."""
        while True:
            await self.sample(source, wait)
            paused = len(self._samples) // PART * PAUSE
            await wait(max(PAUSE, self.every - paused))

    @asynccontextmanager
    async def watched(self, source: FiguresSource) -> AsyncIterator[None]:
        """Sample `source` in the background for as long as the block runs."""
        watching = asyncio.create_task(self.watch(source))
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
