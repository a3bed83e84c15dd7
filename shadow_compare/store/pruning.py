"""Throwing away what is older, or more, than is to be kept; and mending what is kept.

Each step deletes a bounded number of rows in a transaction of its own, so that shadow workers which
want to write wait for milliseconds, whatever has piled up. Several processes may prune at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow_compare.searched import head_of, with_values
from shadow_compare.store.database import Database
from shadow_compare.store.grain import Grain
from shadow_compare.store.tables import hits, occurrences, samples, signatures, tallies

AT_ONCE: Final = 200
"""Signatures or samples deleted in one transaction; with each signature go its samples."""
STEPS_MAX: Final = 1_000
"""Transactions of one kind in one go; what is left waits for the next."""
MINUTES_KEPT: Final = 2 * 1440
"""For how many minutes counts can be asked for by the minute; later by the hour."""

OCCURRENCES_KEPT: Final = 14 * 1440
"""For how many minutes it is known in which hours a signature was seen."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept at most.

    `age` in seconds since something was last seen, `signatures` their number, `bytes` what
    signatures and samples take together.
    """

    age: float = 30 * 86_400.0
    signatures: int = 20_000
    bytes: int = 512 * 1024 * 1024


async def prune(database: Database, now: float, retention: Retention) -> None:
    """Throw away, and give the space back; raises StoreError."""
    for _ in range(STEPS_MAX):
        if not await _fill_searched(database):
            break
    oldest = now - retention.age
    for table in (tallies, hits):
        await _old_counts(database, table, Grain.MINUTE, int(now // 60) - MINUTES_KEPT)
        for grain in Grain:
            await _old_counts(database, table, grain, int(oldest // 60) - grain + 1)
    for _ in range(STEPS_MAX):
        if not await _old_occurrences(database, int(now // 60) - OCCURRENCES_KEPT):
            break
    for _ in range(STEPS_MAX):
        if not await _old_signatures(database, oldest):
            break
    for _ in range(STEPS_MAX):
        if not await _surplus_signatures(database, retention.signatures):
            break
    for _ in range(STEPS_MAX):
        if not await _surplus_bytes(database, retention.bytes):
            break
    await database.compact()


async def _old_counts(database: Database, table: Table, grain: Grain, before: int) -> None:
    """Delete buckets that begin before a minute, those of an hour (or of a bucket) at a time."""
    width = max(grain, Grain.HOUR)
    for _ in range(STEPS_MAX):
        async with database.begin() as connection:
            query = select(func.min(table.c.start)).where(table.c.grain == grain)
            first = (await connection.execute(query)).scalar()
            if first is None or first >= before:
                return
            stop = min(before, first + width)
            await connection.execute(
                delete(table).where(table.c.grain == grain, table.c.start < stop)
            )


async def _old_occurrences(database: Database, before: int) -> bool:
    """Delete the hours of some time; gives whether there may be more."""
    async with database.begin() as connection:
        query = select(func.min(occurrences.c.start))
        first = (await connection.execute(query)).scalar()
        if first is None or first >= before:
            return False
        stop = min(before, first + Grain.HOUR)
        await connection.execute(delete(occurrences).where(occurrences.c.start < stop))
    return True


async def _fill_searched(database: Database) -> bool:
    """Have groups found that an earlier version wrote; gives whether there may be more."""
    known = signatures.c
    query = (
        select(
            known.id, known.route, known.kinds, known.paths, known.example_old, known.example_new
        )
        .where(known.searched == "")
        .order_by(known.id)
        .limit(AT_ONCE)
    )
    async with database.begin() as connection:
        found = (await connection.execute(query)).all()
        for name, route, kinds, paths, *values in found:
            text = with_values(head_of(route, kinds, paths), filter(None, values))
            statement = update(signatures).where(known.id == name, known.searched == "")
            await connection.execute(statement.values(searched=text))
    return len(found) == AT_ONCE


async def _old_signatures(database: Database, oldest: float) -> bool:
    """Delete some that were not seen since; gives whether there may be more."""
    async with database.begin() as connection:
        found = _least_recent(AT_ONCE).where(signatures.c.last_seen < oldest)
        return await _delete_signatures(connection, found) == AT_ONCE


async def _surplus_signatures(database: Database, most: int) -> bool:
    async with database.begin() as connection:
        number = (await connection.execute(select(func.count(signatures.c.last_seen)))).scalar_one()
        surplus = min(AT_ONCE, number - most)
        return surplus > 0 and await _delete_signatures(connection, _least_recent(surplus)) > 0


async def _surplus_bytes(database: Database, most: int) -> bool:
    """Delete the oldest samples, and signatures only when they alone are too much."""
    async with database.begin() as connection:
        of_signatures = await _sum(connection, signatures)
        surplus = of_signatures + await _sum(connection, samples) - most
        if surplus <= 0:
            return False
        if of_signatures > most:
            return await _delete_signatures(connection, _least_recent(AT_ONCE)) > 0
        oldest = (
            select(samples.c.id, samples.c.bytes)
            .order_by(samples.c.at, samples.c.id)
            .limit(AT_ONCE)
        )
        chosen: list[int] = []
        for number, size in await connection.execute(oldest):
            if surplus <= 0:
                break
            surplus -= size
            chosen.append(number)
        await connection.execute(delete(samples).where(samples.c.id.in_(chosen)))
        return surplus > 0 and bool(chosen)


async def _sum(connection: AsyncConnection, table: Table) -> int:
    found = await connection.execute(select(func.coalesce(func.sum(table.c.bytes), 0)))
    return int(found.scalar_one())


def _least_recent(number: int) -> Select[tuple[str]]:
    return select(signatures.c.id).order_by(signatures.c.last_seen).limit(number)


async def _delete_signatures(connection: AsyncConnection, found: Select[tuple[str]]) -> int:
    """Delete these in the order of their ids, in which writers lock them too; gives the number."""
    names = sorted((await connection.execute(found)).scalars())
    if names:
        locked = select(signatures.c.id).where(signatures.c.id.in_(names)).order_by(signatures.c.id)
        await connection.execute(locked.with_for_update())
        await connection.execute(delete(signatures).where(signatures.c.id.in_(names)))
    return len(names)
