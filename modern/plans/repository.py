"""The SQL of plans."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.money import Money
from modern.plans.domain import BillingCycle, Plan
from modern.plans.tables import subscription_plans as table


class PlanRepository:
    """Plans in the database, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[Plan]:
        """Return every plan, active or not, by id."""
        rows = await self._connection.execute(select(table).order_by(table.c.id))
        return [_plan(row) for row in rows]

    async def find(self, plan_id: int) -> Plan | None:
        """Return the plan, active or not, or None."""
        rows = await self._connection.execute(select(table).where(table.c.id == plan_id))
        row = rows.one_or_none()
        return None if row is None else _plan(row)


def _plan(row: Row[Any]) -> Plan:
    return Plan(
        id=row.id,
        name=row.name,
        description=row.description,
        price=Money(row.price_minor, row.currency),
        billing_cycle=BillingCycle(row.billing_cycle),
        trial_days=row.trial_days,
        features=row.features,
        is_active=row.is_active,
        created_at=row.created_at,
    )
