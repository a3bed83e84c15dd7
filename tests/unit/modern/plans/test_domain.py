from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modern.plans.domain import BillingCycle, cycle_date, following_date

MONTHLY, YEARLY = BillingCycle.MONTHLY, BillingCycle.YEARLY

ANCHORS = st.dates(min_value=date(1970, 1, 1), max_value=date(2200, 12, 31))
CYCLES = st.sampled_from(BillingCycle)
COUNTS = st.integers(min_value=0, max_value=240)


@pytest.mark.parametrize(
    ("anchor", "cycle", "count", "expected"),
    [
        (date(2026, 3, 1), MONTHLY, 1, date(2026, 4, 1)),
        (date(2026, 1, 31), MONTHLY, 1, date(2026, 2, 28)),
        (date(2026, 1, 31), MONTHLY, 2, date(2026, 3, 31)),
        (date(2028, 1, 31), MONTHLY, 1, date(2028, 2, 29)),
        (date(2026, 1, 29), MONTHLY, 1, date(2026, 2, 28)),
        (date(2026, 8, 31), MONTHLY, 1, date(2026, 9, 30)),
        (date(2026, 12, 15), MONTHLY, 1, date(2027, 1, 15)),
        (date(2026, 12, 31), MONTHLY, 2, date(2027, 2, 28)),
        (date(2028, 2, 29), YEARLY, 1, date(2029, 2, 28)),
        (date(2028, 2, 29), YEARLY, 4, date(2032, 2, 29)),
        (date(2026, 6, 30), YEARLY, 1, date(2027, 6, 30)),
        (date(2026, 6, 30), YEARLY, 0, date(2026, 6, 30)),
    ],
)
def test_a_cycle_ends_on_the_day_it_began_or_on_the_last_of_a_shorter_month(
    anchor: date, cycle: BillingCycle, count: int, expected: date
) -> None:
    """The calendar rule, row by row."""
    assert cycle_date(anchor, cycle, count) == expected


@given(ANCHORS, CYCLES, COUNTS)
def test_the_day_is_the_anchors_unless_the_month_is_too_short(
    anchor: date, cycle: BillingCycle, count: int
) -> None:
    """The day is clamped to the month's end, and never otherwise changed."""
    due = cycle_date(anchor, cycle, count)
    assert due.day == min(anchor.day, monthrange(due.year, due.month)[1])


@given(ANCHORS, CYCLES, COUNTS)
def test_every_cycle_is_its_number_of_calendar_months(
    anchor: date, cycle: BillingCycle, count: int
) -> None:
    """No month is skipped and none is billed twice."""
    due = cycle_date(anchor, cycle, count)
    months = (due.year - anchor.year) * 12 + due.month - anchor.month
    assert months == cycle.months * count


@given(ANCHORS, CYCLES, COUNTS)
def test_later_cycles_are_later(anchor: date, cycle: BillingCycle, count: int) -> None:
    """A following cycle never ends before or with the one that it follows."""
    assert cycle_date(anchor, cycle, count) < cycle_date(anchor, cycle, count + 1)


def test_a_year_is_twelve_months() -> None:
    """Yearly plans are billed where the twelfth monthly bill would be."""
    anchor = date(2028, 2, 29)
    assert cycle_date(anchor, YEARLY) == cycle_date(anchor, MONTHLY, 12)


def test_the_calendar_ends() -> None:
    """A date past the year 9999 is refused with words."""
    with pytest.raises(OverflowError, match="past the calendar's end"):
        cycle_date(date(9999, 12, 1), MONTHLY)


@pytest.mark.parametrize(("cycle", "length"), [(MONTHLY, "1 month"), (YEARLY, "1 year")])
def test_a_cycle_says_its_length_in_words(cycle: BillingCycle, length: str) -> None:
    """Charges are described by these words."""
    assert cycle.length == length


@given(ANCHORS, CYCLES, COUNTS)
def test_from_cycle_to_cycle_is_counting_from_the_anchor(
    anchor: date, cycle: BillingCycle, count: int
) -> None:
    """Going on from a date that was cut short does not stay short."""
    due = cycle_date(anchor, cycle, count)
    assert following_date(anchor, due, cycle) == cycle_date(anchor, cycle, count + 1)


def test_going_on_from_a_date_that_somebody_has_moved() -> None:
    """The month counts, and the day is the anchor's again."""
    assert following_date(date(2026, 1, 31), date(2026, 2, 3), MONTHLY) == date(2026, 3, 31)
