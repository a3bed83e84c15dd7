"""What a subscription is, and the two decisions about one: to begin it and to cancel it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from enum import StrEnum

from modern.billing.domain import ChargeDraft
from modern.errors import Conflict
from modern.money import Money
from modern.plans.domain import BillingCycle, Plan, cycle_date, following_date


class Status(StrEnum):
    """Where a subscription stands."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    PAST_DUE = "past_due"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One user's subscription, with the name and price of its plan as they are now."""

    id: int
    user_id: int
    plan_id: int
    plan_name: str
    status: Status
    price: Money
    billing_cycle: BillingCycle
    started_at: datetime
    next_billing_date: datetime
    cancelled_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionDraft:
    """A subscription that was decided on and has no number yet."""

    user_id: int
    plan: Plan
    started_at: datetime
    next_billing_date: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which subscriptions to list; None does not narrow."""

    user_id: int | None = None
    status: str | None = None


class AlreadyCancelled(Conflict):
    """Already cancelled."""

    def __init__(self) -> None:
        super().__init__("Already cancelled")


def begin(user_id: int, plan: Plan, now: datetime) -> SubscriptionDraft:
    """Return the subscription that starts now and is billed next one cycle ahead, at 00:00 UTC."""
    due = cycle_date(now.astimezone(UTC).date(), plan.billing_cycle)
    return SubscriptionDraft(
        user_id=user_id,
        plan=plan,
        started_at=now,
        next_billing_date=datetime.combine(due, time(), UTC),
    )


def first_charge(subscription_id: int, draft: SubscriptionDraft) -> ChargeDraft:
    """Return the charge for the first cycle, pending from the moment the subscription starts."""
    return ChargeDraft(
        subscription_id=subscription_id,
        user_id=draft.user_id,
        amount=draft.plan.price,
        description=f"{draft.plan.name}, {draft.plan.billing_cycle.length}",
        billed_at=draft.started_at,
    )


def is_due(subscription: Subscription, now: datetime) -> bool:
    """Return whether a cycle is to be billed: from 00:00 UTC of its day on, while it is active."""
    return subscription.status is Status.ACTIVE and subscription.next_billing_date <= now


def renew(subscription: Subscription, now: datetime) -> tuple[Subscription, ChargeDraft]:
    """Return the subscription with its date one cycle on, and the charge for that cycle."""
    anchor = subscription.started_at.astimezone(UTC).date()
    due = subscription.next_billing_date.astimezone(UTC).date()
    following = following_date(anchor, due, subscription.billing_cycle)
    charge = ChargeDraft(
        subscription_id=subscription.id,
        user_id=subscription.user_id,
        amount=subscription.price,
        description=f"{subscription.plan_name}, {subscription.billing_cycle.length}",
        billed_at=now,
    )
    return replace(subscription, next_billing_date=datetime.combine(following, time(), UTC)), charge


def cancel(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription as cancelled now; raises AlreadyCancelled."""
    if subscription.status is Status.CANCELLED:
        raise AlreadyCancelled
    return replace(subscription, status=Status.CANCELLED, cancelled_at=now)
