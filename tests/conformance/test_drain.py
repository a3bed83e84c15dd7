"""A worker that is told to stop finishes what it has begun, and begins nothing more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support_plane import Received, Rig, Upstreamed, echo, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

GET = b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"


async def test_drain(own_rig: Rig) -> None:
    """Idle clients are let go, an answer on its way is finished and says that it is the last."""
    rig, release = own_rig, asyncio.Event()

    async def slow(connection: Upstreamed, request: Received) -> None:
        await release.wait()
        await echo(connection, request)

    idle = await rig.client()
    await idle.is_clean()
    begun = await rig.client()
    await begun.send([GET[:-2]])
    rig.legacy.forget()
    rig.legacy.answers(slow)
    busy = await rig.client()
    await busy.send([GET + GET])
    await rig.legacy.got(1)
    rig.worker.stop()
    assert await idle.end() == "closed"
    with pytest.raises(OSError, match=r"refused|reset"):
        await rig.client()
    await begun.send([GET[-2:]])
    late = await begun.answer()
    assert (late.status, late.get("connection")) == (200, "close")
    release.set()
    answer = await busy.answer()
    assert (answer.status, answer.get("connection"), answer.body) == (200, "close", b"x")
    assert await busy.end() == "closed"
    assert not busy.received


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_drain_deadline(tmp_path: Path, version: bytes) -> None:
    """What does not end by the deadline is cut off, visibly: no end is invented."""
    async with running(tmp_path, drain_seconds=0.2) as rig:

        async def endless(connection: Upstreamed, _: Received) -> None:
            connection.write(b"HTTP/1.1 200 OK\r\n\r\nbeginning")

        rig.legacy.answers(endless)
        client = await rig.client()
        await client.send([b"GET /l/x HTTP/%b\r\nHost: h\r\n\r\n" % version])
        await client.until(lambda: b"beginning" in client.received, "beginning")
        rig.worker.stop()
        assert await client.end() == "reset"


async def test_rules_change_under_a_connection(own_rig: Rig) -> None:
    """New rules touch no live connection: an answer on its way ends by the old, the next obeys."""
    rig, release = own_rig, asyncio.Event()

    async def slow(connection: Upstreamed, request: Received) -> None:
        await release.wait()
        await echo(connection, request)

    rig.modern.answers(slow)
    client = await rig.client()
    await client.send([b"GET /m/x HTTP/1.1\r\nHost: h\r\n\r\n"])
    await rig.modern.got(1)
    rig.rules(rig.document(upstreams={"modern": {"instances": ["http://127.0.0.1:1"]}}))
    release.set()
    answer = await client.answer()
    assert (answer.status, answer.get("cutover-side")) == (200, "modern")
    await client.send([b"GET /m/x HTTP/1.1\r\nHost: h\r\n\r\n"])
    answer = await client.answer()
    assert (answer.status, answer.get("cutover-side")) == (200, "legacy")
