"""An upstream without a network: transports that remember, and connections made when told to.

Everything above the event loop is the real thing: pool, connections, parsers. What would be bytes
on a wire are calls here, so that a test is a script of what comes in and what must go out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final, cast

from proxy.upstream.connection import Home, UpstreamConnection
from proxy.upstream.instance import Instance


class FakeTransport(asyncio.Transport):
    """Remembers what is written; `high_water` bytes of it unread pause the writer.

    As with a real transport, `connection_lost` is told later: by `lose`, or by `settle` once the
    transport has been closed or aborted.
    """

    def __init__(
        self,
        protocol: asyncio.Protocol,
        high_water: int = 65_536,
        peername: tuple[str, int] = ("192.0.2.1", 50_000),
    ) -> None:
        super().__init__({"peername": peername})
        self._protocol = protocol
        self._high_water = high_water
        self._unread = bytearray()
        self._paused_writer = False
        self._told = False
        self.sent = bytearray()
        self._reading = True
        self.closing = False
        self.aborted = False
        self.eof_written = False

    # What the proxy does

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another one hear of everything from now on."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Remember, and pause the writer beyond the high-water mark."""
        if self.closing:
            return
        self.sent += data
        self._unread += data
        if len(self._unread) > self._high_water and not self._paused_writer:
            self._paused_writer = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Bytes that the peer has not read."""
        return len(self._unread)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Pause the writer beyond another mark."""
        del low
        self._high_water = high or 0

    def pause_reading(self) -> None:
        """Hold what the peer sends; a mistake on a closed transport, as with a real one."""
        if self.closing:
            raise RuntimeError("the transport is closed")
        self._reading = False

    def resume_reading(self) -> None:
        """Take what the peer sends again."""
        if self.closing:
            raise RuntimeError("the transport is closed")
        self._reading = True

    def is_reading(self) -> bool:
        """Whether what the peer sends is taken."""
        return self._reading

    def can_write_eof(self) -> bool:
        """As a socket can."""
        return True

    def write_eof(self) -> None:
        """End this direction."""
        self.eof_written = True

    def close(self) -> None:
        """Close in good order."""
        self.closing = True

    def abort(self) -> None:
        """Close at once."""
        self.closing = self.aborted = True

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self.closing

    # What the peer and the event loop do

    def take(self) -> bytes:
        """Read what has been written since the last time, as a peer that keeps up."""
        data = bytes(self._unread)
        self._unread.clear()
        if self._paused_writer and not self.closing:
            self._paused_writer = False
            self._protocol.resume_writing()
        return data

    def receive(self, data: bytes) -> None:
        """Let bytes arrive."""
        if not self._reading or self.closing:
            raise RuntimeError("nothing arrives on a transport that is paused or closed")
        self._protocol.data_received(data)

    def end(self) -> None:
        """Let the peer end its direction; without an objection that closes the transport."""
        if not self._protocol.eof_received():
            self.close()
            self.settle()

    def lose(self, error: Exception | None = None) -> None:
        """Let the connection end, by the peer's doing or a failure."""
        self.closing = True
        if not self._told:
            self._told = True
            self._protocol.connection_lost(error)

    def settle(self) -> None:
        """Tell the protocol about a close, which a real loop does on its next turn."""
        if self.closing:
            self.lose()


@dataclass(slots=True)
class Attempt:
    """One connection being opened, with what was asked for."""

    home: Home
    instance: Instance
    idle_limit: float
    deadline: float
    outcome: asyncio.Future[bool] = field(default_factory=asyncio.Future)


class FakeConnector:
    """Stands for `connect_tcp`: every attempt waits until it is accepted or refused."""

    def __init__(self, high_water: int = 65_536) -> None:
        self._high_water = high_water
        self._pending: deque[Attempt] = deque()
        self.attempts: Final[list[Attempt]] = []
        self.transports: Final[list[FakeTransport]] = []

    async def __call__(
        self, home: Home, instance: Instance, idle_limit: float, deadline: float
    ) -> UpstreamConnection:
        """Open a connection; raises OSError or TimeoutError when it is refused so."""
        attempt = Attempt(home, instance, idle_limit, deadline)
        self.attempts.append(attempt)
        self._pending.append(attempt)
        alive = await attempt.outcome
        connection = UpstreamConnection(home, instance, idle_limit)
        transport = FakeTransport(connection, self._high_water)
        self.transports.append(transport)
        connection.connection_made(transport)
        if not alive:
            transport.lose()
        return connection

    @property
    def pending(self) -> int:
        """How many attempts wait."""
        return len(self._pending)

    async def accept(self) -> FakeTransport:
        """Let the oldest attempt succeed, and give the upstream's end of it."""
        self._pending.popleft().outcome.set_result(True)
        await turn()
        return self.transports[-1]

    async def accept_and_close(self) -> None:
        """Let the oldest attempt succeed and the upstream close it at once."""
        self._pending.popleft().outcome.set_result(False)
        await turn()

    async def refuse(self, error: Exception | None = None) -> None:
        """Let the oldest attempt fail."""
        self._pending.popleft().outcome.set_exception(error or ConnectionRefusedError())
        await turn()


async def turn() -> None:
    """Let everything run that can: a task that wakes, and one more that it starts."""
    for _ in range(3):
        await asyncio.sleep(0)
