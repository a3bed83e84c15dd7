"""Verifying the journal in a store, beside the controller that writes it, or without one.

Nothing is written, nothing mended: a file that is not there stays so, and a broken one is left as
it is found, for whoever has to find out why.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Table, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from proxy.control.anchor import Anchor
from proxy.control.chain import Entry, Fault, Link, Verifier, named_in
from proxy.control.store.tables import decisions, journal, versions
from proxy.errors import RefusedError

PAGE: Final = 100
"""Entries read at once: a version may be a megabyte."""

FAULTS_MAX: Final = 100
"""Faults that are listed; the first one is what matters."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    `unchained` decisions are older than the journal. `guarded` says that its end was noted.
    """

    last: Link
    decisions: int
    unchained: int
    faults: tuple[Fault, ...]
    guarded: bool = False

    @property
    def first(self) -> Fault | None:
        """The first broken entry."""
        return min(self.faults, key=lambda fault: fault.entry, default=None)

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "whole": self.first is None,
            "entries": self.last.number,
            "decisions": self.decisions,
            "older_decisions": self.unchained,
            "last": str(self.last),
            "guarded": self.guarded,
            "faults": [{"entry": fault.entry, "what": fault.what} for fault in self.faults],
        }


def sqlite_url(file: Path) -> str:
    """Give the URL that opens a database for reading; raises RefusedError if it is not there."""
    if not file.is_file():
        raise RefusedError(f"{file}: there is no such database")
    return f"sqlite+aiosqlite:///file:{quote(str(file.absolute()))}?mode=ro&uri=true"


async def verify_aside(url: str, anchor: Anchor) -> Verdict:
    """Do as `verify`, in a thread with a loop of its own: whoever asks decides meanwhile."""
    return await asyncio.to_thread(lambda: asyncio.run(verify(url, anchor=anchor)))


async def verify(
    url: str, expected: tuple[Link, ...] = (), anchor: Anchor | None = None
) -> Verdict:
    """Read the whole journal; `expected` are entries noted elsewhere that must be in it.

    So must the one that `anchor` has noted. Raises RefusedError when the store cannot be read.
    """
    noted = None if anchor is None else anchor.read()  # before the journal, which may go on
    links = expected if noted is None else (*expected, noted)
    try:
        async with _reading(url) as connection:
            found = await _verify(connection, links)
            return replace(found, guarded=noted is not None)
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise RefusedError(f"the store cannot be read: {cause}") from error


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _verify(connection: AsyncConnection, expected: tuple[Link, ...]) -> Verdict:
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(journal.name)):
        raise RefusedError("the store has no journal; a controller that is started makes one")
    # Decisions first: what is written meanwhile is then in the journal that is read after them.
    kept = set((await connection.execute(select(decisions.c.id))).scalars())
    verifier, chained, faults = Verifier(expected), set[int](), list[Fault]()
    async for entries in _pages(connection):
        named = [named_in(entry) for entry in entries]
        ids = [decision for decision, _ in named if decision is not None]
        numbers = [version for _, version in named if version is not None]
        told = await _rows(connection, decisions, "id", ids)
        made = await _rows(connection, versions, "number", numbers)
        for entry, (decision, version) in zip(entries, named, strict=True):
            records = (told.get(decision or -1), made.get(version or -1))
            faults += verifier.read(entry, *records)
        chained.update(ids)
        await asyncio.sleep(0)
    faults += verifier.end()
    stray = sorted(number for number in kept - chained if chained and number > min(chained))
    behind = verifier.last.number + 1
    faults += [Fault(behind, f"decision {number} stands in no entry") for number in stray]
    unchained = len(kept - chained) - len(stray)
    return Verdict(verifier.last, verifier.decisions, unchained, tuple(faults[:FAULTS_MAX]))


async def _pages(connection: AsyncConnection) -> AsyncIterator[list[Entry]]:
    number = (await connection.execute(select(func.min(journal.c.number)))).scalar()
    while number is not None:
        query = select(journal).where(journal.c.number >= number).order_by(journal.c.number)
        found = (await connection.execute(query.limit(PAGE))).all()
        if found:
            yield [Entry(row.number, row.hash, row.entry) for row in found]
        number = found[-1].number + 1 if len(found) == PAGE else None


async def _rows(
    connection: AsyncConnection, table: Table, key: str, wanted: Collection[int]
) -> dict[int, dict[str, Any]]:
    query = select(table).where(table.c[key].in_(list(wanted)))
    rows = (await connection.execute(query)).mappings()
    return {row[key]: dict(row) for row in rows}
