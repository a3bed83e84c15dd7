"""A client's connection between its exchanges: order, deadlines, and its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.routing.side import Side
from proxy.serving.downstream import (
    HEAD_DEADLINE,
    LINGER,
    READ_AHEAD,
    UNREAD_DEADLINE,
)
from proxy.serving.drain import LAST_CALL
from proxy.serving.pace import RATE_MIN
from proxy.serving.plane import IDLE_DEADLINE
from tests.support_exchange import OK, Client, Scene, answer, get, on

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]


async def test_a_request_that_does_not_come_to_its_end_is_given_up(scene: Make) -> None:
    """A byte now and then gives no more time: the head has one deadline."""
    it = scene(on(0))
    client = it.client()
    client.send(b"GET /a HTTP/1.1\r\n")
    it.wait(HEAD_DEADLINE - 1)
    client.send(b"Host:")
    it.wait(1)
    assert client.status() == 408
    assert client.closed
    assert it.events("refused_requests") == {"408": 1}


async def test_a_client_that_says_nothing_is_sent_away_without_a_word(scene: Make) -> None:
    """There is no request to answer."""
    it = scene(on(0))
    client = it.client()
    it.wait(HEAD_DEADLINE)
    assert client.closed
    assert client.received() == b""


async def test_an_idle_client_may_wait_longer_between_requests(scene: Make) -> None:
    """But not for ever; once a request has begun, it has the time of a first one."""
    it = scene(on(0))
    waiting, starting = it.client(), it.client()
    for client in (waiting, starting):
        client.send(get())
        upstream = it.network[LEGACY].transports[0] if it.network[LEGACY].transports else None
        (upstream or await it.accept(LEGACY)).receive(OK)
        client.received()
    it.wait(IDLE_DEADLINE - HEAD_DEADLINE - 1)
    starting.send(b"GET")
    it.wait(HEAD_DEADLINE)
    assert starting.status() == 408
    before = waiting.closed
    it.wait(1)
    assert (before, waiting.closed, waiting.received()) == (False, True, b"")


async def test_after_a_last_answer_the_client_is_heard_for_a_while(scene: Make) -> None:
    """A reset would destroy the answer on its way (RFC 9112, 9.6); what it sends is lost."""
    it = scene(on(0))
    client = it.client()
    client.send(b"nonsense\r\n\r\n")
    assert client.status() == 400
    assert client.closed
    client.send(get())
    assert client.received() == b""
    it.wait(max(LINGER, UNREAD_DEADLINE))
    assert client.reset
    assert it.events("refused_requests") == {"400": 1}


async def test_a_client_that_still_reads_its_last_answer_gets_all_of_it(scene: Make) -> None:
    """As long as it goes on; one that does not is cut off."""
    it = scene(on(0))
    client = it.client(high_water=10**6)
    client.send(get("/a", "Connection: close"))
    (await it.accept(LEGACY)).receive(answer(200, b"x" * 500_000))
    assert client.closed
    it.wait(UNREAD_DEADLINE - 1)
    del client.transport._unread[:100_000]
    it.wait(1)
    assert not client.reset
    it.wait(UNREAD_DEADLINE)
    assert client.reset


async def test_a_client_that_hardly_reads_its_last_answer_is_cut_off(scene: Make) -> None:
    """A byte now and then is not reading; at the minimum rate it may take as long as it needs."""
    for read, kept in (RATE_MIN * UNREAD_DEADLINE, True), (RATE_MIN * UNREAD_DEADLINE - 1, False):
        it = scene(on(0))
        client = it.client(high_water=10**6)
        client.send(get("/a", "Connection: close"))
        (await it.accept(LEGACY)).receive(answer(200, b"x" * 500_000))
        for _ in range(3):
            del client.transport._unread[: int(read)]
            it.wait(UNREAD_DEADLINE)
        assert client.reset is not kept


async def test_requests_ahead_of_their_turn_are_bounded(scene: Make) -> None:
    """Beyond it the client waits with the rest; all are answered in the end."""
    it = scene(on(0))
    client = it.client()
    one = get("/a", "X: " + "x" * 1000)
    count = READ_AHEAD // len(one) + 3
    client.send(one * count)
    assert not client.transport.is_reading()
    upstream = await it.accept(LEGACY)
    for _ in range(count):
        upstream.receive(OK)
    assert client.transport.is_reading()
    assert client.received().count(b"HTTP/1.1 200 OK") == count


async def test_requests_wait_while_the_client_does_not_read(scene: Make) -> None:
    """Answers to a pipeline fill no memory."""
    it = scene(on(0))
    client = it.client(high_water=100)
    client.send(get("/a") + get("/b"))
    upstream = await it.accept(LEGACY)
    upstream.receive(answer(200, b"x" * 1000))
    assert b"/b" not in upstream.take()
    client.received()
    assert b"/b" in upstream.take()
    upstream.receive(OK)
    assert client.status() == 200


async def test_a_request_that_waits_for_its_client_to_read_is_not_refused(scene: Make) -> None:
    """It did arrive: the connection ends behind the last answer, and no HEAD gets a body."""
    it = scene(on(0))
    client = it.client(high_water=100)
    client.send(get("/a") + b"HEAD /b HTTP/1.1\r\nHost: shop.test\r\n\r\n")
    (await it.accept(LEGACY)).receive(answer(200, b"x" * 1000))
    it.wait(IDLE_DEADLINE)
    assert (client.closed, client.reset) == (True, False)
    assert client.transport.sent.count(b"HTTP/1.1") == 1
    it.wait(UNREAD_DEADLINE)
    assert client.reset
    assert it.events("refused_requests") == {}


async def test_a_client_that_ends_before_its_turn_is_still_answered(scene: Make) -> None:
    """It asked for all of it."""
    it = scene(on(0))
    client = it.client()
    client.send(get("/a") + get("/b"))
    client.transport.end()
    upstream = await it.accept(LEGACY)
    upstream.receive(OK)
    upstream.receive(OK)
    assert client.received().count(b"HTTP/1.1 200 OK") == 2
    assert client.closed


async def test_a_broken_request_behind_a_good_one_is_refused_in_its_turn(scene: Make) -> None:
    """The good one is answered first."""
    it = scene(on(0))
    client = it.client()
    client.send(get("/a") + b"nonsense\r\n\r\n" + get("/b"))
    (await it.accept(LEGACY)).receive(OK)
    received = client.received()
    assert received.index(b" 200 ") < received.index(b" 400 ")
    assert client.closed


def drain(it: Scene, client: Client, idle_seconds: float = LAST_CALL) -> None:
    """Do as a worker that drains."""
    it.plane.draining, it.plane.idle_seconds = True, idle_seconds
    client.downstream.drain()


@pytest.mark.parametrize("used", [True, False])
async def test_an_idle_client_is_let_go_soon_while_the_worker_drains(
    scene: Make, used: bool
) -> None:
    """Not at once: its next request, or its first, may be on its way."""
    it = scene(on(0))
    client = it.client()
    if used:
        client.send(get())
        (await it.accept(LEGACY)).receive(OK)
    drain(it, client)
    assert not client.closed
    it.wait(LAST_CALL)
    assert client.closed


@pytest.mark.parametrize("begun", [True, False])
async def test_a_client_that_asks_while_the_worker_drains_is_answered_and_let_go(
    scene: Make, begun: bool
) -> None:
    """The answer says that it is the last."""
    it = scene(on(0))
    client = it.client()
    if begun:
        client.send(get())
    drain(it, client)
    if not begun:
        client.send(get())
    (await it.accept(LEGACY)).receive(OK)
    assert b"\r\nConnection: close\r\n" in client.received()
    assert client.closed


async def test_an_answer_that_promised_more_is_not_the_last(scene: Make) -> None:
    """Its head went out before the drain; whoever believed it may have sent the next request."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
    drain(it, client)
    upstream.receive(b"b")
    assert b"Connection: close" not in client.received()
    assert not client.closed
    client.send(get())
    upstream.receive(OK)
    assert b"\r\nConnection: close\r\n" in client.received()
    assert client.closed


async def test_a_retired_worker_keeps_idle_clients(scene: Make) -> None:
    """Until they ask once more: nothing is urgent, as another worker serves."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    (upstream := await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    drain(it, client, IDLE_DEADLINE)
    it.wait(LAST_CALL)
    assert not client.closed
    client.send(get())
    upstream.receive(OK)
    assert b"\r\nConnection: close\r\n" in client.received()
    assert client.closed


@pytest.mark.parametrize("idle", [True, False])
async def test_at_the_end_only_what_is_on_its_way_is_reset(scene: Make, idle: bool) -> None:
    """A plain close could be taken for the end of a complete answer."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    if idle:
        (await it.accept(LEGACY)).receive(OK)
    client.downstream.cut_off()
    assert (client.closed, client.reset) == (idle, not idle)


async def test_who_is_trusted_is_asked_anew_when_the_rules_change(scene: Make) -> None:
    """On connections that live on, too."""
    it = scene(on(0))
    client = it.client("10.0.0.1")
    client.send(get("/a", "Cutover-Side: modern"))
    (await it.accept(LEGACY)).receive(OK)
    client.received()
    it.apply(on(0), trusted_networks=["10.0.0.0/8"])
    client.send(get("/a", "Cutover-Side: modern"))
    (await it.accept(MODERN)).receive(OK)
    assert b"Cutover-Side: modern" in client.received()


async def test_connections_are_counted(scene: Make) -> None:
    """Those that are there now."""
    it = scene(on(0))
    first, _ = it.client(), it.client()
    assert (it.plane.connections, len(it.live)) == (2, 2)
    first.leave()
    assert (it.plane.connections, len(it.live)) == (1, 1)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_client_that_stops_in_its_body_gets_no_end_of_the_answer(
    scene: Make, version: bytes
) -> None:
    """What has come of an answer that ends with the connection must not pass for all of it."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/%b\r\nHost: h\r\nContent-Length: 10\r\n\r\nabcde" % version)
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\n\r\nso far")
    assert client.received().endswith(b"so far" + (b"\r\n" if version == b"1.1" else b""))
    client.transport.end()
    assert client.reset
    assert upstream.closing


async def test_a_client_that_stops_in_its_body_and_was_not_answered_is_just_closed(
    scene: Make,
) -> None:
    """There is nothing of which an end could be invented."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabcde")
    upstream = await it.accept(LEGACY)
    client.transport.end()
    assert client.closed
    assert upstream.closing
