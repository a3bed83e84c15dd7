"""Requests on one connection are answered in their order, each with its own answer."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.hostile_requests import REFUSED_HEADS
from tests.support_plane import Received, Rig, Upstreamed, canary, echo
from tests.support_wire import SPLITS, Pieces, cut

pytestmark = pytest.mark.asyncio(loop_scope="session")


def get(path: str) -> bytes:
    """Write a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


def post(path: str, body: bytes, *, chunked: bool) -> bytes:
    """Write a POST."""
    if chunked:
        framing, body = "Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        framing = f"Content-Length: {len(body)}"
    return f"POST {path} HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n".encode() + body


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
async def test_a_hundred_pipelined_requests(rig: Rig, split: object) -> None:
    """A hundred requests sent at once, to both sides and with bodies, are answered in order."""
    tokens = [canary() for _ in range(100)]
    raw = b""
    for number, token in enumerate(tokens):
        path = ("/l/" if number % 3 else "/m/") + token
        body = get("/l/smuggled")
        raw += get(path) if number % 2 else post(path, body, chunked=number % 4 == 0)
    client = await rig.client()
    await client.send(split(raw))  # type: ignore[operator] # a split
    assert [(await client.answer()).body.decode() for _ in tokens] == tokens
    assert len(rig.legacy.requests) + len(rig.modern.requests) == 100
    await client.is_clean()


async def test_pipelined_behind_a_slow_answer(rig: Rig) -> None:
    """A fast answer waits for the slow one before it: the next request is not sent before."""
    release = asyncio.Event()

    async def slow(connection: Upstreamed, request: Received) -> None:
        await release.wait()
        await echo(connection, request)

    rig.legacy.answers(slow)
    client = await rig.client()
    await client.send([get("/l/slow") + get("/m/fast")])
    await rig.legacy.got(1)
    assert not rig.modern.requests
    release.set()
    assert [(await client.answer()).body for _ in range(2)] == [b"slow", b"fast"]


async def test_pipeline_is_bounded(rig: Rig) -> None:
    """However much a client pipelines, little of it waits in memory, even as answers go out."""
    release, most = asyncio.Event(), 0

    async def slow(connection: Upstreamed, request: Received) -> None:
        await release.wait()
        await echo(connection, request)

    rig.legacy.answers(slow)
    client = await rig.client()
    number = 60_000
    client.write(get("/l/x") * number)
    await rig.legacy.got(1)
    for _ in range(50):
        await asyncio.sleep(0)
    release.set()
    (downstream,) = rig.worker._live
    done = 0
    while done < 3000:
        await client.answer()
        done += 1
        most = max(most, downstream._parser.waiting)
    assert most < 600_000
    client.reset()


@pytest.mark.parametrize("seed", range(3))
async def test_no_answer_reaches_another_client(rig: Rig, seed: int) -> None:
    """Among hostile clients and an upstream that says too much, everyone gets only his own."""
    chance = random.Random(seed)

    async def babbles(connection: Upstreamed, request: Received) -> None:
        await echo(connection, request)
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")

    async def hostile() -> None:
        for _ in range(15):
            client = await rig.client()
            raw = chance.choice(REFUSED_HEADS)[1]
            if len(raw) < 2000:
                await client.send(random_split(raw + get("/l/stolen"), chance))
            (client.reset if chance.random() < 0.5 else client.close)()

    async def honest(path: str) -> None:
        client = await rig.client()
        for _ in range(30):
            if client.ended:
                client = await rig.client()
            token = canary()
            await client.send(random_split(get(path + token), chance))
            answer = await client.answer()
            assert (answer.status, answer.body.decode()) == (200, token)
            if chance.random() < 0.2:
                rig.legacy.answers(babbles)

    async with asyncio.TaskGroup() as group:
        for path in ("/l/", "/m/", "/l/", "/m/", "/l/"):
            group.create_task(honest(path))
        for _ in range(3):
            group.create_task(hostile())
    rig.legacy.handlers.clear()


def random_split(raw: bytes, chance: random.Random) -> Pieces:
    """Cut at a few random places."""
    return cut(raw, [chance.randrange(len(raw)) for _ in range(chance.randrange(4))])
