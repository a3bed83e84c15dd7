"""Captures that wait to be examined: fair between routes, bounded, and rather fresh than many.

Each route has a lane of its own, and lanes take turns: one whose answers are slow, or that is asked
all the time, does not hold up the others. When there is no room, the oldest capture of the longest
lane goes. Were it the newest, a worker that does not keep up would only ever get to captures that
are too old to be compared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


def _nothing() -> None:
    """Nobody waits to hear of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A capture as it came; `concluded` is called once it has been dealt with, or given up."""

    route: str
    frame: bytes
    concluded: Callable[[], None] = _nothing


class _Lane:
    """What waits of one route, how many of it are under way, and whether it is in turn."""

    __slots__ = ("in_turn", "most", "route", "under_way", "waiting")

    def __init__(self, route: str, most: int) -> None:
        self.route: Final = route
        self.most = most
        self.waiting: deque[Arrival] = deque()
        self.under_way = 0
        self.in_turn = False

    @property
    def is_ready(self) -> bool:
        """Whether its next capture may be taken up."""
        return bool(self.waiting) and self.under_way < self.most


class CaptureQueue:
    """Lanes bounded together in number and bytes; `at_once` of a route are under way at most."""

    def __init__(self, number_max: int, bytes_max: int, at_once: int) -> None:
        self._number_max: Final = number_max
        self._bytes_max: Final = bytes_max
        self._at_once: Final = at_once
        self._most: Mapping[str, int] = {}
        self._most_together: int | None = None
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._getters: deque[asyncio.Future[None]] = deque()
        self._number = self._bytes = self._under_way = 0

    def __len__(self) -> int:
        return self._number

    @property
    def under_way(self) -> int:
        """How many captures have been taken up and are not done."""
        return self._under_way

    def limit(self, by_route: Mapping[str, int], together: int | None) -> None:
        """Let so many be under way of a route, and of all; routes not named have the default."""
        self._most, self._most_together = by_route, together
        for lane in self._lanes.values():
            lane.most = self._most_of(lane.route)
            self._note_ready(lane)

    def put(self, arrival: Arrival) -> list[Arrival]:
        """Take a capture; gives those that have to go for it, which may be itself."""
        if len(arrival.frame) > self._bytes_max:
            return [arrival]
        dropped = []
        while self._number >= self._number_max or (
            self._bytes + len(arrival.frame) > self._bytes_max
        ):
            dropped.append(self._drop_for(arrival.route))
        lane = self._lanes.get(arrival.route)
        if lane is None:
            lane = self._lanes[arrival.route] = _Lane(arrival.route, self._most_of(arrival.route))
        lane.waiting.append(arrival)
        self._account(arrival, 1)
        self._note_ready(lane)
        return dropped

    async def get(self) -> Arrival:
        """Wait for the next capture that may be taken up; it is under way until it is `done`."""
        while not self._has_next:
            await self._wake_up_call()
        lane = self._ready.popleft()
        lane.in_turn = False
        arrival = lane.waiting.popleft()
        lane.under_way += 1
        self._under_way += 1
        self._account(arrival, -1)
        self._note_ready(lane)
        self._wake()
        return arrival

    def done(self, arrival: Arrival) -> None:
        """Say that a capture has been dealt with."""
        lane = self._lanes[arrival.route]
        lane.under_way -= 1
        self._under_way -= 1
        if not lane.waiting and not lane.under_way:
            del self._lanes[arrival.route]
        self._note_ready(lane)
        self._wake()
        arrival.concluded()

    @property
    def _has_next(self) -> bool:
        together = self._most_together
        return bool(self._ready) and (together is None or self._under_way < together)

    def _most_of(self, route: str) -> int:
        return self._most.get(route, self._at_once)

    def _account(self, arrival: Arrival, sign: int) -> None:
        self._number += sign
        self._bytes += sign * len(arrival.frame)

    def _note_ready(self, lane: _Lane) -> None:
        if lane.is_ready is lane.in_turn:
            return
        lane.in_turn = lane.is_ready
        if lane.in_turn:
            self._ready.append(lane)
            self._wake()
        else:
            self._ready.remove(lane)

    def _drop_for(self, route: str) -> Arrival:
        """Give up the oldest of the longest lane; of the newcomer's own, if it has its share."""
        lane = self._lanes.get(route)
        if lane is None or len(lane.waiting) * len(self._lanes) < self._number:
            lane = max(self._lanes.values(), key=lambda each: len(each.waiting))
        arrival = lane.waiting.popleft()
        self._account(arrival, -1)
        self._note_ready(lane)
        if not lane.waiting and not lane.under_way:
            del self._lanes[lane.route]
        return arrival

    # Whoever waits; as in asyncio.Queue

    async def _wake_up_call(self) -> None:
        getter = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        try:
            await getter
        except asyncio.CancelledError:
            if getter in self._getters:
                self._getters.remove(getter)
            elif self._has_next:
                self._wake()  # it was ours to take; now it is the next one's
            raise

    def _wake(self) -> None:
        while self._has_next and self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return
