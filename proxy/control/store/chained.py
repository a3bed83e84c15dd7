"""Appending to the journal within the transaction that keeps the records themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from proxy.control.anchor import Anchor
from proxy.control.chain import BEGINNING, Link, next_entry
from proxy.control.records import decision_to_plain, version_to_plain
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.control.store.tables import journal

Pair = tuple[DecisionRecord | None, VersionRecord | None]


class Chain:
    """The end of the journal as this process knows it.

    SQLite lets one writer in at a time. In PostgreSQL two may read the same end, and the primary
    key refuses the second, together with its records.
    """

    def __init__(self, anchor: Anchor | None = None) -> None:
        self._anchor = anchor
        self._known: Link | None = None
        self._written: Link | None = None

    async def append(
        self, connection: AsyncConnection, pairs: Iterable[Pair], *, restored: bool = False
    ) -> None:
        """Append one entry for each pair that holds anything."""
        self._written = None  # what an attempt that failed had in mind
        wanted = [pair for pair in pairs if pair != (None, None)]
        if not wanted:
            return
        end = await _end(connection)
        lost = await self._lost(connection, end)
        rows = []
        for decision, version in wanted:
            entry = next_entry(
                end,
                None if decision is None else decision_to_plain(decision),
                None if version is None else version_to_plain(version),
                lost=lost,
                restored=restored,
            )
            rows.append({"number": entry.number, "hash": entry.hash, "entry": entry.text})
            end, lost = entry.link, None
        await connection.execute(insert(journal), rows)
        self._written = end

    async def note(self) -> Link | None:
        """Note the end, once the transaction that wrote it has been committed, and give it."""
        written = self._written
        if written is None or written == self._known:
            return written
        self._known = written
        if self._anchor is not None:
            await asyncio.to_thread(self._anchor.write, written)
        return written

    async def _lost(self, connection: AsyncConnection, end: Link) -> Link | None:
        """Give the entry that was written last as far as is known, if the journal has lost it."""
        known = self._known
        if known is None and self._anchor is not None:
            known = await asyncio.to_thread(self._anchor.read)
        if known is None or known in (end, BEGINNING):
            return None
        query = select(journal.c.hash).where(journal.c.number == known.number)
        found = (await connection.execute(query)).scalar()
        return None if found == known.hash else known


async def _end(connection: AsyncConnection) -> Link:
    query = select(journal.c.number, journal.c.hash).order_by(journal.c.number.desc()).limit(1)
    found = (await connection.execute(query)).first()
    return BEGINNING if found is None else Link(found.number, found.hash)
