from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.admin.events import Cursor, event, event_stream
from proxy.admin.told_status import ToldStatus
from tests.support_console import FakeController


class Signalled(FakeController):
    """A controller whose changes are announced by hand; it stops when told to."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 1_790_000_000.0)
        self.announced: asyncio.Queue[int | None] = asyncio.Queue()

    async def changed(self) -> AsyncIterator[int]:
        """Yield what was announced; None is the end."""
        while (version := await self.announced.get()) is not None:
            yield version


def parse(block: bytes) -> tuple[str, str, dict[str, Any]]:
    """Give kind, id and data of one event."""
    lines = dict(line.split(": ", 1) for line in block.decode().strip().split("\n"))
    return lines["event"], lines["id"], json.loads(lines["data"])


async def kinds(stream: AsyncIterator[bytes]) -> list[str]:
    """Read the stream to its end and give the kinds of its events."""
    return [parse(block)[0] async for block in stream if not block.startswith(b"retry")]


@pytest.mark.parametrize(
    ("text", "known"),
    [("12.40", True), ("", False), ("12", False), ("a.b", False), ("1.", False), ("9" * 40, False)],
)
def test_a_last_event_id_is_ours_or_ignored(text: str, known: bool) -> None:
    """A browser sends back what it saw; anything else begins anew."""
    cursor = Cursor.read(text)
    assert (cursor is not None) is known
    if cursor is not None:
        assert str(cursor) == text


def test_an_event_is_three_lines_and_an_empty_one() -> None:
    """Newlines in the data are escaped by JSON, so they cannot end an event."""
    block = event("decision", {"reason": "a\n\nb"}, Cursor(1, 2))
    assert block == b'event: decision\nid: 1.2\ndata: {"reason":"a\\n\\nb"}\n\n'


async def test_a_stream_begins_with_the_status_and_ends_with_the_controller() -> None:
    """A controller that stops lets its clients go, so that shutting down need not wait."""
    controller = Signalled()
    controller.announced.put_nowait(None)
    assert await kinds(event_stream(controller, ToldStatus(controller), "")) == ["status"]


async def test_a_change_is_told_with_its_decision_and_the_new_status() -> None:
    """In this order: what is in force, why, and how everything looks now."""
    controller = Signalled()
    stream = event_stream(controller, ToldStatus(controller), "")
    first = [await anext(stream), await anext(stream)]
    controller.take_back("plans", "cutover", "too many errors", {})
    controller.announced.put_nowait(controller.number)
    told = [parse(await anext(stream)) for _ in range(3)]
    await stream.aclose()  # type: ignore[attr-defined]  # it is an async generator
    assert first[0] == b"retry: 1000\n\n"
    assert [kind for kind, _, _ in told] == ["version", "decision", "status"]
    assert told[1][2]["reason"] == "too many errors"
    assert told[2][1] == "19.2"


async def test_who_was_away_is_told_what_was_missed() -> None:
    """The id of the last event says from where on."""
    controller = Signalled()
    await controller.set_weight("plans", 2000, author="ada", reason="step")
    controller.announced.put_nowait(None)
    assert await kinds(event_stream(controller, ToldStatus(controller), "18.1")) == [
        "version",
        "decision",
        "status",
    ]
