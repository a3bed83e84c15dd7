"""A small application that does as it is told: answers, is slow, fails, dies and comes back."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import cast

from deploy.stack.ports import free_ports
from shadow_compare.contract import Mark, acknowledgement, read_mark


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that reached the application, at wall-clock seconds."""

    at: float
    method: str
    path: str
    headers: dict[str, str]

    @property
    def mirrored(self) -> bool:
        """Whether a shadow worker sent it, which names itself."""
        return "cutover-shadow" in self.headers


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter with one path: which share is 500, which has another body, how late."""

    failing: float = 0.0
    delay: float = 0.0
    body: bytes | None = None
    lying: float = 1.0


@dataclass
class App:
    """An HTTP server on a port that stays its own; change the attributes while it runs.

    What is said in `troubles` of a path goes before what is said of all.
    """

    name: str
    port: int = 0
    listener: Callable[[int], socket.socket] | None = None  # of somewhere else than loopback
    failing: float = 0.0  # share of the answers that are 500
    delay: float = 0.0
    body: bytes = b'{"orders": []}'
    shadow_key: bytes = b""  # by which it acknowledges mirrored writes, if it does
    troubles: dict[str, Trouble] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    answered: int = 0
    _chance: Random = field(default_factory=lambda: Random(5))
    _server: asyncio.Server | None = None
    _connections: set[_Connection] = field(default_factory=set)

    async def start(self) -> None:
        """Listen; the same port again after a death."""
        self.port = self.port or free_ports(1)[0]
        loop = asyncio.get_running_loop()
        listen = self.listener or (lambda port: socket.create_server(("127.0.0.1", port)))
        self._server = await loop.create_server(lambda: _Connection(self), sock=listen(self.port))

    def kill(self) -> None:
        """Die as a process does: nobody listens, every connection is gone, no answer is ended."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.die()

    @property
    def keys(self) -> Counter[str]:
        """How often each keyed request came."""
        return Counter(seen.headers["x-key"] for seen in self.seen if "x-key" in seen.headers)


@asynccontextmanager
async def running_app(name: str) -> AsyncIterator[App]:
    """Give an application that runs."""
    app = App(name)
    await app.start()
    try:
        yield app
    finally:
        app.kill()


class _Connection(asyncio.Protocol):
    """One keep-alive connection; requests come one at a time, as the proxy sends them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._buffer = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._app._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        self._app._connections.discard(self)

    def die(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        del self._buffer[: len(head) + 4 + length]
        method, path, _ = first.split(" ")
        self._app.seen.append(Seen(time.time(), method, path, headers))
        mark = read_mark(headers.get("cutover-shadow", ""))
        trouble = self._app.troubles.get(path) or Trouble(self._app.failing, self._app.delay)
        if trouble.delay:
            asyncio.get_running_loop().call_later(trouble.delay, self._answer, mark, trouble)
        else:
            self._answer(mark, trouble)

    def _answer(self, mark: Mark | None, trouble: Trouble) -> None:
        app = self._app
        if self._transport.is_closing():
            return
        status = 500 if app._chance.random() < trouble.failing else 200
        lies = trouble.body is not None and app._chance.random() < trouble.lying
        body = trouble.body if lies and trouble.body is not None else app.body
        head = (
            f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n"
            f"X-App: {app.name}\r\nContent-Length: {len(body)}\r\n"
        )
        if mark is not None and mark.is_signed and app.shadow_key:
            said = acknowledgement(app.shadow_key, mark.id, status, body)
            head += f"Cutover-Shadow-Ack: {said}\r\n"
        app.answered += 1
        self._transport.write(head.encode() + b"\r\n" + body)
