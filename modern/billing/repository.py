"""The SQL of charges."""

from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
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

    async def find(self, charge_id: int) -> Charge | None:
        """Return the charge or None."""
        return await self._one(select(table).where(table.c.id == charge_id))

    async def lock(self, charge_id: int) -> Charge | None:
        """Return the charge and hold its row until the transaction ends, or None."""
        statement = select(table).where(table.c.id == charge_id)
        return await self._one(statement.with_for_update(key_share=True))

    async def pending(self, subscription_id: int | None, last_id: int, limit: int) -> list[int]:
        """Return at most `limit` ids above `last_id` of what waits for payment, by id.

        Of one subscription, or of all.
        """
        statement = select(table.c.id).where(
            table.c.status == ChargeStatus.PENDING, table.c.id > last_id
        )
        if subscription_id is not None:
            statement = statement.where(table.c.subscription_id == subscription_id)
        rows = await self._connection.scalars(statement.order_by(table.c.id).limit(limit))
        return list(rows)

    async def save(self, charge: Charge) -> None:
        """Write what a payment or a refund has changed."""
        await self._connection.execute(
            update(table)
            .where(table.c.id == charge.id)
            .values(
                status=charge.status,
                paid_at=charge.paid_at,
                refunded_minor=charge.refunded.minor,
                payment_reference=charge.reference,
            )
        )

    async def count(self, user_id: int) -> int:
        """Return how many charges the user has."""
        statement = select(func.count()).select_from(table).where(table.c.user_id == user_id)
        return (await self._connection.execute(statement)).scalar_one()

    async def _one(self, statement: Select[Any]) -> Charge | None:
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _charge(row)

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
        refunded=Money(row.refunded_minor, row.currency),
        reference=row.payment_reference,
    )
