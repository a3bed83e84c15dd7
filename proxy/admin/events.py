"""Live changes as server-sent events: `status`, `version` and `decision`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from proxy.admin.interfaces import Controller
from proxy.admin.plain import Plain, decision_plain, version_plain
from proxy.admin.told_status import ToldStatus

STATUS_EVERY = 1.0
"""Seconds between two status events when nothing happens."""

CATCH_UP_MAX = 100
"""A client that was away for longer reads the lists."""


@dataclass(slots=True)
class Cursor:
    """The newest version and decision a client has been told of; the id of an event."""

    version: int
    decision: int

    def __str__(self) -> str:
        return f"{self.version}.{self.decision}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """Read a Last-Event-ID, or give None when it is not one of ours."""
        version, dot, decision = text.partition(".")
        ours = dot and all(part.isascii() and part.isdigit() for part in (version, decision))
        return cls(int(version), int(decision)) if ours and len(text) < 32 else None


class _Changed(asyncio.Event):
    """That something has changed, and at which moment of the loop's clock."""

    at = 0.0

    def note(self) -> None:
        """Wake up whoever waits."""
        self.at = asyncio.get_running_loop().time()
        self.set()


async def event_stream(
    controller: Controller, told: ToldStatus, last_event_id: str
) -> AsyncIterator[bytes]:
    """Yield events for as long as the client listens and the controller runs.

    A client that names the last event it saw is first told what it missed. The status that follows
    a change shows it; another one may be that of another stream, a moment ago.
    """
    cursor = Cursor.read(last_event_id) or await _now(controller)
    changed = _Changed()
    changed.note()
    watching = asyncio.create_task(_watch(controller, changed))
    try:
        yield b"retry: 1000\n\n"
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), STATUS_EVERY)
            since = asyncio.get_running_loop().time() - STATUS_EVERY / 2
            if changed.is_set():
                changed.clear()
                since = changed.at
                for kind, plain in await _news(controller, cursor):
                    yield event(kind, plain, cursor)
            yield written_event("status", (await told.since(since)).text, cursor)
            if watching.done():
                return
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def event(kind: str, plain: Plain, cursor: Cursor) -> bytes:
    """Write one event."""
    return written_event(kind, orjson.dumps(plain), cursor)


def written_event(kind: str, data: bytes, cursor: Cursor) -> bytes:
    """Write one event of JSON; that holds no newline, so one data line is enough."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (kind.encode(), str(cursor).encode(), data)


async def _now(controller: Controller) -> Cursor:
    newest = await controller.decisions(limit=1)
    return Cursor(controller.brief().version, newest[0].id if newest else 0)


async def _watch(controller: Controller, changed: _Changed) -> None:
    try:
        async for _ in controller.changed():
            changed.note()
    finally:
        changed.note()  # the controller stops: wake up once more, and end the stream


async def _news(controller: Controller, cursor: Cursor) -> list[tuple[str, Plain]]:
    """Give what happened since the cursor, oldest first, and move the cursor on."""
    news: list[tuple[str, Plain]] = []
    for version in reversed(await controller.versions(limit=CATCH_UP_MAX)):
        if version.number > cursor.version:
            cursor.version = version.number
            news.append(("version", version_plain(version)))
    for decision in reversed(await controller.decisions(limit=CATCH_UP_MAX)):
        if decision.id > cursor.decision:
            cursor.decision = decision.id
            news.append(("decision", decision_plain(decision)))
    return news
