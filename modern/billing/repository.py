"""The SQL of charges."""

from typing import Any

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.billing.domain import Charge, ChargeDraft, ChargeStatus
from modern.billing.tables import billing_history as table
from modern.money import Money


class BillingRepository:
    """Charges in the database, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, draft: ChargeDraft) -> None:
        """Insert the draft as a pending charge."""
        await self._connection.execute(
            insert(table),
            {
                "subscription_id": draft.subscription_id,
                "user_id": draft.user_id,
                "amount_minor": draft.amount.minor,
                "currency": draft.amount.currency,
                "status": ChargeStatus.PENDING,
                "description": draft.description,
                "billed_at": draft.billed_at,
            },
        )

    async def page(self, user_id: int, *, offset: int, limit: int) -> list[Charge]:
        """Return `limit` charges of the user, newest first, from the offset on."""
        return await self._many(_of(user_id).offset(offset).limit(limit))

    async def before(self, user_id: int, first_id: int | None, limit: int) -> list[Charge]:
        """Return at most `limit` charges with ids below `first_id` (None: any), newest first."""
        statement = _of(user_id).limit(limit)
        return await self._many(
            statement if first_id is None else statement.where(table.c.id < first_id)
        )

    async def count(self, user_id: int) -> int:
        """Return how many charges the user has."""
        statement = select(func.count()).select_from(table).where(table.c.user_id == user_id)
        return (await self._connection.execute(statement)).scalar_one()

    async def _many(self, statement: Select[Any]) -> list[Charge]:
        return [_charge(row) for row in await self._connection.execute(statement)]


def _of(user_id: int) -> Select[Any]:
    return select(table).where(table.c.user_id == user_id).order_by(table.c.id.desc())


def _charge(row: Row[Any]) -> Charge:
    return Charge(
        id=row.id,
        subscription_id=row.subscription_id,
        user_id=row.user_id,
        amount=Money(row.amount_minor, row.currency),
        status=ChargeStatus(row.status),
        description=row.description,
        billed_at=row.billed_at,
        paid_at=row.paid_at,
    )
