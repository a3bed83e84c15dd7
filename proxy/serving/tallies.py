"""What is counted of each route, and which of it is told next."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from typing import Final

from proxy.outcome import Tally
from proxy.turns import Turns

Taken = dict[tuple[str, str], Tally]
"""Counts that begin anew, by route id and side."""

PART: Final = 25
"""Tallies looked at for one batch."""

ROUND_FEWEST: Final = 4
ROUND_MOST: Final = 80
"""Batches until all have had their turn: 0.2 s, as good news is not judged more often, to 4 s.

What is told of one request costs the worker and the controller as much as what is told of ten. With
2,000 routes under traffic, telling everything 20 times a second took a third of a core.
"""


class Tallies:
    """One tally for each route and side. Failures are told at once, the rest in turn."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Tally] = {}
        self._keys: list[tuple[str, str]] = []
        self._failed: dict[tuple[str, str], None] = {}
        self._slow_at: dict[str, float] = {}
        self._turns: Turns[tuple[str, str]] = Turns(PART, ROUND_FEWEST, ROUND_MOST)

    def of(self, route: str, side: str) -> Tally:
        """The counts of one route and side; the same object ever after."""
        key = (route, side)
        tally = self._all.get(key)
        if tally is None:
            tally = self._all[key] = Tally(slow_at=self._slow_at.get(route, math.inf))
            self._keys.append(key)
        return tally

    def failing(self, route: str, side: str) -> Tally:
        """The same, for a failure: it is told with the next batch, whoever's turn it is."""
        self._failed[route, side] = None
        return self.of(route, side)

    def limit_slowness(self, limits: dict[str, float]) -> None:
        """Say from which latency in seconds on an answer of each route is slow."""
        self._slow_at = limits
        for (route, _), tally in self._all.items():
            tally.slow_at = limits.get(route, math.inf)

    def keep(self, routes: Container[str]) -> None:
        """Forget all other routes, whatever was counted there."""
        self._all = {key: tally for key, tally in self._all.items() if key[0] in routes}
        self._keys = list(self._all)

    def take_failed(self) -> Taken:
        """Take what has a failure in it."""
        failed, self._failed = self._failed, {}
        return self._take(failed)

    def take_next(self) -> Taken:
        """Take that, and of the rest whose turn it is."""
        taken = self.take_failed()
        taken.update(self._take(self._turns.next(self._keys)))
        return taken

    def take_all(self) -> Taken:
        """Take everything."""
        self._failed.clear()
        return self._take(self._keys)

    def _take(self, keys: Iterable[tuple[str, str]]) -> Taken:
        """Take from those that have counted anything; who holds a tally goes on counting in it."""
        taken: Taken = {}
        for key in keys:
            tally = self._all.get(key)
            if tally:
                taken[key] = tally.take()
        return taken
