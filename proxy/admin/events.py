"""Live changes as server-sent events: `status`, `version` and `decision`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from proxy.admin.interfaces import Controller
from proxy.admin.plain import Plain, decision_plain, status_plain, version_plain

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


async def event_stream(controller: Controller, last_event_id: str) -> AsyncIterator[bytes]:
    """Yield events for as long as the client listens and the controller runs.

    A client that names the last event it saw is first told what it missed.
    """
    cursor = Cursor.read(last_event_id) or await _now(controller)
    changed = asyncio.Event()
    changed.set()
    watching = asyncio.create_task(_watch(controller, changed))
    try:
        yield b"retry: 1000\n\n"
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), STATUS_EVERY)
            if changed.is_set():
                changed.clear()
                for kind, plain in await _news(controller, cursor):
                    yield event(kind, plain, cursor)
            yield event("status", status_plain(await controller.survey()), cursor)
            if watching.done():
                return
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def event(kind: str, plain: Plain, cursor: Cursor) -> bytes:
    """Write one event; JSON holds no newline, so one data line is enough."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (
        kind.encode(),
        str(cursor).encode(),
        orjson.dumps(plain),
    )


async def _now(controller: Controller) -> Cursor:
    newest = await controller.decisions(limit=1)
    return Cursor(controller.brief().version, newest[0].id if newest else 0)


async def _watch(controller: Controller, changed: asyncio.Event) -> None:
    try:
        async for _ in controller.changed():
            changed.set()
    finally:
        changed.set()  # the controller stops: wake up once more, and end the stream


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
