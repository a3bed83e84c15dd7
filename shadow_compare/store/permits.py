"""One write of a route at a time, whoever sends it: the permit lies in the store.

A permit is given back only for an acknowledgement. Who gets none halts the route; who dies holding
one leaves it held, and the route is halted for that. So an application that does not take part gets
one mirrored write and never a second, whatever the number of workers and whichever of them die.

Rows are by route and epoch, the version of the rules in which mirroring of its writes was begun or
resumed: what an operator resumes begins anew, and who goes by older rules finds it halted.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy import and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from shadow_compare.store.database import Database
from shadow_compare.store.tables import sent_writes, write_permits

REMEMBERED: Final = 600.0
"""Seconds for which the ids of writes are kept; captures are long too old by then."""


class Permit(Enum):
    """What became of asking for one."""

    GIVEN = "given"
    TAKEN = "taken"  # another write of the route is under way
    HALTED = "halted"
    REPEATED = "repeated"  # this very write has been sent before


class Asked(NamedTuple):
    """The answer, and why the route is halted if it is."""

    permit: Permit
    halted: str = ""


class Permits:
    """Every method raises StoreError when it cannot; then nothing may be sent."""

    def __init__(self, database: Database, lost_after: float) -> None:
        """After `lost_after` seconds a permit that is still held tells of a write that is lost."""
        self._database = database
        self._lost_after = lost_after
        self._pruned = 0.0

    async def take(self, route: str, epoch: int, write: str, now: float) -> Asked:
        """Ask to send a write, by its id; `now` is Unix time in seconds."""
        async with self._database.begin() as connection:
            await self._prune(connection, now)
            if not await _hold(connection, route, epoch, write, now):
                if not await _make(connection, route, epoch):
                    return await self._why_not(connection, route, epoch, now)
                if not await _hold(connection, route, epoch, write, now):
                    return Asked(Permit.TAKEN)
            if await _is_first(connection, write, now):
                return Asked(Permit.GIVEN)
            await connection.execute(
                update(write_permits).where(_row(route, epoch)).values(holder=None)
            )
            return Asked(Permit.REPEATED)

    async def give_back(self, route: str, epoch: int, write: str, *, acknowledged: bool) -> None:
        """Let the next write be sent: this one was acknowledged, or not sent after all."""
        async with self._database.begin() as connection:
            await connection.execute(
                update(write_permits)
                .where(_row(route, epoch), write_permits.c.holder == write)
                .values(holder=None, acknowledged=write_permits.c.acknowledged + int(acknowledged))
            )

    async def halt(self, route: str, epoch: int, why: str) -> None:
        """Give no permit any more in this epoch; the first reason stays."""
        async with self._database.begin() as connection:
            await _make(connection, route, epoch)
            await _halt(connection, route, epoch, why)

    async def _why_not(
        self, connection: AsyncConnection, route: str, epoch: int, now: float
    ) -> Asked:
        query = select(write_permits).where(_row(route, epoch))
        row = (await connection.execute(query)).one()
        if row.halted is not None:
            return Asked(Permit.HALTED, row.halted)
        if now - row.since <= self._lost_after:
            return Asked(Permit.TAKEN)
        why = f"write {row.holder} was sent, and its worker was not heard of again"
        await _halt(connection, route, epoch, why)
        return Asked(Permit.HALTED, why)

    async def _prune(self, connection: AsyncConnection, now: float) -> None:
        if now - self._pruned > REMEMBERED / 10:
            self._pruned = now
            await connection.execute(delete(sent_writes).where(sent_writes.c.at < now - REMEMBERED))


def _row(route: str, epoch: int) -> ColumnElement[bool]:
    return and_(write_permits.c.route == route, write_permits.c.epoch == epoch)


async def _halt(connection: AsyncConnection, route: str, epoch: int, why: str) -> None:
    unsaid = write_permits.c.halted.is_(None)
    await connection.execute(
        update(write_permits).where(_row(route, epoch), unsaid).values(halted=why)
    )


async def _hold(
    connection: AsyncConnection, route: str, epoch: int, write: str, now: float
) -> bool:
    """Hold the row, if there is one that is free."""
    free = and_(
        _row(route, epoch), write_permits.c.holder.is_(None), write_permits.c.halted.is_(None)
    )
    held = await connection.execute(
        update(write_permits).where(free).values(holder=write, since=now)
    )
    return bool(held.rowcount)


async def _make(connection: AsyncConnection, route: str, epoch: int) -> bool:
    """Make the row that is held; False when there is one."""
    row = {"route": route, "epoch": epoch, "since": 0.0, "acknowledged": 0}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = await connection.execute(
        dialect.insert(write_permits).values(row).on_conflict_do_nothing()
    )
    return bool(made.rowcount)


async def _is_first(connection: AsyncConnection, write: str, now: float) -> bool:
    """Claim the id of a write; False when somebody has."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    claimed = await connection.execute(
        dialect.insert(sent_writes).values(id=write, at=now).on_conflict_do_nothing()
    )
    return bool(claimed.rowcount)
