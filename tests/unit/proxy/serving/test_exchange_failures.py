"""What an exchange does when the upstream fails: another attempt, the other side, or the truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.outcome import OutcomeKind
from proxy.routing.side import Side
from proxy.routing.upstream_rules import QUEUE_FACTOR
from proxy.upstream.fake import FakeTransport, turn
from proxy.upstream.retry import REPLAY_MAX
from tests.support_exchange import (
    OK,
    RESPONSE_TIMEOUT,
    Client,
    Scene,
    answer,
    get,
    on,
    request,
    sides,
)

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]

FAILURES = ["connect", "reset", "timeout", "protocol", "status"]
PARTIAL = b"HTTP/1.1 200 OK\r\nContent-Len"


async def fail(it: Scene, side: Side, how: str) -> FakeTransport | None:
    """Let the attempt that was begun on a side fail; give its connection, if there was one."""
    if how == "connect":
        await it.refuse(side)
        return None
    upstream = await it.accept(side)
    if how == "reset":
        upstream.lose(ConnectionResetError())
    elif how == "timeout":
        it.wait(RESPONSE_TIMEOUT)
    elif how == "protocol":
        upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
    elif how == "partial":
        upstream.receive(PARTIAL)
        upstream.lose()
    else:
        upstream.receive(answer(503, b"busy"))
    return upstream


async def warmed(it: Scene, client: Client, side: Side) -> FakeTransport:
    """Let one request pass, so that a connection is idle; give its upstream's end."""
    client.send(get("/warm"))
    upstream = await it.accept(side)
    upstream.receive(OK)
    client.received()
    upstream.take()
    it.counts("all", side)
    return upstream


# Retry


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_a_stale_connection_is_tried_once_more(scene: Make, side: Side, method: str) -> None:
    """The same side, a fresh connection; nobody notices, nothing is counted as bad."""
    it = scene(on(100 if side is MODERN else 0))
    client = it.client()
    stale = await warmed(it, client, side)
    client.send(request(method, "/a"))
    first = stale.take()
    stale.lose()
    fresh = await it.accept(side)
    assert fresh.take() == first
    fresh.receive(answer(200))
    assert client.status() == 200
    assert it.counts("all", side) == {"decided": 2, "served": 2, "ok": 2}


async def test_a_body_is_sent_again_with_the_retry(scene: Make) -> None:
    """From what was kept of it; what comes later follows."""
    it = scene(on(0))
    client = it.client()
    stale = await warmed(it, client, LEGACY)
    client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
    assert stale.take().endswith(b"\r\n\r\nabc")
    stale.lose()
    client.send(b"def")
    fresh = await it.accept(LEGACY)
    assert fresh.take().endswith(b"\r\n\r\nabcdef")
    fresh.receive(OK)
    assert client.status() == 200


async def test_a_chunked_body_is_sent_again_with_its_end(scene: Make) -> None:
    """Nothing more will come that could bring it."""
    it = scene(on(0))
    client = it.client()
    stale = await warmed(it, client, LEGACY)
    client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"3\r\nabc\r\n0\r\n\r\n")
    stale.lose()
    fresh = await it.accept(LEGACY)
    assert fresh.take().endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    fresh.receive(OK)
    assert client.status() == 200


async def test_a_second_stale_connection_is_not_retried(scene: Make) -> None:
    """Once is enough: the retry was on a fresh one."""
    it = scene(on(0))
    client = it.client()
    stale = await warmed(it, client, LEGACY)
    client.send(get())
    stale.lose()
    await fail(it, LEGACY, "reset")
    assert client.status() == 502
    assert it.network[LEGACY].pending == 0
    assert it.counts("all", LEGACY)["bad"] == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_changes_state_is_never_sent_twice(scene: Make, method: str) -> None:
    """Its bytes may have been read, even on a stale connection."""
    it = scene(on(100))
    client = it.client()
    stale = await warmed(it, client, MODERN)
    client.send(request(method, "/a", body=b"charge"))
    stale.lose()
    assert client.status() == 502
    await turn()
    assert it.network[MODERN].pending == it.network[LEGACY].pending == 0


async def test_an_answer_that_has_begun_is_not_asked_for_again(scene: Make) -> None:
    """One byte of it shows that the request was read."""
    it = scene(on(0))
    client = it.client()
    stale = await warmed(it, client, LEGACY)
    client.send(get())
    stale.receive(b"H")
    stale.lose()
    assert client.status() == 502
    assert it.network[LEGACY].pending == 0


async def test_a_fresh_connection_that_dies_is_not_retried(scene: Make) -> None:
    """It was not idle: the upstream has read the request, or is ill."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    await fail(it, LEGACY, "reset")
    assert client.status() == 502
    assert it.network[LEGACY].pending == 0


async def test_a_client_that_leaves_during_a_retry(scene: Make) -> None:
    """The lease is withdrawn."""
    it = scene(on(0))
    client = it.client()
    stale = await warmed(it, client, LEGACY)
    client.send(get())
    stale.lose()
    client.leave()
    assert it.plane.pools[LEGACY].figures["waiting"] == 0
    assert it.counts("all", LEGACY)["aborted"] == 1


# Fallback


@pytest.mark.parametrize("how", [*FAILURES, "partial"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_legacy_serves_what_modern_has_failed(scene: Make, how: str, method: str) -> None:
    """The client notices nothing; modern's failure is counted, and told at once."""
    it = scene(on(100))
    told: list[int] = []
    it.plane.on_bad = lambda: told.append(1)
    client = it.client()
    client.send(request(method, "/a"))
    failed = await fail(it, MODERN, how)
    legacy = await it.accept(LEGACY)
    assert legacy.take().startswith(method.encode() + b" /a HTTP/1.1\r\n")
    legacy.receive(answer(200))
    received = client.received()
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"Cutover-Side: legacy\r\n" in received
    assert told == [1]
    assert failed is None or failed.closing
    assert it.counts("all", MODERN) == {"decided": 1, "bad": 1, "fallbacks": 1}
    assert it.counts("all", LEGACY) == {"served": 1, "ok": 1}
    (line,) = it.log.lines
    assert (line["decided"], line["side"], line["status"]) == ("modern", "legacy", 200)
    (event,) = it.tally("all", MODERN).bad_events
    wanted = "reset" if how == "partial" else how
    assert (event.kind, event.method, event.path) == (OutcomeKind(wanted), method, "/a")
    assert event.status == (503 if how == "status" else 0)
    assert event.request_id == line["request_id"]


@pytest.mark.parametrize(("status", "falls_back"), [
    (500, True), (502, True), (503, True), (504, True), (501, False), (505, False), (404, False),
    (429, False),
])  # fmt: skip
async def test_which_answers_legacy_is_asked_to_better(
    scene: Make, status: int, falls_back: bool
) -> None:
    """Those that say modern could not, not those that say the client should not."""
    it = scene(on(100))
    client = it.client()
    client.send(get())
    upstream = await it.accept(MODERN)
    upstream.receive(answer(status, b"x"))
    await turn()
    assert bool(it.network[LEGACY].pending) is falls_back
    if falls_back:
        (await it.accept(LEGACY)).receive(OK)
    assert client.status() == (200 if falls_back else status)
    assert it.counts("all", MODERN).get("bad", 0) == (status >= 500)


@pytest.mark.parametrize(
    ("how", "status"),
    [("reset", 502), ("partial", 502), ("timeout", 504), ("protocol", 502), ("status", 503)],
)
async def test_a_post_that_modern_may_have_read_is_not_sent_to_legacy(
    scene: Make, how: str, status: int
) -> None:
    """The client is told the truth, and legacy sees nothing."""
    it = scene(on(100))
    client = it.client()
    client.send(request("POST", "/a", body=b"charge"))
    await fail(it, MODERN, how)
    assert client.status() == status
    await turn()
    assert it.network[LEGACY].attempts == []
    assert it.counts("all", MODERN)["bad"] == 1
    assert it.log.lines[0]["status"] == status


async def test_a_post_that_modern_never_saw_goes_to_legacy(scene: Make) -> None:
    """There was no connection, so nothing can have happened; the body goes in full."""
    it = scene(on(100))
    client = it.client()
    client.send(request("POST", "/a", body=b"charge"))
    await fail(it, MODERN, "connect")
    legacy = await it.accept(LEGACY)
    assert legacy.take().endswith(b"\r\n\r\ncharge")
    legacy.receive(answer(201))
    assert client.status() == 201


@pytest.mark.parametrize(("how", "status"), [
    ("connect", 502), ("reset", 502), ("timeout", 504), ("protocol", 502), ("status", 503),
])  # fmt: skip
@pytest.mark.parametrize("fallback", [True, False])
async def test_who_has_no_other_side_is_told_the_truth(
    scene: Make, how: str, status: int, fallback: bool
) -> None:
    """Legacy is the last resort; and a route may say that it wants none."""
    it = scene(on(0 if fallback else 100, fallback=fallback))
    side = LEGACY if fallback else MODERN
    client = it.client()
    client.send(get())
    await fail(it, side, how)
    assert client.status() == status
    assert it.counts("all", side)["bad"] == 1
    assert it.counts("all", side.other) == {}


async def test_when_both_sides_fail_it_is_told_once(scene: Make) -> None:
    """Each failure is counted where it happened; nobody goes round in circles."""
    it = scene(on(100))
    client = it.client()
    client.send(get())
    await fail(it, MODERN, "reset")
    await fail(it, LEGACY, "connect")
    assert client.status() == 502
    assert not client.closed
    assert it.counts("all", MODERN) == {"decided": 1, "bad": 1, "fallbacks": 1}
    assert it.counts("all", LEGACY) == {"bad": 1}
    assert len(it.log.lines) == 1


@pytest.mark.parametrize(("size", "again"), [(REPLAY_MAX, True), (REPLAY_MAX + 1, False)])
async def test_only_what_was_kept_can_be_sent_again(scene: Make, size: int, again: bool) -> None:
    """Beyond the replay buffer there is no other attempt, not one with a part of the body."""
    it = scene(on(100))
    client = it.client()
    client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    modern = await it.accept(MODERN)
    for start in range(0, size, 10_000):
        client.send(b"x" * min(10_000, size - start))
        modern.take()
    modern.lose()
    await turn()
    if again:
        legacy = await it.accept(LEGACY)
        assert len(legacy.take().partition(b"\r\n\r\n")[2]) == size
        legacy.receive(OK)
    assert client.status() == (200 if again else 502)
    assert bool(it.network[LEGACY].attempts) is again


async def test_a_body_that_is_still_coming_goes_on_to_legacy(scene: Make) -> None:
    """What modern had of it is sent again, the rest as it comes."""
    it = scene(on(100))
    client = it.client()
    client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    modern = await it.accept(MODERN)
    modern.receive(answer(503, b"busy"))
    client.send(b"3\r\ndef\r\n")
    legacy = await it.accept(LEGACY)
    client.send(b"0\r\n\r\n")
    assert legacy.take().endswith(b"\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
    legacy.receive(OK)
    assert client.status() == 200


async def test_whoever_was_told_to_send_is_not_told_again(scene: Make) -> None:
    """One Expect, one 100, however many attempts."""
    it = scene(on(100))
    client = it.client()
    client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    modern = await it.accept(MODERN)
    modern.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    modern.lose(ConnectionResetError())
    legacy = await it.accept(LEGACY)
    assert b"xpect" not in legacy.take()
    legacy.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    client.send(b"hi")
    legacy.receive(OK)
    assert client.status() == 200


async def test_whoever_waits_still_when_modern_dies(scene: Make) -> None:
    """Legacy is asked in modern's place, and says when to send."""
    it = scene(on(100))
    client = it.client()
    client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    await fail(it, MODERN, "reset")
    legacy = await it.accept(LEGACY)
    assert b"\r\nExpect: 100-continue\r\n" in legacy.take()
    assert client.received() == b""
    legacy.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hi")
    legacy.receive(OK)
    assert client.status() == 200


async def test_a_client_that_leaves_during_the_fallback(scene: Make) -> None:
    """Legacy is let go, and blamed for nothing."""
    it = scene(on(100))
    client = it.client()
    client.send(get())
    await fail(it, MODERN, "reset")
    legacy = await it.accept(LEGACY)
    client.leave()
    assert legacy.aborted
    assert it.counts("all", LEGACY) == {"aborted": 1}


# Too late for another attempt


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("how", ["lost", "broken", "late"])
async def test_an_answer_cut_off_is_never_given_an_end(scene: Make, side: Side, how: str) -> None:
    """The client is reset: it must not take a part for the whole."""
    it = scene(on(100 if side is MODERN else 0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(side)
    upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    assert client.received().endswith(b"3\r\nabc\r\n")
    if how == "lost":
        upstream.lose()
    elif how == "broken":
        upstream.receive(b"zzz\r\n")
    else:
        it.wait(RESPONSE_TIMEOUT)
    assert client.reset
    assert b"0\r\n\r\n" not in client.received()
    assert it.counts("all", side) == {"decided": 1, "bad": 1}
    wanted = {"lost": "reset", "broken": "protocol", "late": "timeout"}[how]
    assert it.log.lines[0]["outcome"] == wanted


async def test_a_body_until_close_that_was_reset_is_not_complete(scene: Make) -> None:
    """Only an orderly close ends it."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\n\r\nabc")
    upstream.lose(ConnectionResetError())
    assert client.reset


@pytest.mark.parametrize("surplus", [b"x", OK, b"\r\n"])
async def test_bytes_beyond_an_answer_are_nobodys(scene: Make, surplus: bytes) -> None:
    """They are not the answer to the next request: the connection is not used again."""
    it = scene(on(0))
    client = it.client()
    client.send(get("/a") + get("/b"))
    upstream = await it.accept(LEGACY)
    upstream.receive(OK + surplus)
    assert client.received().count(b"HTTP/1.1 ") == 1
    assert upstream.aborted
    (await it.accept(LEGACY)).receive(answer(201))
    assert client.status() == 201


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 103 Hints\r\n\r\n" * 9,
        b"HTTP/2 200 OK\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_an_answer_that_is_none_is_a_bad_gateway(scene: Make, head: bytes) -> None:
    """Nothing of it reaches the client, and the connection is closed."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(head)
    assert b"HTTP/1.1 502 Bad Gateway\r\n" in client.received()
    assert upstream.aborted
    assert it.log.lines[0]["outcome"] == "protocol"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
async def test_a_connection_that_the_upstream_ends_is_not_kept(scene: Make, head: bytes) -> None:
    """The client's lives on."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(head)
    assert upstream.aborted
    assert client.status() == 200
    assert not client.closed


# The pool


async def test_a_connection_that_is_being_opened_has_a_deadline_of_its_own(scene: Make) -> None:
    """The exchange waits for its end, and not for longer than the whole attempt may take."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": {"exchange": "20s"}}))
    first = it.client()
    first.send(get())
    it.wait(19)
    second = it.client()
    second.send(get())
    await turn()
    assert first.received() == b""
    it.wait(1)
    assert first.status() == 504
    it.wait(18)
    await it.refuse(LEGACY, TimeoutError())
    assert second.status() == 502
    assert it.plane.pools[LEGACY].figures["waiting"] == 0


async def test_waiting_behind_others_for_too_long_is_our_refusal(scene: Make) -> None:
    """503, and the upstream is not blamed: the bound on its connections is ours."""
    upstreams = {
        "legacy": {"instances": ["http://l"], "max_connections": 1},
        "modern": {"instances": ["http://m"]},
    }
    it = scene(on(0), upstreams=upstreams)
    first, second = it.client(), it.client()
    first.send(get())
    upstream = await it.accept(LEGACY)
    second.send(get())
    it.wait(RESPONSE_TIMEOUT - 1)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    it.wait(2)
    assert second.status() == 503
    assert it.counts("all", LEGACY) == {"decided": 2, "rejected": 1}
    upstream.receive(b"123456789")
    assert first.status() == 200


async def test_when_all_connections_are_in_use_the_client_is_told_when_to_come_back(
    scene: Make,
) -> None:
    """It is we who refuse: the upstream is not blamed."""
    upstreams = {
        "legacy": {"instances": ["http://l"], "max_connections": 1},
        "modern": {"instances": ["http://m"]},
    }
    it = scene(on(0), upstreams=upstreams)
    clients = [it.client() for _ in range(QUEUE_FACTOR + 2)]
    for client in clients:
        client.send(get())
    received = clients[-1].received()
    assert b" 503 Service Unavailable\r\n" in received
    assert b"Retry-After: 1\r\n" in received
    assert it.counts("all", LEGACY) == {"decided": QUEUE_FACTOR + 2, "rejected": 1}
    upstream = await it.accept(LEGACY)
    for client in clients[:-1]:
        upstream.receive(OK)
        assert client.status() == 200
    assert len(it.network[LEGACY].attempts) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_modern_has_no_connection_for_is_served_by_legacy(
    scene: Make, method: str
) -> None:
    """It never saw the request, whatever the method; no client sees it, but modern has failed."""
    upstreams = {
        "legacy": {"instances": ["http://l"]},
        "modern": {"instances": ["http://m"], "max_connections": 1},
    }
    it = scene(on(100), upstreams=upstreams)
    clients = [it.client() for _ in range(QUEUE_FACTOR + 2)]
    for client in clients:
        client.send(f"{method} /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    (await it.accept(LEGACY)).receive(OK)
    assert clients[-1].status() == 200
    counts = it.counts("all", MODERN)
    assert (counts["bad"], counts["fallbacks"], counts.get("rejected", 0)) == (1, 1, 0)
