from datetime import UTC, date, datetime, timedelta, timezone

from modern.billing.domain import Charge, ChargeStatus
from modern.compat import spelling
from modern.money import Money
from modern.plans.domain import BillingCycle, Plan
from modern.subscriptions.domain import Status, Subscription
from modern.users.domain import User

THEN = datetime(2024, 3, 1, 10, 0, 0, 123456, UTC)


def test_a_plan() -> None:
    """The price is a number, the flag a truth value, no features an empty object."""
    plan = Plan(1, "Basic", "…", Money(990, "EUR"), BillingCycle.MONTHLY, 14, {}, True, THEN)
    assert list(spelling.plan(plan).items()) == [
        ("id", 1),
        ("name", "Basic"),
        ("description", "…"),
        ("price", 9.9),
        ("currency", "EUR"),
        ("billing_cycle", "monthly"),
        ("trial_days", 14),
        ("features", {}),
        ("is_active", True),
        ("created_at", "2024-03-01T10:00:00+00:00"),
    ]


def test_a_user() -> None:
    """A birthday is a date; a login that never was is null."""
    user = User(17, "z@example.com", "Zoë", "DE", None, date(1984, 2, 29), True, None, THEN)
    assert list(spelling.user(user).items()) == [
        ("id", 17),
        ("email", "z@example.com"),
        ("name", "Zoë"),
        ("country", "DE"),
        ("phone", None),
        ("birthday", "1984-02-29"),
        ("is_active", True),
        ("last_login_at", None),
        ("created_at", "2024-03-01T10:00:00+00:00"),
    ]


def test_a_user_without_birthday_who_has_logged_in() -> None:
    """What is there is spelt, what is not is null."""
    user = User(17, "z@example.com", "Zoë", None, "030", None, False, THEN, THEN)
    spelt = spelling.user(user)
    assert (spelt["birthday"], spelt["last_login_at"]) == (None, "2024-03-01T10:00:00+00:00")


def test_a_subscription() -> None:
    """The next billing date is a day without an hour."""
    due = datetime(2026, 12, 1, tzinfo=UTC)
    price, monthly = Money(2900, "EUR"), BillingCycle.MONTHLY
    one = Subscription(40, 17, 2, "Team", Status.ACTIVE, price, monthly, THEN, due, None, THEN)
    assert list(spelling.subscription(one).items()) == [
        ("id", 40),
        ("user_id", 17),
        ("plan_id", 2),
        ("plan_name", "Team"),
        ("status", "active"),
        ("price", 29.0),
        ("currency", "EUR"),
        ("next_billing_date", "2026-12-01"),
        ("created_at", "2024-03-01T10:00:00+00:00"),
    ]


def test_a_charge() -> None:
    """A charge that was not paid has no time of payment."""
    money, none = Money(2901, "EUR"), Money(0, "EUR")
    one = Charge(901, 40, 17, money, ChargeStatus.PENDING, "Team, 1 month", THEN, None, none, None)
    assert list(spelling.charge(one).items()) == [
        ("id", 901),
        ("subscription_id", 40),
        ("user_id", 17),
        ("amount", 29.01),
        ("currency", "EUR"),
        ("status", "pending"),
        ("description", "Team, 1 month"),
        ("billed_at", "2024-03-01T10:00:00+00:00"),
        ("paid_at", None),
        ("refunded_amount", 0.0),
    ]


def test_days_and_times_are_those_of_utc() -> None:
    """A database session in another zone changes nothing."""
    moment = datetime(2026, 12, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert spelling.instant(moment) == "2026-11-30T23:00:00+00:00"
    assert spelling.day(moment) == date(2026, 11, 30)
