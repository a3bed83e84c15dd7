from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from deploy.stack.postgres import Postgres
from proxy.control.hosts.lease import Lease, SqlLease
from proxy.control.store.fence import Fence, FencedError
from proxy.control.store.sql import SqlStore
from proxy.control.store.tables import metadata
from shadow_compare.store.database import Database
from shadow_compare.store.errors import StoreError
from tests.contracts.lease import LeaseContract, Pass, host
from tests.contracts.store import version


@pytest.fixture(scope="module")
def url(postgres_server: Postgres) -> str:
    """Give the URL of a PostgreSQL database for the lease alone."""
    return postgres_server.create_database("lease", replace=True).sqlalchemy_url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """Give the database, empty."""
    database = Database(url, metadata)
    async with database.begin() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(table.delete())
    yield database
    await database.close()


@pytest.fixture
async def lease(database: Database) -> AsyncIterator[Lease]:
    """Give a lease that nobody has, in the emptied database."""
    lease = SqlLease(database.url.render_as_string(hide_password=False))
    yield lease
    await lease.close()


@pytest.fixture
def let_pass(database: Database) -> Pass:
    """Let time pass by putting back what was written before."""

    async def let_pass(seconds: float) -> None:
        async with database.begin() as connection:
            for change in ("control_lease SET until = until", "control_hosts SET seen = seen"):
                await connection.execute(text(f"UPDATE {change} - {seconds}"))

    return let_pass


class TestSqlLease(LeaseContract):
    """The lease in a real PostgreSQL."""


async def acting(lease: Lease, name: str) -> int:
    """Have a host act; gives its token."""
    view = await lease.beat(host(name), None, wants=True)
    assert view.granted
    return view.token


async def test_who_was_succeeded_writes_nothing(url: str, lease: Lease, let_pass: Pass) -> None:
    """Every kind of write is refused once another acts, and nothing of it is left."""
    lost: list[bool] = []
    old = SqlStore(url, fence=Fence(await acting(lease, "a"), "a", lambda: lost.append(True)))
    await old.append(version(1))
    await let_pass(3.1)
    new = SqlStore(url, fence=Fence(await acting(lease, "b")))
    await new.append(version(2))
    for write in (
        old.append(version(3)),
        old.restore([version(3)], []),
        old.keep_evidence(2, {"plans": {}}),
        old.drop_intervals(1e12, 0),
        old.check(),
    ):
        with pytest.raises(FencedError, match="token 2"):
            await write
    assert [each.number for each in await new.versions()] == [2, 1]
    assert await new.evidence() == {}
    assert lost
    await old.close()
    await new.close()


async def test_a_write_under_way_ends_before_another_acts(
    database: Database, lease: Lease, let_pass: Pass
) -> None:
    """Taking the lease waits for the transaction of whoever has it, so what is read is final."""
    fence = Fence(await acting(lease, "a"))
    await let_pass(3.1)
    async with database.begin() as connection:
        await fence.check(connection)
        taking = asyncio.create_task(acting(lease, "b"))
        await connection.execute(text("SELECT pg_sleep(0.2)"))
        assert not taking.done()
    assert await taking == 2


async def test_a_writer_that_stands_still_holds_nobody_up(
    database: Database, lease: Lease, let_pass: Pass
) -> None:
    """One that was paused within its transaction loses it, and with it the right to write."""
    fence = Fence(await acting(lease, "a"))
    await let_pass(3.1)

    async def write() -> None:
        async with database.begin() as connection:
            await fence.check(connection)
            assert await acting(lease, "b") == 2  # once the database has ended the other
            await connection.execute(text("UPDATE control_lease SET host = 'late'"))

    with pytest.raises(StoreError):
        await write()
    view = await lease.beat(host("b"), 2, wants=True)
    assert view.acting == "b"
