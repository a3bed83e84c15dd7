"""A tunnel between two ends that are told what to do, with a clock that is told the time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.routing.side import Side
from proxy.routing.upstream_rules import Timeouts
from proxy.serving.tunnel import LAST_BYTES
from proxy.upstream.fake import FakeTransport
from tests.support_exchange import Client, Scene, get, on
from tests.support_routing import plain

LEGACY = Side.LEGACY
TUNNEL_IDLE = Timeouts().tunnel
Make = Callable[..., Scene]

ASK = get("/ws", "Connection: Upgrade", "Upgrade: websocket")
GIVE = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


async def opened(it: Scene) -> tuple[Client, FakeTransport]:
    """Open a tunnel."""
    client = it.client(high_water=1000)
    client.send(ASK)
    upstream = await it.accept(LEGACY)
    upstream.take()
    upstream.receive(GIVE)
    assert client.received().startswith(b"HTTP/1.1 101 Switching\r\n")
    return client, upstream


async def test_a_tunnel_is_one_good_answer(scene: Make) -> None:
    """It counts when it opens; its line is written when it has ended."""
    it = scene(on(0))
    client, upstream = await opened(it)
    assert it.counts("all", LEGACY) == {"decided": 1, "served": 1, "ok": 1}
    assert not it.log.lines
    assert it.plane.admission.in_flight == 1
    assert it.plane.pools[LEGACY].figures["leased"] == 1
    client.send(b"abc")
    upstream.receive(b"defg")
    it.wait(5)
    client.transport.end()
    upstream.end()
    upstream.settle()
    client.transport.settle()
    (line,) = it.log.lines
    assert (line["status"], line["outcome"], line["tunnel"]) == (101, "ok", "closed")
    assert (line["bytes_in"], line["bytes_out"], line["total_ms"]) == (3, 4, 5000)
    assert it.events("tunnels") == {"closed": 1}
    assert it.counts("all", LEGACY) == {"decided": 1, "served": 1, "ok": 1}


async def test_the_pool_has_its_place_back_at_once(scene: Make) -> None:
    """An upstream that is gone takes no place of the pool while its client still reads."""
    it = scene(on(0))
    client, upstream = await opened(it)
    upstream.receive(b"x" * 500)
    upstream.end()
    client.transport.end()
    upstream.settle()
    assert it.plane.pools[LEGACY].figures["leased"] == 0
    assert it.plane.admission.in_flight == 1
    assert client.received() == b"x" * 500
    client.transport.settle()
    assert it.plane.admission.in_flight == 0


async def test_a_slow_end_holds_the_other(scene: Make) -> None:
    """What one does not take the other does not send, and goes on when it does."""
    it = scene(on(0))
    client, upstream = await opened(it)
    upstream.receive(b"x" * 1001)
    assert not upstream.is_reading()
    assert client.received() == b"x" * 1001
    assert upstream.is_reading()
    client.send(b"y" * 100_001)
    assert not client.transport.is_reading()
    upstream.take()
    assert client.transport.is_reading()
    client.leave()
    upstream.settle()


async def test_early_bytes_of_a_client_that_does_not_read(scene: Make) -> None:
    """What came behind the 101 counts towards what may wait."""
    it = scene(on(0))
    client = it.client(high_water=1000)
    client.send(ASK, b"early")
    upstream = await it.accept(LEGACY)
    assert not upstream.take().endswith(b"early")
    upstream.receive(GIVE + b"x" * 1000)
    assert upstream.take() == b"early"
    assert not upstream.is_reading()
    client.leave()
    upstream.settle()


async def test_an_end_that_cannot_be_half_closed(scene: Make) -> None:
    """TLS knows no half of a connection: when the other end has ended, the whole is closed."""
    it = scene(on(0))
    client, upstream = await opened(it)
    client.transport.can_write_eof = lambda: False  # type: ignore[method-assign]
    upstream.receive(b"last words")
    upstream.end()
    assert client.transport.closing
    assert not client.reset
    assert client.received() == b"last words"
    client.transport.settle()
    assert upstream.closing
    assert not upstream.aborted
    upstream.settle()
    assert it.log.lines[0]["tunnel"] == "closed"


@pytest.mark.parametrize("ending", [False, True])
async def test_silence(scene: Make, ending: bool) -> None:
    """It is borne for an hour, and not as long once one end has said that it sends no more."""
    it = scene(on(0))
    client, upstream = await opened(it)
    if ending:
        client.transport.end()
        assert upstream.eof_written
    it.wait((LAST_BYTES if ending else TUNNEL_IDLE) - 1)
    upstream.receive(b"x")
    it.wait((LAST_BYTES if ending else TUNNEL_IDLE) - 1)
    before = client.reset
    it.wait(1)
    assert (before, client.reset, upstream.aborted) == (False, True, True)
    client.transport.settle()
    upstream.settle()
    assert it.events("tunnels") == {"idle": 1}


async def test_a_short_silence_stays_short(scene: Make) -> None:
    """Rules that bear less than what an ending tunnel gets are kept to the end."""
    upstreams = plain()["upstreams"]
    upstreams["legacy"]["timeouts"] = {"tunnel": "10s"}
    it = scene(on(0), upstreams=upstreams)
    client, upstream = await opened(it)
    client.transport.end()
    it.wait(9)
    before = client.reset
    it.wait(1)
    assert (before, client.reset) == (False, True)
    upstream.settle()


@pytest.mark.parametrize("first", ["client", "upstream"])
async def test_a_break_is_passed_on(scene: Make, first: str) -> None:
    """Whoever breaks a tunnel is named, and the other end sees a break, too."""
    it = scene(on(0))
    client, upstream = await opened(it)
    ends = {"client": client.transport, "upstream": upstream}
    ends.pop(first).lose(ConnectionResetError())
    (other,) = ends.values()
    assert other.aborted
    other.settle()
    assert it.events("tunnels") == {first: 1}


async def test_what_nobody_asked_for_opens_nothing(scene: Make) -> None:
    """A 101 of another protocol is a failure of the side, and a 502."""
    it = scene(on(0))
    client = it.client()
    client.send(ASK)
    upstream = await it.accept(LEGACY)
    upstream.receive(GIVE.replace(b"websocket", b"h2c"))
    assert client.status() == 502
    assert client.closed
    assert upstream.aborted
    assert it.counts("all", LEGACY) == {"decided": 1, "bad": 1}


async def test_a_tunnel_is_not_mirrored(scene: Make) -> None:
    """Neither opened nor refused: the other side never hears of it."""
    it = scene(on(0, mirror={"share": "100%"}))
    client, upstream = await opened(it)
    client.leave()
    upstream.settle()
    refused = it.client()
    refused.send(ASK)
    (await it.accept(LEGACY)).receive(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    assert refused.status() == 403
    assert not it.tap.captures
    assert not it.dropped()
