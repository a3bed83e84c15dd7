"""A real HTTP server in front of a real application, which passes everything on, and may spoil it.

It stands where load balancers and web servers do: it adds a cookie of its own, and what is wrong
with an answer after it, is wrong with the answer of the application as clients get it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_OWN = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date"})
"""Fields that belong to one connection, and those that the server of an edge writes itself."""


@dataclass(frozen=True)
class Reply:
    """One answer on its way out; names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_header(self, name: str, value: str | None) -> Reply:
        """Give it with this header instead of those of that name; None leaves it out."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return Reply(self.status, kept if value is None else (*kept, (name, value)), self.body)


Spoil = Callable[[str, Reply], Reply]
"""Gives what is answered instead, by the path that was asked for."""


def _nothing(_path: str, reply: Reply) -> Reply:
    return reply


class Edge:
    """Passes requests on; `elsewhere` says which paths go to another application than the rest."""

    def __init__(self, base_url: str, cookie: str, elsewhere: Mapping[str, str]) -> None:
        self.port = 0
        self.spoil: Spoil = _nothing
        self._base_url = base_url
        self._cookie = cookie
        self._elsewhere = elsewhere
        self._client = httpx.AsyncClient(trust_env=False, timeout=30)
        self._client.headers.clear()

    @contextmanager
    def spoiling(self, spoil: Spoil) -> Iterator[None]:
        """Spoil answers for a while."""
        self.spoil = spoil
        try:
            yield
        finally:
            self.spoil = _nothing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be the server's ASGI application."""
        request = Request(scope, receive)
        path = request.url.path
        reply = self.spoil(path, await self._passed_on(request))
        response = Response(reply.body, reply.status)
        response.raw_headers += [
            (name.encode(), value.encode("latin-1")) for name, value in reply.headers
        ]
        await response(scope, receive, send)

    async def _passed_on(self, request: Request) -> Reply:
        path = request.url.path
        answer = await self._client.request(
            request.method,
            f"{self._elsewhere.get(path, self._base_url)}{path}?{request.url.query}".rstrip("?"),
            headers=[pair for pair in request.headers.items() if pair[0] not in _OWN],
            content=await request.body(),
        )
        headers = [pair for pair in answer.headers.multi_items() if pair[0] not in _OWN]
        return Reply(answer.status_code, (*headers, ("set-cookie", self._cookie)), answer.content)

    async def close(self) -> None:
        """Give up the connections to the application."""
        await self._client.aclose()


class _Server(uvicorn.Server):
    """Leaves the signals of the process to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running_edge(
    base_url: str, cookie: str, elsewhere: Mapping[str, str] | None = None
) -> AsyncIterator[Edge]:
    """Give an edge on a free port that sets this cookie with every answer."""
    edge = Edge(base_url, cookie, elsewhere or {})
    # With the protocol named: else asyncio leaves Nagle's delay on, 40 ms for each answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.bind(("127.0.0.1", 0))
        edge.port = sock.getsockname()[1]
        config = uvicorn.Config(edge, lifespan="off", log_config=None, access_log=False)
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            yield edge
        finally:
            server.should_exit = True
            await serving
            await edge.close()
