"""The bus within one process, for tests and for running everything in one event loop."""

from __future__ import annotations

import asyncio
import itertools

from proxy.control.bus.base import (
    OnMessage,
    OnPeerMessage,
    OnPeerState,
    OnState,
    Payload,
    Peer,
    deliver,
)
from proxy.control.bus.frames import FrameReader, encode


def _through_the_wire(kind: str, payload: Payload) -> Payload:
    """Give the payload as the other end reads it: what JSON cannot say does not pass here."""
    [(_, read)] = FrameReader().feed(encode(kind, payload))
    return read


class MemoryBus:
    """The controller's end, delivering at once and in order."""

    def __init__(self, on_message: OnPeerMessage, on_state: OnPeerState) -> None:
        self._on_message = on_message
        self._on_state = on_state
        self._latest: dict[str, Payload] = {}
        self._uplinks: dict[Peer, MemoryUplink] = {}
        self._ids = itertools.count(1)
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()

    async def start(self) -> None:
        """Open for peers."""
        self.closed.clear()
        self.opened.set()

    def publish(self, kind: str, payload: Payload) -> None:
        """Send to every peer, and keep as what a newcomer gets first; never waits."""
        self._latest[kind] = _through_the_wire(kind, payload)
        for uplink in tuple(self._uplinks.values()):
            uplink.receive(kind, _through_the_wire(kind, payload))

    def peers(self) -> tuple[Peer, ...]:
        """Give those connected now."""
        return tuple(self._uplinks)

    async def close(self) -> None:
        """Let every peer go."""
        self.opened.clear()
        self.closed.set()
        for peer in tuple(self._uplinks):
            self.leave(peer)

    def join(self, uplink: MemoryUplink, hello: Payload) -> Peer:
        """Take a new peer and bring it up to date."""
        peer = Peer(
            id=next(self._ids),
            role=hello["role"],
            index=hello["index"],
            pid=hello["pid"],
            generation=hello.get("generation", 1),
            compiled=hello.get("compiled") is True,
        )
        self._uplinks[peer] = uplink
        deliver(self._on_state, peer, True)
        for kind, payload in self._latest.items():
            uplink.receive(kind, payload)
        return peer

    def leave(self, peer: Peer) -> None:
        """Forget a peer; a second time is nothing."""
        if self._uplinks.pop(peer, None) is not None:
            deliver(self._on_state, peer, False)

    def receive(self, peer: Peer, kind: str, payload: Payload) -> None:
        """Pass one message on."""
        deliver(self._on_message, peer, kind, _through_the_wire(kind, payload))


class MemoryUplink:
    """A worker's end of a `MemoryBus`."""

    def __init__(
        self, bus: MemoryBus, hello: Payload, on_message: OnMessage, on_state: OnState
    ) -> None:
        self._bus = bus
        self._hello = hello
        self._on_message = on_message
        self._on_state = on_state
        self._peer: Peer | None = None

    async def run(self) -> None:
        """Connect, and reconnect for ever, until cancelled."""
        while True:
            await self._bus.opened.wait()
            deliver(self._on_state, True)
            self._peer = peer = self._bus.join(self, self._hello)
            try:
                await self._bus.closed.wait()
            finally:
                self._peer = None
                self._bus.leave(peer)
                deliver(self._on_state, False)

    def send(self, kind: str, payload: Payload) -> bool:
        """Hand one message over without waiting; False when it was dropped."""
        if self._peer is None or not self._bus.opened.is_set():
            return False
        self._bus.receive(self._peer, kind, payload)
        return True

    def receive(self, kind: str, payload: Payload) -> None:
        """Take one message of the controller."""
        deliver(self._on_message, kind, payload)
