from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.calendar import closed, moment
from proxy.routing.calendar_rules import CalendarRules, Freeze, Hours

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = Hours((0, 1, 2, 3), 9 * 60, 16 * 60)
NIGHT = Hours((4,), 22 * 60, 2 * 60)


def at(text: str) -> float:
    """Give a moment by the clocks of Berlin."""
    return moment(datetime.fromisoformat(text), BERLIN)


def calendar(*hours: Hours, freezes: tuple[Freeze, ...] = ()) -> CalendarRules:
    """Give a calendar of Berlin."""
    return CalendarRules("Europe/Berlin", hours, freezes)


def test_open_unless_something_is_said() -> None:
    """A calendar without hours and freezes never closes."""
    assert closed(CalendarRules(), 0.0) is None


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-24T09:00", None),
        ("2026-11-24T15:59", None),
        ("2026-11-24T16:00", "2026-11-25T09:00"),
        ("2026-11-24T08:59", "2026-11-24T09:00"),
        ("2026-11-26T20:00", "2026-11-30T09:00"),
        ("2026-11-28T12:00", "2026-11-30T09:00"),
        ("2026-10-24T12:00", "2026-10-26T09:00"),  # clocks go back in between
        ("2027-03-27T12:00", "2027-03-29T09:00"),  # and forth
    ],
)
def test_hours_of_the_week(now: str, opens: str | None) -> None:
    """Closed outside of them, until they begin again, by the clocks of the zone."""
    shut = closed(calendar(WORKDAYS), at(now))
    assert (shut.until if shut else None) == (at(opens) if opens else None)
    if shut:
        assert shut.why == "steps are taken mon, tue, wed, thu 09:00-16:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-27T21:59", False),
        ("2026-11-27T22:00", True),
        ("2026-11-28T01:59", True),
        ("2026-11-28T02:00", False),
        ("2026-11-28T23:00", False),
    ],
)
def test_hours_past_midnight(now: str, is_open: bool) -> None:
    """They belong to the day on which they begin."""
    assert (closed(calendar(NIGHT), at(now)) is None) is is_open


def test_a_freeze_stands_above_the_hours() -> None:
    """It is closed until the first hours after the last of the freezes."""
    freezes = (
        Freeze(at("2026-12-21T00:00"), at("2026-12-28T00:00"), "holidays"),
        Freeze(at("2026-12-28T00:00"), at("2026-12-29T12:00"), "stock-taking"),
    )
    shut = closed(calendar(WORKDAYS, freezes=freezes), at("2026-12-22T10:00"))
    assert shut is not None
    assert (shut.why, shut.until) == ("a freeze (holidays)", at("2026-12-29T12:00"))
    bare = closed(CalendarRules(freezes=(Freeze(10.0, 20.0),)), 19.9)
    assert bare is not None
    assert (bare.why, bare.until) == ("a freeze", 20.0)
    assert closed(CalendarRules(freezes=(Freeze(10.0, 20.0),)), 20.0) is None


@given(st.floats(1.6e9, 2.2e9), st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440))
def test_it_opens_when_it_says(now: float, day: int, begins: int, ends: int) -> None:
    """Whatever the hours and the season: at the moment named it is open, and closed until then."""
    hours = calendar(Hours((day,), begins, ends))
    shut = closed(hours, now)
    if shut is not None:
        assert now < shut.until < now + 8 * 86_400
        assert closed(hours, shut.until) is None
        assert closed(hours, shut.until - 1.0) is not None
