"""What becomes of an answer whose client has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proxy.routing.side import Side
from proxy.serving.copying import BODY_MAX
from proxy.upstream.fake import FakeTransport
from tests.support_exchange import OK, Client, Scene, get, on, sides

LEGACY = Side.LEGACY
Make = Callable[..., Scene]
ALL = {"share": "100%"}
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"


async def left(scene: Make, sent: bytes = b"", **others: Any) -> tuple[Scene, FakeTransport]:
    """Have a client ask and leave, after some of the answer has come."""
    it = scene(on(0, mirror=ALL), **others)
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    if sent:
        upstream.receive(sent)
    client.leave()
    return it, upstream


@pytest.mark.parametrize("split", [0, 10, len(PART), len(PART) + 2])
async def test_a_slow_answer_is_compared_without_its_client(scene: Make, split: int) -> None:
    """However much of it had come; the client is counted as gone, and the connection is kept."""
    whole = PART + b"cde"
    it, upstream = await left(scene, whole[:split])
    it.clock.advance(2.0)
    upstream.receive(whole[split:])
    (capture,) = it.tap.captures
    assert (capture.status, capture.body, capture.truncated) == (200, b"abcde", False)
    assert it.counts("all", LEGACY) == {"decided": 1, "aborted": 1}
    assert it.dropped() == {}
    assert it.log.lines[0]["status"] == 499
    assert (len(it.log.lines), upstream.closing) == (1, False)
    client = it.client()
    client.send(get())
    upstream.receive(OK)
    assert client.status() == 200


async def test_the_latency_is_the_primarys(scene: Make) -> None:
    """Of the head of the answer, whenever the client left."""
    it, upstream = await left(scene)
    it.clock.advance(7.5)
    upstream.receive(OK)
    assert it.tap.captures[0].latency == pytest.approx(7.5)


async def test_chunks_hints_and_an_end_by_closing_are_read_as_ever(scene: Make) -> None:
    """As if the client were there."""
    it, upstream = await left(scene)
    upstream.receive(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n")
    upstream.receive(b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    upstream.receive(b"0\r\n\r\n")
    other = it.client()
    other.send(get())
    upstream.receive(b"HTTP/1.0 200 OK\r\n\r\nun")
    other.leave()
    upstream.receive(b"til")
    upstream.lose()
    assert [capture.body for capture in it.tap.captures] == [b"ab", b"until"]


async def test_a_client_that_does_not_read_holds_up_no_comparison(scene: Make) -> None:
    """Once it is given up, the rest is read as fast as it comes."""
    it = scene(on(0, mirror=ALL))
    client = it.client(high_water=100)
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 500)
    reads = [upstream.is_reading()]
    it.wait(30)
    assert [*reads, upstream.is_reading(), client.reset] == [False, True, True]
    upstream.receive(b"x" * 400)
    assert len(it.tap.captures[0].body) == 900
    assert it.log.lines[0]["status"] == 408


async def test_what_is_too_long_is_not_read_to_its_end(scene: Make) -> None:
    """That it was too long is all that a capture says."""
    it, upstream = await left(scene)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
    upstream.receive(b"x" * (BODY_MAX + 1))
    assert it.tap.captures[0].truncated
    assert upstream.closing


@pytest.mark.parametrize(
    "rest",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", None],
)
async def test_an_answer_that_breaks_off_is_counted(scene: Make, rest: bytes | None) -> None:
    """There is nothing to compare, and nobody to tell."""
    it, upstream = await left(scene)
    if rest is None:
        upstream.lose(ConnectionResetError())
    else:
        upstream.receive(rest)
    assert it.tap.captures == []
    assert it.dropped() == {"cut_off": 1}


async def test_an_upstream_that_is_too_late_is_given_up(scene: Make) -> None:
    """By the deadlines of its side, and counted as what it was: the client was gone."""
    it, upstream = await left(scene)
    closing = []
    for wait in (29.9, 29.9, 0.2):
        it.wait(wait)
        closing.append(upstream.closing)
        if not closing[1:]:
            upstream.receive(PART)
    assert closing == [False, False, True]
    assert it.dropped() == {"client_gone": 1}


async def crowd(it: Scene, number: int) -> list[Client]:
    """Let so many clients ask on connections of their own; give them."""
    clients = [it.client() for _ in range(number)]
    for client in clients:
        client.send(get())
        await it.accept(LEGACY)
    return clients


async def test_only_a_part_of_the_connections_may_wait_without_a_client(scene: Make) -> None:
    """One in eight: those who are still there come first."""
    it = scene(on(0, mirror=ALL), upstreams=sides(legacy={"max_connections": 16}))
    for client in await crowd(it, 3):
        client.leave()
    assert len(it.plane.orphans) == 2
    assert it.dropped() == {"client_gone": 1}


async def test_a_client_that_waits_for_a_connection_gets_it(scene: Make) -> None:
    """Nobody is queued behind an answer that no client wants."""
    it = scene(on(0, mirror=ALL), upstreams=sides(legacy={"max_connections": 8}))
    clients = await crowd(it, 8)
    clients[0].leave()
    assert len(it.plane.orphans) == 1
    late = it.client()
    late.send(get())
    it.wait(0.1)
    (await it.accept(LEGACY)).receive(OK)
    assert late.status() == 200
    clients[1].leave()
    assert it.dropped() == {"client_gone": 1}


@pytest.mark.parametrize("mirrored", [{}, {"share": "0%"}])
async def test_what_is_not_mirrored_ends_with_its_client(
    scene: Make, mirrored: dict[str, str]
) -> None:
    """At once."""
    it = scene(on(0, mirror=mirrored))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    client.leave()
    assert upstream.closing
    assert it.dropped() == {}
