"""What a limit refuses never reaches an application, and leaves both connections clean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import eventually_async
from tests.support_plane import PATIENCE, Rig, says
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)

GET = b"GET /limited/x HTTP/1.1\r\nHost: h\r\n\r\n"


def limit(rig: Rig, limits: dict[str, Any], worker: dict[str, int] | None = None) -> None:
    """Put a route before the others that has these limits; `worker` are those of the worker."""
    plain = rig.document({}) | {"limits": worker or {}}
    limited = {"id": "limited", "match": {"path": "/limited/*"}, "limits": limits}
    plain["routes"].insert(0, limited)
    rig.rules(plain)


@every_split
@pytest.mark.parametrize(
    ("whose", "status", "sentence"),
    [
        ("client", 429, b"429 Too Many Requests: this client asks too often\n"),
        ("route", 503, b"503 Service Unavailable: this route is asked too often\n"),
    ],
)
async def test_rate(own_rig: Rig, whose: str, status: int, sentence: bytes, split: Split) -> None:
    """The connection is kept, the refused request is seen by nobody, and others are served."""
    limit(own_rig, {whose: {"rate": "1/h"}})
    answer, client = await own_rig.ask(GET, split=split)
    assert (answer.status, answer.body) == (200, b"x")
    await client.send(split(GET))
    refused = await client.answer()
    assert (refused.status, refused.body) == (status, sentence)
    assert 0 < int(refused.get("retry-after") or 0) <= 3600
    assert refused.get("connection") is None
    await client.is_clean()
    targets = [request.target for request in own_rig.legacy.requests]
    assert len(targets) == 2
    assert targets[0] == "/limited/x"
    assert targets[1].startswith("/l/canary-")
    await own_rig.is_clean()


async def test_pipelined_requests_are_refused_one_by_one(own_rig: Rig) -> None:
    """Each gets its own answer in its place."""
    limit(own_rig, {"client": {"rate": "1/h", "burst": 2}})
    client = await own_rig.client()
    await client.send([GET * 4 + b"GET /l/last HTTP/1.1\r\nHost: h\r\n\r\n"])
    answers = [await client.answer() for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429, 200]
    assert answers[4].body == b"last"
    await client.is_clean()


@every_split
async def test_a_refused_body_closes_the_connection(own_rig: Rig, split: Split) -> None:
    """It is not read, and nothing in it is taken for a request."""
    limit(own_rig, {"client": {"rate": "1/h"}})
    _, client = await own_rig.ask(GET)
    body = b"GET /l/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    head = b"POST /limited/x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
    await client.send(split(head + body))
    refused = await client.answer("POST")
    assert (refused.status, refused.get("connection")) == (429, "close")
    assert await client.end() == "closed"
    assert [request.target for request in own_rig.legacy.requests] == ["/limited/x"]
    await own_rig.is_clean()


async def test_head_and_http_1_0_are_refused_in_their_way(own_rig: Rig) -> None:
    """No body for HEAD; HTTP/1.0 ends with its connection."""
    limit(own_rig, {"client": {"rate": "1/h"}})
    _, client = await own_rig.ask(GET)
    await client.send([b"HEAD /limited/x HTTP/1.1\r\nHost: h\r\n\r\n"])
    refused = await client.answer("HEAD")
    assert (refused.status, refused.body) == (429, b"")
    await client.is_clean()
    refused, old = await own_rig.ask(b"GET /limited/x HTTP/1.0\r\nHost: h\r\n\r\n")
    assert (refused.status, refused.get("connection")) == (429, "close")
    assert await old.end() == "closed"


@pytest.mark.parametrize(("whose", "status"), [("client", 429), ("route", 503)])
async def test_concurrency(own_rig: Rig, whose: str, status: int) -> None:
    """Room is made by an answer, and by a client that leaves while it waits."""
    limit(own_rig, {whose: {"concurrency": 1}})

    async def nothing_under_way() -> bool:
        return own_rig.plane.admission.in_flight == 0

    begun = says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    own_rig.legacy.answers(begun, begun)
    for number in (1, 2):
        client = await own_rig.client()
        await client.send([GET])
        await own_rig.legacy.got(number)
        refused, _ = await own_rig.ask(GET)
        assert (refused.status, refused.get("retry-after")) == (status, "1")
        client.reset()
        await eventually_async(nothing_under_way, PATIENCE, "the end of the exchange")
    answer, client = await own_rig.ask(GET)
    assert answer.status == 200
    await client.is_clean()


@every_split
async def test_a_declared_body_beyond_the_route_s_limit(own_rig: Rig, split: Split) -> None:
    """Refused by its length; one that fits passes whole."""
    limit(own_rig, {"body": "10B"})
    head = b"POST /limited/x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
    refused, client = await own_rig.ask(head % 11 + b"x" * 11, split=split)
    assert (refused.status, refused.get("connection")) == (413, "close")
    assert await client.end() == "closed"
    assert not own_rig.legacy.requests
    answer, client = await own_rig.ask(head % 10 + b"x" * 10, split=split)
    assert answer.status == 200
    assert own_rig.legacy.requests[0].body == b"x" * 10
    await client.is_clean()


@every_split
async def test_a_streamed_body_beyond_the_route_s_limit(own_rig: Rig, split: Split) -> None:
    """Refused where it passes the limit; the application sees no end of it."""
    limit(own_rig, {"body": "10B"})
    head = b"POST /limited/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"8\r\n" + b"x" * 8 + b"\r\n"
    refused, client = await own_rig.ask(head + body + body + b"0\r\n\r\n", split=split)
    assert (refused.status, refused.get("connection")) == (413, "close")
    assert await client.end() == "closed"
    assert not own_rig.legacy.requests
    await own_rig.is_clean()


async def test_connections(own_rig: Rig) -> None:
    """A connection too many hears it at once, is closed, and makes room by that."""
    limit(own_rig, {}, {"connections": 1})
    first = await own_rig.client()
    second = await own_rig.client()
    refused = await second.answer()
    assert (refused.status, refused.get("retry-after")) == (503, "1")
    assert refused.get("connection") == "close"
    assert await second.end() == "closed"
    await second.dispose()
    await first.is_clean()
    assert own_rig.plane.connections == 1


async def test_a_tunnel_is_under_way_until_it_ends(own_rig: Rig) -> None:
    """However long it lasts, it holds what one request holds, and gives it back once."""
    limit(own_rig, {"client": {"concurrency": 1}})
    fields = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    own_rig.legacy.answers(says(b"HTTP/1.1 101 Switching Protocols\r\n" + fields))
    client = await own_rig.client()
    await client.send([b"GET /limited/ws HTTP/1.1\r\nHost: h\r\n" + fields])
    await client.until(lambda: client.received.endswith(b"\r\n\r\n"), "101")
    refused, other = await own_rig.ask(GET)
    assert refused.status == 429
    client.reset()

    async def tunnel_has_ended() -> bool:
        return own_rig.plane.admission.in_flight == 0

    await eventually_async(tunnel_has_ended, PATIENCE, "the end of the tunnel")
    await other.send([GET])
    assert (await other.answer()).status == 200
    assert not own_rig.plane.limits._in_flight
