"""SQLAlchemy in dry runs, on a real PostgreSQL: nothing stays, and nothing is used up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Integer,
    String,
    Table,
    create_engine,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from deploy.stack.postgres import Postgres
from shadow_compare.dry_run import DryRun, DryRunError
from shadow_compare.dry_run.database import guard, shared
from shadow_compare.dry_run.run import inside


class Base(DeclarativeBase):
    """The tables of an application."""


class Order(Base):
    """One with a key of 32 bits."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


class Line(Base):
    """One with a key of 64 bits, which refers to the other."""

    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey(Order.id))


orders = cast("Table", Order.__table__)


@pytest.fixture(scope="module")
def url(postgres_server: Postgres) -> str:
    """Give the address of a database with the tables."""
    url = postgres_server.create_database("dry_runs").sqlalchemy_url

    async def make() -> None:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await engine.dispose()

    asyncio.run(make())
    return url


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """Give a guarded engine on empty tables."""
    engine = create_async_engine(url)
    guard(engine)
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE orders, lines RESTART IDENTITY"))
    yield engine
    await engine.dispose()


async def left(engine: AsyncEngine) -> tuple[int, int, bool]:
    """Count the rows of orders; tell the last value of its sequence, and whether it is used."""
    async with engine.connect() as connection:
        rows = await connection.scalar(select(func.count()).select_from(orders))
        sequence = await connection.execute(text("SELECT last_value, is_called FROM orders_id_seq"))
        last, used = sequence.one()
        return rows or 0, last, used


async def test_for_real_everything_stays(engine: AsyncEngine) -> None:
    """The guard is for dry runs only."""
    async with engine.begin() as connection:
        await connection.execute(insert(orders), {"name": "a"})
    assert await left(engine) == (1, 1, True)


async def test_no_transaction_of_a_dry_run_is_committed(engine: AsyncEngine) -> None:
    """By whatever form it is inserted; each row has an id, and the sequence knows nothing of it."""
    forms: list[tuple[Any, Any]] = [
        (insert(orders), {"name": "a"}),
        (insert(orders), [{"name": "a"}, {"name": "b"}]),
        (insert(orders).values(name="c"), None),
        (insert(orders).values(name="c").returning(orders.c.id), None),
        (insert(orders).values(id=7, name="c"), None),
        (insert(orders), {"id": 8, "name": "c"}),
    ]
    with inside(DryRun("r")):
        for statement, parameters in forms:
            async with engine.begin() as connection:
                await connection.execute(statement, parameters)
                found = (await connection.execute(select(orders.c.id))).scalars().all()
                assert len(found) == len(set(found)) > 0
                assert all(number >= 2**30 or number in (7, 8) for number in found)
        async with engine.connect() as connection:
            await connection.execute(insert(orders), {"name": "d"})
            await connection.commit()
            assert await connection.scalar(select(func.count()).select_from(orders)) == 0
    assert await left(engine) == (0, 1, False)


async def test_sessions_of_a_dry_run_leave_nothing(engine: AsyncEngine) -> None:
    """The ORM gets its ids back as ever, also for several rows at once."""
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    with inside(DryRun("r")):
        async with sessions() as session:
            first, second = Order(name="a"), Order(name="b")
            session.add_all([first, second])
            await session.flush()
            session.add_all([Line(order_id=first.id), Line(order_id=second.id)])
            await session.commit()
    assert first.id != second.id
    assert min(first.id, second.id) >= 2**30
    assert await left(engine) == (0, 1, False)


async def test_one_connection_sees_what_was_committed_before(engine: AsyncEngine) -> None:
    """A service that commits and reads again in another session gets what it wrote."""
    run = DryRun("r")
    with inside(run):
        for turn in range(2):
            bound = await shared(engine)
            async with AsyncSession(bound, join_transaction_mode="create_savepoint") as session:
                session.add(Order(name=f"n{turn}"))
                await session.commit()
        counted = select(func.count()).select_from(orders)
        assert await (await shared(engine)).scalar(counted) == 2
        assert (await left(engine))[0] == 0  # nobody else does
        await run.end()
        with pytest.raises(DryRunError, match="has ended"):
            await shared(engine)
    assert await left(engine) == (0, 1, False)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of the pool that is used


async def test_a_failed_statement_spoils_its_savepoint_only(engine: AsyncEngine) -> None:
    """As a failed transaction would."""
    run = DryRun("r")
    with inside(run):
        connection = await shared(engine)
        with pytest.raises(Exception, match="orders"):
            async with connection.begin_nested():
                await connection.execute(text("INSERT INTO orders (id) VALUES (1)"))
        async with connection.begin_nested():
            await connection.execute(insert(orders), {"name": "a"})
        assert await connection.scalar(select(func.count()).select_from(orders)) == 1
        await run.end()
    assert (await left(engine))[0] == 0


async def test_tasks_of_one_dry_run_share_its_connection(engine: AsyncEngine) -> None:
    """Also when they ask for it at the same moment."""
    run = DryRun("r")
    with inside(run):
        found = await asyncio.gather(*(shared(engine) for _ in range(5)))
        assert len(set(map(id, found))) == 1
        await run.end()


async def test_what_cannot_be_undone_is_refused(engine: AsyncEngine) -> None:
    """Rather a failed dry run than one that leaves something."""
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with inside(DryRun("r")):
        for refused in (autocommit, engine):
            async with refused.connect() as connection:
                statement = "INSERT INTO orders (name) VALUES ('a')"
                if refused is engine:
                    statement = " commit"
                with pytest.raises(DryRunError):
                    await connection.execute(text(statement))
    async with autocommit.connect() as connection:
        await connection.execute(text("SELECT 1"))
    with pytest.raises(DryRunError, match="no dry run"):
        await shared(engine)
    assert await left(engine) == (0, 1, False)


def test_synchronous_engines_are_guarded_too(tmp_path: Any) -> None:
    """And an engine that is AUTOCOMMIT from its birth is refused."""
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    Base.metadata.create_all(engine)
    guard(engine)
    with inside(DryRun("r")), Session(engine) as session:
        session.add(Order(name="a"))
        session.commit()
    with Session(engine) as session:
        session.add(Order(name="b"))
        session.commit()
        assert session.scalars(select(Order.name)).all() == ["b"]
    engine.dispose()
    at_once = create_engine(f"sqlite:///{tmp_path / 'a.db'}", isolation_level="AUTOCOMMIT")
    guard(at_once)
    with inside(DryRun("r")), at_once.connect() as connection, pytest.raises(DryRunError):
        connection.execute(insert(orders), {"name": "c"})
    at_once.dispose()
