"""Small charts drawn on the server: they need no script, and a strict policy lets them through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PAD = 1.5
"""Room for the stroke, so that a line at the top or the bottom is not cut in half."""

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Trace:
    """One series as SVG: the `points` of one polyline per unbroken run, and the newest point.

    Where nothing was measured there is a gap, not a zero. `last` is None when the newest value is
    missing, `high` when all are.
    """

    name: str
    lines: tuple[str, ...]
    last: tuple[float, float] | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A chart ready to be put into an SVG of `width` by `height`; all traces share one scale."""

    width: int
    height: int
    top: float
    traces: tuple[Trace, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see yet."""
        return not any(trace.lines for trace in self.traces)


def sparkline(
    series: Mapping[str, Values],
    *,
    slots: int,
    least_top: float = 0.0,
    width: int = 88,
    height: int = 30,
) -> Sparkline:
    """Draw named series, oldest value first, right-aligned in `slots` places, from zero upwards.

    `least_top` keeps noise small: an error rate between 0 and 0.1% must not look like a mountain.
    """
    shown = {name: list(values)[-slots:] for name, values in series.items()}
    known = [value for values in shown.values() for value in values if value is not None]
    frame = _Frame(width, height, slots, max([least_top, *known]) or 1.0)
    traces = tuple(frame.trace(name, values) for name, values in shown.items())
    return Sparkline(width, height, frame.top, traces)


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    slots: int
    top: float

    def trace(self, name: str, values: Values) -> Trace:
        start = self.slots - len(values)
        lines = tuple(
            " ".join("{:g},{:g}".format(*self._point(start + i, value)) for i, value in run)
            for run in _runs(values)
        )
        newest = values[-1] if values else None
        return Trace(
            name,
            lines,
            last=None if newest is None else self._point(self.slots - 1, newest),
            high=max((value for value in values if value is not None), default=None),
        )

    def _point(self, slot: int, value: float) -> tuple[float, float]:
        x = PAD + (self.width - 2 * PAD) * slot / max(self.slots - 1, 1)
        y = self.height - PAD - (self.height - 2 * PAD) * value / self.top
        return round(x, 1), round(y, 1)


def _runs(values: Values) -> list[list[tuple[int, float]]]:
    """Split into unbroken runs of (index, value)."""
    runs: list[list[tuple[int, float]]] = []
    previous: float | None = None
    for index, value in enumerate(values):
        if value is not None:
            if previous is None:
                runs.append([])
            runs[-1].append((index, value))
        previous = value
    return runs
