"""Intervals added up to longer ones, so that weeks can be shown from a few rows.

A roll-up is an interval like any other: of one route, or of all of them together under the name
that minutes use to say that somebody watched.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.control.interval import EVERY_ROUTE, Interval, SideCounts

DAY: Final = 86_400.0

COARSE: Final = 5
"""Latency buckets made one in roll-ups: quantiles are exact to 5%, in a tenth of the room."""

KEPT_MOST: Final = 250_000
"""Roll-ups of one length kept at most."""


@dataclass(frozen=True, slots=True)
class Grain:
    """One length of roll-ups in seconds, from which they are made, and for how long they stay.

    They are made from intervals of `source` seconds; those of a minute are made while traffic runs.
    """

    seconds: int
    source: int
    kept_for: float


TEN_MINUTES: Final = Grain(600, 60, 3 * DAY)
HOUR: Final = Grain(3600, 600, 15 * DAY)
A_DAY: Final = Grain(86_400, 3600, 400 * DAY)

GRAINS: Final = (TEN_MINUTES, HOUR, A_DAY)
"""In the order in which they are made: each from the one before."""


def end_of(at: float, grain: Grain) -> float:
    """Give when the roll-up ends that an interval with this end belongs to."""
    return math.ceil(at / grain.seconds) * float(grain.seconds)


@dataclass(slots=True)
class _Side:
    ok: int = 0
    bad: int = 0
    served: int = 0
    distinct: int = 0
    latencies: Counter[int] = field(default_factory=Counter)

    def add(self, counts: SideCounts) -> None:
        self.ok += counts.ok
        self.bad += counts.bad
        self.served += counts.served
        self.distinct += counts.distinct
        for bucket, count in counts.latencies.items():
            self.latencies[coarse(bucket)] += count

    def sum(self) -> SideCounts:
        return SideCounts(self.ok, self.bad, self.served, self.distinct, dict(self.latencies))


@dataclass(slots=True)
class _Sum:
    version: int = 0
    weight: int = 0
    legacy: _Side = field(default_factory=_Side)
    modern: _Side = field(default_factory=_Side)
    comparisons: Counter[str] = field(default_factory=Counter)

    def add(self, part: Interval) -> None:
        self.version, self.weight = max(self.version, part.version), part.weight
        self.legacy.add(part.legacy)
        self.modern.add(part.modern)
        self.comparisons.update(part.comparisons)


class Adder:
    """Adds up the parts of one roll-up, given in order of time."""

    def __init__(self) -> None:
        self._watched = 0.0
        self._sums: dict[str, _Sum] = {}
        self._all = _Sum()

    def add(self, parts: Iterable[Interval]) -> None:
        """Take some parts; what all routes had together in them is added up anew."""
        for part in parts:
            if part.route == EVERY_ROUTE:
                self._watched += part.seconds
                continue
            self._sums.setdefault(part.route, _Sum()).add(part)
            self._all.add(part)

    def rollups(self, at: float) -> list[Interval]:
        """Give them, ended at this time: of all routes together, and of each that had traffic."""
        self._all.weight = 0  # of many routes it says nothing
        found = {EVERY_ROUTE: self._all, **self._sums}
        return [self._interval(route, each, at) for route, each in found.items()]

    def _interval(self, route: str, each: _Sum, at: float) -> Interval:
        legacy, modern = each.legacy.sum(), each.modern.sum()
        compared: Mapping[str, int] = dict(each.comparisons)
        return Interval(
            route, at, self._watched, each.version, each.weight, legacy, modern, compared
        )


def coarse(bucket: int) -> int:
    """Give the bucket that stands for this one and its neighbours; for itself it stands, too."""
    return (bucket + COARSE // 2) // COARSE * COARSE
