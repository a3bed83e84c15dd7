# ruff: noqa: ASYNC240 - a test may block
from __future__ import annotations

import asyncio
import gc
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from shadow_compare.store.database import Database
from shadow_compare.store.errors import StoreError

METADATA = MetaData()
ROWS = Table("rows", METADATA, Column("id", Integer, primary_key=True))


def open_database(path: Path) -> Database:
    """Give a database of one table in this file."""
    return Database(f"sqlite+aiosqlite:///{path}", METADATA)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a path below a folder that does not exist yet."""
    return tmp_path / "state" / "cutover.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    """Give a database that is closed in the end."""
    found = open_database(path)
    yield found
    await found.close()


async def add(database: Database) -> None:
    """Insert one row."""
    async with database.begin() as connection:
        await connection.execute(insert(ROWS))


async def count(database: Database) -> int:
    """Count the rows."""
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(ROWS))).scalar_one())


async def test_first_use_makes_a_private_file_with_its_tables(
    database: Database, path: Path
) -> None:
    """Folder, file and schema come into being when they are needed, for this user only."""
    assert await count(database) == 0
    assert database.generation == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


async def test_transaction_is_all_or_nothing(database: Database) -> None:
    """An error inside takes everything back and is passed on as it is."""

    async def add_and_fail() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(ROWS))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await add_and_fail()
    assert await count(database) == 0


async def test_conflict_is_told_as_such(database: Database) -> None:
    """A unique key that is taken is not a store that cannot be used."""

    async def add_twice() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(ROWS), [{"id": 1}, {"id": 1}])

    with pytest.raises(IntegrityError):
        await add_twice()
    assert await count(database) == 0


@pytest.mark.parametrize("leftovers", [True, False])
async def test_deleted_file_is_noticed_before_the_next_use(
    database: Database, path: Path, leftovers: bool
) -> None:
    """A new file takes over, empty, whether or not the log of the old one stayed behind."""
    await add(database)
    for file in [path] if leftovers else path.parent.glob("cutover.db*"):
        file.unlink()
    assert await count(database) == 0
    await add(database)
    assert await count(database) == 1
    assert database.generation == 2


async def test_deleted_folder_is_made_again(database: Database, path: Path) -> None:
    """The whole state folder may go away."""
    await add(database)
    shutil.rmtree(path.parent)
    await add(database)
    assert (await count(database), database.generation) == (1, 2)


async def test_replaced_file_is_the_one_that_counts(database: Database, path: Path) -> None:
    """A restored backup is read as it is, and counts as another generation."""
    await add(database)
    backup = path.with_name("backup.db")
    other = open_database(backup)
    for _ in range(3):
        await add(other)
    await other.close()
    for file in path.parent.glob("cutover.db-*"):
        file.unlink()
    backup.replace(path)
    assert (await count(database), database.generation) == (3, 2)


async def test_broken_file_is_set_aside(database: Database, path: Path) -> None:
    """A file that is no database is kept under another name, and a new one takes over."""
    await add(database)
    await database.close()
    for file in path.parent.glob("cutover.db-*"):
        file.unlink()
    path.write_bytes(b"not a database" * 1000)
    await add(database)
    assert await count(database) == 1
    assert path.with_name("cutover.db.corrupt").read_bytes().startswith(b"not a database")


async def test_file_that_breaks_under_use_is_set_aside(database: Database, path: Path) -> None:
    """Whoever notices gets an error, the next use works again, and no connection is left over."""
    await add(database)
    await database.close()
    await add(database)
    with path.open("r+b") as file:
        file.write(b"rubbish!" * 2048)
    concurrent = [add(database) for _ in range(8)]  # more than one connection: they read the file
    results = await asyncio.gather(*concurrent, return_exceptions=True)
    assert all(result is None or isinstance(result, StoreError) for result in results)
    await add(database)
    assert await count(database) >= 1
    gc.collect()  # a connection left over would be a warning, and so an error


async def test_use_that_cannot_work_says_why_and_works_later(
    database: Database, path: Path
) -> None:
    """An error names the file and the cause; nothing has to be restarted afterwards."""
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"cutover\.db: unable to open"):
        await count(database)
    path.rmdir()
    assert await count(database) == 0


async def test_check_tells_another_generation(database: Database, path: Path) -> None:
    """Whoever wrote something that must not be lost asks whether it still is there."""
    assert await database.check() == 1
    assert await database.check() == 1
    path.unlink()
    assert await database.check() == 2


async def test_writers_wait_for_each_other(path: Path) -> None:
    """Two processes' worth of writers, reading before they write, all succeed."""
    first, second = open_database(path), open_database(path)

    async def read_then_add(database: Database) -> None:
        async with database.begin() as connection:
            await connection.execute(select(func.count()).select_from(ROWS))
            await connection.execute(insert(ROWS))

    await asyncio.gather(*(read_then_add(each) for each in (first, second) * 20))
    assert await count(first) == 40
    await first.close()
    await second.close()


async def test_two_who_notice_at_once_agree_on_one_new_file(path: Path) -> None:
    """However many notice the deletion, there is one new file and nothing written to it is lost."""
    databases = [open_database(path) for _ in range(4)]
    for _ in range(5):
        await asyncio.gather(*(add(each) for each in databases))
        assert await count(databases[0]) == 4
        path.unlink()
    for each in databases:
        await each.close()


async def test_reader_does_not_wait_for_a_writer(database: Database) -> None:
    """While somebody writes, others read what was there before."""
    await add(database)
    async with database.begin() as writing:
        await writing.execute(insert(ROWS))
        assert await count(database) == 1
    assert await count(database) == 2


def test_database_in_memory_is_refused() -> None:
    """It would be another one for every connection."""
    with pytest.raises(ValueError, match="name a file"):
        Database("sqlite+aiosqlite://", METADATA)
