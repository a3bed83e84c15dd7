"""One request to a collector, on the event loop: no thread, no kept connection, one deadline.

A thread that waits for a silent server cannot be ended, and would hold up the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Final

from proxy.collector_url import CollectorUrl
from proxy.wire.errors import ResponseError
from proxy.wire.message import ResponseHead
from proxy.wire.parser import ResponseParser

DEADLINE: Final = 10.0
"""Seconds for one request, from connecting to the last byte of the answer."""

ANSWER_MAX: Final = 65_536
"""Bytes of an answer that are read; what it says is in its status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is 0 when nothing did, and then `told` says why.

    `wait` is how many seconds the collector asks to be left alone, if it does.
    """

    status: int
    told: str = ""
    wait: float | None = None
    body: bytes = b""


class Collector:
    """Sends bodies to one collector, each on a connection of its own."""

    def __init__(self, url: CollectorUrl) -> None:
        self._url = url
        self._tls = ssl.create_default_context() if url.secure else None
        lines = [
            f"POST {url.path} HTTP/1.1",
            f"Host: {url.authority}",
            "Content-Type: application/json",
            "User-Agent: cutover",
            "Connection: close",
            *(f"{name}: {value}" for name, value in url.headers),
        ]
        self._head = "\r\n".join(lines).encode("ascii")

    def __str__(self) -> str:
        return str(self._url)

    async def post(self, body: bytes) -> Answer:
        """Send a body; never raises but when it is cancelled."""
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._post(body)
        except TimeoutError:
            return Answer(0, f"no answer within {DEADLINE:.0f} s")
        except (OSError, ResponseError) as error:
            return Answer(0, str(error) or type(error).__name__)

    async def _post(self, body: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(
            self._url.host, self._url.port, ssl=self._tls
        )
        try:
            writer.write(b"%b\r\nContent-Length: %d\r\n\r\n" % (self._head, len(body)))
            writer.write(body)
            with contextlib.suppress(ConnectionError):  # who refuses early need not read it all
                await writer.drain()
            return await _answer(reader)
        finally:
            writer.transport.abort()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    parser, head, body = ResponseParser("POST"), None, b""
    while len(body) < ANSWER_MAX:
        event = parser.next()
        if isinstance(event, bytes):
            body += event
        elif isinstance(event, ResponseHead):
            head = event if event.status >= 200 else None
        elif event is not None:
            break
        elif data := await reader.read(ANSWER_MAX):
            parser.receive(data)
        else:
            parser.finish()
            break
    if head is None:
        return Answer(0, "the connection was closed without an answer")
    return Answer(head.status, f"answered {head.status}", _wait(head), body[:ANSWER_MAX])


def _wait(head: ResponseHead) -> float | None:
    """Read Retry-After in seconds; a date is not what collectors send."""
    text = head.get(b"retry-after") or b""
    return float(text) if text.isdigit() and len(text) < 7 else None
