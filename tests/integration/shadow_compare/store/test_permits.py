"""Permits on both databases: one write at a time, whoever asks, whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.stack.postgres import Postgres
from shadow_compare.store.database import Database
from shadow_compare.store.permits import REMEMBERED, Asked, Permit, Permits
from shadow_compare.store.tables import metadata

LOST_AFTER = 60.0
GIVEN, TAKEN, HALTED, REPEATED = (Asked(permit) for permit in Permit)
_NUMBERS: Iterator[int] = iter(range(1_000_000))


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Postgres) -> str:
    """Give the address of an empty database."""
    return postgres_server.create_database("permits").sqlalchemy_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a database that several workers share."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'cutover.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def workers(url: str) -> AsyncIterator[list[Permits]]:
    """Give the permits of four workers, each with connections of its own."""
    async with AsyncExitStack() as stack:
        databases = [Database(url, metadata) for _ in range(4)]
        for database in databases:
            stack.push_async_callback(database.close)
        yield [Permits(database, LOST_AFTER) for database in databases]


@pytest.fixture
def route() -> str:
    """Give a route that no other test has."""
    return f"route-{next(_NUMBERS)}"


async def test_one_at_a_time_and_each_once(workers: list[Permits], route: str) -> None:
    """A permit is given back before the next is given; what was sent is never sent again."""
    one, other, *_ = workers
    assert await one.take(route, 0, f"{route}-a", 0.0) == GIVEN
    assert await other.take(route, 0, f"{route}-b", 1.0) == TAKEN
    await one.give_back(route, 0, f"{route}-a", acknowledged=True)
    assert await other.take(route, 0, f"{route}-a", 2.0) == REPEATED
    assert await other.take(route, 0, f"{route}-b", 2.0) == GIVEN
    await one.give_back(route, 0, f"{route}-a", acknowledged=True)  # of long ago: it is not theirs
    assert await one.take(route, 0, f"{route}-c", 3.0) == TAKEN


async def test_of_many_who_ask_at_once_one_is_given(workers: list[Permits], route: str) -> None:
    """Twenty, over four workers."""
    asked = [workers[number % 4].take(route, 0, f"{route}-{number}", 0.0) for number in range(20)]
    found = await asyncio.gather(*asked)
    assert sorted(each.permit.value for each in found) == ["given"] + ["taken"] * 19


async def test_the_same_write_delivered_to_all_is_sent_once(
    workers: list[Permits], route: str
) -> None:
    """Whatever the bus does."""

    async def deliver(worker: Permits) -> bool:
        while True:
            asked = await worker.take(route, 0, f"{route}-same", 0.0)
            if asked == GIVEN:
                await worker.give_back(route, 0, f"{route}-same", acknowledged=True)
            if asked != TAKEN:
                return asked == GIVEN

    assert sum(await asyncio.gather(*map(deliver, workers))) == 1


async def test_a_halt_holds_for_everybody_until_the_next_epoch(
    workers: list[Permits], route: str
) -> None:
    """The first reason stays; other routes are not concerned."""
    one, other, *_ = workers
    assert await one.take(route, 0, f"{route}-a", 0.0) == GIVEN
    await one.halt(route, 0, "no acknowledgement")
    await other.halt(route, 0, "another reason")
    await one.give_back(route, 0, f"{route}-a", acknowledged=True)
    halted = Asked(Permit.HALTED, "no acknowledgement")
    assert await other.take(route, 0, f"{route}-b", 1.0) == halted
    assert await other.take(route, 7, f"{route}-b", 1.0) == GIVEN
    assert await one.take(f"{route}x", 0, f"{route}-c", 1.0) == GIVEN


async def test_a_write_whose_worker_died_halts_the_route(
    workers: list[Permits], route: str
) -> None:
    """Nobody knows whether it was carried out, so no other is sent after it."""
    one, other, *_ = workers
    assert await one.take(route, 0, f"{route}-a", 0.0) == GIVEN
    assert await other.take(route, 0, f"{route}-b", LOST_AFTER) == TAKEN
    permit, why = await other.take(route, 0, f"{route}-b", LOST_AFTER + 1)
    assert permit is Permit.HALTED
    assert why == f"write {route}-a was sent, and its worker was not heard of again"
    await one.give_back(route, 0, f"{route}-a", acknowledged=True)  # after all, and too late
    assert (await one.take(route, 0, f"{route}-c", LOST_AFTER + 2)).permit is Permit.HALTED


async def test_ids_are_forgotten_when_they_are_too_old_to_come_again(
    workers: list[Permits], route: str
) -> None:
    """The table does not grow for ever."""
    one, other, *_ = workers
    for now, permit in ((0.0, GIVEN), (REMEMBERED - 1, REPEATED), (2 * REMEMBERED, GIVEN)):
        assert await one.take(route, 0, f"{route}-a", now) == permit
        await other.give_back(route, 0, f"{route}-a", acknowledged=True)
