"""The path at which the data plane itself says whether it wants traffic."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support_plane import READY_PATH, Client, Rig, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


def ask(method: str = "GET", path: str = READY_PATH) -> bytes:
    """Write the question."""
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


async def told(client: Client) -> tuple[int, bytes]:
    """Ask, and give status and body."""
    await client.send([ask()])
    answer = await client.answer()
    return answer.status, answer.body


async def test_ready(rig: Rig) -> None:
    """It is answered here, although a route takes everything, and is no exchange."""
    client = await rig.client()
    assert await told(client) == (200, b"ready\n")
    await client.send([ask("HEAD")])
    assert (await client.answer("HEAD")).status == 200
    await client.send([ask(path=READY_PATH + "?x=1")])
    assert (await client.answer()).body == b"ready\n"
    await client.is_clean()
    assert [line["path"] for line in rig.log.lines if READY_PATH in str(line["path"])] == []


async def test_other_questions_are_not_answered(rig: Rig) -> None:
    """Only a look counts, and what is beside the path is for the routes."""
    client = await rig.client()
    await client.send([b"POST %b HTTP/1.1\r\nHost: h\r\n\r\n" % READY_PATH.encode()])
    assert (await client.answer()).status == 404
    await client.send([ask(path=READY_PATH + "/x")])
    assert (await client.answer()).get("cutover-side") == "legacy"
    await client.is_clean()


async def test_without_rules_it_is_not_ready(rig: Rig) -> None:
    """A first start without a controller."""
    client = await rig.client()
    table, rig.plane.table = rig.plane.table, None
    try:
        assert await told(client) == (503, b"no rules\n")
    finally:
        rig.plane.table = table
    assert await told(client) == (200, b"ready\n")


async def test_the_grace_time(tmp_path: Path) -> None:
    """Readiness fails at once; new and old connections are served on, until the grace time ends."""
    async with running(tmp_path, grace_seconds=60.0) as rig:
        old = await rig.client()
        await old.is_clean()
        rig.worker.stop()
        new = await rig.client()
        assert await told(new) == (503, b"draining\n")
        for client in (old, new):
            await client.is_clean()
        rig.worker.stop()  # once more: the rest of the grace time is not needed
        for client in (old, new):
            await client.send([b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"])
            answer = await client.answer()
            assert answer.status == 200
            if answer.get("connection") is None:  # it came before the second order was heard
                await client.send([b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"])
                answer = await client.answer()
            assert answer.get("connection") == "close"
        with pytest.raises(OSError, match=r"refused|reset"):
            await rig.client()
