"""Both applications of the live part, in the process of the bench: all times are one clock's.

Both answer a small JSON after a millisecond. What modern does wrong is chosen while it runs.
"""

from __future__ import annotations

import asyncio
import random
import time
from enum import StrEnum
from typing import cast

DELAY = 0.001
"""Seconds that an answer takes."""

SLOW = 0.4
FAILING = 0.2
"""Seconds that a slow answer takes, and the share that fails."""

_HEAD = "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


def _answer(status: int, body: str) -> bytes:
    return (_HEAD.format(status, len(body)) + body).encode()


GOOD = _answer(200, '{"data": [{"id": 1, "name": "basic", "price": "9.90", "currency": "EUR"}]}')
WRONG = _answer(200, '{"data": [{"id": 1, "name": "basic", "price": "9.09", "currency": "EUR"}]}')
FAILED = _answer(500, '{"error": "no"}')


class Trouble(StrEnum):
    """What is the matter with modern."""

    NONE = "none"
    DEAD = "dead"
    SLOW = "slow"
    FAILING = "failing"
    WRONG = "wrong"


class Side:
    """One application. `bad_since` is the wall-clock time of its first bad answer in a trouble."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.trouble = Trouble.NONE
        self.bad_since: float | None = None
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, backlog=4096, reuse_address=True
        )

    def kill(self) -> None:
        """Stop listening and cut every connection, as a process does that dies."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in tuple(self._connections):
            transport.abort()

    async def fall_ill(self, trouble: Trouble) -> None:
        """Begin a trouble, or end it."""
        self.trouble, self.bad_since = trouble, None
        if trouble is Trouble.DEAD:
            self.kill()
        elif self._server is None:
            await self.start()

    def answers(self) -> tuple[float, bytes]:
        """Give after how many seconds the next request is answered, and with what."""
        if self.trouble is Trouble.SLOW:
            return SLOW, GOOD
        if self.trouble is Trouble.WRONG:
            return DELAY, WRONG
        if self.trouble is Trouble.FAILING and self._chance.random() < FAILING:
            return DELAY, FAILED
        return DELAY, GOOD

    def note(self, answer: bytes, delay: float) -> None:
        """See whether this was the first bad one."""
        if self.bad_since is None and (answer is not GOOD or delay > DELAY):
            self.bad_since = time.time()

    def come(self, transport: asyncio.Transport) -> None:
        """Keep a connection."""
        self._connections.add(transport)

    def go(self, transport: asyncio.Transport) -> None:
        """Forget one."""
        self._connections.discard(transport)


class _Connection(asyncio.Protocol):
    """Answers GETs, one at a time."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._side.come(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        """End."""
        self._side.go(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request, whose head comes in one piece on loopback."""
        if data.endswith(b"\r\n\r\n"):
            delay, answer = self._side.answers()
            asyncio.get_running_loop().call_later(delay, self._send, answer, delay)

    def _send(self, answer: bytes, delay: float) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)
            self._side.note(answer, delay)
