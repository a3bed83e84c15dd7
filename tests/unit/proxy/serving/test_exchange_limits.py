"""Requests that a limit refuses, and what those that it admits hold until they end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from proxy.routing.side import Side
from tests.support_exchange import OK, Client, Scene, answer, get, on, request
from tests.support_routing import route

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]


def retry_after(received: bytes) -> tuple[int, int]:
    """Give status and seconds of a refusal."""
    found = re.match(rb"HTTP/1\.1 ([0-9]{3}) .*\r\nRetry-After: ([0-9]+)\r\n", received, re.DOTALL)
    assert found is not None, received
    return int(found[1]), int(found[2])


async def served(it: Scene, client: Client, path: str = "/a") -> int:
    """Let a client be answered by legacy."""
    client.send(get(path))
    transports = it.network[LEGACY].transports
    upstream = transports[0] if transports else await it.accept(LEGACY)
    upstream.receive(OK)
    return client.status()


async def test_a_client_that_asks_too_often_is_told_when_to_come_again(scene: Make) -> None:
    """No application sees the request, nobody has failed, and the connection is kept."""
    it = scene(on(0, limits={"client": {"rate": "30/m", "burst": 2}}))
    client = it.client()
    assert [await served(it, client) for _ in range(2)] == [200, 200]
    sent = it.network[LEGACY].transports[0]
    sent.take()
    client.send(get())
    received = client.received()
    assert retry_after(received) == (429, 2)
    assert b"this client asks too often" in received
    assert b"Connection: close" not in received
    assert sent.take() == b""
    assert it.counts("all", LEGACY) == {"decided": 2, "served": 2, "ok": 2, "rejected": 1}
    assert it.events("rejected_requests") == {"client_rate": 1}
    line = it.log.lines[-1]
    assert (line["route"], line["status"], line["outcome"]) == ("all", 429, "rejected")
    it.clock.advance(2.0)
    assert await served(it, client) == 200


async def test_another_client_is_not_concerned(scene: Make) -> None:
    """Behind a trusted proxy a client is who that says it is."""
    it = scene(
        on(0, limits={"client": {"rate": "1/m"}}),
        trusted_networks=["10.0.0.0/8"],
    )
    assert await served(it, it.client("192.0.2.1")) == 200
    assert await served(it, it.client("192.0.2.2")) == 200
    it.client("192.0.2.1").send(get())
    proxied = it.client("10.0.0.1")
    proxied.send(get("/a", "X-Forwarded-For: 192.0.2.1"))
    assert retry_after(proxied.received()) == (429, 60)
    proxied.send(get("/a", "X-Forwarded-For: 192.0.2.3"))
    it.network[LEGACY].transports[0].receive(OK)
    assert proxied.status() == 200


async def test_a_route_that_is_asked_too_often_sheds(scene: Make) -> None:
    """503 says that it is not this client's doing."""
    it = scene(
        route("/a", "a", limits={"route": {"rate": "6/m"}}),
        route("/*", "all"),
    )
    assert await served(it, it.client("192.0.2.1")) == 200
    other = it.client("192.0.2.2")
    other.send(get())
    assert retry_after(other.received()) == (503, 10)
    assert await served(it, other, "/b") == 200
    assert it.events("rejected_requests") == {"route_rate": 1}


@pytest.mark.parametrize(
    ("whose", "status", "reason"),
    [("client", 429, "client_concurrency"), ("route", 503, "route_concurrency")],
)
async def test_no_more_under_way_than_allowed(
    scene: Make, whose: str, status: int, reason: str
) -> None:
    """Whoever is answered makes room."""
    it = scene(on(0, limits={whose: {"concurrency": 1}}))
    first, second = it.client(), it.client()
    first.send(get())
    upstream = await it.accept(LEGACY)
    second.send(get())
    assert retry_after(second.received()) == (status, 1)
    assert it.events("rejected_requests") == {reason: 1}
    upstream.receive(OK)
    assert first.status() == 200
    assert await served(it, second) == 200


async def answered(it: Scene, client: Client) -> None:
    """End with an answer."""
    client.send(get())
    (await it.accept(MODERN)).receive(OK)


async def client_left(it: Scene, client: Client) -> None:
    """End with the client's going."""
    client.send(get())
    await it.accept(MODERN)
    client.leave()


async def client_left_early(it: Scene, client: Client) -> None:
    """End before there is a connection."""
    client.send(get())
    client.leave()
    await it.accept(MODERN)


async def refused(it: Scene, client: Client) -> None:
    """End on both sides without a connection."""
    client.send(get())
    await it.refuse(MODERN)
    await it.refuse(LEGACY)
    assert client.status() == 502


async def fell_back(it: Scene, client: Client) -> None:
    """End with the other side's answer."""
    client.send(get())
    (await it.accept(MODERN)).receive(answer(500))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200


async def broken_off(it: Scene, client: Client) -> None:
    """End with a reset in the middle of an answer."""
    client.send(request("POST", "/a"))
    upstream = await it.accept(MODERN)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    upstream.lose(ConnectionResetError())
    assert client.reset


async def timed_out(it: Scene, client: Client) -> None:
    """End with both sides' silence."""
    client.send(request("POST", "/a"))
    await it.accept(MODERN)
    it.wait(31.0)
    assert client.status() == 504


async def broken_request(it: Scene, client: Client) -> None:
    """End with a body that is none."""
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    await it.accept(MODERN)
    client.send(b"xyz\r\n")
    assert client.status() == 400


@pytest.mark.parametrize(
    "ending",
    [answered, client_left, client_left_early, refused, fell_back, broken_off, timed_out,
     broken_request],
)  # fmt: skip
async def test_whatever_ends_a_request_makes_room_for_one(
    scene: Make, ending: Callable[[Scene, Client], Any]
) -> None:
    """And for one only."""
    it = scene(on(100, limits={"route": {"concurrency": 1}, "client": {"concurrency": 1}}))
    await ending(it, it.client())
    assert it.plane.limits._in_flight == {}
    assert it.plane.limits._routes["all"].in_flight == 0


async def test_limits_hold_over_a_change_of_the_rules(scene: Make) -> None:
    """What is under way under old rules counts under new ones, and a rate is not begun anew."""
    limits = {"client": {"rate": "2/m", "burst": 2, "concurrency": 1}}
    it = scene(on(0, limits=limits))
    first, second = it.client(), it.client()
    first.send(get())
    upstream = await it.accept(LEGACY)
    it.apply(route("/never", "other"), on(0, limits=limits))
    second.send(get())
    assert second.status() == 429
    upstream.receive(OK)
    assert first.status() == 200
    assert await served(it, second) == 200
    second.send(get())
    assert retry_after(second.received()) == (429, 30)


async def test_a_body_limit_is_its_route_s(scene: Make) -> None:
    """A declared body is refused unread, and no connection is opened for it."""
    it = scene(route("/small", "small", limits={"body": "5B"}), route("/*", "all"))
    client = it.client()
    client.send(request("POST", "/small", body=b"123456"))
    assert client.status() == 413
    assert client.closed
    assert it.network[LEGACY].attempts == []
    assert it.events("rejected_requests") == {"body": 1}
    assert it.counts("small", LEGACY) == {"rejected": 1}
    client = it.client()
    client.send(request("POST", "/other", body=b"123456"))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200


async def test_a_full_worker_says_so(scene: Make) -> None:
    """How many exchanges are too many is the operator's to say."""
    it = scene(on(0), limits={"exchanges": 1})
    first, second = it.client(), it.client()
    first.send(get())
    upstream = await it.accept(LEGACY)
    second.send(get())
    assert retry_after(second.received()) == (503, 1)
    assert it.events("rejected_requests") == {"exchanges": 1}
    upstream.receive(OK)
    assert await served(it, second) == 200


async def test_a_connection_too_many_is_answered_and_closed(scene: Make) -> None:
    """At once, and before it asks: it would wait for nothing. Whoever goes makes room."""
    it = scene(on(0), limits={"connections": 1})
    first, second = it.client(), it.client()
    received = second.received()
    assert retry_after(received) == (503, 1)
    assert b"too many connections at once" in received
    assert b"Connection: close\r\n" in received
    assert second.closed
    second.send(get())
    assert second.received() == b""
    assert it.events("rejected_requests") == {"connections": 1}
    second.leave()
    first.leave()
    assert await served(it, it.client()) == 200


async def test_what_is_owed_and_forgotten_is_told(scene: Make) -> None:
    """An operator sees that the memory for clients is too small for a flood."""
    it = scene(on(0, limits={"client": {"rate": "1/m"}}))
    it.plane.limits._clients_max = 2
    for number in range(4):
        assert await served(it, it.client(f"192.0.2.{number}")) == 200
    assert it.events("forgotten_clients") == {"": 2}


async def test_names_that_are_dropped_are_counted(scene: Make) -> None:
    """Once for each request that lost one, and not where the rules let them through."""
    it = scene(on(0), allowed_headers=["x_good"])
    client = it.client()
    for fields in (["X_Good: 1"], ["X_Good: 1", "X_Bad: 2", "X.Bad: 3"], ["X-Plain: 1"]):
        client.send(get("/a", *fields))
        transports = it.network[LEGACY].transports
        upstream = transports[0] if transports else await it.accept(LEGACY)
        assert b"Bad" not in upstream.take()
        upstream.receive(OK)
        assert client.status() == 200
    assert it.events("dropped_fields") == {"": 1}
