"""What every bus must do, whatever carries it; each implementation's tests inherit these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import pytest

from proxy.control.bus.base import Bus, Peer, Uplink
from tests.support import eventually_async

HELLO = {"role": "data-plane", "index": 3, "pid": 4711}


class Ears:
    """What one end of the bus heard."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.states: list[bool] = []
        self.peers: list[Peer] = []
        self.deaf_to: str | None = None

    def on_message(self, kind: str, payload: dict[str, Any]) -> None:
        """Hear as a worker."""
        if kind == self.deaf_to:
            raise ValueError("what was that?")
        self.messages.append((kind, payload))

    def on_peer_message(self, peer: Peer, kind: str, payload: dict[str, Any]) -> None:
        """Hear as the controller."""
        self.peers.append(peer)
        self.on_message(kind, payload)

    def on_peer_state(self, peer: Peer, connected: bool) -> None:
        """Hear who comes and goes."""
        self.peers.append(peer)
        self.states.append(connected)


NewUplink = Callable[[Bus, Ears], Uplink]


@asynccontextmanager
async def running(uplink: Uplink) -> AsyncIterator[Uplink]:
    """Keep an uplink running for a while."""
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(predicate: Callable[[], bool]) -> None:
    """Wait until something has been heard."""

    async def ask() -> bool:
        return predicate()

    await eventually_async(ask)


class BusContract:
    """Inherit, and give the fixtures `ears`, `bus` (not started), `reopen` and `new_uplink`."""

    @pytest.fixture
    def ears(self) -> Ears:
        """Give the controller's ears."""
        return Ears()

    def connect(
        self, bus: Bus, new_uplink: NewUplink, worker: Ears
    ) -> AbstractAsyncContextManager[Uplink]:
        """Run a worker's uplink."""
        return running(new_uplink(bus, worker))

    async def test_hello_makes_a_peer(self, bus: Bus, ears: Ears, new_uplink: NewUplink) -> None:
        """A worker is known by the role, index and pid of its hello."""
        await bus.start()
        async with self.connect(bus, new_uplink, Ears()):
            await until(lambda: len(bus.peers()) == 1)
            peer = bus.peers()[0]
            assert (peer.role, peer.index, peer.pid) == ("data-plane", 3, 4711)
            assert ears.states == [True]
        await until(lambda: bus.peers() == ())
        assert ears.states == [True, False]
        await bus.close()

    async def test_messages_go_up_in_order(
        self, bus: Bus, ears: Ears, new_uplink: NewUplink
    ) -> None:
        """What a worker sends arrives complete, in order, and under its name."""
        await bus.start()
        async with self.connect(bus, new_uplink, Ears()) as uplink:
            await until(lambda: uplink.send("ack", {"version": 0}))
            for number in range(1, 200):
                assert uplink.send("ack", {"version": number, "pad": "x" * 1000})
            await until(lambda: len(ears.messages) == 200)
        assert [payload["version"] for _, payload in ears.messages] == list(range(200))
        assert {peer.index for peer in ears.peers} == {3}
        await bus.close()

    async def test_publish_reaches_everybody(self, bus: Bus, new_uplink: NewUplink) -> None:
        """One publication reaches every worker connected."""
        await bus.start()
        first, second = Ears(), Ears()
        async with (
            self.connect(bus, new_uplink, first),
            self.connect(bus, new_uplink, second),
        ):
            await until(lambda: len(bus.peers()) == 2)
            bus.publish("snapshot", {"version": 7})
            await until(lambda: bool(first.messages) and bool(second.messages))
        assert first.messages == second.messages == [("snapshot", {"version": 7})]
        await bus.close()

    async def test_newcomer_gets_the_latest(self, bus: Bus, new_uplink: NewUplink) -> None:
        """Who connects late is brought up to date, and only with the latest."""
        await bus.start()
        bus.publish("snapshot", {"version": 1})
        bus.publish("snapshot", {"version": 2})
        worker = Ears()
        async with self.connect(bus, new_uplink, worker):
            await until(lambda: bool(worker.messages))
        assert worker.messages == [("snapshot", {"version": 2})]
        await bus.close()

    async def test_uplink_survives_the_controller(
        self, bus: Bus, reopen: Callable[[], Bus], new_uplink: NewUplink
    ) -> None:
        """A worker says that it lost the controller, drops what it would send, and comes back."""
        await bus.start()
        worker = Ears()
        async with self.connect(bus, new_uplink, worker) as uplink:
            await until(lambda: worker.states == [True])
            await bus.close()
            await until(lambda: worker.states == [True, False])
            assert uplink.send("ack", {"version": 1}) is False
            again = reopen()
            await again.start()
            await until(lambda: worker.states == [True, False, True])
            await until(lambda: uplink.send("ack", {"version": 1}))
            await again.close()

    async def test_send_before_any_connection(self, bus: Bus, new_uplink: NewUplink) -> None:
        """Without a controller a message is dropped and the sender is told."""
        uplink = new_uplink(bus, Ears())
        assert uplink.send("ack", {"version": 1}) is False

    async def test_failing_receiver(self, bus: Bus, ears: Ears, new_uplink: NewUplink) -> None:
        """A message that its receiver cannot use ends no connection, on either end."""
        await bus.start()
        worker = Ears()
        ears.deaf_to = worker.deaf_to = "nonsense"
        async with self.connect(bus, new_uplink, worker) as uplink:
            await until(lambda: uplink.send("nonsense", {}))
            bus.publish("nonsense", {})
            bus.publish("snapshot", {"version": 1})
            assert uplink.send("ack", {"version": 1})
            await until(lambda: bool(ears.messages) and bool(worker.messages))
        assert ears.messages == [("ack", {"version": 1})]
        assert worker.messages == [("snapshot", {"version": 1})]
        await bus.close()
