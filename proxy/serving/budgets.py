"""Budgets of captures, kept within one worker before anything of an answer is copied (pure).

A rate is kept as `limits` keeps it: as the moment from which nothing is owed any more. What a
capture weighs is known only at its end, so bytes are owed afterwards: while they are, no other
capture begins. Over time no more is spent than allowed; at any one moment it may be, by the
captures that had begun by then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from proxy.routing.budget import MirrorBudget
from proxy.serving.limits import Pace


class Spent(StrEnum):
    """Which budget is used up."""

    ROUTE_RATE = "route_rate"
    ROUTE_BYTES = "route_bytes"
    TOTAL_RATE = "total_rate"
    TOTAL_BYTES = "total_bytes"


class _Meter:
    """One rate, with what one second brings as its burst."""

    __slots__ = ("_moment", "_pace", "_rate")

    def __init__(self) -> None:
        self._rate: float | None = None
        self._pace: Pace | None = None
        self._moment = -math.inf

    def follow(self, rate: float | None) -> None:
        """Go by this rate a second from now on; what was owed by another is forgiven."""
        if rate != self._rate:
            self._rate, self._moment = rate, -math.inf
            self._pace = None if rate is None else Pace(rate, max(1, math.floor(rate)))

    def is_spent(self, now: float) -> bool:
        """Whether nothing may be taken now."""
        return self._pace is not None and self._pace.wait(self._moment, now) > 0.0

    def charge(self, amount: int, now: float) -> None:
        """Take so much."""
        if self._pace is not None:
            self._moment = max(self._moment, now) + amount * self._pace.interval


class _Purse:
    """Both rates of one route, or of all together."""

    __slots__ = ("octets", "rate")

    def __init__(self) -> None:
        self.rate: Final = _Meter()
        self.octets: Final = _Meter()

    def follow(self, budget: MirrorBudget, workers: int) -> None:
        """Go by a budget, of which each worker has its equal part."""
        for meter, rate in ((self.rate, budget.rate), (self.octets, budget.bandwidth)):
            meter.follow(None if rate is None else rate / workers)


class Budgets:
    """All that one worker counts towards budgets. Times are seconds of one monotonic clock."""

    def __init__(self, workers: int) -> None:
        self._workers: Final = workers
        self._routes: dict[str, _Purse] = {}
        self._total: _Purse | None = None

    def follow(self, routes: Iterable[tuple[str, MirrorBudget]], total: MirrorBudget) -> None:
        """Go by these budgets, given by the ids of their routes."""
        found: dict[str, _Purse] = {}
        for route_id, budget in routes:
            if _is_limited(budget):
                found[route_id] = purse = self._routes.get(route_id) or _Purse()
                purse.follow(budget, self._workers)
        self._routes = found
        purse = self._total or _Purse()
        purse.follow(total, self._workers)
        self._total = purse if _is_limited(total) else None

    def refusal(self, route_id: str, now: float) -> str:
        """Count a capture that begins; or say which budget is used up, and count nothing."""
        route, total = self._routes.get(route_id), self._total
        if route is not None:
            if route.rate.is_spent(now):
                return Spent.ROUTE_RATE.value
            if route.octets.is_spent(now):
                return Spent.ROUTE_BYTES.value
        if total is not None:
            if total.rate.is_spent(now):
                return Spent.TOTAL_RATE.value
            if total.octets.is_spent(now):
                return Spent.TOTAL_BYTES.value
            total.rate.charge(1, now)
        if route is not None:
            route.rate.charge(1, now)
        return ""

    def charge(self, route_id: str, octets: int, now: float) -> None:
        """Count what a capture weighs."""
        route, total = self._routes.get(route_id), self._total
        if route is not None:
            route.octets.charge(octets, now)
        if total is not None:
            total.octets.charge(octets, now)


def _is_limited(budget: MirrorBudget) -> bool:
    return budget.rate is not None or budget.bandwidth is not None
