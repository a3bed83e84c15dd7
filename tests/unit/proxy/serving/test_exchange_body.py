"""Waiting for a request's body: who says when it may come, and how slow it may be."""

from __future__ import annotations

from collections.abc import Callable

from proxy.routing.side import Side
from proxy.serving.pace import BODY_GRACE, CONTINUE_AFTER, RATE_MIN
from tests.support_exchange import OK, RESPONSE_TIMEOUT, Scene, answer, on

LEGACY = Side.LEGACY
Make = Callable[..., Scene]

EXPECT = b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_the_upstream_tells_whoever_waits_to_send(scene: Make) -> None:
    """Expect goes to the upstream, its 100 to the client, once; nothing is said before."""
    it = scene(on(0))
    client = it.client()
    client.send(EXPECT)
    upstream = await it.accept(LEGACY)
    assert b"\r\nExpect: 100-continue\r\n" in upstream.take()
    it.wait(CONTINUE_AFTER - 0.1)
    assert client.received() == b""
    upstream.receive(GO_ON)
    assert client.received() == GO_ON
    upstream.receive(GO_ON)
    it.wait(CONTINUE_AFTER)
    assert client.received() == b""
    client.send(b"hi")
    assert upstream.take() == b"hi"
    upstream.receive(OK)
    assert client.status() == 200


async def test_an_upstream_that_ignores_expectations(scene: Make) -> None:
    """After a second the client gets a 100 of ours, and no other when the upstream's comes late."""
    it = scene(on(0))
    client = it.client()
    client.send(EXPECT)
    upstream = await it.accept(LEGACY)
    it.wait(CONTINUE_AFTER)
    assert client.received() == GO_ON
    upstream.receive(GO_ON)
    it.wait(BODY_GRACE - 0.1)
    assert client.received() == b""
    client.send(b"hi")
    upstream.receive(OK)
    assert client.status() == 200


async def test_whoever_does_not_wait_needs_no_100(scene: Make) -> None:
    """A body that comes unasked is read at once, and the upstream's 100 is too late."""
    it = scene(on(0))
    client = it.client()
    client.send(EXPECT, b"h")
    upstream = await it.accept(LEGACY)
    assert upstream.take().endswith(b"\r\n\r\nh")
    upstream.receive(GO_ON)
    it.wait(CONTINUE_AFTER)
    client.send(b"i")
    upstream.receive(OK)
    assert client.received().startswith(b"HTTP/1.1 200 ")


async def test_whoever_waits_for_ever(scene: Make) -> None:
    """Told to send, a client has as long as any other for the beginning of its body."""
    it = scene(on(0))
    client = it.client()
    client.send(EXPECT)
    upstream = await it.accept(LEGACY)
    it.wait(CONTINUE_AFTER)
    it.wait(BODY_GRACE - 0.1)
    assert client.received() == GO_ON
    it.wait(0.2)
    assert client.status() == 408
    assert upstream.aborted
    assert client.closed


async def test_a_refusal_before_the_body(scene: Make) -> None:
    """A final answer to an expectation is the connection's last: the body may be on its way."""
    it = scene(on(0))
    client = it.client()
    client.send(EXPECT)
    upstream = await it.accept(LEGACY)
    upstream.receive(answer(417, b"no"))
    received = client.received()
    assert received.startswith(b"HTTP/1.1 417 ")
    assert b"Connection: close\r\n" in received
    assert client.closed
    assert upstream.aborted


async def test_a_body_at_the_minimum_rate(scene: Make) -> None:
    """A body that keeps the rate may take as long as it needs."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    upstream = await it.accept(LEGACY)
    for _ in range(100):
        it.wait(1000 / RATE_MIN)
        client.send(b"x" * 1000)
    upstream.receive(OK)
    assert client.status() == 200


async def test_a_body_below_the_minimum_rate(scene: Make) -> None:
    """A byte now and then is not enough: the client is told 408, the upstream is let go."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    upstream = await it.accept(LEGACY)
    for _ in range(5):
        client.send(b"x")
        it.wait(BODY_GRACE / 5 - 0.01)
    assert client.received() == b""
    it.wait(0.1)
    assert client.status() == 408
    assert client.closed
    assert upstream.aborted
    assert it.counts("all", LEGACY) == {"decided": 1, "rejected": 1}


async def test_a_fast_beginning_earns_no_slow_rest(scene: Make) -> None:
    """Whatever came before, from the longest silence on the rate is asked for again."""
    it = scene(on(0))
    client = it.client(high_water=10_000_000)
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
    upstream = await it.accept(LEGACY)
    for _ in range(20):
        client.send(b"x" * 50_000)
        upstream.take()
    it.wait(RESPONSE_TIMEOUT - 1)
    client.send(b"x")
    it.wait(2)
    assert client.status() == 408


async def test_time_in_which_we_do_not_take_the_body(scene: Make) -> None:
    """While the upstream does not read its client is not late, and afterwards has what it had."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    upstream = await it.accept(LEGACY)
    upstream.take()
    client.send(b"x" * 60_000, b"x" * 40_000)
    it.wait(RESPONSE_TIMEOUT - 5)
    client.send(b"x")
    assert not client.transport.is_reading()
    it.wait(RESPONSE_TIMEOUT - 1)
    upstream.take()
    it.wait(4)
    assert client.received() == b""
    it.wait(2)
    assert client.status() == 408


async def test_an_upstream_that_does_not_take_the_body(scene: Make) -> None:
    """It is the upstream that is late then, and by its own deadline."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    await it.accept(LEGACY)
    client.send(b"x" * 60_000, b"x" * 60_000)
    it.wait(RESPONSE_TIMEOUT)
    assert client.status() == 504


async def test_interim_answers_give_a_slow_client_no_time(scene: Make) -> None:
    """An upstream that says it is at work says nothing about the client's body."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    upstream = await it.accept(LEGACY)
    it.wait(BODY_GRACE - 1)
    upstream.receive(b"HTTP/1.1 102 Processing\r\n\r\n")
    it.wait(1)
    assert b"HTTP/1.1 408 " in client.received()
