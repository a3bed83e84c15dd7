"""What survives a kill: results and how far a replay has come, in one SQLite file.

Both are written in the same transaction, so that after a kill at any moment nothing is counted
twice and nothing is left out. A write is noted before it is sent: one that was under way is never
sent again, but counted as interrupted.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, delete, insert, select

from shadow_compare.store.counting import count
from shadow_compare.store.database import Database
from shadow_compare.store.record import Record
from shadow_compare.store.signatures import by_signature, keep
from shadow_compare.store.tables import metadata as comparison_tables

_KEY_BYTES: Final = 32

metadata: Final = MetaData()
for _table in comparison_tables.sorted_tables:
    _table.to_metadata(metadata)

_state = Table(
    "replay_state",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", Text, nullable=False),
)
_done = Table("replay_done", metadata, Column("item", BigInteger, primary_key=True))
_claimed = Table("replay_claimed", metadata, Column("item", BigInteger, primary_key=True))


class AnotherReplayError(ValueError):
    """The file belongs to a replay of something else."""


@dataclass(slots=True)
class Resumed:
    """How far an earlier run has come: all items up to `through`, and those in `beyond`.

    `key` is for placeholders: after a kill, the same secret is to look the same.
    """

    through: int = 0
    beyond: set[int] = field(default_factory=set)
    claimed: set[int] = field(default_factory=set)
    key: bytes = field(default=b"", repr=False)

    @property
    def count(self) -> int:
        """How many items are behind us."""
        return self.through + len(self.beyond)

    def is_done(self, item: int) -> bool:
        """Whether an item, counted from 1, is behind us."""
        return item <= self.through or item in self.beyond


class Progress:
    """Writes results with how far they go; every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at = Resumed()
        self._writing = asyncio.Lock()  # SQLite has one writer; waiting here takes no time-out

    async def resume(self, what: str) -> Resumed:
        """Give how far an earlier run of the same (`what`) has come.

        Raises AnotherReplayError when it was of something else.
        """
        async with self._database.begin() as connection:
            rows = await connection.execute(select(_state.c.name, _state.c.value))
            known: dict[str, str] = {row.name: row.value for row in rows}
            if not known:
                fresh = secrets.token_hex(_KEY_BYTES)
                first = {"what": what, "through": "0", "key": fresh}
                values = [{"name": name, "value": value} for name, value in first.items()]
                await connection.execute(insert(_state), values)
                return Resumed(key=bytes.fromhex(fresh))
            if known["what"] != what:
                raise AnotherReplayError(f"it belongs to another replay: {known['what']}")
            done = set((await connection.execute(select(_done.c.item))).scalars())
            claimed = set((await connection.execute(select(_claimed.c.item))).scalars())
        key = bytes.fromhex(known.get("key", ""))
        self._at = Resumed(int(known["through"]), done, claimed - done, key)
        return self._at

    async def claim(self, item: int) -> None:
        """Note that a write is about to be sent."""
        async with self._writing, self._database.begin() as connection:
            await connection.execute(insert(_claimed).values(item=item))

    async def commit(self, items: Iterable[int], records: Sequence[Record]) -> None:
        """Keep results, and that these items are done: all of it or nothing."""
        async with self._writing:
            await self._commit(items, records)

    async def _commit(self, items: Iterable[int], records: Sequence[Record]) -> None:
        at = self._at
        beyond, through = at.beyond | set(items), at.through
        while through + 1 in beyond:
            through += 1
            beyond.remove(through)
        async with self._database.begin() as connection:
            before = await count(connection, records)
            for group in by_signature(records):
                await keep(connection, group, before[group[0].route], random.random)
            await connection.execute(
                _state.update().where(_state.c.name == "through").values(value=str(through))
            )
            for table in (_done, _claimed):
                await connection.execute(delete(table).where(table.c.item <= through))
            fresh = sorted(beyond - at.beyond)
            if fresh:
                await connection.execute(insert(_done), [{"item": item} for item in fresh])
        at.through, at.beyond = through, beyond
