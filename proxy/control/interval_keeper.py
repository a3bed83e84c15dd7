"""Keeping the outcomes of every minute in the store, bounded in age and in number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from proxy.clock import Clock
from proxy.control.in_force import InForce
from proxy.control.interval import (
    EVERY_ROUTE,
    KEPT_FOR,
    KEPT_MOST,
    LENGTH,
    Cutter,
    Interval,
    anything,
)
from proxy.control.live import LiveRoute
from proxy.control.roller import Roller
from proxy.control.store.base import Store
from shadow_compare.store.errors import StoreError

PART: Final = 100
"""Routes looked at before the loop turns again."""

log = logging.getLogger(__name__)


class IntervalKeeper:
    """Cuts and keeps; what cannot be kept is lost, and said once: routing needs none of it."""

    def __init__(self, in_force: InForce, store: Store, clock: Clock) -> None:
        self._in_force = in_force
        self._store = store
        self._clock = clock
        self._cutter = Cutter()
        self._roller = Roller(store)
        self._last = clock.monotonic()
        self._failed = False

    async def run(self) -> None:
        """Keep an interval each minute until cancelled."""
        while True:
            await asyncio.sleep(LENGTH)
            await self.keep()

    async def keep(self) -> None:
        """Keep what came since the last time."""
        now = self._clock.monotonic()
        at, seconds = self._clock.wall(), now - self._last
        self._last = now
        found = [Interval(EVERY_ROUTE, at, seconds)]
        for number, live in enumerate(tuple(self._in_force.live.values())):
            if number % PART == PART - 1:
                await asyncio.sleep(0)
            interval = self._cut(live, at, seconds, now)
            if anything(interval):
                found.append(interval)
        await self._write(found, at)

    def _cut(self, live: LiveRoute, at: float, seconds: float, now: float) -> Interval:
        state = self._in_force.state
        weight = state.weight_in_force(live.route)
        return self._cutter.cut(live, weight, state.record.number, at, seconds, now)

    async def _write(self, found: Iterable[Interval], at: float) -> None:
        try:
            await self._store.keep_intervals(tuple(found))
            await self._store.drop_intervals(at - KEPT_FOR, KEPT_MOST)
            await self._roller.roll(at)
            self._failed = False
        except StoreError as error:
            if not self._failed:
                log.warning("outcomes of a minute are not kept: %s", error)
            self._failed = True
