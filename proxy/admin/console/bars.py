"""A small chart of how often something was seen, hour by hour, drawn on the server (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shadow_compare.report import Occurrences

HOUR: Final = 3600
GAP: Final = 0.25
"""Part of a slot that stays empty, so that bars stand apart."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One slot of time in which something was seen: where it is drawn, and what it says."""

    x: float
    y: float
    width: float
    height: float
    at: float
    count: int


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of `width` by `height` over so many `seconds` until now; slots are `slot` long."""

    width: int
    height: int
    seconds: int
    slot: int
    most: int
    total: int
    bars: tuple[Bar, ...]


def bars(
    seen: Iterable[Occurrences],
    now: float,
    *,
    hours: int,
    slot_hours: int = 1,
    width: int = 96,
    height: int = 24,
) -> Bars:
    """Draw the last `hours`, the newest at the right; a slot with anything in it can be seen."""
    slot = slot_hours * HOUR
    slots = hours // slot_hours
    first = int(now // slot) - slots + 1
    counts: dict[int, int] = {}
    for each in seen:
        place = int(each.at // slot) - first
        if 0 <= place < slots:
            counts[place] = counts.get(place, 0) + each.count
    most = max(counts.values(), default=0)
    step = width / slots
    drawn = tuple(
        Bar(
            x=round((place + GAP / 2) * step, 2),
            y=round(height - tall, 2),
            width=round(step * (1 - GAP), 2),
            height=round(tall, 2),
            at=(first + place) * slot,
            count=count,
        )
        for place, count in sorted(counts.items())
        for tall in (max(1.5, height * count / most),)
    )
    return Bars(width, height, hours * HOUR, slot, most, sum(counts.values()), drawn)
