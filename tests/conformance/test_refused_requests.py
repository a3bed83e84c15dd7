"""What is not HTTP as we accept it is refused, and no upstream hears of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hostile_requests import REFUSED_BODIES, REFUSED_HEADS
from tests.support_plane import Rig
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)


@every_split
@pytest.mark.parametrize(
    ("raw", "status"), [case[1:] for case in REFUSED_HEADS], ids=[case[0] for case in REFUSED_HEADS]
)
async def test_refused_head(rig: Rig, raw: bytes, status: int, split: Split) -> None:
    """A refused head is answered with its status, the connection is closed, nothing goes out."""
    answer, client = await rig.ask(raw, split=split)
    assert answer.status == status
    assert answer.get("connection") == "close"
    assert await client.end() == "closed"
    assert not client.received
    assert not rig.legacy.requests
    assert not any(connection.news for connection in rig.legacy.connections)


@every_split
@pytest.mark.parametrize(
    ("raw", "status"),
    [case[1:] for case in REFUSED_BODIES],
    ids=[case[0] for case in REFUSED_BODIES],
)
async def test_refused_body(rig: Rig, raw: bytes, status: int, split: Split) -> None:
    """A broken body is answered with 400, both connections end, no upstream sees a complete one."""
    answer, client = await rig.ask(raw, split=split)
    assert answer.status == status
    assert answer.get("connection") == "close"
    assert await client.end() == "closed"
    assert not client.received
    for connection in list(rig.legacy.connections):
        if connection.news:
            await connection.end()
    assert not rig.legacy.requests


@every_split
async def test_smuggled_request(rig: Rig, split: Split) -> None:
    """What follows a refused request on its connection is not taken for another request."""
    raw = (
        b"POST /l/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer, client = await rig.ask(
        raw + b"0\r\n\r\nGET /l/smuggled HTTP/1.1\r\nHost: h\r\n\r\n", split=split
    )
    assert answer.status == 400
    assert await client.end() == "closed"
    assert not client.received
    assert not rig.legacy.requests


async def test_first_request_stands(rig: Rig) -> None:
    """A good request is answered, and the bad one pipelined behind it is refused in its turn."""
    good = b"GET /l/good HTTP/1.1\r\nHost: h\r\n\r\n"
    answer, client = await rig.ask(good + b"GET /l/bad\r\n\r\n" + good)
    assert (answer.status, answer.body) == (200, b"good")
    assert (await client.answer()).status == 400
    assert await client.end() == "closed"
    assert len(rig.legacy.requests) == 1
