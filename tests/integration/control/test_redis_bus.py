from __future__ import annotations

import itertools
from collections.abc import Callable
from secrets import token_hex

import pytest

from deploy.stack.redis import Redis
from proxy.control.bus.base import Bus, BusError, OnMessage, OnState, Payload
from proxy.control.bus.redis import RedisBus
from proxy.control.bus.redis_link import RedisLink
from proxy.control.bus.redis_place import RoutingPlace
from tests.contracts.bus import HELLO, BusContract, Ears, NewUplink, running, until


class RedisUplink:
    """One worker's end of the bus over Redis, without a local bus between."""

    def __init__(
        self,
        place: RoutingPlace,
        hello: Payload,
        on_message: OnMessage,
        on_state: OnState,
        host: str = "",
    ) -> None:
        self._link = RedisLink(
            place, host, lambda kind, _, payload: on_message(kind, payload), on_state
        )
        self._link.introduce("", hello)

    async def run(self) -> None:
        """Connect, and reconnect for ever, until cancelled."""
        await self._link.run()

    def send(self, kind: str, payload: Payload) -> bool:
        """Hand one message over without waiting; False when it was dropped."""
        return self._link.send("", kind, payload)


@pytest.fixture
def place(redis_server: Redis) -> RoutingPlace:
    """Give a place in a real Redis that nobody has used."""
    return RoutingPlace(redis_server.url(), f"test-{token_hex(4)}")


@pytest.fixture
def reopen(place: RoutingPlace, ears: Ears) -> Callable[[], Bus]:
    """Give a bus, not started, each with a newer token than the one before."""
    tokens = itertools.count(1)
    return lambda: RedisBus(place, next(tokens), ears.on_peer_message, ears.on_peer_state)


@pytest.fixture
def bus(reopen: Callable[[], Bus]) -> Bus:
    """Give a bus, not started."""
    return reopen()


@pytest.fixture
def ears() -> Ears:
    """Give the controller's ears."""
    return Ears()


@pytest.fixture
def new_uplink(place: RoutingPlace) -> NewUplink:
    """Give uplinks."""
    return lambda _, worker: RedisUplink(place, HELLO, worker.on_message, worker.states.append)


class TestRedisBus(BusContract):
    """The bus over a real Redis."""


async def test_whoever_was_succeeded_reaches_nobody(
    reopen: Callable[[], Bus], new_uplink: NewUplink, place: RoutingPlace, ears: Ears
) -> None:
    """A controller with an older token is told so, and no worker hears what it publishes."""
    refused: list[bool] = []
    old = RedisBus(place, 1, ears.on_peer_message, ears.on_peer_state, lambda: refused.append(True))
    await old.start()
    old.publish("snapshot", {"version": 1})
    worker = Ears()
    async with running(new_uplink(old, worker)):
        await until(lambda: bool(worker.messages))
        reopen()  # the first token was ours
        new = reopen()
        assert isinstance(new, RedisBus)
        await new.start()
        assert new.claimed == {"version": 1}
        old.publish("snapshot", {"version": 2, "of": "old"})
        await until(lambda: refused == [True])
        new.publish("snapshot", {"version": 2, "of": "new"})
        await until(lambda: len(worker.messages) == 2)
        assert worker.messages[-1] == ("snapshot", {"version": 2, "of": "new"})
        await new.close()
    await old.close()
    with pytest.raises(BusError, match="acts already"):
        await RedisBus(place, 1, ears.on_peer_message, ears.on_peer_state).start()


async def test_redis_that_forgets_everything(
    bus: Bus, new_uplink: NewUplink, place: RoutingPlace
) -> None:
    """What was published is there again after Redis has lost it, as soon as a new one comes."""
    await bus.start()
    bus.publish("snapshot", {"version": 4})
    worker = Ears()
    async with running(new_uplink(bus, worker)):
        await until(lambda: bool(worker.messages))
        client = place.connect()
        await client.delete(place.key)
        bus.publish("snapshot", {"version": 5})
        await until(lambda: len(worker.messages) == 2)
        assert await client.hget(place.key, "token") == b"1"
        await client.aclose()
    await bus.close()
