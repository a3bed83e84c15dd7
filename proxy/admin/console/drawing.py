"""Which figure of a series is drawn, on which scale, in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.admin.console import wording
from proxy.admin.console.chart import Chart, Histogram, chart, histogram
from proxy.admin.series import (
    Series,
    attempts,
    compared,
    error_rate,
    modern_share,
    per_second,
    spread,
)
from proxy.control.interval import Interval, SideCounts
from proxy.rollout.sketch import quantile


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both sides: its name in addresses, its title, and how it is taken and told."""

    name: str
    title: str
    take: Callable[[SideCounts, float], float | None]
    spell: Callable[[float], str]
    least_top: float


def _p95(counts: SideCounts, _: float) -> float | None:
    return quantile(counts.latencies, 0.95)


def _error_rate(counts: SideCounts, _: float) -> float | None:
    return error_rate(counts)


FIGURES: Final = {
    each.name: each
    for each in (
        Figure("requests", "Requests per second", per_second, wording.rate, 1.0),
        Figure("errors", "Error rate", _error_rate, wording.percent, 0.02),
        Figure("p95", "p95 latency", _p95, wording.latency, 0.05),
    )
}

_DECADE: Final = (1, 1.5, 2, 3, 5, 7)
BOUNDS: Final = (
    *(round(base * 10.0**power, 6) for power in range(-3, 1) for base in _DECADE),
    *(10.0, 20.0, 30.0),
)
"""Seconds between which latencies are counted: 1 ms to 30 s, about as far apart as they look."""


def draw(series: Series, figure: Figure, *, bound: float | None = None) -> Chart:
    """Draw a figure of both sides with what was decided meanwhile."""
    return chart(
        [each.at for each in series.intervals],
        {
            side: [figure.take(getattr(each, side), each.seconds) for each in series.intervals]
            for side in ("legacy", "modern")
        },
        since=series.since,
        until=series.until,
        spell=figure.spell,
        least_top=figure.least_top,
        marks=series.marks,
        bound=bound,
    )


def draw_mismatches(series: Series, *, bound: float | None = None) -> Chart:
    """Draw the share of answers that differed, of those that were compared."""
    return chart(
        [each.at for each in series.intervals],
        {"modern": [_mismatch_rate(each) for each in series.intervals]},
        since=series.since,
        until=series.until,
        spell=wording.percent,
        least_top=0.01,
        marks=series.marks,
        bound=bound,
    )


def draw_share(series: Series) -> Chart:
    """Draw the share of all answers that modern gave: how far the fig has grown."""
    return chart(
        [each.at for each in series.intervals],
        {"modern": [modern_share(each) for each in series.intervals]},
        since=min([each.at for each in series.intervals[:1]], default=series.since),
        until=series.until,
        spell=wording.percent,
        least_top=1.0,
    )


def draw_latencies(series: Series) -> Histogram:
    """Draw how long the answers of both sides took."""
    legacy, modern = (spread(series.latencies(side), BOUNDS) for side in ("legacy", "modern"))
    return histogram(BOUNDS, legacy, modern, wording.latency)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table that says what a chart shows."""

    at: float
    weight: int
    legacy: SideCounts
    modern: SideCounts
    figures: tuple[tuple[float | None, float | None], ...]
    compared: int
    mismatches: int


def table(series: Series) -> list[Row]:
    """Give what was measured, newest first."""
    return [
        Row(
            each.at,
            each.weight,
            each.legacy,
            each.modern,
            tuple(_both(figure, each) for figure in FIGURES.values()),
            compared(each),
            each.comparisons.get("mismatch", 0),
        )
        for each in reversed(series.intervals)
        if each.seconds
    ]


def sizes(series: Series) -> tuple[int, int]:
    """How many attempts on each side a chart rests on."""
    both = [(attempts(each.legacy), attempts(each.modern)) for each in series.intervals]
    return sum(legacy for legacy, _ in both), sum(modern for _, modern in both)


def _both(figure: Figure, each: Interval) -> tuple[float | None, float | None]:
    return figure.take(each.legacy, each.seconds), figure.take(each.modern, each.seconds)


def _mismatch_rate(each: Interval) -> float | None:
    pairs = compared(each)
    return each.comparisons.get("mismatch", 0) / pairs if pairs else None


def shown_figure(name: str | None) -> Figure:
    """The figure an address asks for; requests for any other word."""
    return FIGURES.get(name or "", FIGURES["requests"])
