"""The SQL of subscriptions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.money import Money
from modern.plans.domain import BillingCycle
from modern.plans.tables import subscription_plans as plans
from modern.subscriptions.domain import Filter, Status, Subscription, SubscriptionDraft
from modern.subscriptions.tables import subscriptions as table

_WITH_PLAN = select(
    table.c.id,
    table.c.user_id,
    table.c.plan_id,
    table.c.status,
    table.c.started_at,
    table.c.next_billing_date,
    table.c.cancelled_at,
    table.c.created_at,
    plans.c.name.label("plan_name"),
    plans.c.price_minor,
    plans.c.currency,
    plans.c.billing_cycle,
).join_from(table, plans)


class SubscriptionRepository:
    """Subscriptions in the database, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, subscription_id: int) -> Subscription | None:
        """Return the subscription or None."""
        return await self._one(_WITH_PLAN.where(table.c.id == subscription_id))

    async def lock(self, subscription_id: int) -> Subscription | None:
        """Return the subscription and hold its row until the transaction ends, or None."""
        statement = _WITH_PLAN.where(table.c.id == subscription_id)
        return await self._one(statement.with_for_update(of=table, key_share=True))

    async def page(self, wanted: Filter, *, offset: int, limit: int) -> list[Subscription]:
        """Return `limit` subscriptions by id, from the offset on."""
        statement = _WITH_PLAN.where(_matches(wanted)).order_by(table.c.id)
        return await self._many(statement.offset(offset).limit(limit))

    async def after(self, wanted: Filter, last_id: int, limit: int) -> list[Subscription]:
        """Return at most `limit` subscriptions with ids above `last_id`, by id."""
        statement = _WITH_PLAN.where(_matches(wanted), table.c.id > last_id)
        return await self._many(statement.order_by(table.c.id).limit(limit))

    async def count(self, wanted: Filter) -> int:
        """Return how many subscriptions match."""
        statement = select(func.count()).select_from(table).where(_matches(wanted))
        return (await self._connection.execute(statement)).scalar_one()

    async def has_active(self, user_id: int, plan_id: int) -> bool:
        """Return whether the user has an active subscription to the plan."""
        statement = select(table.c.id).where(
            table.c.user_id == user_id,
            table.c.plan_id == plan_id,
            table.c.status == Status.ACTIVE,
        )
        return (await self._connection.execute(statement.limit(1))).first() is not None

    async def add(self, draft: SubscriptionDraft) -> Subscription:
        """Insert the draft and return the subscription that it has become."""
        statement = insert(table).returning(table.c.id)
        subscription_id = await self._connection.scalar(
            statement,
            {
                "user_id": draft.user_id,
                "plan_id": draft.plan.id,
                "status": Status.ACTIVE,
                "started_at": draft.started_at,
                "next_billing_date": draft.next_billing_date,
                "created_at": draft.started_at,
                "updated_at": draft.started_at,
            },
        )
        return Subscription(
            id=subscription_id,
            user_id=draft.user_id,
            plan_id=draft.plan.id,
            plan_name=draft.plan.name,
            status=Status.ACTIVE,
            price=draft.plan.price,
            billing_cycle=draft.plan.billing_cycle,
            started_at=draft.started_at,
            next_billing_date=draft.next_billing_date,
            cancelled_at=None,
            created_at=draft.started_at,
        )

    async def cancel(self, subscription_id: int, now: datetime) -> None:
        """Write that the subscription was cancelled."""
        statement = update(table).where(table.c.id == subscription_id)
        await self._connection.execute(
            statement.values(status=Status.CANCELLED, cancelled_at=now, updated_at=now)
        )

    async def due(self, now: datetime, only: int | None, limit: int) -> list[int]:
        """Return at most `limit` ids of those with a cycle to bill, by id.

        Only of one subscription, or of all.
        """
        statement = select(table.c.id).where(
            table.c.status == Status.ACTIVE,
            table.c.next_billing_date <= now,
        )
        if only is not None:
            statement = statement.where(table.c.id == only)
        return list(await self._connection.scalars(statement.order_by(table.c.id).limit(limit)))

    async def move_on(self, subscription: Subscription, now: datetime) -> None:
        """Write when the subscription is billed next."""
        statement = update(table).where(table.c.id == subscription.id)
        due = subscription.next_billing_date
        await self._connection.execute(statement.values(next_billing_date=due, updated_at=now))

    async def fall_behind(self, subscription_id: int, now: datetime) -> None:
        """Write that an active subscription owes money; any other stays as it is."""
        statement = update(table).where(
            table.c.id == subscription_id, table.c.status == Status.ACTIVE
        )
        await self._connection.execute(statement.values(status=Status.PAST_DUE, updated_at=now))

    async def _one(self, statement: Select[Any]) -> Subscription | None:
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _subscription(row)

    async def _many(self, statement: Select[Any]) -> list[Subscription]:
        return [_subscription(row) for row in await self._connection.execute(statement)]


def _matches(wanted: Filter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.user_id is not None:
        conditions.append(table.c.user_id == wanted.user_id)
    if wanted.status is not None:
        conditions.append(table.c.status == wanted.status)
    return and_(true(), *conditions)


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        user_id=row.user_id,
        plan_id=row.plan_id,
        plan_name=row.plan_name,
        status=Status(row.status),
        price=Money(row.price_minor, row.currency),
        billing_cycle=BillingCycle(row.billing_cycle),
        started_at=row.started_at,
        next_billing_date=row.next_billing_date,
        cancelled_at=row.cancelled_at,
        created_at=row.created_at,
    )
