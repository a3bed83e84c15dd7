"""What a plan is, and the calendar rule of its rhythm."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from modern.money import Money


class BillingCycle(StrEnum):
    """How often a plan is billed."""

    MONTHLY = "monthly"
    YEARLY = "yearly"

    @property
    def months(self) -> int:
        """The length of one cycle in months."""
        return 1 if self is BillingCycle.MONTHLY else 12

    @property
    def length(self) -> str:
        """One cycle in words, as charges describe it."""
        return "1 month" if self is BillingCycle.MONTHLY else "1 year"


@dataclass(frozen=True, slots=True)
class Plan:
    """One thing that can be subscribed to; only active plans can be subscribed to anew."""

    id: int
    name: str
    description: str
    price: Money
    billing_cycle: BillingCycle
    trial_days: int
    features: Mapping[str, Any]
    is_active: bool
    created_at: datetime


def cycle_date(anchor: date, cycle: BillingCycle, count: int = 1) -> date:
    """Return the date `count` cycles after the anchor, on the anchor's day of the month.

    A month without that day is billed on its last one. Counting always starts at the anchor:
    31 January goes to 28 February and then to 31 March, where stepping from date to date would
    stay on the 28th for ever. Raises OverflowError past the year 9999.
    """
    return _months_after(anchor, cycle.months * count)


def following_date(anchor: date, due: date, cycle: BillingCycle) -> date:
    """Return the date one cycle after `due`, on the anchor's day of the month.

    Raises OverflowError past the year 9999.
    """
    gone = (due.year - anchor.year) * 12 + due.month - anchor.month
    return _months_after(anchor, gone + cycle.months)


def _months_after(anchor: date, months: int) -> date:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    if year > date.max.year:
        raise OverflowError(f"{months} months after {anchor} is past the calendar's end")
    last_day = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last_day))
