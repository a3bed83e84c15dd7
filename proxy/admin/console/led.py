"""What led to a decision: its figure before and after, beside the limit that it broke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from proxy.admin.console.chart import Chart
from proxy.admin.console.drawing import FIGURES, draw, draw_mismatches, sizes
from proxy.admin.interfaces import Controller
from proxy.admin.series import Range, read_series
from proxy.control.status import DecisionRecord

BEFORE: Final = 1200.0
AFTER: Final = 300.0
"""Seconds shown before a decision and after it."""


DIFFERING: Final = frozenset({"mismatch_rate", "t4", "critical"})
SLOW: Final = frozenset({"p95", "t5"})
"""Detectors that look at differences and at latencies; the others look at failures."""


@dataclass(frozen=True, slots=True)
class Led:
    """A chart around a decision, what it shows, and how many requests of both sides it rests on."""

    title: str
    chart: Chart
    sizes: tuple[int, int]


async def led_to(controller: Controller, decision: DecisionRecord, now: float) -> Led | None:
    """Draw the minutes around a decision; None where none are kept any more."""
    until = min(now, decision.at + AFTER)
    wanted = Range("around", BEFORE + AFTER, 60)
    series = await read_series(controller, wanted, until, decision.route or "")
    if not any(each.seconds for each in series.intervals):
        return None
    evidence = decision.evidence
    detector = str(evidence.get("detector", ""))
    if detector in DIFFERING:
        drawn = draw_mismatches(series, bound=_number(evidence, "bound", at_most=1.0))
        return Led("Answers that differ", drawn, sizes(series))
    slow = detector in SLOW
    figure = FIGURES["p95" if slow else "errors"]
    named = ("limit", "bound") if slow else ("tolerated", "bound")
    bounds = [_number(evidence, name, at_most=60.0 if slow else 1.0) for name in named]
    bound = next((each for each in bounds if each is not None), None)
    return Led(figure.title, draw(series, figure, bound=bound), sizes(series))


def _number(evidence: Mapping[str, Any], name: str, *, at_most: float) -> float | None:
    """A level that can be drawn: evidence is told in odds sometimes, which is none."""
    value = evidence.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= at_most else None
