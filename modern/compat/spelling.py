"""Domain values as this face spells them: the fields and their order are those of the contract."""

from datetime import UTC, date, datetime

from modern.billing.domain import Charge
from modern.plans.domain import Plan
from modern.subscriptions.domain import Subscription
from modern.users.domain import User

Json = dict[str, object]


def plan(value: Plan) -> Json:
    """Spell a plan."""
    return {
        "id": value.id,
        "name": value.name,
        "description": value.description,
        "price": value.price.as_number(),
        "currency": value.price.currency,
        "billing_cycle": value.billing_cycle,
        "trial_days": value.trial_days,
        "features": value.features,
        "is_active": value.is_active,
        "created_at": instant(value.created_at),
    }


def user(value: User) -> Json:
    """Spell a user."""
    return {
        "id": value.id,
        "email": value.email,
        "name": value.name,
        "country": value.country,
        "phone": value.phone,
        "birthday": None if value.birthday is None else value.birthday.isoformat(),
        "is_active": value.is_active,
        "last_login_at": None if value.last_login_at is None else instant(value.last_login_at),
        "created_at": instant(value.created_at),
    }


def subscription(value: Subscription) -> Json:
    """Spell a subscription."""
    return {
        "id": value.id,
        "user_id": value.user_id,
        "plan_id": value.plan_id,
        "plan_name": value.plan_name,
        "status": value.status,
        "price": value.price.as_number(),
        "currency": value.price.currency,
        "next_billing_date": day(value.next_billing_date).isoformat(),
        "created_at": instant(value.created_at),
    }


def charge(value: Charge) -> Json:
    """Spell a charge."""
    return {
        "id": value.id,
        "subscription_id": value.subscription_id,
        "user_id": value.user_id,
        "amount": value.amount.as_number(),
        "currency": value.amount.currency,
        "status": value.status,
        "description": value.description,
        "billed_at": instant(value.billed_at),
        "paid_at": None if value.paid_at is None else instant(value.paid_at),
        "refunded_amount": value.refunded.as_number(),
    }


def instant(moment: datetime) -> str:
    """Spell a point in time, in UTC and whole seconds, as the legacy database keeps them."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def day(moment: datetime) -> date:
    """Return the day of a point in time, in UTC."""
    return moment.astimezone(UTC).date()
