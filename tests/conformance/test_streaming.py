"""Bodies of any size pass both ways in bounded memory, as fast as the slower side takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support_plane import Received, Rig, Upstreamed
from tests.support_stream import SIZE, Body, pour
from tests.support_wire import SPLITS, Pieces, in_two

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)

BOUND = 400 * 1024
"""What one exchange may hold in the worker's memory: a read of the event loop (250 KB) beyond what
makes us stop reading, which is 64 KB in either direction."""


def held(rig: Rig) -> int:
    """Count the bytes that the worker holds for all its connections."""
    clients = sum(
        downstream._transport.get_write_buffer_size() + downstream._parser.waiting
        for downstream in rig.worker._live
    )
    upstreams = sum(
        connection._transport.get_write_buffer_size() + connection.parser.waiting
        for pool in rig.plane.pools.values()
        for member in pool.members.all
        for connection in member.leased
        if connection._transport is not None
    )
    return clients + upstreams


async def until_still(progress: Callable[[], int]) -> int:
    """Wait until a count has stopped growing; give it."""
    last, still = -1, 0
    while still < 10:
        now = progress()
        still = still + 1 if now == last else 0
        last = now
        await asyncio.sleep(0.01)
    return last


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_slow_reader(rig: Rig, framing: str) -> None:
    """A client that does not read holds its upstream back; when it reads on it gets every byte."""
    sent, most, body = [0], 0, Body(chunked=framing != "length")
    head = {
        "length": b"Content-Length: %d\r\n\r\n" % SIZE,
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % SIZE,
        "close": b"\r\n",
    }[framing]

    async def handler(connection: Upstreamed, _: Received) -> None:
        connection.write(b"HTTP/1.1 200 OK\r\n" + head)
        await pour(connection, SIZE, sent)
        if framing == "chunked":
            connection.write(b"\r\n0\r\n\r\n")
        elif framing == "close":
            connection.close()

    rig.legacy.answers(handler)
    client = await rig.client()
    await client.send([b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"])
    await client.until(lambda: client.received, "beginning")
    client.pause()
    stopped = await until_still(lambda: sent[0])
    assert stopped < SIZE, "the kernel's buffers took everything: nothing was held back"
    assert held(rig) < BOUND
    client.resume()
    while not body.complete:
        await client.until(lambda: client.received, "more")
        most = max(most, held(rig))
        body.take(client)
    assert most < BOUND
    await client.is_clean()


@pytest.mark.parametrize(("path", "framing"), [("/l/", "length"), ("/m/", "chunked")])
async def test_slow_upstream(rig: Rig, framing: str, path: str) -> None:
    """An upstream that does not read holds its client back; when it reads on it gets every byte."""
    side = rig.legacy if path == "/l/" else rig.modern
    body, most, start = Body(chunked=framing == "chunked"), 0, 0
    paused: list[Upstreamed] = []

    def raw(connection: Upstreamed) -> None:
        nonlocal most, start
        if not paused:
            paused.append(connection)
            connection.pause()
            start = len(connection.received) - len(connection.unread)
        most = max(most, held(rig))
        body.take(connection, start)
        if body.complete:
            side.raw = None
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    side.raw = raw
    sent = [0]
    client = await rig.client()
    head = b"PUT %bx HTTP/1.1\r\nHost: h\r\n" % path.encode()
    if framing == "length":
        client.write(head + b"Content-Length: %d\r\n\r\n" % SIZE)
    else:
        client.write(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % SIZE)
    pouring = asyncio.create_task(pour(client, SIZE, sent))
    stopped = await until_still(lambda: sent[0])
    assert stopped < SIZE, "the kernel's buffers took everything: nothing was held back"
    assert held(rig) < BOUND
    paused[0].resume()
    await pouring
    if framing == "chunked":
        client.write(b"\r\n0\r\n\r\n")
    assert (await client.answer()).body == b"ok"
    assert most < BOUND
    await client.is_clean()


async def test_reader_that_stopped(rig: Rig) -> None:
    """A client that has stopped reading is cut off after the deadline, by a reset."""
    sent = [0]

    async def handler(connection: Upstreamed, _: Received) -> None:
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        await pour(connection, SIZE, sent)

    rig.legacy.answers(handler)
    client = await rig.client()
    await client.send([b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"])
    await client.until(lambda: client.received, "beginning")
    client.pause()
    await until_still(lambda: sent[0])
    rig.later(6)
    await rig.legacy.requests[0].connection.end()
    assert rig.log.lines[-1]["status"] == 408
    client.resume()
    assert await client.end() == "reset"
    for task in rig.legacy.requests[0].connection.tasks:
        task.cancel()


@pytest.mark.parametrize("size", [100_000, 3_000_000])
async def test_last_answer_to_a_slow_reader(rig: Rig, size: int) -> None:
    """The last answer of a connection is not cut off while its client still reads it."""

    async def handler(connection: Upstreamed, _: Received) -> None:
        await connection.send(
            [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size]
        )

    rig.legacy.answers(handler)
    client = await rig.client()
    client.pause()
    await client.send([b"GET /l/x HTTP/1.0\r\nHost: h\r\n\r\n"])
    await rig.legacy.got(1)
    await until_still(lambda: held(rig))
    for _ in range(3):
        rig.later(4)
    client.resume()
    answer = await client.answer()
    assert len(answer.body) == size
    assert await client.end() == "closed"


async def test_events_pass_at_once(rig: Rig) -> None:
    """Each piece of an endless answer reaches the client before the next one is written."""
    go_on = asyncio.Event()

    async def handler(connection: Upstreamed, _: Received) -> None:
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(5):
            connection.write(b"data: %d\n\n" % number)
            await go_on.wait()
            go_on.clear()
        connection.close()

    rig.legacy.answers(handler)
    client = await rig.client()
    await client.send([b"GET /l/events HTTP/1.1\r\nHost: h\r\n\r\n"])
    for number in range(5):
        await client.until(lambda n=number: b"data: %d\n\n" % n in client.received, "event")  # type: ignore[misc]
        go_on.set()
    answer = await client.answer()
    assert answer.body == b"".join(b"data: %d\n\n" % number for number in range(5))
    await client.is_clean()


async def test_body_passes_while_it_comes(rig: Rig) -> None:
    """The upstream sees the beginning of a body before the client has sent its end."""
    client = await rig.client()
    raw = b"POST /l/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    await client.send([*in_two(raw), b"5\r\nabc"])
    await rig.saw_part(rig.legacy, b"3\r\nabc\r\n")
    await client.send([b"de\r\n0\r\n\r\n"])
    assert (await client.answer()).status == 200
    assert rig.legacy.requests[0].body == b"abcde"


@every_split
async def test_body_beyond_the_limit(own_rig: Rig, split: Split) -> None:
    """A streamed body is refused where it passes the limit, and never ends at the upstream."""
    rig = own_rig
    rig.rules(rig.document({}) | {"defaults": {"limits": {"body": "1KB"}}})
    chunk = b"190\r\n" + b"x" * 400 + b"\r\n"
    raw = b"POST /l/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    smuggled = b"GET /l/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    answer, client = await rig.ask(raw + chunk * 3 + b"0\r\n\r\n" + smuggled, split=split)
    assert (answer.status, answer.get("connection")) == (413, "close")
    assert await client.end() == "closed"
    assert not client.received
    for connection in list(rig.legacy.connections):
        if connection.news:
            await connection.end()
    assert not rig.legacy.requests
