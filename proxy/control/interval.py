"""Outcomes of one route in one minute or so, kept for `simulate`: what happened, without who.

They are differences of counts that only grow, most of them those that metrics show, so that
counting them costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from proxy.control.live import LiveRoute, SideTotals, Totals
from proxy.control.moments import Segment

LENGTH: Final = 60.0
"""Seconds of one interval."""

KEPT_FOR: Final = 14 * 86_400.0
"""Seconds after which intervals are thrown away."""

KEPT_MOST: Final = 500_000
"""Intervals kept at most: of 100 routes under traffic, three and a half days."""

EVERY_ROUTE: Final = ""
"""The route of an interval that only says that somebody watched, whether anything came or not."""


@dataclass(frozen=True, slots=True)
class SideCounts:
    """One side: attempts by how they ended; `latencies` maps buckets of `proxy.outcome` to counts.

    `distinct` counts bad attempts once for each identity in 10 s.
    """

    ok: int = 0
    bad: int = 0
    served: int = 0
    distinct: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interval:
    """What one route saw until `at` (Unix seconds), for so many seconds.

    `weight` is the one in force at its end, in hundredths of a percent; `comparisons` counts by
    verdict. `segments` tells in order what detectors take; None in what an earlier program kept.
    An answer was slow from `slow_at` seconds on; `place` is where answers last differed that may
    not.
    """

    route: str
    at: float
    seconds: float
    version: int = 0
    weight: int = 0
    legacy: SideCounts = SideCounts()
    modern: SideCounts = SideCounts()
    comparisons: Mapping[str, int] = field(default_factory=dict)
    segments: tuple[Segment, ...] | None = None
    slow_at: float = 0.0
    place: str = ""

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values; latencies as pairs, because keys of JSON are texts."""
        plain = asdict(self)
        if self.segments is None:
            del plain["segments"]
        for side in ("legacy", "modern"):
            plain[side]["latencies"] = sorted(plain[side]["latencies"].items())
        return plain

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Interval:
        """From what `to_plain` gave; raises KeyError, TypeError or ValueError."""
        read: dict[str, Any] = {side: _side(data[side]) for side in ("legacy", "modern")}
        if (segments := data.get("segments")) is not None:
            read["segments"] = tuple(map(Segment.from_plain, segments))
        return cls(**{**data, **read})


def _side(data: Mapping[str, Any]) -> SideCounts:
    return SideCounts(**{**data, "latencies": dict(data["latencies"])})


class _Before:
    """The counts of one route at the end of its last interval, and whose they are."""

    __slots__ = ("comparisons", "sides", "totals")

    def __init__(self, totals: Totals) -> None:
        self.totals = totals
        self.sides: dict[str, SideCounts] = {}
        self.comparisons: Counter[str] = Counter()


class Cutter:
    """Cuts the counts of routes into intervals."""

    def __init__(self) -> None:
        self._before: dict[str, _Before] = {}

    def cut(
        self, live: LiveRoute, weight: int, version: int, at: float, seconds: float, now: float
    ) -> Interval:
        """Give what came since the last cut; the first one gives what came since the start.

        `at` is seconds of the Unix epoch, `now` monotonic. A route that was taken out of the rules
        and put back counts from nothing.
        """
        totals = live.totals
        before = self._before.get(live.route.id)
        if before is None or before.totals is not totals:
            before = self._before[live.route.id] = _Before(totals)
        sides = {}
        for name in ("legacy", "modern"):
            counts = _counts(totals, name)
            sides[name] = _since(before.sides.get(name, SideCounts()), counts)
            before.sides[name] = counts
        compared: Counter[str] = Counter()
        for (verdict, _), count in totals.comparisons.items():
            compared[verdict] += count
        fresh = compared - before.comparisons
        before.comparisons = compared
        return Interval(
            live.route.id, at, seconds, version, weight,
            sides["legacy"], sides["modern"], dict(fresh),
            live.moments.take(now, seconds, live.route.weight, totals),
            live.limit.seconds, live.critical_place,
        )  # fmt: skip


def anything(interval: Interval) -> bool:
    """Whether there was any traffic, served or compared."""
    if interval.comparisons or any(segment.counts for segment in interval.segments or ()):
        return True
    legacy, modern = interval.legacy, interval.modern
    return bool(legacy.ok or legacy.bad or modern.ok or modern.bad or legacy.served)


def thinned(latencies: Mapping[int, int], share: float) -> dict[int, int]:
    """Give a share of the counts, spread as they are; rounded so that the sum is right."""
    found: dict[int, int] = {}
    seen = given = 0
    for bucket in sorted(latencies):
        seen += latencies[bucket]
        if (part := round(seen * share) - given) > 0:
            found[bucket] = part
            given += part
    return found


def parts(total: int, number: int) -> Iterator[int]:
    """Divide a count into so many, as evenly as whole numbers can be."""
    for index in range(number):
        yield total * (index + 1) // number - total * index // number


def _counts(totals: Totals, name: str) -> SideCounts:
    side = totals.sides.get(name) or SideTotals()
    distinct = totals.counted[f"{name}_distinct"]
    return SideCounts(side.ok, side.bad, side.served, distinct, dict(side.latencies))


def _since(before: SideCounts, now: SideCounts) -> SideCounts:
    latencies = {
        bucket: count - before.latencies.get(bucket, 0)
        for bucket, count in now.latencies.items()
        if count > before.latencies.get(bucket, 0)
    }
    return SideCounts(
        now.ok - before.ok,
        now.bad - before.bad,
        now.served - before.served,
        now.distinct - before.distinct,
        latencies,
    )
