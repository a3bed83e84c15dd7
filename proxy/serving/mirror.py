"""Captures on their way to the shadow workers: a bounded copy, never awaited, dropped when full."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, cast

from proxy.routing.identity import identity_hash
from proxy.routing.side import MODERN, Side
from proxy.wire.framing import NO_BODY
from proxy.wire.message import RequestHead, ResponseHead
from shadow_compare.capture import pack

BODY_MAX: Final = 256 * 1024
"""Bytes of an answer that are captured; of a longer one only the head, marked as truncated."""

UNSENT_MAX: Final = 8 * 1024 * 1024
"""Bytes that may wait for one shadow worker; beyond it captures are dropped and counted."""

RETRY: Final = 0.05
"""Seconds between attempts to reach a shadow worker: at a start they come up side by side."""


def is_mirrorable(head: RequestHead) -> bool:
    """Whether a request may be repeated on either side: a read without a body, no tunnel."""
    return head.method in ("GET", "HEAD") and head.length == NO_BODY and not head.websocket


def frame(
    head: RequestHead,
    response: ResponseHead,
    *,
    request_body: bytes,
    fields: bytes,
    provenance: bytes,
    body: bytes | None,
    identifier: bytes,
    route: str,
    primary: Side,
    identity: bytes,
    at: float,
    latency: float,
    version: int,
) -> bytes:
    """Encode one capture; `body` is None when it was beyond the cap.

    `fields` and `provenance` are lines as the primary was sent them, before any rewriting.
    """
    return pack(
        primary is MODERN,
        body is None,
        response.status,
        version,
        identity_hash(identity),
        at,
        latency,
        identifier,
        route.encode(),
        head.method.encode(),
        head.target,
        head.host,
        provenance,
        fields,
        response.block.forwarded,
        request_body,
        (body or b"",),
    )


class _Link(asyncio.Protocol):
    """The stream to one shadow worker; nothing comes back on it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Event = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        self.transport = None
        self.lost.set()


class Mirror:
    """Streams to all shadow workers of this host, one behind each socket, used in turn."""

    def __init__(self, sockets: list[Path]) -> None:
        self._sockets: Final = sockets
        self._links: list[_Link] = []
        self._turn = 0

    @property
    def connected(self) -> bool:
        """Whether any shadow worker takes captures."""
        return bool(self._links)

    def offer(self, frame: bytes) -> str | None:
        """Take a frame without waiting; gives the reason when it was dropped."""
        links = self._links
        if not links:
            return "no_worker"
        self._turn = (self._turn + 1) % len(links)
        transport = links[self._turn].transport
        if transport is None or transport.get_write_buffer_size() > UNSENT_MAX:
            return "queue_full"
        transport.write(frame)
        return None

    async def run(self) -> None:
        """Keep a stream to every shadow worker, for ever."""
        await asyncio.gather(*(self._keep(path) for path in self._sockets))

    async def _keep(self, path: Path) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, link = await loop.create_unix_connection(_Link, str(path))
            except OSError:
                await asyncio.sleep(RETRY)
                continue
            self._links.append(link)
            await link.lost.wait()
            self._links.remove(link)
