"""Charts over time and of latencies as numbers for SVG: drawn on the server, read without a script.

Everything is in the units of a view box; templates only write the numbers down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from proxy.admin.marks import Mark

WIDTH, HEIGHT = 760, 200
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 18, 22
"""The view box, and what is left in it for axes and labels."""

LABEL_WIDTH = 6.4
"""Of one character of a label, so that no two are written over each other."""

_TIMES = (60, 300, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800)
_TICKS = 8

Values = Sequence[float | None]
Spell = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what is written there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series: points of one polyline for each unbroken run."""

    name: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark as a vertical line; its label is None where it would lie over another."""

    x: float
    kind: str
    label: str | None
    anchor: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over time, ready to be written as SVG."""

    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    flags: tuple[Flag, ...]
    bound: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured."""
        return not any(line.runs for line in self.lines)


def chart(
    times: Sequence[float],
    series: dict[str, Values],
    *,
    since: float,
    until: float,
    spell: Spell,
    least_top: float,
    marks: Sequence[Mark] = (),
    bound: float | None = None,
) -> Chart:
    """Draw series over time on one scale, from zero; `bound` is a level to be drawn across."""
    known = [value for values in series.values() for value in values if value is not None]
    step, top = scale(max([least_top, *known, *([] if bound is None else [bound])]))
    x = _Axis(since, until, LEFT, WIDTH - RIGHT)
    y = _Axis(0.0, top, HEIGHT - BOTTOM, TOP)
    levels = [step * n for n in range(round(top / step) + 1)]
    return Chart(
        lines=tuple(
            Line(name, tuple(_runs(times, values, x, y))) for name, values in series.items()
        ),
        across=tuple(_times(since, until, x)),
        up=tuple(Tick(y(level), spell(level) if level else "0") for level in levels),
        flags=tuple(_flags(marks, x)),
        bound=None if bound is None else y(bound),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    first: float
    last: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.last - self.first) or 1.0
        return round(self.start + (self.end - self.start) * (value - self.first) / span, 1)


def scale(most: float) -> tuple[float, float]:
    """Give a step in round numbers, and the top of a scale of two to five of them."""
    if most <= 0:
        return 1.0, 1.0
    rough = most / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
    return step, step * math.ceil(most / step * 0.999)


def _runs(times: Sequence[float], values: Values, x: _Axis, y: _Axis) -> Iterator[str]:
    run: list[str] = []
    for at, value in zip(times, values, strict=True):
        if value is not None:
            run.append(f"{x(at):g},{y(value):g}")
        elif run:
            yield _drawn(run)
            run = []
    if run:
        yield _drawn(run)


def _drawn(run: list[str]) -> str:
    """A single point is drawn as a short dash, or nobody would see it."""
    if len(run) > 1:
        return " ".join(run)
    left, _, height = run[0].partition(",")
    return f"{float(left) - 1.5:g},{height} {float(left) + 1.5:g},{height}"


def _times(since: float, until: float, x: _Axis) -> Iterator[Tick]:
    step = next((each for each in _TIMES if (until - since) / each <= _TICKS), _TIMES[-1] * 4)
    form = "%H:%M" if step < 86_400 else "%d %b"
    at = math.ceil(since / step) * step
    while at <= until:
        yield Tick(x(at), f"{datetime.fromtimestamp(at, UTC):{form}}")
        at += step


def _flags(marks: Sequence[Mark], x: _Axis) -> Iterator[Flag]:
    """Give all; labels first to those that tell more than that there were other rules."""
    taken: list[tuple[float, float]] = []
    for mark in sorted(marks, key=lambda mark: mark.kind == "rules"):
        at = x(mark.at)
        width = len(mark.label) * LABEL_WIDTH + 6
        is_late = at + width > WIDTH
        begins = at - width if is_late else at
        fits = all(begins + width <= start or begins >= end for start, end in taken)
        if fits:
            taken.append((begins, begins + width))
        label = mark.label if fits else None
        yield Flag(at, mark.kind, label, "end" if is_late else "start", mark)


@dataclass(frozen=True, slots=True)
class Bar:
    """One group of latencies: where its bars stand, how high, and how many there were."""

    x: float
    width: float
    legacy: float
    modern: float
    text: str
    counts: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Latencies of both sides beside each other, as shares of each side's answers."""

    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    totals: tuple[int, int]
    width: int = 480
    height: int = 150
    bottom: int = 150 - BOTTOM


def histogram(
    bounds: Sequence[float],
    legacy: Sequence[int],
    modern: Sequence[int],
    spell: Spell,
) -> Histogram:
    """Draw counts between bounds (seconds); there is one count more than there are bounds."""
    used = [n for n, pair in enumerate(zip(legacy, modern, strict=True)) if any(pair)]
    shown = range(used[0], used[-1] + 1) if used else range(0)
    totals = sum(legacy), sum(modern)
    shares = [
        [counts[n] / (total or 1) for n in shown]
        for counts, total in zip((legacy, modern), totals, strict=True)
    ]
    most = max((share for side in shares for share in side), default=0.0) or 1.0
    frame = Histogram((), (), totals)
    high, wide = frame.bottom - 8, frame.width / max(len(shown), 1)
    bars = tuple(
        Bar(
            round(place * wide, 1), round(wide, 1),
            round(high * shares[0][place] / most, 1), round(high * shares[1][place] / most, 1),
            f"above {spell(bounds[-1])}" if n == len(bounds) else f"up to {spell(bounds[n])}",
            (legacy[n], modern[n]),
        )
        for place, n in enumerate(shown)
    )  # fmt: skip
    every = max(1, math.ceil(len(shown) / 7))
    across = tuple(
        Tick(round((place + 1) * wide, 1), spell(bounds[n]))
        for place, n in enumerate(shown)
        if n < len(bounds) and place % every == every // 2 and place + 1 < len(shown)
    )
    return Histogram(bars, across, totals)
