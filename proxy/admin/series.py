"""What a route, or all traffic, did over time: both sides, in steps that suit the range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from proxy.admin.interfaces import Controller
from proxy.admin.marks import Mark, marks_of
from proxy.admin.plain import instant, percent
from proxy.control.interval import EVERY_ROUTE, LENGTH, Interval, SideCounts
from proxy.control.rollup import A_DAY, DAY, GRAINS, HOUR, TEN_MINUTES, Adder
from proxy.outcome import latency_of
from proxy.rollout.sketch import quantile

PART: Final = 100
"""Intervals read before the loop turns again."""

DECISIONS_MAX: Final = 200
"""Decisions looked at for marks; what is older has none."""


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of time up to now, and the length of its steps, in seconds."""

    name: str
    seconds: float
    step: int

    @property
    def is_of_minutes(self) -> bool:
        """Whether it is read from single minutes, which are kept of single routes only."""
        return self.step == LENGTH


RANGES: Final = {
    each.name: each
    for each in (
        Range("15m", 900.0, 60),
        Range("1h", 3600.0, 60),
        Range("6h", 21_600.0, 60),
        Range("24h", DAY, TEN_MINUTES.seconds),
        Range("14d", 14 * DAY, HOUR.seconds),
        Range("26w", 182 * DAY, A_DAY.seconds),
    )
}
HOUR_AGO: Final = RANGES["1h"]


@dataclass(frozen=True, slots=True)
class Series:
    """Intervals in order of time, what was decided meanwhile, and until when it was read."""

    route: str
    range: Range
    until: float
    intervals: tuple[Interval, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def since(self) -> float:
        """When the range begins."""
        return self.until - self.range.seconds

    def to_plain(self) -> dict[str, Any]:
        """As the API gives it: a list for each figure, `at` in seconds for charts."""
        return {
            "route": self.route or None,
            "range": self.range.name,
            "step": self.range.step,
            "since": instant(self.since),
            "until": instant(self.until),
            "at": [each.at for each in self.intervals],
            "seconds": [each.seconds for each in self.intervals],
            "weight": [percent(each.weight) for each in self.intervals],
            "compared": [compared(each) for each in self.intervals],
            "mismatches": [each.comparisons.get("mismatch", 0) for each in self.intervals],
            "legacy": _columns([(each.seconds, each.legacy) for each in self.intervals]),
            "modern": _columns([(each.seconds, each.modern) for each in self.intervals]),
            "marks": [mark.to_plain() for mark in self.marks],
        }

    def latencies(self, side: str) -> Counter[int]:
        """How often answers of a side took how long, over the whole range."""
        found: Counter[int] = Counter()
        for each in self.intervals:
            found.update(getattr(each, side).latencies)
        return found


def compared(interval: Interval) -> int:
    """How many pairs were looked at."""
    return sum(n for verdict, n in interval.comparisons.items() if verdict != "not_compared")


def attempts(counts: SideCounts) -> int:
    """How many attempts were judged."""
    return counts.ok + counts.bad


def error_rate(counts: SideCounts) -> float | None:
    """Share of attempts that failed."""
    return counts.bad / attempts(counts) if attempts(counts) else None


def per_second(counts: SideCounts, seconds: float) -> float | None:
    """Attempts a second; None for no time at all, which a gap is written as."""
    return attempts(counts) / seconds if seconds > 0 else None


def modern_share(interval: Interval) -> float | None:
    """Share of the answers that modern gave."""
    served = interval.legacy.served + interval.modern.served
    return interval.modern.served / served if served else None


def _columns(sides: Sequence[tuple[float, SideCounts]]) -> dict[str, list[Any]]:
    return {
        "requests": [attempts(side) for _, side in sides],
        "served": [side.served for _, side in sides],
        "bad": [side.bad for _, side in sides],
        "requests_per_second": [per_second(side, seconds) for seconds, side in sides],
        "error_rate": [error_rate(side) for _, side in sides],
        "p50": [quantile(side.latencies, 0.5) for _, side in sides],
        "p95": [quantile(side.latencies, 0.95) for _, side in sides],
    }


async def read_series(
    controller: Controller, wanted: Range, now: float, route: str = EVERY_ROUTE
) -> Series:
    """Read a route's series, or that of all traffic; the last step may have just begun."""
    found = await _intervals(controller, wanted.step, now - wanted.seconds, now, route)
    series = Series(route, wanted, now, tuple(with_gaps(found, wanted.step)))
    if not route:
        return series
    decisions = [
        *await controller.decisions(DECISIONS_MAX, route),
        *(each for each in await controller.decisions(DECISIONS_MAX) if each.route is None),
    ]
    return replace(series, marks=marks_of(decisions, series.since))


async def _intervals(
    controller: Controller, step: int, since: float, until: float, route: str
) -> list[Interval]:
    """Read steps of one length, and put together to one what is not added up yet."""
    if step == LENGTH:
        # Of all routes together no minutes are kept: what there is says only that it was watched.
        return [each for each in await _minutes(controller, since, until, route) if each.route]
    grain = next(grain for grain in GRAINS if grain.seconds == step)
    found: list[Interval] = []
    after = 0
    while part := await controller.rollups(step, since, until, route, PART, after):
        found += [each for _, each in part]
        after = part[-1][0]
    rest = found[-1].at if found else since
    newer = await _intervals(controller, grain.source, rest + 1e-3, until, route)
    return found + _added_up(newer, route)


async def _minutes(
    controller: Controller, since: float, until: float, route: str
) -> list[Interval]:
    found: list[Interval] = []
    after = 0
    while part := await controller.outcomes(since, until, route, PART, after):
        found += [each for _, each in part]
        after = part[-1][0]
    return found


def _added_up(parts: Sequence[Interval], route: str) -> list[Interval]:
    """Make one interval of several; none of none."""
    if not parts:
        return []
    adder = Adder()
    adder.add(replace(part, route="one") for part in parts)
    whole = adder.rollups(parts[-1].at)[-1]
    return [replace(whole, route=route, seconds=sum(part.seconds for part in parts))]


def with_gaps(found: Iterable[Interval], step: float) -> list[Interval]:
    """Put an interval of no length where some are missing: charts break their lines there."""
    told: list[Interval] = []
    for each in found:
        if told and each.at - told[-1].at > max(step, each.seconds) * 1.5 + 1.0:
            told.append(Interval(each.route, told[-1].at + step, 0.0))
        told.append(each)
    return told


def spread(latencies: Counter[int], bounds: Sequence[float]) -> list[int]:
    """Count latencies between bounds (seconds, rising); what is longer is in the last."""
    counts = [0] * (len(bounds) + 1)
    for bucket, count in latencies.items():
        seconds = latency_of(bucket)
        counts[next((n for n, bound in enumerate(bounds) if seconds <= bound), -1)] += count
    return counts
