"""Clients who keep asking: many identities, a keep-alive connection each, every answer on record.

They are no HTTP library on purpose: nothing is repeated, retried or mended behind the test's back.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

COOKIE = "visitor"
PATIENCE = 30.0
"""Seconds after which an unanswered request counts as failed."""

BRISK = 400
"""Requests a second that a story is told with: enough for every detector, and no more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks.

    `key` is told to the application, which counts how often it came, `id` to the proxy, which
    names the exchange by it.
    """

    method: str = "GET"
    path: str = "/orders"
    body: bytes = b""
    key: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and how it ended; times are monotonic seconds, `failure` is "" for an answer."""

    identity: str
    request: Request
    began: float
    ended: float
    status: int = 0
    side: str = ""
    body: bytes = b""
    failure: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether the client was served without an error."""
        return not self.failure and self.status < 500


@dataclass(frozen=True, slots=True)
class Door:
    """How clients come in: a port, the PROXY header that they send first, and TLS, if any."""

    port: int
    header: bytes = b""
    tls: ssl.SSLContext | None = None

    async def enter(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; raises OSError."""
        host = None if self.tls is None else "shop.test"
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls, server_hostname=host
        )
        if self.header:
            writer.write(self.header)
        return reader, writer


class Way(Protocol):
    """Whatever leads to the proxy."""

    async def enter(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; raises OSError."""
        ...


class Client:
    """One person with one connection; a connection that was closed in good order is renewed."""

    def __init__(self, door: Way, identity: str, cookie: str = COOKIE) -> None:
        self.identity = identity
        self._cookie = cookie
        self._door = door
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: Request) -> Answer:
        """Send one request and read its answer; a broken connection is a failed request."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                status, headers, body = await self._exchange(request)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            await self.close()
            failure = f"{type(error).__name__}: {error}"
            return Answer(self.identity, request, began, time.monotonic(), failure=failure)
        if headers.get("connection", "").lower() == "close":
            await self.close()
        side = headers.get("cutover-side", "")
        ended = time.monotonic()
        return Answer(self.identity, request, began, ended, status, side, body, "", headers)

    async def close(self) -> None:
        """Hang up."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()

    async def _exchange(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await self._connection()
        writer.write(self._written(request))
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = b"" if request.method == "HEAD" else await _body(reader, headers)
        return int(first.split()[1]), headers, body

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        stale = self._reader is not None and self._reader.at_eof()
        if self._reader is None or self._writer is None or stale:
            await self.close()
            self._reader, self._writer = await self._door.enter()
        return self._reader, self._writer

    def _written(self, request: Request) -> bytes:
        lines = [
            f"{request.method} {request.path} HTTP/1.1",
            "Host: shop.example",
            f"Cookie: {self._cookie}={self.identity}",
            *([f"X-Key: {request.key}"] if request.key else []),
            *([f"X-Request-Id: {request.id}"] if request.id else []),
            *([f"Content-Length: {len(request.body)}"] if request.method != "GET" else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + request.body


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    pieces: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return b"".join(pieces)


async def ask_once(port: int, identity: str, request: Request, cookie: str = COOKIE) -> Answer:
    """Ask one question on a connection of its own."""
    client = Client(Door(port), identity, cookie)
    try:
        return await client.ask(request)
    finally:
        await client.close()


_KEYS = count(1)


def reads() -> Request:
    """Ask for the orders."""
    return Request()


def writes() -> Request:
    """Place an order, with a key of its own."""
    return Request("POST", "/orders", b'{"item": 1}', f"order-{next(_KEYS)}")


class Load:
    """What so many clients do side by side, each one request at a time, until told to stop.

    With `kept=False` every request comes on a connection of its own. `rate` is how many requests a
    second all of them make at most, because other tests use the same processors; None: as many as
    can be.
    """

    def __init__(
        self,
        door: int | Door,
        clients: int = 24,
        make: Callable[[], Request] = reads,
        cookie: str = COOKIE,
        kept: bool = True,
        rate: float | None = BRISK,
    ) -> None:
        self.answers: list[Answer] = []
        self.people = [f"person-{number}" for number in range(clients)]
        door = Door(door) if isinstance(door, int) else door
        self._clients = [Client(door, person, cookie) for person in self.people]
        self._make = make
        self._kept = kept
        self._pause = clients / rate if rate else 0.0
        self._stopping = False

    async def run(self) -> None:
        """Ask until `stop`."""
        await asyncio.gather(*(self._live(client) for client in self._clients))

    def stop(self) -> None:
        """Let everybody finish the request in hand."""
        self._stopping = True

    async def reached(self, count: int) -> None:
        """Wait until so many more requests have ended."""
        wanted = len(self.answers) + count
        async with asyncio.timeout(PATIENCE * 2):
            while len(self.answers) < wanted:  # noqa: ASYNC110 - the list is what is waited for
                await asyncio.sleep(0.005)

    @property
    def failed(self) -> list[Answer]:
        """Requests that went wrong in the eyes of their clients."""
        return [answer for answer in self.answers if not answer.good]

    @property
    def sides(self) -> Counter[str]:
        """How many answers came from each side."""
        return Counter(answer.side for answer in self.answers)

    async def _live(self, client: Client) -> None:
        while not self._stopping:
            self.answers.append(await client.ask(self._make()))
            if not self._kept:
                await client.close()
            await asyncio.sleep(self._pause)
        await client.close()


@asynccontextmanager
async def under_load(load: Load) -> AsyncIterator[Load]:
    """Keep a load up for as long as the block lasts."""
    task = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        load.stop()
        await task
