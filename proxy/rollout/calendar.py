"""Whether steps of plans may be taken now, and if not, when again.

Moments are seconds of the Unix epoch. Local times follow the rules of the declared zone: one that a
change of clocks skips counts as the moment after it, one that comes twice as the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from proxy.routing.calendar_rules import MINUTES, CalendarRules

_LOOKS_AHEAD: Final = 8
"""Days after which hours of the week have certainly come round again."""


@dataclass(frozen=True, slots=True)
class Closed:
    """That no step may be taken now, why, and until when."""

    why: str
    until: float


def closed(calendar: CalendarRules, at: float) -> Closed | None:
    """Say why no step may be taken at this moment, or None when it may."""
    for freeze in calendar.freezes:
        if freeze.begins <= at < freeze.ends:
            reason = f" ({freeze.reason})" if freeze.reason else ""
            return Closed(f"a freeze{reason}", _opens(calendar, at))
    if calendar.hours and not any(start <= at < end for start, end in _openings(calendar, at)):
        told = "; ".join(map(str, calendar.hours))
        return Closed(f"steps are taken {told} {calendar.zone}", _opens(calendar, at))
    return None


def _opens(calendar: CalendarRules, at: float) -> float:
    """Find the first moment from `at` on at which nothing is closed; freezes end, hours return."""
    while True:
        at = _within_hours(calendar, at)
        frozen = [f.ends for f in calendar.freezes if f.begins <= at < f.ends]
        if not frozen:
            return at
        at = max(frozen)


def _within_hours(calendar: CalendarRules, at: float) -> float:
    if not calendar.hours:
        return at
    return min(max(start, at) for start, end in _openings(calendar, at) if end > at)


def _openings(calendar: CalendarRules, at: float) -> Iterator[tuple[float, float]]:
    """Give the openings around and after a moment, as from and until, in no order."""
    zone = ZoneInfo(calendar.zone)
    today = datetime.fromtimestamp(at, zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    for ahead in range(-1, _LOOKS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        for hours in calendar.hours:
            if day.weekday() in hours.days:
                length = hours.ends - hours.begins
                begins = day + timedelta(minutes=hours.begins)
                ends = begins + timedelta(minutes=length if length > 0 else length + MINUTES)
                yield moment(begins, zone), moment(ends, zone)


def moment(local: datetime, zone: ZoneInfo) -> float:
    """Give the moment of a local time that says no zone."""
    return local.replace(tzinfo=zone).astimezone(UTC).timestamp()
