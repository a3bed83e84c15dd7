"""The life of a request when nothing goes wrong, and when the client or we end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.routing.identity import mint
from proxy.routing.limits import BODY_MAX
from proxy.routing.override import write_override
from proxy.routing.side import Side
from proxy.upstream.fake import FakeTransport, turn
from tests.support_exchange import (
    MINT_KEY,
    OK,
    OVERRIDE_KEY,
    RESPONSE_TIMEOUT,
    Scene,
    answer,
    get,
    on,
    request,
)
from tests.support_routing import route

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]


# The normal path


async def test_a_request_goes_to_its_side_and_the_answer_comes_back(scene: Make) -> None:
    """Written afresh in both directions; the client is told who answered."""
    it = scene(on(0))
    client = it.client()
    client.send(get("/a?x=1", "Accept: */*", "Connection: keep-alive"))
    upstream = await it.accept(LEGACY)
    head = upstream.take().decode()
    assert head.startswith("GET /a?x=1 HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\n")
    assert "X-Forwarded-For: 192.0.2.1\r\n" in head
    assert "onnection:" not in head
    upstream.receive(answer(200, b"hi", "Content-Type: text/plain"))
    assert client.received() == (
        b"HTTP/1.1 200 Some Reason\r\nContent-Type: text/plain\r\n"
        b"Cutover-Side: legacy\r\nCutover-Route: all\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert it.counts("all", LEGACY) == {"decided": 1, "served": 1, "ok": 1}
    assert it.counts("all", MODERN) == {}
    assert not client.closed


async def test_both_connections_are_used_again(scene: Make) -> None:
    """The second request costs no connection and no turn of the event loop."""
    it = scene(on(100))
    client = it.client()
    client.send(get())
    upstream = await it.accept(MODERN)
    upstream.receive(OK)
    client.received()
    client.send(get("/b"))
    assert b"GET /b " in upstream.take()
    upstream.receive(OK)
    assert client.status() == 200
    assert len(it.network[MODERN].attempts) == 1


async def test_requests_that_come_together_are_answered_in_order(scene: Make) -> None:
    """The second begins when the first has ended."""
    it = scene(on(0))
    client = it.client()
    client.send(get("/a") + get("/b"))
    upstream = await it.accept(LEGACY)
    assert b"/b" not in upstream.take()
    upstream.receive(answer(200, b"A"))
    assert upstream.take().startswith(b"GET /b ")
    upstream.receive(answer(201, b"B"))
    received = client.received()
    assert received.index(b" 200 ") < received.index(b" 201 ")
    assert it.counts("all", LEGACY) == {"decided": 2, "served": 2, "ok": 2}


async def test_an_answer_streams_as_it_comes(scene: Make) -> None:
    """Each piece goes on at once; chunked in, chunked out."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert b"Transfer-Encoding: chunked\r\n" in client.received()
    upstream.receive(b"3\r\nabc\r\n")
    assert client.received() == b"3\r\nabc\r\n"
    upstream.receive(b"2;x=y\r\nde\r\n0\r\n\r\n")
    assert client.received() == b"2\r\nde\r\n0\r\n\r\n"
    assert it.counts("all", LEGACY)["ok"] == 1


async def test_an_answer_that_ends_with_its_connection_gets_an_end_of_its_own(scene: Make) -> None:
    """The client's connection lives on."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\n\r\nabc")
    upstream.end()
    assert client.received().endswith(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert not client.closed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304])
async def test_answers_without_a_body(scene: Make, method: str, status: int) -> None:
    """What has none by its nature ends with its head."""
    it = scene(on(0))
    client = it.client()
    client.send(request(method, "/a"))
    upstream = await it.accept(LEGACY)
    upstream.receive(answer(status, b"" if method == "HEAD" or status != 200 else b"x"))
    assert client.status() == status
    client.send(get())
    assert upstream.take().count(b"HTTP/1.1\r\n") == 2


async def test_interim_answers_are_passed_on(scene: Make) -> None:
    """103 to whoever speaks 1.1; a 100 of the upstream is its own affair."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n")
    assert client.received() == b"HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n"
    upstream.receive(OK)
    assert client.status() == 200


# The request's body


async def test_a_body_streams_as_it_comes(scene: Make) -> None:
    """In pieces, with its length; what came before the connection was there goes first."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    upstream = await it.accept(LEGACY)
    sent = upstream.take()
    assert b"\r\nContent-Length: 9\r\n" in sent
    assert sent.endswith(b"\r\n\r\nabc")
    client.send(b"def", b"ghi")
    assert upstream.take() == b"defghi"
    upstream.receive(OK)
    assert client.status() == 200
    assert it.log.lines[0]["bytes_in"] == 9


async def test_a_chunked_body_is_framed_afresh(scene: Make) -> None:
    """Extensions and trailers stay behind."""
    it = scene(on(0))
    client = it.client()
    client.send(
        b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n"
    )
    upstream = await it.accept(LEGACY)
    assert upstream.take().endswith(b"\r\n\r\n3\r\nabc\r\n")
    client.send(b"0\r\nX-Trailer: 1\r\n\r\n")
    assert upstream.take() == b"0\r\n\r\n"
    upstream.receive(OK)
    assert client.status() == 200
    assert not client.closed


async def test_an_upstream_that_reads_slowly_holds_the_client(scene: Make) -> None:
    """Memory is bounded: what cannot be sent on is not read."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n")
    upstream = await it.accept(LEGACY)
    client.send(b"x" * 150_000)
    assert not client.transport.is_reading()
    upstream.take()
    assert client.transport.is_reading()
    client.send(b"x" * 150_000)
    upstream.take()
    upstream.receive(OK)
    assert client.status() == 200
    assert len(upstream.sent) > 300_000


async def test_a_client_that_reads_slowly_holds_the_upstream(scene: Make) -> None:
    """And it goes on where it was, to the last byte."""
    it = scene(on(0))
    client = it.client(high_water=1000)
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 2000)
    assert not upstream.is_reading()
    client.received()
    assert upstream.is_reading()
    upstream.receive(b"y" * 2000)
    assert client.received() == b"y" * 2000
    assert it.counts("all", LEGACY)["ok"] == 1


async def test_a_slow_client_does_not_hold_the_next_user_of_the_connection(scene: Make) -> None:
    """The upstream's connection is given back once the answer is complete, read or not."""
    it = scene(on(0))
    slow, quick = it.client(high_water=100), it.client()
    slow.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(answer(200, b"x" * 5000))
    quick.send(get("/b"))
    upstream.receive(OK)
    assert quick.status() == 200
    assert upstream.is_reading()


async def test_an_early_answer_ends_the_connection(scene: Make) -> None:
    """The rest of the request is not read as if it were the next one (RFC 9112, 9.3)."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    upstream = await it.accept(LEGACY)
    upstream.receive(answer(413, b"no"))
    assert b"Connection: close\r\n" in client.received()
    assert client.closed
    assert upstream.aborted


# Who serves


@pytest.mark.parametrize(("weight", "side"), [(27.97, LEGACY), (27.98, MODERN)])
async def test_the_weight_decides_by_identity(scene: Make, weight: float, side: Side) -> None:
    """The log says why, with the bucket."""
    it = scene(on(weight))
    client = it.client("203.0.113.7")  # bucket 2797
    client.send(get())
    (await it.accept(side)).receive(OK)
    assert b"Cutover-Side: " + side.value.encode() in client.received()
    (line,) = it.log.lines
    assert (line["reason"], line["bucket"]) == ("bucket", 2797)


@pytest.mark.parametrize(
    ("address", "value", "side", "reason"),
    [
        ("10.0.0.1", "modern", MODERN, "override"),
        ("10.0.0.1", "legacy", LEGACY, "override"),
        ("10.0.0.1", "Modern", LEGACY, "weight"),
        ("10.0.0.1", "", LEGACY, "weight"),
        ("192.0.2.1", "modern", LEGACY, "weight"),
    ],
)
async def test_only_a_trusted_peer_chooses_the_side(
    scene: Make, address: str, value: str, side: Side, reason: str
) -> None:
    """And the field never goes on, whoever sent it."""
    it = scene(on(0), trusted_networks=["10.0.0.0/8"])
    client = it.client(address)
    client.send(get("/a", f"Cutover-Side: {value}"))
    upstream = await it.accept(side)
    assert b"utover-" not in upstream.take()
    upstream.receive(OK)
    assert f"Cutover-Side: {side.value}".encode() in client.received()
    assert (it.log.lines[0]["reason"], it.log.lines[0]["decided"]) == (reason, side.value)


@pytest.mark.parametrize(
    ("side", "life", "limit", "reason"),
    [
        (MODERN, 60, "", "override"),
        (MODERN, 60, "all", "override"),
        (LEGACY, 60, "", "override"),
        (MODERN, 60, "other", "other_route"),
        (MODERN, 0, "", "expired"),
    ],
)
async def test_whoever_has_a_valid_token_chooses_the_side(
    scene: Make, side: Side, life: int, limit: str, reason: str
) -> None:
    """A stranger too; on every request anew, because a token ends. The field never goes on."""
    it = scene(on(50, sticky_by=["header:X-Id"]))
    value = write_override(OVERRIDE_KEY, side, int(it.clock.wall()) + life, limit)
    client = it.client()
    client.send(get("/a", "X-Id: 4", f"Cutover-Side: {value}"))
    await turn()
    served = next(side for side in Side if it.network[side].pending)
    upstream = await it.accept(served)
    assert b"utover-" not in upstream.take()
    upstream.receive(OK)
    client.received()
    if reason == "override":
        assert (it.log.lines[0]["reason"], served) == (reason, side)
        assert it.events("overrides_refused") == {}
    else:
        assert it.log.lines[0]["reason"] == "bucket"
        assert it.events("overrides_refused") == {reason: 1}


async def test_a_cohort_is_served_by_its_side_whatever_the_weight(scene: Make) -> None:
    """Also when the same head has been seen before; of others the weight decides."""
    staff = {"id": "staff", "side": "modern", "source": "header:X-Group", "values": ["staff"]}
    it = scene(on(0), cohorts=[staff])
    client = it.client()
    ends: dict[Side, FakeTransport] = {}
    for group, side, reason in (
        ("staff", Side.MODERN, "cohort"),
        ("guests", Side.LEGACY, "weight"),
        ("staff", Side.MODERN, "cohort"),
    ):
        client.send(get("/a", f"X-Group: {group}"))
        upstream = ends[side] = ends.get(side) or await it.accept(side)
        assert f"x-group: {group}".encode() in upstream.take().lower()
        upstream.receive(OK)
        client.received()
        assert it.log.lines[-1]["reason"] == reason


async def test_a_token_ends_on_a_connection_that_lives_on(scene: Make) -> None:
    """What was decided for the same bytes before does not count."""
    it = scene(on(0))
    ask = get(
        "/a", "Cutover-Side: " + write_override(OVERRIDE_KEY, MODERN, int(it.clock.wall()) + 60)
    )
    client = it.client()
    client.send(ask)
    (await it.accept(MODERN)).receive(OK)
    client.received()
    it.clock.advance(61)
    client.send(ask)
    (await it.accept(LEGACY)).receive(OK)
    assert b"Cutover-Side: legacy" in client.received()


async def test_the_kill_switch_stands_above_all(scene: Make) -> None:
    """Modern sees no request at all."""
    it = scene()
    it.apply(on(100), kill_switch=True, trusted_networks=["192.0.2.0/24"])
    client = it.client()
    client.send(get("/a", "Cutover-Side: modern"))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.log.lines[0]["reason"] == "kill_switch"


async def test_a_new_identity_is_minted_once(scene: Make) -> None:
    """The cookie decides at once, and from then on."""
    it = scene(on(50, sticky_by=["mint"]))
    client = it.client()
    client.send(get())
    await turn()
    side = next(side for side in Side if it.network[side].pending)
    upstream = await it.accept(side)
    upstream.receive(OK)
    received = client.received()
    cookie = received.partition(b"Set-Cookie: ")[2].partition(b";")[0].decode()
    assert b"; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000\r\n" in received
    client.send(get("/b", f"Cookie: {cookie}"))
    upstream.receive(OK)
    assert b"Set-Cookie" not in client.received()
    assert it.log.lines[0]["bucket"] == it.log.lines[1]["bucket"]


async def test_a_minted_identity_of_ours_is_kept(scene: Make) -> None:
    """Whoever brings one gets no other."""
    it = scene(on(0, sticky_by=["mint"]))
    client = it.client()
    value = mint(MINT_KEY, bytes(16)).decode()
    client.send(get("/a", f"Cookie: cutover_id={value}"))
    (await it.accept(LEGACY)).receive(OK)
    assert b"Set-Cookie" not in client.received()


async def test_what_was_decided_need_not_be_told(scene: Make) -> None:
    """`expose_decision: false` says nothing to the client."""
    it = scene(on(0), expose_decision=False)
    client = it.client()
    client.send(get())
    (await it.accept(LEGACY)).receive(OK)
    assert b"Cutover-" not in client.received()


async def test_new_rules_touch_no_exchange_in_flight(scene: Make) -> None:
    """It ends as it began; the next one is decided anew, and old connections are let go."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    it.apply(
        on(100),
        upstreams={
            "legacy": {"instances": ["http://other"]},
            "modern": {"instances": ["http://m"]},
        },
    )
    upstream.receive(OK)
    assert b"Cutover-Side: legacy" in client.received()
    assert upstream.aborted
    client.send(get())
    (await it.accept(MODERN)).receive(OK)
    assert b"Cutover-Side: modern" in client.received()
    assert it.log.lines[0]["version"] < it.log.lines[1]["version"]


# What is written down


async def test_the_access_log_says_who_answered_and_why(scene: Make) -> None:
    """One line for each exchange, with everything a question at night is about."""
    it = scene(on(30), trusted_networks=["192.0.2.0/24"])
    client = it.client()
    client.send(get("/a?secret=1", "X-Request-Id: abc-1", "X-Forwarded-For: 203.0.113.7"))
    it.clock.advance(0.002)
    upstream = await it.accept(MODERN)  # bucket 2797
    assert b"X-Request-Id: abc-1\r\n" in upstream.take()
    it.clock.advance(0.005)
    upstream.receive(answer(404, b"none"))
    assert client.status() == 404
    (line,) = it.log.lines
    assert line == {
        "at": it.clock.wall(),
        "request_id": "abc-1",
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/a",
        "status": 404,
        "outcome": "ok",
        "route": "all",
        "side": "modern",
        "decided": "modern",
        "reason": "bucket",
        "bucket": 2797,
        "version": line["version"],
        "bytes_in": 0,
        "bytes_out": 4,
        "upstream_ms": 7.0,
        "begun_ms": 0.0,
        "leasing_ms": 2.0,
        "awaiting_ms": 5.0,
        "relaying_ms": 0.0,
        "total_ms": 7.0,
    }


async def test_who_is_trusted_may_ask_where_the_time_went(scene: Make) -> None:
    """The answer says how long each stage took, as browsers show it; to nobody else."""
    it = scene(on(0), trusted_networks=["192.0.2.0/24"])
    for address, told in (
        (
            "192.0.2.1",
            b"\r\nServer-Timing: begun;dur=0.0, leasing;dur=2.0, awaiting;dur=5.0, total;",
        ),
        ("198.51.100.1", b""),
    ):
        client = it.client(address)
        client.send(get("/a", "Cutover-Timing: 1"))
        it.clock.advance(0.002)
        upstream = await it.accept(LEGACY)
        assert b"Timing" not in upstream.take()
        it.clock.advance(0.005)
        upstream.receive(answer(200, b"", "Connection: close"))
        received = client.received()
        assert told in received
        assert (b"Server-Timing" in received) is bool(told)


async def test_without_a_log_nothing_is_written_down(scene: Make) -> None:
    """It can be switched off."""
    it = scene(on(0), log=False)
    client = it.client()
    client.send(get())
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200


async def test_latencies_are_counted_by_bucket(scene: Make) -> None:
    """From the first byte sent to the head of the answer."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    it.clock.advance(0.1)
    upstream.receive(OK)
    ((bucket, number),) = it.tally("all", LEGACY).latencies.items()
    assert number == 1
    assert 1.02 ** (bucket - 1) < 100.0001
    assert 1.02**bucket >= 99.9999


# What we refuse


async def test_without_rules_nothing_is_served(scene: Make) -> None:
    """A proxy that does not know yet says so."""
    it = scene()
    client = it.client()
    client.send(get())
    received = client.received()
    assert b" 503 " in received
    assert b"Retry-After: 1\r\n" in received
    assert it.events("refused_requests") == {"503": 1}


async def test_what_no_route_takes_is_not_found(scene: Make) -> None:
    """The client's connection lives on."""
    it = scene(route("/b", "b"))
    client = it.client()
    client.send(get("/a") + request("HEAD", "/a"))
    received = client.received()
    assert received.count(b"HTTP/1.1 404 Not Found\r\n") == 2
    assert received.count(b"no route takes this request") == 1
    assert it.log.lines[0] == {
        "at": it.clock.wall(),
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/a",
        "status": 404,
        "outcome": "rejected",
    }
    assert not client.closed
    assert it.events("refused_requests") == {"404": 2}


async def test_too_many_exchanges_at_once_are_turned_away(scene: Make) -> None:
    """Those that run are not hurt."""
    it = scene(on(0))
    it.plane.admission.limit = 1
    first, second = it.client(), it.client()
    first.send(get())
    second.send(get())
    assert second.status() == 503
    (await it.accept(LEGACY)).receive(OK)
    assert first.status() == 200
    second.send(get())
    it.network[LEGACY].transports[0].receive(OK)
    assert second.status() == 200


async def test_a_declared_body_beyond_the_limit_is_refused_unread(scene: Make) -> None:
    """No connection is opened for it."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (BODY_MAX + 1))
    assert client.status() == 413
    assert client.closed
    await turn()
    assert it.network[LEGACY].attempts == []


async def test_a_streamed_body_beyond_the_limit_is_cut_off(
    scene: Make,
) -> None:
    """The upstream sees no end of it, and it is not the upstream's failure."""
    it = scene(on(0, limits={"body": "5B"}))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    upstream = await it.accept(LEGACY)
    client.send(b"3\r\ndef\r\n")
    assert client.status() == 413
    assert client.closed
    assert upstream.aborted
    assert it.counts("all", LEGACY) == {"decided": 1, "rejected": 1}


async def test_a_body_that_breaks_is_refused(scene: Make) -> None:
    """The upstream's connection cannot be used again."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    upstream = await it.accept(LEGACY)
    client.send(b"zzz\r\n")
    assert client.status() == 400
    assert upstream.aborted
    assert it.log.lines[0]["outcome"] == "rejected"


async def test_a_body_that_breaks_after_the_answer_began_cuts_the_client_off(scene: Make) -> None:
    """There is no other way left to say it."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    client.send(b"zzz\r\n")
    assert client.reset
    assert upstream.aborted
    assert it.counts("all", LEGACY) == {"decided": 1, "rejected": 1}


async def test_while_draining_each_answer_is_the_last(scene: Make) -> None:
    """The client is told, and comes back to somebody else."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    it.plane.draining = True
    upstream.receive(OK)
    assert b"Connection: close\r\n" in client.received()
    assert client.closed


async def test_http_1_0_is_answered_as_it_asks(scene: Make) -> None:
    """An end by closing, unless it wants to stay and the length is known."""
    it = scene(on(0))
    client = it.client()
    client.send(b"GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
    upstream = await it.accept(LEGACY)
    upstream.receive(OK)
    assert b"Connection: keep-alive\r\n" in client.received()
    client.send(b"GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
    upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    received = client.received()
    assert b"chunked" not in received
    assert received.endswith(b"\r\n\r\nhi")
    assert client.closed


# The client leaves


async def test_a_client_that_leaves_while_it_waits_for_a_connection(scene: Make) -> None:
    """The connection is kept for somebody else."""
    it = scene(on(100))
    client = it.client()
    client.send(get())
    await turn()
    client.leave()
    await it.accept(MODERN)
    assert it.plane.pools[MODERN].figures["idle"] == 1
    assert it.counts("all", MODERN) == {"decided": 1, "aborted": 1}
    assert (it.log.lines[0]["status"], it.log.lines[0]["outcome"]) == (499, "client_abort")


@pytest.mark.parametrize(
    "so_far",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
@pytest.mark.parametrize("side", list(Side))
async def test_a_client_that_leaves_ends_its_exchange(
    scene: Make, side: Side, so_far: bytes
) -> None:
    """Whatever of the answer has come: the upstream is let go, and nobody is blamed."""
    it = scene(on(100 if side is MODERN else 0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(side)
    if so_far:
        upstream.receive(so_far)
    client.leave()
    assert upstream.aborted
    upstream.settle()
    assert it.counts("all", side) == {"decided": 1, "aborted": 1}
    assert len(it.log.lines) == 1


async def test_a_client_that_leaves_in_the_middle_of_its_request(scene: Make) -> None:
    """The upstream never takes a part for the whole."""
    it = scene(on(0))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    upstream = await it.accept(LEGACY)
    client.transport.end()
    assert upstream.aborted
    assert it.counts("all", LEGACY) == {"decided": 1, "aborted": 1}


async def test_a_client_that_has_said_all_may_still_listen(scene: Make) -> None:
    """Ending its own direction is not leaving."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    client.transport.end()
    upstream.receive(OK)
    assert client.status() == 200
    assert client.closed
    assert it.counts("all", LEGACY)["ok"] == 1


# Deadlines


async def test_a_body_that_does_not_come_is_given_up(scene: Make) -> None:
    """The client's doing: nothing counts against the upstream."""
    it = scene(on(100))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    upstream = await it.accept(MODERN)
    it.wait(RESPONSE_TIMEOUT)
    assert client.status() == 408
    assert client.closed
    assert upstream.aborted
    assert it.counts("all", MODERN) == {"decided": 1, "rejected": 1}


async def test_a_client_that_does_not_read_is_given_up(scene: Make) -> None:
    """It is cut off, and counts as gone."""
    it = scene(on(0))
    client = it.client(high_water=10)
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 1000)
    it.wait(RESPONSE_TIMEOUT)
    assert client.reset
    assert upstream.aborted
    assert it.counts("all", LEGACY) == {"decided": 1, "aborted": 1}
    assert it.log.lines[0]["outcome"] == "client_abort"


async def test_an_answer_that_moves_is_not_late(scene: Make) -> None:
    """Every piece of an answer gives more time."""
    it = scene(on(0))
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    for _ in range(3):
        it.wait(RESPONSE_TIMEOUT - 1)
        upstream.receive(b"y")
    assert client.status() == 200
    assert not client.reset
