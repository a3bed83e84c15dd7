"""Making roll-ups of what is in the store: nothing is lost with a process, gaps are jumped over."""

from __future__ import annotations

from typing import Final

from proxy.control.interval import LENGTH, Interval
from proxy.control.rollup import GRAINS, KEPT_MOST, Adder, Grain, end_of
from proxy.control.store.base import Store

PART: Final = 20
"""Intervals read before the loop turns again. One of a minute full of trouble is 60 KB of objects:
a hundred at a time took the process 10 MB that it kept, and the loop 30 ms."""

AFTER: Final = 1e-3
"""Seconds by which an interval ends later that belongs to the next roll-up."""

AT_MOST: Final = 50
"""Roll-ups of one length made at a time: after a long rest the others wait a minute."""


class Roller:
    """Makes those roll-ups whose time is over; raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def roll(self, now: float) -> None:
        """Make what is missing until now (Unix seconds), and throw away what is old."""
        for grain in GRAINS:
            for _ in range(AT_MOST):
                if not await self._made_one(grain, now):
                    break
            else:
                return  # longer ones must not be made from half of their parts
            await self._store.drop_rollups(grain.seconds, now - grain.kept_for, KEPT_MOST)

    async def _made_one(self, grain: Grain, now: float) -> bool:
        last = await self._store.newest_rollup(grain.seconds)
        since = now - grain.kept_for if last is None else last + AFTER
        oldest = await self._source(grain, since, now, 1, 0)
        if not oldest or (end := end_of(oldest[0][1].at, grain)) > now:
            return False
        adder, after = Adder(), 0
        while part := await self._source(grain, end - grain.seconds + AFTER, end, PART, after):
            adder.add(each for _, each in part)
            after = part[-1][0]
        await self._store.keep_rollups(grain.seconds, adder.rollups(end))
        return True

    async def _source(
        self, grain: Grain, since: float, until: float, limit: int, after: int
    ) -> list[tuple[int, Interval]]:
        if grain.source == LENGTH:
            return await self._store.intervals(since, until, None, limit, after)
        return await self._store.rollups(grain.source, since, until, None, limit, after)
