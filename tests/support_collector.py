"""A collector of OTLP over HTTP that does as it is told: takes, refuses, is silent, goes away."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from deploy.stack.ports import free_ports

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class FakeCollector:
    """An HTTP server; `answer` is what it writes, b"" for nothing until it is ended.

    `hasty` answers and closes before it has read a body.
    """

    answer: bytes = OK
    hasty: bool = False
    tls: ssl.SSLContext | None = None
    port: int = 0
    requests: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    asked: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen; the same port again after an end."""
        self.port = self.port or free_ports(1)[0]
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)

    def stop(self) -> None:
        """Be gone: nobody listens, every connection is cut."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Every span that was taken, its attributes as a mapping, with the name of its resource."""
        return [
            {
                **span,
                "attributes": _values(span["attributes"]),
                "service": _values(resource["resource"]["attributes"]),
            }
            for _, body in self.requests
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        self._writers.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
            body = b""
            if not self.hasty:
                body = await reader.readexactly(int(headers["content-length"]))
            if not self.answer:
                await asyncio.Event().wait()
            if self.answer == OK:
                self.requests.append(({":": first, **headers}, orjson.loads(body)))
            writer.write(self.answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


def _values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """Read attributes as they were meant."""
    found = {}
    for attribute in attributes:
        [(kind, value)] = attribute["value"].items()
        found[attribute["key"]] = int(value) if kind == "intValue" else value
    return found


@asynccontextmanager
async def running_collector() -> AsyncIterator[FakeCollector]:
    """Give a collector that runs."""
    collector = FakeCollector()
    await collector.start()
    try:
        yield collector
    finally:
        collector.stop()
