from __future__ import annotations

import asyncio

import pytest

from proxy.serving.drain import LAST_CALL, Departure, Order, Patience
from proxy.serving.plane import IDLE_DEADLINE
from tests.support_exchange import Scene

PATIENCE = Patience(grace=30.0, drain=10.0, retire=600.0)


class Connection:
    """A client that stays until it is cut off."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def drain(self) -> None:
        """Note it."""
        self.heard.append("drain")

    def cut_off(self) -> None:
        """Note it."""
        self.heard.append("cut off")


class Going:
    """A worker that goes, on a clock that the test moves."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.connection = Connection()
        self.live = {self.connection}
        self.departure = Departure(self.scene.plane, self.live, PATIENCE)

    async def run(self) -> None:
        """Do as the worker does."""
        if await self.departure.ordered() is not Order.RETIRE:
            await self.departure.grace()
        await self.departure.drain()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait be one turn of the event loop: the clock is the test's."""
    sleep = asyncio.sleep
    monkeypatch.setattr("proxy.serving.drain.asyncio.sleep", lambda _: sleep(0))


async def turns() -> None:
    """Let what can happen happen."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("quick")
async def test_stopped_it_goes_in_two_phases() -> None:
    """Readiness fails first; everything else is as before until the grace time has passed."""
    it = Going()
    plane = it.scene.plane
    task = asyncio.create_task(it.run())
    it.departure.tell(Order.STOP)
    await turns()
    assert (plane.readiness(), plane.draining) == ((503, "draining"), False)
    assert it.connection.heard == []
    it.scene.clock.advance(30)
    it.departure.tell(Order.STOP)  # wakes it up, as the passing of real time would
    await turns()
    assert (plane.draining, plane.idle_seconds) == (True, LAST_CALL)
    assert it.connection.heard == ["drain"]
    it.scene.clock.advance(9.9)
    await turns()
    assert not task.done()
    it.scene.clock.advance(0.1)
    await task
    assert it.connection.heard == ["drain", "cut off"]


@pytest.mark.usefixtures("quick")
async def test_told_to_stop_twice_it_does_without_the_grace_time() -> None:
    """For whoever sits at the terminal."""
    it = Going()
    task = asyncio.create_task(it.run())
    it.departure.tell(Order.STOP)
    await turns()
    it.departure.tell(Order.STOP)
    await turns()
    assert it.scene.plane.draining
    it.live.clear()
    await task


@pytest.mark.usefixtures("quick")
async def test_retired_it_stays_ready_and_patient() -> None:
    """Its successor serves: no load balancer is to notice, and no client is hurried."""
    it = Going()
    plane = it.scene.plane
    task = asyncio.create_task(it.run())
    it.departure.tell(Order.RETIRE)
    await turns()
    assert (plane.leaving, plane.draining, plane.idle_seconds) == (False, True, IDLE_DEADLINE)
    it.scene.clock.advance(599)
    await turns()
    assert it.connection.heard == ["drain"]
    it.scene.clock.advance(1)
    await task
    assert it.connection.heard == ["drain", "cut off"]


@pytest.mark.usefixtures("quick")
async def test_who_is_retired_and_then_stopped_has_the_time_to_drain_from_then_on() -> None:
    """The host goes down, and nobody waits for ten minutes."""
    it = Going()
    task = asyncio.create_task(it.run())
    it.departure.tell(Order.RETIRE)
    await turns()
    it.scene.clock.advance(300)
    it.departure.tell(Order.STOP)
    await turns()
    assert it.connection.heard == ["drain", "drain"]
    assert it.scene.plane.readiness() == (503, "draining")
    it.scene.clock.advance(9)
    it.departure.tell(Order.STOP)
    await turns()
    assert not task.done()
    it.scene.clock.advance(1)
    await task


async def test_an_order_is_not_taken_back() -> None:
    """Who is stopped cannot be retired instead."""
    it = Going()
    it.departure.tell(Order.STOP)
    it.departure.tell(Order.RETIRE)
    assert it.departure.order is Order.STOP
    assert not it.departure.shares_the_door


async def test_who_was_retired_first_never_shuts_the_door() -> None:
    """Both orders may come before the first is carried out, and a successor listens already."""
    it = Going()
    it.departure.tell(Order.RETIRE)
    it.departure.tell(Order.STOP)
    assert await it.departure.ordered() is Order.STOP
    assert it.departure.shares_the_door


@pytest.mark.usefixtures("quick")
async def test_with_nobody_there_it_goes_at_once() -> None:
    """A local stop is quick."""
    it = Going()
    it.live.clear()
    it.departure.tell(Order.HURRY)
    await it.run()
