"""When steps of plans may be taken, as written; `proxy.rollout.calendar` says what that means."""

from __future__ import annotations

from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of some days of the week; `begins` and `ends` are minutes since midnight.

    What ends before it begins goes on past midnight; the days are those on which it begins.
    """

    days: tuple[int, ...]
    begins: int = 0
    ends: int = MINUTES

    def __str__(self) -> str:
        days = ", ".join(DAYS[day] for day in self.days)
        return f"{days} {_clock(self.begins)}-{_clock(self.ends)}"


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which no step is taken, from `begins` until before `ends`, in Unix seconds."""

    begins: float
    ends: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """When steps may be taken: always, unless hours or freezes say otherwise."""

    zone: str = "UTC"
    hours: tuple[Hours, ...] = ()
    freezes: tuple[Freeze, ...] = ()


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
