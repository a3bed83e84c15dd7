"""What must hold on SQLite and on PostgreSQL alike, beside what the store's own tests say."""

from __future__ import annotations

import asyncio
import socket

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, insert, select

from shadow_compare.report import Report
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.errors import StoreError
from shadow_compare.store.pruning import Retention
from shadow_compare.store.record import Record
from tests.support_shadow import a_mismatch

BEFORE = MetaData()
Table("kept_rows", BEFORE, Column("id", Integer, primary_key=True))

AFTER = MetaData()
ROWS = Table(
    "kept_rows",
    AFTER,
    Column("id", Integer, primary_key=True),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("note", String(10)),
    Index("ix_kept_rows_state", "state"),
)


async def test_tables_of_an_earlier_version_get_what_they_lack(database: Database) -> None:
    """Rows stay, new columns have their default, and the old program goes on writing."""
    url = database.url.render_as_string(hide_password=False)
    old, new = Database(url, BEFORE), Database(url, AFTER)
    try:
        async with old.begin() as connection:
            await connection.execute(insert(BEFORE.tables["kept_rows"]), {"id": 1})
        async with new.begin() as connection:
            rows = [tuple(row) for row in await connection.execute(select(ROWS))]
        assert rows == [(1, "open", None)]
        async with old.begin() as connection:
            await connection.execute(insert(BEFORE.tables["kept_rows"]), {"id": 2})
        again = Database(url, AFTER)
        async with again.begin() as connection:
            assert len((await connection.execute(select(ROWS))).all()) == 2
            await connection.run_sync(AFTER.drop_all)
        await again.close()
    finally:
        await old.close()
        await new.close()


async def test_processes_that_start_at_once_make_the_tables_once(database: Database) -> None:
    """Nobody fails because another was quicker."""
    url = database.url.render_as_string(hide_password=False)
    several = [Database(url, AFTER) for _ in range(4)]
    try:
        await asyncio.gather(*(each.check() for each in several))
        async with several[0].begin() as connection:
            await connection.run_sync(AFTER.drop_all)
    finally:
        for each in several:
            await each.close()


async def test_workers_that_write_and_prune_at_once_lose_nothing(database: Database) -> None:
    """Batches in any order, of the same signatures and minutes: no deadlock, and exact counts."""
    url = database.url.render_as_string(hide_password=False)
    several = [Database(url, database.metadata) for _ in range(3)]
    stores = [ComparisonStore(each) for each in several]

    async def write(store: ComparisonStore, turn: int) -> None:
        for _ in range(4):
            batch = [
                a_mismatch(f'{{"m{i}":1}}'.encode(), b"{}", route=f"r{i % 2}") for i in range(8)
            ]
            batch += [Record(f"r{i % 2}", 3600.0, 1, "match") for i in range(4)]
            await store.record(batch if turn % 2 else batch[::-1])
            await store.prune(3600.0, Retention(signatures=6))

    try:
        await asyncio.gather(*(write(store, turn) for turn, store in enumerate(stores)))
        found = await Report(database).coverage()
        assert [each.mismatch for each in found] == [48, 48]
        assert [each.match for each in found] == [24, 24]
        assert len(await Report(database).signatures()) <= 8
    finally:
        for each in several:
            await each.close()


async def test_server_that_is_not_there_is_told_without_the_password(
    postgres_url: str,
) -> None:
    """A refused connection and a wrong password are a store that cannot be used just now."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    refused = Database(f"postgresql+asyncpg://me:hunter2@127.0.0.1:{port}/db", AFTER)
    wrong = Database(postgres_url.replace("comparisons:", "comparisons:hunter2", 1), AFTER)
    for each in (refused, wrong):
        with pytest.raises(StoreError) as caught:
            await each.check()
        assert "hunter2" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        await each.close()
