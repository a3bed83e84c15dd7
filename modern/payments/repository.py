"""The SQL of payments and refunds."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.billing.domain import Charge
from modern.money import Money
from modern.payments.domain import (
    Approved,
    Payment,
    Refund,
    Refused,
    Standing,
)
from modern.payments.tables import payments, refunds
from modern.users.tables import users

Settled = Approved | Refused


class PaymentRepository:
    """Payments and refunds in the database, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def card(self, user_id: int) -> str | None:
        """Return the token of the user's card, or None."""
        statement = select(users.c.payment_method).where(users.c.id == user_id)
        card: str | None = (await self._connection.execute(statement)).scalar_one()
        return card

    async def asked_payment(self, charge_id: int) -> Payment | None:
        """Return the payment of the charge that waits for an answer, or None."""
        statement = select(payments).where(
            payments.c.charge_id == charge_id, payments.c.standing == Standing.ASKED
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _payment(row)

    async def add_payment(
        self, charge: Charge, method: str, key: str, now: datetime, code: str | None = None
    ) -> Payment:
        """Insert a payment that is asked for now; with a code, one that is refused already."""
        standing = Standing.ASKED if code is None else Standing.REFUSED
        values = {
            "charge_id": charge.id,
            "amount_minor": charge.amount.minor,
            "currency": charge.amount.currency,
            "method": method,
            "key": key,
            "standing": standing,
            "code": code,
            "asked_at": now,
            "settled_at": None if code is None else now,
        }
        statement = insert(payments).returning(*payments.c)
        return _payment((await self._connection.execute(statement, values)).one())

    async def settle_payment(self, payment_id: int, outcome: Settled, now: datetime) -> bool:
        """Write what the processor said; False when that was written before."""
        return await self._settle(payments, payment_id, outcome, now)

    async def refunds_of(self, charge_id: int) -> list[Refund]:
        """Return what was given back of the charge, or was to be, in its order."""
        statement = select(refunds).where(refunds.c.charge_id == charge_id).order_by(refunds.c.id)
        return [_refund(row) for row in await self._connection.execute(statement)]

    async def payments_of(self, charge_id: int) -> list[Payment]:
        """Return the attempts to have the charge paid, in their order."""
        statement = (
            select(payments).where(payments.c.charge_id == charge_id).order_by(payments.c.id)
        )
        return [_payment(row) for row in await self._connection.execute(statement)]

    async def add_refund(
        self, charge: Charge, amount: Money, client_key: str | None, key: str, now: datetime
    ) -> Refund:
        """Insert a refund that is asked for now."""
        values = {
            "charge_id": charge.id,
            "payment": charge.reference or "",
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "client_key": client_key,
            "key": key,
            "standing": Standing.ASKED,
            "asked_at": now,
        }
        statement = insert(refunds).returning(*refunds.c)
        return _refund((await self._connection.execute(statement, values)).one())

    async def settle_refund(self, refund_id: int, outcome: Settled, now: datetime) -> bool:
        """Write what the processor said; False when that was written before."""
        return await self._settle(refunds, refund_id, outcome, now)

    async def _settle(self, table: Table, number: int, outcome: Settled, now: datetime) -> bool:
        statement = (
            update(table)
            .where(table.c.id == number, table.c.standing == Standing.ASKED)
            .values(_said(outcome, now))
            .returning(table.c.id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def unsettled(self, before: datetime, limit: int) -> tuple[list[int], list[Refund]]:
        """Return the charges and refunds that were asked before then and have no answer yet."""
        charges = (
            select(payments.c.charge_id)
            .where(payments.c.standing == Standing.ASKED, payments.c.asked_at < before)
            .order_by(payments.c.id)
            .limit(limit)
        )
        asked_back = (
            select(refunds)
            .where(refunds.c.standing == Standing.ASKED, refunds.c.asked_at < before)
            .order_by(refunds.c.id)
            .limit(limit)
        )
        found = list(await self._connection.scalars(charges))
        return found, [_refund(row) for row in await self._connection.execute(asked_back)]


def _said(outcome: Settled, now: datetime) -> dict[str, Any]:
    if isinstance(outcome, Approved):
        said: dict[str, Any] = {"standing": Standing.SUCCEEDED, "reference": outcome.reference}
    else:
        said = {"standing": Standing.REFUSED, "code": outcome.code}
    return said | {"settled_at": now}


def _payment(row: Row[Any]) -> Payment:
    return Payment(
        id=row.id,
        charge_id=row.charge_id,
        amount=Money(row.amount_minor, row.currency),
        method=row.method,
        key=row.key,
        standing=Standing(row.standing),
        reference=row.reference,
        code=row.code,
        asked_at=row.asked_at,
        settled_at=row.settled_at,
    )


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        id=row.id,
        charge_id=row.charge_id,
        payment=row.payment,
        amount=Money(row.amount_minor, row.currency),
        client_key=row.client_key,
        key=row.key,
        standing=Standing(row.standing),
        reference=row.reference,
        code=row.code,
        asked_at=row.asked_at,
        settled_at=row.settled_at,
    )
