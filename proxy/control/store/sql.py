"""The store in a database: SQLite by default, PostgreSQL by the same statements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Column, Table, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from proxy.control.anchor import Anchor
from proxy.control.chain import Link
from proxy.control.interval import EVERY_ROUTE, Interval
from proxy.control.records import (
    decision_from_plain,
    decision_to_plain,
    version_from_plain,
    version_to_plain,
)
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.control.store.chained import Chain
from proxy.control.store.fence import Fence
from proxy.control.store.tables import (
    decisions,
    evidence,
    intervals,
    metadata,
    rollups,
    versions,
)
from proxy.errors import ConflictError
from shadow_compare.store.database import Database
from shadow_compare.store.errors import StoreError

_RECORD = [column for column in versions.c if column.name not in ("host", "token")]

AT_ONCE = 500
"""Names in one statement; SQLite takes 999 in older builds."""


class SqlStore:
    """Keeps versions and decisions behind a URL; survives its SQLite file being deleted.

    With a fence, only as long as the controller acts whose store it is: every write raises
    FencedError afterwards.
    """

    def __init__(self, url: str, anchor: Anchor | None = None, fence: Fence | None = None) -> None:
        self._database = Database(url, metadata)
        self._chain = Chain(anchor)
        self._fence = fence

    async def latest(self) -> VersionRecord | None:
        """Give the newest version, or None in an empty store."""
        found = await self.versions(limit=1)
        return found[0] if found else None

    async def append(
        self, version: VersionRecord | None = None, decision: DecisionRecord | None = None
    ) -> Link | None:
        """Keep a version, or a decision, or both together or neither."""
        try:
            async with self._writing() as connection:
                if version is not None:
                    await _compare_and_set(connection, version, self._signature)
                if decision is not None:
                    await connection.execute(insert(decisions), decision_to_plain(decision))
                await self._chain.append(connection, [(decision, version)])
        except IntegrityError as error:
            what = f"version {version.number}" if version else "this decision"
            raise ConflictError(f"somebody else has written {what} first") from error
        return await self._chain.note()

    async def restore(
        self, versions_: Sequence[VersionRecord], decisions_: Sequence[DecisionRecord]
    ) -> None:
        """Keep those that are missing, whatever their parents."""
        try:
            async with self._writing() as connection:
                rows = [{**version_to_plain(each), **self._signature} for each in versions_]
                fresh = await _insert_missing(connection, versions, versions.c.number, rows)
                rows = [decision_to_plain(record) for record in decisions_]
                made = await _insert_missing(connection, decisions, decisions.c.id, rows)
                pairs = _paired(
                    [record for record in decisions_ if record.id in made],
                    {record.number: record for record in versions_ if record.number in fresh},
                )
                await self._chain.append(connection, pairs, restored=True)
        except IntegrityError as error:
            raise StoreError("somebody else is restoring the same records") from error
        await self._chain.note()

    async def versions(self, limit: int = 50, before: int | None = None) -> list[VersionRecord]:
        """Give versions, newest first; with `before` only those with a smaller number."""
        query = select(*_RECORD).order_by(versions.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(versions.c.number < before)
        return _read(version_from_plain, await self._rows(query))

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> list[DecisionRecord]:
        """Give decisions, newest first; with `before` only those with a smaller id."""
        query = select(decisions).order_by(decisions.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(decisions.c.id < before)
        if route is not None:
            query = query.where(decisions.c.route == route)
        return _read(decision_from_plain, await self._rows(query))

    async def version(self, number: int) -> VersionRecord | None:
        """Give one version, or None."""
        found = await self._rows(select(*_RECORD).where(versions.c.number == number))
        return next(iter(_read(version_from_plain, found)), None)

    async def decision(self, number: int) -> DecisionRecord | None:
        """Give one decision, or None."""
        found = await self._rows(select(decisions).where(decisions.c.id == number))
        return next(iter(_read(decision_from_plain, found)), None)

    async def evidence(self) -> dict[str, dict[str, Any]]:
        """Give what was measured of each route, as `keep_evidence` was told last."""
        return {row["route"]: row["data"] for row in await self._rows(select(evidence))}

    async def keep_evidence(self, version: int, rows: Mapping[str, dict[str, Any]]) -> None:
        """Keep what was measured of some routes under the newest version."""
        if not rows:
            return
        fresh = [{"route": route, "version": version, "data": row} for route, row in rows.items()]
        try:
            async with self._writing() as connection:
                newest = (await connection.execute(select(func.max(versions.c.number)))).scalar()
                if newest != version:
                    raise ConflictError(f"version {version} is not the newest that is kept")
                await connection.execute(delete(evidence).where(evidence.c.route.in_(list(rows))))
                await connection.execute(insert(evidence), fresh)
        except IntegrityError as error:
            raise ConflictError("somebody else keeps evidence of the same routes") from error

    async def drop_evidence(self, routes: Collection[str]) -> None:
        """Throw away what is kept of routes other than these."""
        kept = {row["route"] for row in await self._rows(select(evidence.c.route))}
        gone = list(kept.difference(routes))
        async with self._writing() as connection:
            for first in range(0, len(gone), AT_ONCE):
                part = gone[first : first + AT_ONCE]
                await connection.execute(delete(evidence).where(evidence.c.route.in_(part)))

    async def keep_intervals(self, intervals_: Sequence[Interval]) -> None:
        """Keep the outcomes of some minutes."""
        rows = [
            {"at": each.at, "route": each.route, "data": each.to_plain()} for each in intervals_
        ]
        if rows:
            async with self._writing() as connection:
                await connection.execute(insert(intervals), rows)

    async def intervals(
        self,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give the intervals that ended in this time, each with its number, in order of those."""
        table = intervals.c
        query = select(intervals).where(table.at >= since, table.at <= until, table.number > after)
        if route is not None:
            query = query.where(table.route.in_([route, EVERY_ROUTE]))
        rows = await self._rows(query.order_by(table.number).limit(limit))
        return _read(lambda row: (row["number"], Interval.from_plain(row["data"])), rows)

    async def drop_intervals(self, before: float, most: int) -> None:
        """Throw away those that ended before this moment, and the oldest of more than `most`."""
        async with self._writing() as connection:
            await connection.execute(delete(intervals).where(intervals.c.at < before))
            newest = (await connection.execute(select(func.max(intervals.c.number)))).scalar()
            if newest is not None and newest > most:
                await connection.execute(
                    delete(intervals).where(intervals.c.number <= newest - most)
                )

    async def keep_rollups(self, span: int, rows: Sequence[Interval]) -> None:
        """Keep roll-ups of one length; raises StoreError when somebody else has kept them."""
        plain = [
            {"span": span, "at": each.at, "route": each.route, "data": each.to_plain()}
            for each in rows
        ]
        try:
            async with self._writing() as connection:
                await connection.execute(insert(rollups), plain)
        except IntegrityError as error:
            raise StoreError("somebody else has added up the same outcomes") from error

    async def rollups(
        self,
        span: int,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give roll-ups of one length that ended in this time, with their numbers, in order."""
        table = rollups.c
        query = select(rollups).where(
            table.span == span, table.at >= since, table.at <= until, table.number > after
        )
        if route is not None:
            query = query.where(table.route == route)
        rows = await self._rows(query.order_by(table.number).limit(limit))
        return _read(lambda row: (row["number"], Interval.from_plain(row["data"])), rows)

    async def newest_rollup(self, span: int) -> float | None:
        """Give when the newest roll-up of this length ended."""
        newest = func.max(rollups.c.at).label("at")
        (row,) = await self._rows(select(newest).where(rollups.c.span == span))
        return None if row["at"] is None else float(row["at"])

    async def drop_rollups(self, span: int, before: float, most: int) -> None:
        """Throw away those of one length that ended before this moment, and the oldest of many."""
        table = rollups.c
        old = select(table.number).where(table.span == span).order_by(table.number.desc())
        async with self._writing() as connection:
            await connection.execute(delete(rollups).where(table.span == span, table.at < before))
            limit = (await connection.execute(old.offset(most).limit(1))).scalar()
            if limit is not None:
                await connection.execute(
                    delete(rollups).where(table.span == span, table.number <= limit)
                )

    async def check(self) -> int:
        """Make sure that the store can be used; another number than before means that it is new."""
        if self._fence is None:
            return await self._database.check()
        async with self._writing():
            return self._database.generation

    async def close(self) -> None:
        """Let go of it."""
        await self._database.close()

    @property
    def _signature(self) -> dict[str, Any]:
        """Who writes: it stands beside a version, for people and for tests."""
        fence = self._fence
        return {} if fence is None else {"host": fence.host, "token": fence.token}

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes, if it may."""
        async with self._database.begin() as connection:
            if self._fence is not None:
                await self._fence.check(connection)
            yield connection

    async def _rows(self, query: Any) -> list[dict[str, Any]]:
        try:
            async with self._database.read() as connection:
                return [dict(row) for row in (await connection.execute(query)).mappings()]
        except ValueError as error:  # a cell that should hold JSON
            raise StoreError(f"a record in the store cannot be read: {error}") from error


async def _compare_and_set(
    connection: AsyncConnection, version: VersionRecord, signature: Mapping[str, Any]
) -> None:
    """Insert a version whose parent is the newest.

    SQLite lets one writer in at a time. In PostgreSQL two may read the same newest number, and the
    primary key refuses the second.
    """
    newest = (await connection.execute(select(func.max(versions.c.number)))).scalar()
    if newest is not None and newest != version.parent:
        raise ConflictError(f"version {newest} came before version {version.number}")
    await connection.execute(insert(versions), {**version_to_plain(version), **signature})


async def _insert_missing(
    connection: AsyncConnection, table: Table, key: Column[Any], rows: list[dict[str, Any]]
) -> set[int]:
    """Insert what is not there, and give its keys.

    Raises StoreError when another record stands in the place of one: then two controllers write
    to one store, and each would take the other's records for its own.
    """
    if not rows:
        return set()
    wanted = {row[key.name]: row for row in rows}
    told = (key, table.c.at, table.c.author, table.c.reason)
    found = (await connection.execute(select(*told).where(key.in_(list(wanted))))).all()
    for number, *record in found:
        ours = [wanted[number][column.name] for column in told[1:]]
        if record != ours:
            raise StoreError(
                f"{table.name} has another record {number} than ours, by {record[1]}:"
                f" {record[2]}. Does another proxy use the same store?"
            )
    missing = [row for number, row in wanted.items() if number not in {each[0] for each in found}]
    if missing:
        await connection.execute(insert(table), missing)
    return {row[key.name] for row in missing}


def _paired(
    made: Iterable[DecisionRecord], fresh: dict[int, VersionRecord]
) -> list[tuple[DecisionRecord | None, VersionRecord | None]]:
    """Put each decision together with the version it made, as far as both are new."""
    pairs: list[tuple[DecisionRecord | None, VersionRecord | None]] = [
        (decision, fresh.pop(decision.version, None)) for decision in made
    ]
    return [*((None, version) for version in fresh.values()), *pairs]


def _read(reader: Any, rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Turn rows into records; what another program wrote there is a problem of the store."""
    try:
        return [reader(row) for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"a record in the store cannot be read: {error!r}") from error
