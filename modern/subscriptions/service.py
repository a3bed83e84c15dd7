"""What can be done with subscriptions: look at them, begin one, cancel one."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from modern.billing.repository import BillingRepository
from modern.errors import Invalid, NotFound
from modern.plans.domain import Plan
from modern.plans.repository import PlanRepository
from modern.subscriptions.domain import (
    Filter,
    Subscription,
    begin,
    cancel,
    first_charge,
    is_due,
    renew,
)
from modern.subscriptions.repository import SubscriptionRepository
from modern.users.repository import UserRepository

_UNKNOWN_USER = {"user_id": "unknown user"}
_UNKNOWN_PLAN = {"plan_id": "unknown plan"}


class SubscriptionService:
    """Subscriptions, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._subscriptions = SubscriptionRepository(connection)
        self._users = UserRepository(connection)
        self._plans = PlanRepository(connection)
        self._billing = BillingRepository(connection)

    async def page(
        self, wanted: Filter, *, offset: int, limit: int
    ) -> tuple[list[Subscription], int]:
        """Return `limit` subscriptions by id from the offset on, and how many there are in all."""
        total = await self._subscriptions.count(wanted)
        if offset >= total:
            return [], total
        return await self._subscriptions.page(wanted, offset=offset, limit=limit), total

    async def after(self, wanted: Filter, last_id: int, limit: int) -> list[Subscription]:
        """Return at most `limit` subscriptions with ids above `last_id`, by id."""
        return await self._subscriptions.after(wanted, last_id, limit)

    async def read(self, subscription_id: int) -> Subscription:
        """Return the subscription; raises NotFound."""
        return _known(await self._subscriptions.find(subscription_id))

    async def subscribe(self, user_id: int, plan_id: int, now: datetime) -> Subscription:
        """Begin a subscription and charge its first cycle; raises Invalid.

        The user's row is held meanwhile: of two requests for the same user and plan, the second
        finds the subscription of the first.
        """
        errors = {} if await self._users.lock(user_id) else _UNKNOWN_USER
        plan = await self._plan_on_sale(plan_id)
        if errors or plan is None:
            raise Invalid(errors if plan else errors | _UNKNOWN_PLAN)
        if await self._subscriptions.has_active(user_id, plan_id):
            raise Invalid({"plan_id": "already subscribed"})
        draft = begin(user_id, plan, now)
        subscription = await self._subscriptions.add(draft)
        await self._billing.add(first_charge(subscription.id, draft))
        return subscription

    async def unknown(self, user_id: int | None, plan_id: int | None) -> dict[str, str]:
        """Return what is wrong with ids of which only one could be read; None is not looked at."""
        errors: dict[str, str] = {}
        if user_id is not None and await self._users.find(user_id) is None:
            errors |= _UNKNOWN_USER
        if plan_id is not None and await self._plan_on_sale(plan_id) is None:
            errors |= _UNKNOWN_PLAN
        return errors

    async def cancel(self, subscription_id: int, now: datetime) -> Subscription:
        """Cancel the subscription and return it; raises NotFound and AlreadyCancelled."""
        subscription = _known(await self._subscriptions.lock(subscription_id))
        cancelled = cancel(subscription, now)
        await self._subscriptions.cancel(subscription_id, now)
        return cancelled

    async def due(self, now: datetime, only: int | None, limit: int) -> list[int]:
        """Return at most `limit` ids of those with a cycle to bill, by id."""
        return await self._subscriptions.due(now, only, limit)

    async def bill(self, subscription_id: int, now: datetime) -> bool:
        """Add the charge of a cycle that is due and move the date on; False when none is due.

        Both or neither: a run that is killed and started again bills no cycle twice.
        """
        subscription = _known(await self._subscriptions.lock(subscription_id))
        if not is_due(subscription, now):
            return False
        renewed, charge = renew(subscription, now)
        await self._billing.add(charge)
        await self._subscriptions.move_on(renewed, now)
        return True

    async def _plan_on_sale(self, plan_id: int) -> Plan | None:
        plan = await self._plans.find(plan_id)
        return plan if plan is not None and plan.is_active else None


def _known(subscription: Subscription | None) -> Subscription:
    if subscription is None:
        raise NotFound("Subscription")
    return subscription
