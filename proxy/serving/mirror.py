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

UNSENT_MAX: Final = 8 * 1024 * 1024
"""Bytes that may wait for one shadow worker; beyond it captures are dropped and counted."""

BATCH: Final = 0.002
"""Seconds for which a capture waits for others to be sent with it."""

PORTION: Final = 256 * 1024
"""Bytes that are given to the event loop at once."""

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
    recorded: bool = False,
    mirrored: bool = True,
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
        recorded,
        mirrored,
    )


class Link(asyncio.Protocol):
    """The stream to one shadow worker, and what waits for it; nothing comes back on it.

    What waits goes out in batches: to write each capture by itself, and wake up a shadow worker for
    it, takes longer than all the rest that mirroring costs.
    """

    def __init__(self) -> None:
        self.lost: asyncio.Event = asyncio.Event()
        self._loop: Final = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._size = 0
        self._paused = False
        self._due = False

    def offer(self, frame: bytes) -> bool:
        """Take a frame, unless too much waits."""
        if self._size > UNSENT_MAX:
            return False
        self._waiting.append(frame)
        self._size += len(frame)
        if not self._due and not self._paused:
            self._due = True
            self._loop.call_later(BATCH, self._flush)
        return True

    def take_back(self) -> list[bytes]:
        """Give up what has not been sent."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        return waiting

    # What the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what has waited for somebody to come."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(PORTION)
        self._paused = False
        self.lost.clear()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        """Keep what is left: there will be a successor."""
        self._transport = None
        self.lost.set()

    def pause_writing(self) -> None:
        """Let captures wait: the worker does not keep up."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._flush()

    def _flush(self) -> None:
        """Write what waits, a portion at a time: what the transport has is lost with the worker."""
        self._due = False
        if self._paused or self._transport is None or not self._waiting:
            return
        self._transport.writelines(self._portion())
        if self._waiting and not self._paused:
            self._due = True
            self._loop.call_soon(self._flush)

    def _portion(self) -> list[bytes]:
        """Take the oldest of what waits."""
        waiting, size, number = self._waiting, 0, 0
        while number < len(waiting) and size < PORTION:
            size += len(waiting[number])
            number += 1
        self._size -= size
        self._waiting = waiting[number:]
        return waiting[:number]


class Mirror:
    """Streams to all shadow workers of this host, one behind each socket, used in turn."""

    def __init__(self, sockets: list[Path]) -> None:
        self._sockets: Final = sockets
        self._links: list[Link] = []
        self._turn = 0

    @property
    def connected(self) -> bool:
        """Whether any shadow worker takes captures."""
        return bool(self._links)

    def offer(self, frame: bytes) -> str | None:
        """Take a frame without waiting; gives the reason when it was dropped."""
        links = self._links
        for _ in links:
            self._turn = (self._turn + 1) % len(links)
            if links[self._turn].offer(frame):
                return None
        return "queue_full" if links else "no_worker"

    async def run(self) -> None:
        """Keep a stream to every shadow worker, for ever."""
        await asyncio.gather(*(self._keep(path) for path in self._sockets))

    async def _keep(self, path: Path) -> None:
        loop, link = asyncio.get_running_loop(), Link()
        while True:
            try:
                await loop.create_unix_connection(lambda: link, str(path))
            except OSError:
                await asyncio.sleep(RETRY)
                continue
            self._links.append(link)
            await link.lost.wait()
            self._links.remove(link)
            self._pass_on(link)

    def _pass_on(self, link: Link) -> None:
        """Let the others have what a worker that is gone has not taken, or else its successor."""
        if self._links:
            for frame in link.take_back():
                self.offer(frame)
