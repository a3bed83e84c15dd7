"""The SQL of events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.events.domain import Event, EventKind
from modern.events.tables import outbox

_FAILURE_MAX = 255


class EventRepository:
    """Events in the database, over the connection of one request or job."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, kind: EventKind, payload: Mapping[str, Any], now: datetime) -> None:
        """Insert an event that has just happened."""
        values = {"kind": kind, "payload": payload, "happened_at": now, "try_at": now}
        await self._connection.execute(insert(outbox), values)

    async def take(self, now: datetime) -> Event | None:
        """Return the event that has waited longest, held until the transaction ends, or None.

        One that another worker holds is passed over.
        """
        statement = (
            select(outbox)
            .where(outbox.c.told_at.is_(None), outbox.c.try_at <= now)
            .order_by(outbox.c.try_at, outbox.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return Event(row.id, EventKind(row.kind), row.payload, row.happened_at, row.tries)

    async def told(self, event_id: int, now: datetime, failure: str | None = None) -> None:
        """Write that there is nothing more to do, for what failure if for one."""
        values = {"told_at": now, "failure": failure and failure[:_FAILURE_MAX]}
        await self._connection.execute(update(outbox).where(outbox.c.id == event_id).values(values))

    async def postpone(self, event_id: int, tries: int, try_at: datetime, failure: str) -> None:
        """Write that telling it has failed, and when to try again."""
        values = {"tries": tries, "try_at": try_at, "failure": failure[:_FAILURE_MAX]}
        await self._connection.execute(update(outbox).where(outbox.c.id == event_id).values(values))
