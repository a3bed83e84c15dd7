"""When one side dies, in every stage: who is asked again, who is told, and who never hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from proxy.routing.side import Side
from proxy.serving.pace import BODY_GRACE
from tests.support_plane import Received, Rig, Upstreamed, says
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(method: str, target: str, body: bytes = b"", *, chunked: bool = False) -> bytes:
    """Write a request, with its body in one chunk or with a length."""
    framing = f"Content-Length: {len(body)}\r\n" if body else ""
    if chunked:
        framing = "Transfer-Encoding: chunked\r\n"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return f"{method} {target} HTTP/1.1\r\nHost: h\r\n{framing}\r\n".encode() + body


dies = pytest.mark.parametrize("death", ["close", "reset"])
idempotent = pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
changing = pytest.mark.parametrize("method", ["POST", "PATCH"])


async def warm(rig: Rig, path: str) -> None:
    """Leave exactly one idle connection to the side behind this path."""
    client = await rig.client()
    await client.is_clean(path)
    client.close()
    rig.forget()


# Once, or twice


@dies
@idempotent
async def test_stale_connection_is_replaced(rig: Rig, method: str, death: str) -> None:
    """A reused connection that dies unanswered is replaced, for methods that change nothing."""
    await warm(rig, "/l/")
    rig.legacy.answers(says(then=death))
    answer, client = await rig.ask(request(method, "/l/x"), method=method)
    assert answer.status == 200
    first, second = rig.legacy.requests
    assert first.raw == second.raw
    assert first.connection is not second.connection
    assert rig.log.lines[-1]["status"] == 200
    await client.is_clean()


@dies
@changing
async def test_write_is_never_sent_twice(rig: Rig, method: str, death: str) -> None:
    """A request that may have changed something is sent once, even on a connection that dies."""
    await warm(rig, "/l/")
    rig.legacy.answers(says(then=death))
    answer, client = await rig.ask(request(method, "/l/x", b"abcde"))
    assert answer.status == 502
    assert len(rig.legacy.requests) == 1
    await client.is_clean()


@dies
@idempotent
async def test_fresh_connection_is_not_replaced(rig: Rig, method: str, death: str) -> None:
    """A connection made for this request that dies is the application's failure, told as 502."""
    await rig.legacy.hang_up()
    rig.legacy.answers(says(then=death))
    answer, client = await rig.ask(request(method, "/l/x"), method=method)
    assert answer.status == 502
    assert len(rig.legacy.requests) == 1
    assert rig.log.lines[-1]["outcome"] == "reset"
    await client.is_clean()


@dies
async def test_second_death_is_told(rig: Rig, death: str) -> None:
    """A request is asked again once, not for ever."""
    await warm(rig, "/l/")
    rig.legacy.answers(says(then=death), says(then=death))
    answer, client = await rig.ask(request("GET", "/l/x"))
    assert answer.status == 502
    assert len(rig.legacy.requests) == 2
    await client.is_clean()


async def test_begun_answer_is_not_asked_again(rig: Rig) -> None:
    """A connection that dies within an answer's head has answered: nothing is repeated."""
    await warm(rig, "/l/")
    rig.legacy.answers(says(b"HTTP/1.1 200 O", then="close"))
    answer, client = await rig.ask(request("GET", "/l/x"))
    assert answer.status == 502
    assert len(rig.legacy.requests) == 1
    await client.is_clean()


async def test_close_that_races_a_write(rig: Rig) -> None:
    """A connection closed by the upstream a moment ago is not used for a request sent now."""
    await warm(rig, "/l/")
    connection = rig.legacy.connections[0]
    client = await rig.client()
    client.write_now(request("POST", "/l/x", b"abcde"))
    connection.shut_now()
    assert (await client.answer()).status == 200
    assert rig.legacy.requests[0].connection is not connection


# Legacy for modern


@idempotent
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    "broken",
    [
        says(then="reset"),
        says(then="close"),
        says(b"HTTP/1.1 200 OK\r\nContent-", then="reset"),
        says(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 502 Oh\r\nContent-Length: 3\r\n\r\nabc"),
        says(b"HTTP/1.1 503 Oh\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        says(b"HTTP/1.1 504 Oh\r\n\r\n", then="close"),
        says(b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["reset", "close", "half a head", "500", "502", "503", "504", "hints, then 500"],
)
async def test_legacy_serves_what_modern_failed(
    rig: Rig, method: str, broken: object, chunked: bool
) -> None:
    """An idempotent request that modern fails is served by legacy, body and all."""
    await rig.modern.hang_up()
    rig.modern.answers(broken)  # type: ignore[arg-type] # a handler
    raw = request(method, "/m/x", b"abcde", chunked=chunked)
    answer, client = await rig.ask(raw, method=method)
    assert (answer.status, answer.get("cutover-side")) == (200, "legacy")
    assert rig.legacy.requests[0].raw == rig.modern.requests[0].raw
    assert rig.legacy.requests[0].body == b"abcde"
    assert len(rig.modern.requests) == len(rig.legacy.requests) == 1
    await client.is_clean()


@changing
@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (says(then="reset"), 502),
        (says(then="close"), 502),
        (says(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), 500),
        (says(b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n"), 503),
        (says(b"SSH-2.0\r\n"), 502),
    ],
    ids=["reset", "close", "500", "503", "nonsense"],
)
async def test_legacy_never_sees_a_write_that_modern_saw(
    rig: Rig, method: str, broken: object, status: int
) -> None:
    """A request that may have changed something on modern is not repeated on legacy."""
    rig.modern.answers(broken)  # type: ignore[arg-type] # a handler
    answer, client = await rig.ask(request(method, "/m/x", b"abcde"))
    assert (answer.status, len(rig.modern.requests), len(rig.legacy.requests)) == (status, 1, 0)
    if answer.get("connection") is None:
        await client.is_clean()


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_legacy_serves_what_modern_cannot_be_asked(rig: Rig, method: str) -> None:
    """Where there is no connection to modern, nothing was sent: legacy serves any request."""
    await rig.modern.stop()
    answer, client = await rig.ask(request(method, "/m/x", b"abcde"))
    assert (answer.status, answer.get("cutover-side")) == (200, "legacy")
    assert rig.legacy.requests[0].body == b"abcde"
    await client.is_clean()
    await rig.modern.listen()


async def test_no_fallback_where_the_rules_forbid_it(rig: Rig) -> None:
    """A route without fallback tells the client what happened to modern."""
    rig.modern.answers(says(b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nabc"))
    answer, client = await rig.ask(request("GET", "/strict/x"))
    assert (answer.status, answer.body, answer.get("cutover-side")) == (500, b"abc", "modern")
    await client.is_clean()
    await rig.modern.stop()
    answer, client = await rig.ask(request("GET", "/strict/x"))
    assert answer.status == 502
    await rig.modern.listen()
    await client.is_clean()
    assert [r.target for r in rig.legacy.requests if r.target.startswith("/strict")] == []


async def test_failure_of_legacy_has_no_fallback(rig: Rig) -> None:
    """Legacy is the last: its failures are told, and its 500 passes as it is."""
    rig.legacy.answers(says(b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nabc"))
    answer, client = await rig.ask(request("GET", "/l/x"))
    assert (answer.status, answer.body) == (500, b"abc")
    await client.is_clean()
    await rig.legacy.stop()
    answer, client = await rig.ask(request("GET", "/l/x"))
    assert answer.status == 502
    await rig.legacy.listen()
    await client.is_clean()


async def test_both_sides_down(rig: Rig) -> None:
    """When legacy cannot serve either, the client is told 502, once."""
    await rig.modern.stop()
    await rig.legacy.stop()
    answer, client = await rig.ask(request("GET", "/m/x"))
    assert answer.status == 502
    await rig.modern.listen()
    await rig.legacy.listen()
    await client.is_clean()


async def test_body_still_coming_when_modern_dies(rig: Rig) -> None:
    """What came of a body before modern died is repeated for legacy, and the rest follows."""
    await rig.modern.hang_up()
    died = asyncio.Event()

    def raw(connection: Upstreamed) -> None:
        if connection.unread.endswith(b"first"):
            connection.reset()
            died.set()

    rig.modern.raw = raw
    client = await rig.client()
    await client.send([b"PUT /m/x HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nfirst"])
    await died.wait()
    await client.send([b"second"])
    assert (await client.answer()).status == 200
    assert rig.legacy.requests[0].body == b"firstsecond"
    await client.is_clean()


@pytest.mark.parametrize(("size", "served"), [(65_536, True), (65_537, False)])
async def test_body_too_long_to_repeat(rig: Rig, size: int, served: bool) -> None:
    """A body beyond the replay buffer is not repeated; the client hears of modern's failure."""
    await rig.modern.hang_up()
    rig.modern.answers(says(then="close"))
    answer, client = await rig.ask(request("PUT", "/m/x", b"x" * size))
    assert answer.status == (200 if served else 502)
    assert len(rig.legacy.requests) == served
    await client.is_clean()


# Deadlines


async def test_silent_modern(rig: Rig) -> None:
    """Modern that does not answer in time is given up: legacy serves a read, a write is a 504."""
    for method, status, seen in (("GET", 200, 1), ("POST", 504, 1)):
        rig.modern.forget()
        rig.modern.answers(says())
        client = await rig.client()
        await client.send([request(method, "/m/x", b"abcde")])
        silent = await rig.modern.got(1)
        rig.later(6)
        assert (await client.answer()).status == status
        assert len(rig.legacy.requests) == seen
        await silent.connection.end()
        client.close()


async def test_answer_that_stops(rig: Rig) -> None:
    """An answer that stops half-way is cut off after the deadline, and so is its client."""
    rig.legacy.answers(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
    client = await rig.client()
    await client.send([request("GET", "/l/x")])
    await client.until(lambda: client.received.endswith(b"abc"), "beginning")
    rig.later(6)
    assert await client.end() == "reset"
    assert rig.log.lines[-1]["outcome"] == "timeout"


@pytest.mark.parametrize(
    "part", [b"G", b"GET /l/x HTTP/1.1\r\n", b"GET /l/x HTTP/1.1\r\nHost: h\r\n"]
)
async def test_head_that_stops(rig: Rig, part: bytes) -> None:
    """A head that is not complete after 10 s is answered with 408."""
    client = await rig.client()
    await client.is_clean()
    await client.send([part])
    await rig.is_clean()  # by then the part has arrived, too: only now does its deadline count
    rig.later(11)
    assert (await client.answer()).status == 408
    assert await client.end() == "closed"


async def test_body_that_stops(rig: Rig) -> None:
    """A body that does not come in time is answered with 408, and the upstream is cut off."""
    client = await rig.client()
    await client.send([request("POST", "/l/x", b"abcde")[:-2]])
    await rig.saw_part(rig.legacy, b"abc")
    rig.later(6)
    answer = await client.answer()
    assert (answer.status, answer.get("connection")) == (408, "close")
    assert await client.end() == "closed"
    assert not rig.legacy.requests


@pytest.mark.parametrize("path", ["/l/", "/m/"])
async def test_body_below_the_minimum_rate(rig: Rig, path: str) -> None:
    """A body that comes byte by byte, slowly, is a 408 in the end, although it never stops."""
    side = rig.legacy if path == "/l/" else rig.modern
    client = await rig.client()
    await client.send([f"PUT {path}x HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n".encode()])
    sent = b"\r\n\r\n"
    upstream = await rig.saw_part(side, sent)
    for _ in range(3):
        sent += b"x"
        client.write(b"x")
        assert await rig.saw_part(side, sent) is upstream
        rig.later(BODY_GRACE / 3)
    answer = await client.answer()
    assert (answer.status, answer.get("connection")) == (408, "close")
    assert await client.end() == "closed"
    await upstream.end()
    assert not rig.legacy.requests


@pytest.mark.parametrize(("used", "seconds"), [(False, 11), (True, 76)])
async def test_idle_client(rig: Rig, used: bool, seconds: float) -> None:
    """A connection on which nothing comes is closed without a word."""
    client = await rig.client()
    if used:
        await client.is_clean()
    else:
        await rig.is_clean()
    rig.later(seconds)
    assert await client.end() == "closed"
    assert not client.received


# Clients that leave


@pytest.mark.parametrize("path", ["/l/", "/m/"])
async def test_client_leaves_within_its_body(rig: Rig, path: str) -> None:
    """A body that is cut off never ends well: the upstream's connection is closed within it."""
    side = rig.legacy if path == "/l/" else rig.modern
    for leave in ("close", "reset", "half_close"):
        for chunked in (False, True):
            rig.forget()
            client = await rig.client()
            await client.send([request("PUT", f"{path}x", b"abcde", chunked=chunked)[:-2]])
            connection = await rig.saw_part(side, b"abcde\r\n" if chunked else b"abc")
            getattr(client, leave)()
            await connection.end()
            assert not side.requests
            assert not rig.legacy.requests
            assert rig.log.lines[-1]["outcome"] == "client_abort"


async def test_client_leaves_while_it_waits(rig: Rig) -> None:
    """A client that resets while it waits ends the upstream's work on its request."""
    rig.legacy.answers(says())
    client = await rig.client()
    await client.send([request("POST", "/l/x", b"abcde")])
    received = await rig.legacy.got(1)
    client.reset()
    await received.connection.end()
    assert rig.log.lines[-1]["outcome"] == "client_abort"


async def test_client_leaves_within_the_answer(rig: Rig) -> None:
    """A client that resets within its answer takes only its own upstream connection with it."""
    rig.legacy.answers(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
    client = await rig.client()
    await client.send([request("GET", "/l/x")])
    await client.until(lambda: client.received.endswith(b"abc"), "beginning")
    client.reset()
    await rig.legacy.requests[0].connection.end()
    assert rig.log.lines[-1]["outcome"] == "client_abort"


async def test_client_that_has_just_gone_is_not_the_upstreams_failure(rig: Rig) -> None:
    """An answer that meets a reset of its client in the same turn counts for nobody."""

    async def handler(connection: Upstreamed, _: Received) -> None:
        connection.write_now(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        client.reset()

    before = rig.counted("legacy", Side.LEGACY)
    for _ in range(10):
        client = await rig.client()
        rig.forget()
        rig.legacy.answers(handler)
        await client.send([request("GET", "/l/x")])
        received = await rig.legacy.got(1)
        await received.connection.end()
        await client.end()
    counted = rig.counted("legacy", Side.LEGACY) - before
    assert (counted["decided"], counted["bad"]) == (10, 0)


async def test_half_close(rig: Rig) -> None:
    """A client that only says it has no more requests gets all its answers."""
    client = await rig.client()
    await client.send([request("GET", "/l/one") + request("POST", "/l/two", b"abcde")])
    client.half_close()
    assert (await client.answer()).body == b"one"
    assert (await client.answer()).body == b"two"
    assert await client.end() == "closed"
    assert not client.received


async def test_half_close_within_a_request(rig: Rig) -> None:
    """A half request behind a whole one is forgotten when no more can come."""
    client = await rig.client()
    await client.send([request("GET", "/l/one") + b"GET /l/t"])
    client.half_close()
    assert (await client.answer()).body == b"one"
    assert await client.end() == "closed"
    assert not client.received


# Early answers


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("path", ["/l/", "/m/"])
async def test_early_answer(rig: Rig, path: str, split: Callable[[bytes], Pieces]) -> None:
    """A final answer before the body is complete ends the client's connection after it."""

    def raw(connection: Upstreamed) -> None:
        if connection.received.endswith(b"abc"):
            for piece in split(b"HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno"):
                connection.write(piece)

    side = rig.legacy if path == "/l/" else rig.modern
    side.raw = raw
    client = await rig.client()
    await client.send(split(request("POST", f"{path}x", b"abcde")[:-2]))
    answer = await client.answer()
    assert (answer.status, answer.body, answer.get("connection")) == (413, b"no", "close")
    await client.send(split(b"de" + request("GET", "/l/smuggled")))
    assert await client.end() == "closed"
    await next(c for c in side.connections if c.received.endswith((b"abc", b"abcde"))).end()
    side.raw = None
    assert not client.received
    assert not any(b"smuggled" in c.received for c in rig.legacy.connections)


# Limits


async def test_full_pool(rig: Rig) -> None:
    """Beyond the queue for a pool's connections clients are told to come back, at once."""
    release = asyncio.Event()

    async def waits(connection: Upstreamed, _: Received) -> None:
        await release.wait()
        await connection.send([OK])

    rig.legacy.answers(*[waits] * 20)
    clients = [await rig.client() for _ in range(21)]
    for client in clients[:20]:
        await client.send([request("GET", "/l/x")])
    await rig.has_waiting(rig.plane.pools[Side.LEGACY], 16)
    answer, late = await rig.ask(request("GET", "/l/x"))
    assert (answer.status, answer.get("retry-after")) == (503, "1")
    assert len(rig.legacy.requests) == 4
    release.set()
    for client in clients[:20]:
        assert (await client.answer()).body == b"ok"
    await late.is_clean()
