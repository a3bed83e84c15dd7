from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modern.money import Money
from modern.plans.domain import BillingCycle, Plan
from modern.subscriptions.domain import (
    AlreadyCancelled,
    Status,
    Subscription,
    begin,
    cancel,
    first_charge,
    is_due,
    renew,
)

NOW = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def plan(cycle: BillingCycle = BillingCycle.MONTHLY) -> Plan:
    """Make a plan."""
    return Plan(
        id=2,
        name="Team",
        description="",
        price=Money(2900, "EUR"),
        billing_cycle=cycle,
        trial_days=14,
        features={},
        is_active=True,
        created_at=NOW,
    )


def subscription(status: Status) -> Subscription:
    """Make a subscription that stands like this."""
    return Subscription(
        id=40,
        user_id=17,
        plan_id=2,
        plan_name="Team",
        status=status,
        price=Money(2900, "EUR"),
        billing_cycle=BillingCycle.MONTHLY,
        started_at=NOW,
        next_billing_date=NOW,
        cancelled_at=None,
        created_at=NOW,
    )


def test_a_subscription_is_billed_next_one_cycle_ahead_at_midnight() -> None:
    """The day counts, not the hour; trial days do not move it."""
    draft = begin(17, plan(), NOW)
    assert draft.started_at == NOW
    assert draft.next_billing_date == datetime(2026, 2, 28, tzinfo=UTC)


def test_a_yearly_subscription_is_billed_next_in_a_year() -> None:
    """The rhythm is the plan's."""
    draft = begin(17, plan(BillingCycle.YEARLY), NOW)
    assert draft.next_billing_date == datetime(2027, 1, 31, tzinfo=UTC)


@given(st.integers(-14, 14))
def test_the_day_is_the_one_in_utc(hours: int) -> None:
    """Who subscribes late in the evening in Auckland is billed by the calendar of UTC."""
    local = NOW.astimezone(timezone(timedelta(hours=hours)))
    assert begin(17, plan(), local).next_billing_date == datetime(2026, 2, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cycle", "words"),
    [(BillingCycle.MONTHLY, "Team, 1 month"), (BillingCycle.YEARLY, "Team, 1 year")],
)
def test_the_first_charge_costs_the_plan_and_is_billed_at_once(
    cycle: BillingCycle, words: str
) -> None:
    """The first cycle is charged when it begins, in the words of the legacy application."""
    charge = first_charge(40, begin(17, plan(cycle), NOW))
    assert (charge.subscription_id, charge.user_id) == (40, 17)
    assert charge.amount == Money(2900, "EUR")
    assert charge.billed_at == NOW
    assert charge.description == words


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.PAST_DUE])
def test_what_runs_can_be_cancelled(status: Status) -> None:
    """Cancelling changes the status and says when, and nothing else."""
    before = subscription(status)
    after = cancel(before, NOW)
    assert (after.status, after.cancelled_at) == (Status.CANCELLED, NOW)
    assert after.next_billing_date == before.next_billing_date


def test_what_was_cancelled_cannot_be_cancelled_again() -> None:
    """The second time is refused, in the words of the face."""
    with pytest.raises(AlreadyCancelled, match=r"^Already cancelled$"):
        cancel(subscription(Status.CANCELLED), NOW)


@pytest.mark.parametrize(
    ("status", "hours", "due"),
    [
        (Status.ACTIVE, 0, True),
        (Status.ACTIVE, 5, True),
        (Status.ACTIVE, -1, False),
        (Status.PAST_DUE, 5, False),
        (Status.CANCELLED, 5, False),
    ],
)
def test_what_is_due(status: Status, hours: int, *, due: bool) -> None:
    """From the moment on at which its day begins, and only while it is active."""
    assert is_due(subscription(status), NOW + timedelta(hours=hours)) is due


def test_renewing_bills_one_cycle_and_moves_the_date_on() -> None:
    """At the price of the plan, in the same words as the first; the 31st comes back in March."""
    now = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    before = replace(
        subscription(Status.ACTIVE), next_billing_date=datetime(2026, 2, 28, tzinfo=UTC)
    )
    after, charge = renew(before, now)
    assert after == replace(before, next_billing_date=datetime(2026, 3, 31, tzinfo=UTC))
    assert (charge.amount, charge.description) == (Money(2900, "EUR"), "Team, 1 month")
    assert (charge.subscription_id, charge.user_id, charge.billed_at) == (40, 17, now)
