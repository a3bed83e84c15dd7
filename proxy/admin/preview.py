"""What another weight would do, told before it is set: who moves, and what would be caught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proxy.admin.plain import percent
from proxy.control.status import RouteStatus
from proxy.rollout.power import about, power
from proxy.routing.rules import WEIGHT_MAX

BIG_STEP = 5000
"""Hundredths of a percent: a rise by half of all users at once deserves a word."""

LONG = 3600.0
"""Seconds after which a failure that is caught has been seen by many."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Of a route's weight (hundredths of a percent) now and then.

    `buckets` are those of 10,000 that change sides: all others stay. `requests` is what they ask
    for in a second, at the traffic of now; `power` what failures would be caught.
    """

    weight: int
    now: int
    buckets: tuple[int, int]
    requests: float
    power: str
    warnings: tuple[str, ...]

    @property
    def moved(self) -> float:
        """Share of all users that change sides."""
        return (self.buckets[1] - self.buckets[0]) / WEIGHT_MAX

    @property
    def to(self) -> str | None:
        """The side to which they go; None when nobody moves."""
        if self.weight == self.now:
            return None
        return "modern" if self.weight > self.now else "legacy"

    def to_plain(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "weight": percent(self.weight),
            "now": percent(self.now),
            "moved": self.moved,
            "to": self.to,
            "buckets": list(self.buckets),
            "requests_per_second": self.requests,
            "power": self.power,
            "warnings": list(self.warnings),
        }


def preview(route: RouteStatus, weight: int, *, killed: bool) -> Preview:
    """Tell what a weight would do; what is in force now is what users are moved from.

    `killed` is whether the kill switch is on.
    """
    now = route.weight_in_force
    buckets = min(now, weight), max(now, weight)
    per_second = route.legacy.requests_per_second + route.modern.requests_per_second
    told = power(weight, per_second, route.modern.error_rate or 0.0)
    return Preview(
        weight=weight,
        now=now,
        buckets=buckets,
        requests=per_second * (buckets[1] - buckets[0]) / WEIGHT_MAX,
        power="" if weight == 0 else str(told),
        warnings=tuple(_warnings(route, weight, told.seconds, killed=killed)),
    )


def _warnings(route: RouteStatus, weight: int, seconds: float | None, *, killed: bool) -> list[str]:
    found = []
    if killed:
        found.append("The kill switch is on: legacy answers everything until it is off.")
    if route.rolled_back is not None:
        found.append("The route is rolled back: only resume puts a weight in force.")
    if weight > route.weight_in_force:
        found += _of_a_rise(route, weight, seconds)
    progress = route.progress
    if progress is not None and weight not in progress.weights:
        found.append(f"{_weight(weight)} is no step of plan {route.plan}: the plan waits there.")
    return found


def _of_a_rise(route: RouteStatus, weight: int, seconds: float | None) -> list[str]:
    found = []
    if route.verdict == "ROLLBACK":
        found.append(f"A limit is broken now: {route.verdict_reason}.")
    if (progress := route.progress) is not None and progress.waits:
        found.append(f"The gate of this step still needs {'; '.join(progress.waits)}.")
    coverage = route.coverage
    if coverage.mismatch:
        found.append(f"{coverage.mismatch:,} of {coverage.compared:,} answers compared differ.")
    elif not coverage.compared:
        found.append("No answers of this route were compared in the last window.")
    if weight - route.weight_in_force >= BIG_STEP:
        found.append(f"{_weight(weight - route.weight_in_force)} of all users move at once.")
    if seconds is None:
        found.append("There is no traffic now: failures could not be noticed.")
    elif seconds > LONG:
        found.append(f"At this traffic ten times the usual errors last {about(seconds)} unnoticed.")
    if route.on_breach == "freeze":
        found.append("This route is frozen on a breach, not rolled back.")
    return found


def _weight(hundredths: int) -> str:
    return f"{hundredths / 100:g}%"
