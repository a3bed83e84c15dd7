# ruff: noqa: ASYNC240 - one process, one file: what a test waits for here takes microseconds

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.control.chain import Link
from proxy.control.store.sql import SqlStore
from proxy.errors import ConflictError
from shadow_compare.store.errors import StoreError
from tests.contracts.store import StoreContract, decision, version


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a place for the database."""
    return tmp_path / "cutover.db"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqlStore]:
    """Give an empty store."""
    store = SqlStore(f"sqlite+aiosqlite:///{file}")
    yield store
    await store.close()


class TestSqlite(StoreContract):
    """The store in a real SQLite file."""


async def test_survives_a_restart(file: Path, store: SqlStore) -> None:
    """Another process finds what was kept."""
    await store.append(version(1), decision(1))
    await store.close()
    again = SqlStore(f"sqlite+aiosqlite:///{file}")
    assert await again.latest() == version(1)
    await again.close()


async def test_file_deleted_under_use(file: Path, store: SqlStore) -> None:
    """A deleted file is noticed, and a new one is used from then on."""
    await store.append(version(1))
    before = await store.check()
    file.unlink()
    assert await store.check() != before
    assert await store.latest() is None
    await store.append(version(7))
    assert file.exists()
    assert await store.latest() == version(7)


async def test_file_replaced_by_rubbish(file: Path, store: SqlStore) -> None:
    """What is no database any more is set aside; one failure may be told, then it works again."""
    await store.append(version(1))
    file.unlink()
    file.write_bytes(b"this is no database" * 1000)
    assert await store.latest() is None
    await store.append(version(2))
    assert await store.latest() == version(2)


async def test_unreadable_record(file: Path, store: SqlStore) -> None:
    """What another program wrote into a row is a problem of the store, not an end."""
    await store.append(version(1))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE control_versions SET rollbacks = 'nonsense'")
    connection.close()
    with pytest.raises(StoreError, match="cannot be read"):
        await store.latest()
    with sqlite3.connect(file) as connection:
        connection.execute("""UPDATE control_versions SET rollbacks = '{"plans": {"x": 1}}'""")
    connection.close()
    with pytest.raises(StoreError, match="cannot be read"):
        await store.latest()


async def test_two_writers_at_once(file: Path, store: SqlStore) -> None:
    """Of two writers of the same version exactly one wins."""
    await store.append(version(1))
    rival = SqlStore(f"sqlite+aiosqlite:///{file}")
    results = await asyncio.gather(
        *(writer.append(version(2)) for writer in (store, rival, store, rival)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Link) for result in results) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 3
    await rival.close()
