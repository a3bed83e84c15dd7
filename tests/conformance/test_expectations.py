"""Who waits for a 100 before sending a body gets one: the upstream's, or after a second ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.serving.pace import BODY_GRACE, CONTINUE_AFTER
from tests.support_plane import Client, Rig, Upstream, Upstreamed, canary, steady
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
both_sides = pytest.mark.parametrize("path", ["/l/", "/m/"])

GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FRAMINGS = [
    (b"Content-Length: 5\r\n", b"abcde"),
    (b"Transfer-Encoding: chunked\r\n", b"5\r\nabcde\r\n0\r\n\r\n"),
]
every_framing = pytest.mark.parametrize(("framing", "body"), FRAMINGS, ids=["length", "chunked"])


def head(path: str, framing: bytes, method: str = "PUT") -> bytes:
    """Write the head of a request that waits."""
    line = f"{method} {path}x HTTP/1.1\r\nHost: h\r\n".encode()
    return line + framing + b"expect: 100-Continue\r\n\r\n"


def forwarded(rig: Rig, path: str, framing: bytes, method: str = "PUT") -> bytes:
    """Write the head that the upstream should see."""
    return (
        f"{method} {path}x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 127.0.0.1\r\n"
        f"X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nX-Forwarded-Port: {rig.port}\r\n"
        'Forwarded: for=127.0.0.1;host="h";proto=http\r\nVia: 1.1 cutover\r\n'
    ).encode() + framing + b"Expect: 100-continue\r\nX-Request-Id: ID\r\n\r\n"  # fmt: skip


def side_of(rig: Rig, path: str) -> Upstream:
    """Give the upstream behind a path."""
    return rig.legacy if path == "/l/" else rig.modern


async def waiting(rig: Rig, client: Client, path: str) -> Upstreamed:
    """Wait until an upstream has the head and is to decide; nothing has been said to the client."""
    upstream = await rig.saw_part(side_of(rig, path), b"\r\n\r\n")
    assert not client.received
    return upstream


async def until_read(client: Client) -> None:
    """Let what was sent to a client arrive, and nothing more."""
    await client.until(lambda: client.received == GO_ON, "one 100")
    client.received.clear()


@every_split
@every_framing
@both_sides
async def test_the_upstream_says_when(
    rig: Rig, path: str, framing: bytes, body: bytes, split: Split
) -> None:
    """The field is passed on, the upstream's 100 comes back, once, and the body follows."""
    client = await rig.client()
    await client.send(split(head(path, framing)))
    upstream = await waiting(rig, client, path)
    assert steady(upstream.unread) == forwarded(rig, path, framing)
    await upstream.send(split(GO_ON + GO_ON))
    await until_read(client)
    await client.send(split(body))
    answer = await client.answer()
    assert answer.raw.startswith(b"HTTP/1.1 200 ")
    request = side_of(rig, path).requests[0]
    assert request.raw.startswith(forwarded(rig, path, framing))
    assert request.body == b"abcde"
    await client.is_clean()
    await client.is_clean(path)


@every_split
@every_framing
async def test_an_upstream_that_says_nothing(
    rig: Rig, framing: bytes, body: bytes, split: Split
) -> None:
    """After a second the client gets our own 100; the upstream's, if it comes, is too late."""
    client = await rig.client()
    await client.send(split(head("/l/", framing, "POST")))
    upstream = await waiting(rig, client, "/l/")
    rig.later(CONTINUE_AFTER)
    await until_read(client)
    await upstream.send(split(GO_ON))
    await client.send(split(body))
    assert (await client.answer()).raw.startswith(b"HTTP/1.1 200 ")
    request = rig.legacy.requests[0]
    assert request.raw.startswith(forwarded(rig, "/l/", framing, "POST"))
    assert request.body == b"abcde"
    await client.is_clean()


@every_split
@every_framing
async def test_a_client_that_does_not_wait(
    rig: Rig, framing: bytes, body: bytes, split: Split
) -> None:
    """A body that comes at once is passed on at once, and nobody is told to go on."""

    def raw(connection: Upstreamed) -> None:
        if connection.unread.endswith(b"e" if framing.startswith(b"C") else b"\r\n0\r\n\r\n"):
            rig.legacy.raw = None
            connection.write(GO_ON)
            connection.read_on()

    rig.legacy.raw = raw
    answer, client = await rig.ask(head("/l/", framing) + body, split=split)
    assert answer.raw.startswith(b"HTTP/1.1 200 ")
    request = rig.legacy.requests[0]
    assert request.raw.startswith(forwarded(rig, "/l/", framing))
    assert request.body == b"abcde"
    await client.is_clean()


@every_split
@every_framing
@pytest.mark.parametrize("sends", [False, True], ids=["waits", "sends"])
@pytest.mark.parametrize("status", [b"417 No", b"401 Who", b"200 OK", b"500 Oh"])
async def test_a_final_answer_first(
    rig: Rig, status: bytes, framing: bytes, body: bytes, split: Split, sends: bool
) -> None:
    """A final answer before the body ends the client's connection: what comes is no request."""
    client = await rig.client()
    await client.send([head("/l/", framing, "POST")])
    upstream = await waiting(rig, client, "/l/")
    await upstream.send(split(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno"))
    answer = await client.answer()
    assert answer.raw.startswith(b"HTTP/1.1 " + status)
    assert (answer.body, answer.get("connection")) == (b"no", "close")
    if sends:
        await client.send(split(body + b"GET /l/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"))
    assert await client.end() == "closed"
    assert not client.received
    await upstream.end()
    assert not rig.legacy.requests


@every_framing
async def test_modern_that_dies_before_it_says_when(rig: Rig, framing: bytes, body: bytes) -> None:
    """Legacy is asked in its place, and the client hears of one 100."""
    await rig.modern.hang_up()
    client = await rig.client()
    await client.send([head("/m/", framing)])
    (await waiting(rig, client, "/m/")).reset()
    upstream = await waiting(rig, client, "/l/")
    assert steady(upstream.unread) == forwarded(rig, "/m/", framing)
    upstream.write(GO_ON)
    await until_read(client)
    await client.send([body])
    assert (await client.answer()).get("cutover-side") == "legacy"
    assert rig.legacy.requests[0].body == b"abcde"
    await client.is_clean()


@every_framing
async def test_modern_that_dies_after_it_said_when(rig: Rig, framing: bytes, body: bytes) -> None:
    """A client that has been told to send is not told again, nor does legacy hear that it waits."""
    await rig.modern.hang_up()
    client = await rig.client()
    await client.send([head("/m/", framing)])
    upstream = await waiting(rig, client, "/m/")
    upstream.write(GO_ON)
    await until_read(client)
    upstream.reset()
    upstream = await waiting(rig, client, "/l/")
    told = forwarded(rig, "/m/", framing).replace(b"Expect: 100-continue\r\n", b"")
    assert steady(upstream.unread) == told
    upstream.write(GO_ON)
    await client.send([body])
    assert (await client.answer()).raw.startswith(b"HTTP/1.1 200 ")
    assert rig.legacy.requests[0].body == b"abcde"
    await client.is_clean()


async def test_a_client_that_is_told_and_sends_nothing(rig: Rig) -> None:
    """Once it may send, a client has as long as any other to begin."""
    client = await rig.client()
    await client.send([head("/l/", b"Content-Length: 5\r\n")])
    upstream = await waiting(rig, client, "/l/")
    upstream.write(GO_ON)
    await until_read(client)
    rig.later(BODY_GRACE + 1)
    answer = await client.answer()
    assert (answer.status, answer.get("connection")) == (408, "close")
    assert await client.end() == "closed"
    await upstream.end()


@every_split
async def test_expectations_behind_each_other(rig: Rig, split: Split) -> None:
    """A request that waits is followed by another that waits, each with a 100 and an answer."""
    client = await rig.client()
    for token in (canary(), canary()):
        raw = head("/l/", b"Content-Length: 5\r\n").replace(b"/l/x", f"/l/{token}".encode())
        await client.send(split(raw))
        upstream = await waiting(rig, client, "/l/")
        await upstream.send(split(GO_ON))
        await until_read(client)
        await client.send(split(b"abcde"))
        assert (await client.answer()).body == token.encode()
    await client.is_clean()
