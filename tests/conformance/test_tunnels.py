"""WebSocket tunnels: only behind a 101 that was asked for, and then every byte both ways."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from proxy.routing.side import Side
from proxy.routing.upstream_rules import Timeouts
from proxy.serving.tunnel import LAST_BYTES
from proxy.snapshot import Snapshot
from tests.conformance.test_streaming import until_still
from tests.support import eventually_async
from tests.support_plane import (
    Client,
    Received,
    Rig,
    Upstream,
    Upstreamed,
    echo,
    running,
    says,
    snapshot,
)
from tests.support_wire import SPLITS, Pieces, in_two

pytestmark = pytest.mark.asyncio(loop_scope="session")

TUNNEL_IDLE = Timeouts().tunnel
Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
ASK = (
    b"GET /l/ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n"
    + KEY
    + b"\r\n"
)
GIVE = (
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    + ACCEPT
    + b"\r\n"
)
GIVEN = (
    b"HTTP/1.1 101 Switching Protocols\r\n" + ACCEPT + b"Cutover-Side: legacy\r\n"
    b"Cutover-Route: legacy\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
)
PLENTY = 64 * 1024 * 1024
"""More bytes than the kernel keeps for two connections, however it has sized their buffers."""

NEXT = b"GET /l/next HTTP/1.1\r\nHost: h\r\n\r\n"


def asked(rig: Rig, *fields: bytes, line: bytes = b"GET /l/ws", upgrade: bool = True) -> bytes:
    """Write what the upstream should see of a request for a tunnel, or of one that is none."""
    way = (
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
        f'X-Forwarded-Port: {rig.port}\r\nForwarded: for=127.0.0.1;host="h";proto=http\r\n'
        "Via: 1.1 cutover\r\n"
    ).encode()
    ours = b"Connection: Upgrade\r\nUpgrade: websocket\r\n" if upgrade else b""
    lines = b"".join(field + b"\r\n" for field in fields)
    return (
        line + b" HTTP/1.1\r\nHost: h\r\n" + KEY + way + ours + lines + b"X-Request-Id: ID\r\n\r\n"
    )


async def tunnel(
    rig: Rig, ask: bytes = ASK, side: Upstream | None = None, client: Client | None = None
) -> tuple[Client, Upstreamed]:
    """Open a tunnel; give both its ends, with nothing received but the heads."""
    side = side or rig.legacy
    side.answers(says(GIVE))
    client = client or await rig.client()
    number = len(side.requests) + 1
    await client.send([ask])
    received = await side.got(number)
    await client.until(lambda: client.received.endswith(b"\r\n\r\n"), "101")
    assert client.received.startswith(b"HTTP/1.1 101 "), client.received
    client.received.clear()
    return client, received.connection


async def both_ways(client: Client, upstream: Upstreamed) -> None:
    """Prove that bytes pass, whatever they are."""
    ping, pong = b"GET / HTTP/1.1\r\n\x00\xff ping", b"HTTP/1.1 999\r\n\r\n\x00\xff pong"
    client.write(ping)
    await upstream.until(lambda: upstream.received.endswith(ping), "bytes of the client")
    upstream.write(pong)
    await client.until(lambda: client.received.endswith(pong), "bytes of the upstream")


async def ended(rig: Rig, how: str) -> dict[str, object]:
    """Wait until a tunnel has been recorded, and nothing is left of it; give its line."""
    await nothing_left(rig)
    line = rig.log.lines[-1]
    assert (line["status"], line["outcome"], line["tunnel"]) == (101, "ok", how)
    return line


async def nothing_left(rig: Rig) -> None:
    """Wait until no exchange is in flight and no connection is leased."""

    async def quiet() -> bool:
        leased = sum(pool.figures["leased"] for pool in rig.plane.pools.values())
        return leased == rig.plane.admission.in_flight == 0

    await eventually_async(quiet, 10, "an end of all exchanges")


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_tunnel_stays(shared_rig: Rig) -> AsyncIterator[None]:
    """End what a case has left open, at both ends."""
    yield
    shared_rig.forget()
    for client in shared_rig.clients:
        client.reset()
    await shared_rig.legacy.hang_up()
    await shared_rig.modern.hang_up()
    await nothing_left(shared_rig)


# Opening


@every_split
async def test_tunnel(rig: Rig, split: Split) -> None:
    """Behind a 101 both ends get exactly what the other sent, what came early first."""
    rig.legacy.answers(says(*split(GIVE + b"early down")))
    client = await rig.client()
    await client.send(split(ASK + b"early up"))
    request = await rig.legacy.got(1)
    assert request.raw == asked(rig)
    upstream = request.connection
    await upstream.until(lambda: upstream.unread == b"early up", "what the client sent ahead")
    await client.until(lambda: client.received == GIVEN + b"early down", "101 and what followed")
    await client.send(split(b"up\r\n\x00"))
    await upstream.until(lambda: upstream.unread == b"early upup\r\n\x00", "bytes")
    await upstream.send(split(b"down\r\n\x00"))
    await client.until(lambda: client.received == GIVEN + b"early downdown\r\n\x00", "bytes")
    client.half_close()
    assert await upstream.end() == "closed"
    upstream.write(b"last words")
    await client.until(lambda: client.received.endswith(b"last words"), "last words")
    upstream.close()
    assert await client.end() == "closed"
    line = await ended(rig, "closed")
    assert (line["bytes_in"], line["bytes_out"]) == (13, 27)
    assert (line["route"], line["side"], line["path"]) == ("legacy", "legacy", "/l/ws")
    await rig.is_clean()
    assert all(request.connection is not upstream for request in rig.legacy.requests[1:])


async def test_tunnel_to_modern(rig: Rig) -> None:
    """A tunnel goes to the side that was decided on, and counts there as one good answer."""
    before = rig.counted("modern", Side.MODERN)
    client, upstream = await tunnel(rig, ASK.replace(b"/l/", b"/m/"), rig.modern)
    await both_ways(client, upstream)
    client.reset()
    await upstream.end()
    await ended(rig, "client")
    counted = rig.counted("modern", Side.MODERN) - before
    assert counted == Counter(decided=1, served=1, ok=1)


async def test_early_hints_pass_before_a_tunnel(rig: Rig) -> None:
    """Interim answers before the 101 pass as before any answer."""
    rig.legacy.answers(says(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GIVE))
    client = await rig.client()
    await client.send([ASK])
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    await client.until(lambda: client.received == hints + GIVEN, "hints and 101")


def frame(payload: bytes, mask: bytes = b"") -> bytes:
    """Write a text frame of less than 126 bytes (RFC 6455, 5.2)."""
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload
    return bytes((0x81, len(payload) | (0x80 if mask else 0))) + mask + masked


async def test_websocket(rig: Rig) -> None:
    """A client and a server that keep RFC 6455 speak with each other: key, masks, close frames."""

    async def server(connection: Upstreamed, request: Received) -> None:
        key = (request.get("sec-websocket-key") or "").encode()
        guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1(key + guid, usedforsecurity=False).digest()
        connection.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        await connection.until(lambda: len(connection.unread) == 11, "a masked frame")
        data = connection.unread
        assert data[:2] == b"\x81\x85"
        connection.write(frame(bytes(byte ^ data[2 + at % 4] for at, byte in enumerate(data[6:]))))
        await connection.until(lambda: connection.unread[11:] == closing, "a close frame")
        connection.write(b"\x88\x02\x03\xe8")
        connection.close()

    rig.legacy.answers(server)
    closing = b"\x88\x82\x01\x02\x03\x04" + bytes((0x03 ^ 1, 0xE8 ^ 2))
    client = await rig.client()
    await client.send([ASK])
    await client.until(lambda: client.received.endswith(b"\r\n\r\n"), "101")
    assert ACCEPT in client.received  # RFC 6455, 1.3: the answer to the sample nonce
    client.received.clear()
    client.write(frame(b"Hello", b"\x37\xfa\x21\x3d"))
    await client.until(lambda: client.received == b"\x81\x05Hello", "an unmasked frame")
    client.write(closing)
    await client.until(lambda: client.received.endswith(b"\x88\x02\x03\xe8"), "a close frame")
    assert await client.end() == "closed"
    client.close()
    await ended(rig, "closed")


# Not opening


@every_split
@pytest.mark.parametrize(
    "refusal",
    [
        b"HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Content-Length: 2\r\n\r\nno",
        b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
    ],
    ids=["426", "403", "200", "500"],
)
@pytest.mark.parametrize("path", [b"/l/", b"/m/"])
async def test_refused_upgrade(rig: Rig, path: bytes, refusal: bytes, split: Split) -> None:
    """Any answer but 101 is an answer: what the client sent ahead is its next request."""
    side = rig.legacy if path == b"/l/" else rig.modern
    sent: list[bytes] = []

    async def refuses(connection: Upstreamed, _: Received) -> None:
        sent.append(connection.unread)
        await connection.send(split(refusal))

    side.answers(refuses)
    client = await rig.client()
    await client.send(split((ASK + NEXT).replace(b"/l/", path)))
    answer = await client.answer()
    assert answer.raw.startswith(refusal[:13])
    assert answer.body == b"no"
    assert (answer.get("upgrade"), answer.get("connection")) == (None, None)
    assert (await client.answer()).body == b"next"
    assert sent == [b""], "nothing went out behind the request before its answer"
    assert [request.target for request in side.requests] == [
        path.decode() + "ws", path.decode() + "next",
    ]  # fmt: skip
    assert side.requests[0].raw == asked(rig, line=b"GET " + path + b"ws")
    await client.is_clean()


async def test_surplus_behind_a_refused_upgrade_is_judged_as_a_request(rig: Rig) -> None:
    """Frames that a client sends before it knows are no request once the upgrade is refused."""
    rig.legacy.answers(says(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"))
    client = await rig.client()
    await client.send([ASK + frame(b"Hello", b"\x37\xfa\x21\x3d") + b"\r\n\r\n" + NEXT])
    assert (await client.answer()).status == 403
    assert (await client.answer()).status == 400
    assert await client.end() == "closed"
    assert len(rig.legacy.requests) == 1


@every_split
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Upgrade: h2c\r\n\r\n",
        b"HTTP/1.0 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["bare", "no protocol", "not meant", "another", "several", "two lines", "1.0", "framing"],
)
@pytest.mark.parametrize("path", [b"/l/", b"/m/"])
async def test_bad_101(rig: Rig, path: bytes, answer: bytes, split: Split) -> None:
    """A 101 that gives anything but what was asked for is a 502, and both connections end."""
    side = rig.legacy if path == b"/l/" else rig.modern
    side.answers(says(*split(answer + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")))
    client = await rig.client()
    await client.send([ASK.replace(b"/l/", path) + NEXT])
    told = await client.answer()
    assert (told.status, told.get("connection")) == (502, "close")
    assert await client.end() == "closed"
    assert not client.received
    await side.requests[0].connection.end()
    assert len(rig.legacy.requests) + len(rig.modern.requests) == 1


STRIPPED = [
    ("h2c", b"GET", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
     b"HTTP2-Settings: AA\r\n"),
    ("several", b"GET", b"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"),
    ("two lines", b"GET", b"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"),
    ("not meant", b"GET", b"Upgrade: websocket\r\n"),
    ("nothing named", b"GET", b"Connection: Upgrade\r\n"),
    ("TLS", b"OPTIONS", b"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
    ("HEAD", b"HEAD", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    ("DELETE", b"DELETE", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
]  # fmt: skip


@every_split
@pytest.mark.parametrize(
    ("method", "fields"), [case[1:] for case in STRIPPED], ids=[case[0] for case in STRIPPED]
)
async def test_other_upgrades_are_stripped(
    rig: Rig, method: bytes, fields: bytes, split: Split
) -> None:
    """No other upgrade leaves; a 101 to such a request was not asked for."""
    raw = method + b" /l/ws HTTP/1.1\r\nHost: h\r\n" + fields + KEY + b"\r\n"
    answer, client = await rig.ask(raw, method=method.decode(), split=split)
    assert answer.status == 200
    assert rig.legacy.requests[0].raw == asked(rig, line=method + b" /l/ws", upgrade=False)
    await client.is_clean()
    rig.legacy.answers(says(GIVE))
    refused, late = await rig.ask(raw, method=method.decode(), split=split)
    assert refused.status == 502
    assert await late.end() == "closed"


@every_split
@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Content-Length: 5", b"abcde"), (b"Transfer-Encoding: chunked", b"5\r\nabcde\r\n0\r\n\r\n")],
)
async def test_upgrade_with_a_body_is_stripped(
    rig: Rig, framing: bytes, body: bytes, split: Split
) -> None:
    """A GET with a body asks for no tunnel: the body's framing counts, and the next is clean."""
    raw = ASK[:-2] + framing + b"\r\n\r\n" + body
    answer, client = await rig.ask(raw, split=split)
    assert answer.status == 200
    seen = rig.legacy.requests[0]
    assert seen.raw.startswith(asked(rig, framing, upgrade=False))
    assert seen.body == b"abcde"
    await client.is_clean()


async def test_upgrade_in_http_1_0_is_stripped(rig: Rig) -> None:
    """HTTP/1.0 knows no upgrades (RFC 9110, 7.8)."""
    answer, client = await rig.ask(ASK.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert answer.status == 200
    assert rig.legacy.requests[0].raw == asked(rig, upgrade=False)
    client.close()


# Once, or again


async def test_modern_that_cannot_be_asked(rig: Rig) -> None:
    """Where modern provably saw nothing, legacy opens the tunnel."""
    await rig.modern.stop()
    client, upstream = await tunnel(rig, ASK.replace(b"/l/", b"/m/"), rig.legacy)
    await both_ways(client, upstream)
    client.reset()
    await upstream.end()
    await rig.modern.listen()


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (says(then="reset"), 502),
        (says(b"HTTP/1.1 101 Swi", then="close"), 502),
        (says(b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n"), 503),
    ],
    ids=["reset", "half a head", "503"],
)
async def test_modern_that_may_have_begun_a_session(rig: Rig, broken: object, status: int) -> None:
    """A request for a tunnel that modern has read is not repeated on legacy."""
    await rig.modern.hang_up()
    rig.modern.answers(broken)  # type: ignore[arg-type] # a handler
    answer, client = await rig.ask(ASK.replace(b"/l/", b"/m/"))
    assert (answer.status, len(rig.modern.requests), len(rig.legacy.requests)) == (status, 1, 0)
    if answer.get("connection") is None:
        await client.is_clean()


@pytest.mark.parametrize("death", ["close", "reset"])
async def test_stale_connection_is_replaced(rig: Rig, death: str) -> None:
    """A reused connection that dies unanswered is replaced, as for any GET."""
    client = await rig.client()
    await client.is_clean()
    client.close()
    rig.forget()
    rig.legacy.answers(says(then=death))
    rig.legacy.answers(says(GIVE))
    client = await rig.client()
    await client.send([ASK])
    await client.until(lambda: client.received == GIVEN, "101")
    assert [request.raw for request in rig.legacy.requests] == [asked(rig)] * 2


# Ending


async def test_resets_pass(rig: Rig) -> None:
    """What one end breaks is broken for the other, and the record says who began."""
    client, upstream = await tunnel(rig)
    client.reset()
    assert await upstream.end() == "reset"
    await ended(rig, "client")
    rig.log.lines.clear()
    client, upstream = await tunnel(rig)
    upstream.reset()
    assert await client.end() == "reset"
    await ended(rig, "upstream")


async def test_upstream_closes_first(rig: Rig) -> None:
    """An upstream that has no more to say still hears the client out."""
    client, upstream = await tunnel(rig)
    upstream.half_close()
    assert await client.end() == "closed"
    client.write(b"still here")
    await upstream.until(lambda: upstream.unread == b"still here", "bytes")
    client.close()
    await upstream.until(lambda: upstream.ended, "end")
    await ended(rig, "closed")


async def test_half_closed_before_it_opens(rig: Rig) -> None:
    """A client that has sent all it had before the 101 is passed on so: bytes, then the end."""
    client = await rig.client()
    await client.send([ASK + b"all I have"])
    client.half_close()
    release = asyncio.Event()

    async def late(connection: Upstreamed, _: Received) -> None:
        await release.wait()
        await connection.send([GIVE])

    rig.legacy.handlers.clear()
    rig.legacy.answers(late)
    upstream = (await rig.legacy.got(1)).connection
    release.set()
    await upstream.until(lambda: upstream.unread == b"all I have", "bytes")
    assert await upstream.end() == "closed"
    upstream.write(b"thanks")
    await client.until(lambda: client.received == GIVEN + b"thanks", "answer")
    upstream.close()
    await ended(rig, "closed")


async def test_client_leaves_before_the_101(rig: Rig) -> None:
    """A 101 that meets its client's reset in the same turn opens nothing that stays."""
    for _ in range(5):
        rig.forget()

        client = await rig.client()

        async def gives(connection: Upstreamed, _: Received, client: Client = client) -> None:
            connection.write_now(GIVE + b"early")
            client.reset()

        rig.legacy.answers(gives)
        await client.send([ASK])
        upstream = (await rig.legacy.got(1)).connection
        await upstream.end()
    await nothing_left(rig)


async def test_idle_tunnel(rig: Rig) -> None:
    """Silence from both ends for the limit cuts a tunnel; a byte from either begins anew."""
    client, upstream = await tunnel(rig)
    for end, other in ((client, upstream), (upstream, client), (client, upstream)):
        rig.later(TUNNEL_IDLE - 1)
        end.write(b"x")
        length = len(other.received)
        await other.until(lambda o=other, n=length: len(o.received) > n, "a byte")  # type: ignore[misc]
    rig.later(TUNNEL_IDLE + 1)
    assert await client.end() == "reset"
    assert await upstream.end() == "reset"
    await ended(rig, "idle")


async def test_end_that_does_not_take_the_rest(rig: Rig) -> None:
    """What is left for an end once both have ended is kept for a while, not for ever."""
    client, upstream = await tunnel(rig)
    client.pause()
    upstream.write(b"x" * PLENTY)
    assert await until_still(lambda: upstream.unsent), "the kernel's buffers took everything"
    upstream.reset()
    await upstream.end()
    client.write(b"is anybody there?")
    client.resume()
    assert await client.end() == "reset"
    assert len(client.received) < PLENTY
    await ended(rig, "upstream")


async def test_last_bytes(rig: Rig) -> None:
    """What an upstream said before it closed reaches a client that reads late; not for ever."""
    for late, how in (False, "closed"), (True, "idle"):
        rig.forget()
        client, upstream = await tunnel(rig)
        client.pause()
        upstream.write(b"x" * 8_000_000)
        client.half_close()
        assert await upstream.end() == "closed"
        upstream.close()
        (downstream,) = rig.worker._live
        sent = downstream._transport.get_write_buffer_size
        await until_still(lambda: rig.plane.pools[Side.LEGACY].figures["leased"])
        assert sent(), "the kernel's buffers took everything"
        if late:
            rig.later(LAST_BYTES + 1)
        client.resume()
        assert await client.end() == ("reset" if late else "closed")
        assert (len(client.received) == 8_000_000) is not late
        await ended(rig, how)


# Bounds


@pytest.mark.parametrize("way", ["up", "down"])
async def test_end_that_does_not_read(rig: Rig, way: str) -> None:
    """An end that does not read holds the other back; when it reads on it gets every byte."""
    client, upstream = await tunnel(rig)
    fast, slow = (client, upstream) if way == "up" else (upstream, client)
    rig.legacy.raw = lambda _: None
    data = bytes(range(256)) * (PLENTY // 256)
    slow.pause()
    slow.received.clear()
    fast.write(data)
    assert await until_still(lambda: fast.unsent), "the kernel's buffers took everything"
    (downstream,) = rig.worker._live
    (connection,) = rig.plane.pools[Side.LEGACY].members.all[0].leased
    assert connection._transport is not None
    inside = (
        downstream._transport.get_write_buffer_size()
        + connection._transport.get_write_buffer_size()
    )
    assert inside < 400_000
    slow.resume()
    await slow.until(lambda: len(slow.received) == len(data), "everything")
    assert slow.received == data
    await both_ways(client, upstream)


async def test_tunnels_count(own_rig: Rig) -> None:
    """A tunnel holds a place among exchanges and one of the pool's connections until it ends."""
    rig = own_rig
    ends = [await tunnel(rig) for _ in range(4)]
    pool = rig.plane.pools[Side.LEGACY]
    assert (pool.figures["leased"], rig.plane.admission.in_flight) == (4, 4)
    waiting = await rig.client()
    await waiting.send([NEXT])
    await rig.has_waiting(pool, 1)
    ends[0][0].reset()
    assert (await waiting.answer()).body == b"next"
    await waiting.is_clean()
    for client, upstream in ends[1:]:
        await both_ways(client, upstream)


# Other rules, and the end of the worker


async def test_rules_change_under_a_tunnel(own_rig: Rig) -> None:
    """New rules, a rollback and the kill switch leave tunnels alone; the next request obeys."""
    client, upstream = await tunnel(own_rig, ASK.replace(b"/l/", b"/m/"), own_rig.modern)
    await outlives_changes(own_rig, client, upstream)
    client.close()
    await upstream.end()


async def outlives_changes(rig: Rig, client: Client, upstream: Upstreamed) -> None:
    """Prove that a tunnel to modern goes on under other rules, a rollback and the kill switch."""
    elsewhere = rig.document(upstreams={"modern": {"instances": ["http://127.0.0.1:1"]}})
    rig.rules(elsewhere)
    await both_ways(client, upstream)
    for changes in ({"rolled_back": frozenset({"modern"})}, {"kill_switch": True}):
        rig.version += 1
        plain = rig.document(upstreams={})
        rules = snapshot(plain).rules
        state = Snapshot(rig.version, plain, rules, **changes)
        rig.worker.on_message("snapshot", state.to_wire())
        await both_ways(client, upstream)
        answer, _ = await rig.ask(b"GET /m/x HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (answer.status, answer.get("cutover-side")) == (200, "legacy")


async def test_events_under_a_change_of_rules(own_rig: Rig) -> None:
    """A stream of events goes on under new rules, each event at the client before the next."""
    rig, go_on = own_rig, asyncio.Event()

    async def events(connection: Upstreamed, _: Received) -> None:
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        connection.write(b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            connection.write(b"9\r\ndata: %d\n\n\r\n" % number)
            await go_on.wait()
            go_on.clear()
        connection.write(b"0\r\n\r\n")

    rig.modern.answers(events)
    client = await rig.client()
    await client.send([b"GET /m/events HTTP/1.1\r\nHost: h\r\n\r\n"])
    for number in range(3):
        await client.until(lambda n=number: b"data: %d\n\n" % n in client.received, "event")  # type: ignore[misc]
        rig.rules(rig.document(upstreams={"modern": {"max_connections": 8 + number}}))
        go_on.set()
    assert (await client.answer()).body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    await client.is_clean()


async def test_drain_keeps_tunnels(own_rig: Rig) -> None:
    """While the worker drains a tunnel goes on, and the worker ends when it does."""
    rig = own_rig
    idle = await rig.client()
    await idle.is_clean()
    client, upstream = await tunnel(rig)
    rig.worker.stop()
    assert await idle.end() == "closed"
    await both_ways(client, upstream)
    client.half_close()
    assert await upstream.end() == "closed"
    upstream.close()
    assert await client.end() == "closed"


async def test_drain_deadline_cuts_tunnels(tmp_path: Path) -> None:
    """At the deadline of a drain a tunnel is cut, for both ends to see."""
    async with running(tmp_path, drain_seconds=0.2) as rig:
        client, upstream = await tunnel(rig)
        await client.send(in_two(b"going on"))
        await upstream.until(lambda: upstream.unread == b"going on", "bytes")
        rig.worker.stop()
        assert await client.end() == "reset"
        assert await upstream.end() == "reset"
        await ended(rig, "cut")
        rig.legacy.answers(echo)
