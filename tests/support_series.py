"""Outcomes of the past, made up without chance, for tests of charts."""

from __future__ import annotations

import math

from proxy.control.interval import EVERY_ROUTE, Interval, SideCounts
from proxy.control.rollup import A_DAY, GRAINS, end_of


def counts(requests: int, bad: int = 0, bucket: int = 200) -> SideCounts:
    """One side: this many answers around one latency, some of them failures."""
    ok = requests - bad
    around = {bucket - 20: ok // 4, bucket: ok // 2, bucket + 25: ok - ok // 4 - ok // 2}
    return SideCounts(ok, bad, ok, bad, {each: n for each, n in around.items() if n})


def minute(route: str, at: float, weight: int, per_minute: int = 1200) -> Interval:
    """A minute under waves of traffic."""
    wave = 1.0 + 0.25 * math.sin(at / 700.0) + 0.1 * math.sin(at / 97.0)
    total = round(per_minute * wave)
    modern = total * weight // 10_000
    return Interval(
        route, at, 60.0, 17, weight,
        counts(total - modern, total // 900, 205), counts(modern, modern // 700, 160),
        {"match": total - 3, "mismatch": 3},
    )  # fmt: skip


def past_hours(route: str, now: float, weight: int) -> list[Interval]:
    """Six hours of one route by the minute, as the store keeps them."""
    first = math.floor(now / 60.0) - 359
    return [minute(route, (first + n) * 60.0, weight) for n in range(360)]


def rolled_up(route: str, now: float, weight: int) -> list[tuple[int, Interval]]:
    """Roll-ups of every length of one route, and of all traffic by the day."""
    found = [
        (grain.seconds, minute(route, end_of(now, grain) - grain.seconds * n, weight))
        for grain in GRAINS
        for n in range(40, 0, -1)
    ]
    days = [
        (
            A_DAY.seconds,
            minute(EVERY_ROUTE, end_of(now, A_DAY) - A_DAY.seconds * n, 9_500 - 230 * n),
        )
        for n in range(40, 0, -1)
    ]
    return found + days
