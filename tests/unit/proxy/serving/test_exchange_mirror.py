"""What an exchange hands to the shadow workers, and that it never costs the client anything."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from proxy.routing.identity import identity_hash
from proxy.routing.side import Side
from proxy.serving import copying
from proxy.serving.copying import ROOM
from tests.support_exchange import OK, Scene, answer, get, on, request

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]
ALL = {"share": "100%"}
BOTH = {"share": "100%", "towards": ["modern", "legacy"]}


async def test_a_capture_says_what_was_asked_and_answered(scene: Make) -> None:
    """Enough to ask the other side the same, and to compare; nothing of the hop between."""
    it = scene(on(0, mirror=ALL))
    client = it.client()
    client.send(get("/a?x=%20", "Cookie: s=1", "Cutover-Side: modern", "X-Forwarded-For: 10.0.0.1"))
    upstream = await it.accept(LEGACY)
    it.clock.advance(0.004)
    upstream.receive(
        answer(404, b"none", "Content-Type: text/plain", "X-Odd: \u00e9", "Keep-Alive: x")
    )
    assert client.status() == 404
    (capture,) = it.tap.captures
    assert (capture.route, capture.primary, capture.method) == ("all", "legacy", "GET")
    assert capture.target == "/a?x=%20"
    assert capture.request_headers == (("host", "shop.test"), ("cookie", "s=1"))
    assert dict(capture.provenance) == {
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "shop.test",
        "x-forwarded-port": "8080",
        "forwarded": 'for=192.0.2.1;host="shop.test";proto=http',
        "via": "1.1 cutover",
    }
    assert (capture.status, capture.body, capture.truncated) == (404, b"none", False)
    assert capture.headers == (("content-type", "text/plain"), ("x-odd", "Ã©"))
    assert capture.identity == identity_hash(b"client_ip=192.0.2.1")
    assert capture.latency == pytest.approx(0.004)
    assert (capture.at, capture.id) == (it.clock.wall(), it.log.lines[0]["request_id"])
    assert it.dropped() == {}
    assert sum(batch.captures_sent for batch in it.batches) == 1


@pytest.mark.parametrize(
    ("weight", "rules", "mirrored"),
    [
        (0, ALL, True),
        (100, ALL, False),  # towards modern only, unless it is said
        (100, BOTH, True),
        (0, BOTH, True),
        (0, {"share": "100%", "towards": ["legacy"]}, False),
        (0, {"share": "0%"}, False),
        (0, {}, False),
    ],
)
async def test_what_is_mirrored_is_what_the_rules_say(
    scene: Make, weight: int, rules: dict[str, object], mirrored: bool
) -> None:
    """Towards the side that did not serve, if it is one of those named."""
    it = scene(on(weight, mirror=rules))
    client = it.client()
    client.send(get())
    (await it.accept(MODERN if weight else LEGACY)).receive(OK)
    assert client.status() == 200
    assert bool(it.tap.captures) is mirrored
    assert it.dropped() == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_reads_are_mirrored(scene: Make, method: str) -> None:
    """Nothing that could change state is repeated on the other side."""
    it = scene(on(0, mirror=ALL))
    client = it.client()
    client.send(request(method, "/a"))
    (await it.accept(LEGACY)).receive(answer(200))
    assert client.status() == 200
    assert bool(it.tap.captures) is (method in ("GET", "HEAD"))


async def test_a_read_with_a_body_is_not_mirrored(scene: Make) -> None:
    """Nobody knows what it means."""
    it = scene(on(0, mirror=ALL))
    client = it.client()
    client.send(request("GET", "/a", body=b"x"))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.tap.captures == []


async def test_what_fell_back_is_not_mirrored(scene: Make) -> None:
    """Modern has just shown what it answers."""
    it = scene(on(100, mirror=BOTH))
    client = it.client()
    client.send(get())
    await it.refuse(MODERN)
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.tap.captures == []


class Lots(random.Random):
    """Draws what it was told to, and notices when that is too little or too much."""

    def __init__(self, *lots: float) -> None:
        super().__init__()
        self.lots = list(lots)

    def random(self) -> float:
        """Draw the next."""
        return self.lots.pop(0)


async def test_a_share_is_drawn(scene: Make) -> None:
    """Once for each answer, with the share of the route."""
    it = scene(on(0, mirror={"share": "50%"}))
    it.plane._random = lots = Lots(0.5, 0.49, 0.51, 0.99)
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    for _ in range(3):
        upstream.receive(OK)
        client.send(get())
    upstream.receive(OK)
    assert lots.lots == []
    assert len(it.tap.captures) == 1


@pytest.mark.parametrize(("size", "truncated"), [(0, False), (1, True)])
async def test_a_long_answer_is_captured_without_its_body(
    scene: Make, size: int, truncated: bool
) -> None:
    """Memory is bounded; that there was more is said."""
    it = scene(on(0, mirror=ALL))
    client = it.client()
    length = copying.BODY_MAX + size
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
    upstream.receive(b"x" * 1000)
    upstream.receive(b"x" * (length - 1000))
    assert len(client.received()) > length
    (capture,) = it.tap.captures
    assert (capture.truncated, len(capture.body)) == (truncated, 0 if truncated else length)


async def test_a_chunked_answer_is_captured_without_its_framing(scene: Make) -> None:
    """Bodies are compared, not how they travelled."""
    it = scene(on(0, mirror=ALL))
    client = it.client()
    client.send(get())
    (await it.accept(LEGACY)).receive(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )
    assert client.status() == 200
    assert it.tap.captures[0].body == b"abc"


# Writes, where a route mirrors them

WRITES = {"share": "100%", "writes": "dry_run"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"name=x"])
async def test_a_write_is_captured_with_its_body(scene: Make, method: str, body: bytes) -> None:
    """As it was sent up, whether it has a body or not."""
    it = scene(on(0, mirror=WRITES))
    client = it.client()
    client.send(request(method, "/a", body=body))
    (await it.accept(LEGACY)).receive(answer(201, b"made"))
    assert client.status() == 201
    (capture,) = it.tap.captures
    assert (capture.method, capture.request_body) == (method, body)
    assert (capture.status, capture.body) == (201, b"made")


async def test_a_body_in_pieces_is_captured_whole_and_still_streamed(scene: Make) -> None:
    """What has arrived has been sent on before the rest comes."""
    it = scene(on(0, mirror=WRITES))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    upstream = await it.accept(LEGACY)
    assert bytes(upstream.sent).endswith(b"2\r\nab\r\n")
    client.send(b"1\r\nc\r\n0\r\n\r\n")
    upstream.receive(OK)
    assert client.status() == 200
    assert it.tap.captures[0].request_body == b"abc"


@pytest.mark.parametrize("most", [10, 100_000])
@pytest.mark.parametrize("more", [0, 1])
async def test_a_body_is_captured_up_to_the_cap_of_its_route(
    scene: Make, most: int, more: int
) -> None:
    """A cap below and one above what is kept for another attempt; beyond it is counted."""
    it = scene(on(0, mirror={**WRITES, "body": f"{most}B"}))
    client = it.client()
    client.send(request("POST", "/a", body=b"x" * (most + more)))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert [len(each.request_body) for each in it.tap.captures] == ([] if more else [most])
    assert it.dropped() == ({"body_too_big": 1} if more else {})


async def test_a_body_that_did_not_end_is_not_captured(scene: Make) -> None:
    """An upstream may answer early; half a request is not repeated."""
    it = scene(on(0, mirror=WRITES))
    client = it.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab")
    (await it.accept(LEGACY)).receive(answer(401))
    assert client.status() == 401
    assert it.tap.captures == []
    assert it.dropped() == {"cut_off": 1}


@pytest.mark.parametrize(
    ("weight", "method", "mirror"),
    [
        (100, "POST", {**BOTH, "writes": "dry_run"}),
        (0, "OPTIONS", WRITES),
        (0, "POST", {**WRITES, "writes": "never"}),
        (0, "POST", {**WRITES, "share": "0%"}),
    ],
)
async def test_no_other_write_is_captured(
    scene: Make, weight: int, method: str, mirror: dict[str, object]
) -> None:
    """None that modern served, above all: it would go to legacy, which carries it out."""
    it = scene(on(weight, mirror=mirror))
    client = it.client()
    client.send(request(method, "/a", body=b"x"))
    (await it.accept(MODERN if weight else LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.tap.captures == []
    assert it.dropped() == {}


async def test_a_write_that_fell_back_is_not_captured(scene: Make) -> None:
    """Modern was asked for it already."""
    it = scene(on(100, mirror=WRITES))
    client = it.client()
    client.send(request("POST", "/a", body=b"x"))
    await it.refuse(MODERN)
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.tap.captures == []


READ_BACK = {"share": "100%", "read_back": {"path": "/a"}}


@pytest.mark.parametrize(
    ("weight", "towards", "captured"),
    [(0, ["modern"], True), (100, ["modern", "legacy"], True), (100, ["modern"], False)],
)
async def test_a_write_that_is_read_back_is_captured(
    scene: Make, weight: int, towards: list[str], captured: bool
) -> None:
    """Whoever serves it, if the other side may be asked; its own mirroring is another matter."""
    it = scene(on(weight, mirror={**READ_BACK, "towards": towards}))
    client = it.client()
    client.send(request("POST", "/a", body=b"x"))
    (await it.accept(MODERN if weight else LEGACY)).receive(answer(201, b"made"))
    assert client.status() == 201
    assert [each.request_body for each in it.tap.captures] == ([b"x"] if captured else [])


async def test_halted_writes_are_not_captured(scene: Make) -> None:
    """From the version on that halts them, and again from the one that resumes them."""
    it = scene(on(0, mirror=WRITES))
    snapshot = it.plane.snapshot
    assert snapshot is not None
    client = it.client()
    for version, halted in ((1, True), (2, False)):
        it.plane.apply(
            replace(
                snapshot,
                version=snapshot.version + version,
                halted_writes=frozenset({"all"} if halted else ()),
            )
        )
        client.send(request("POST", "/a", body=b"x"))
        if halted:
            upstream = await it.accept(LEGACY)
        upstream.receive(OK)
        assert client.status() == 200
        assert len(it.tap.captures) == (not halted)
    assert it.dropped() == {}


SPELLINGS = [
    a + between + b
    for a in ("Cutover", "cutover", "CUTOVER")
    for b in ("Shadow", "SHADOW", "Shadow-Ack", "shadow_ack")
    for between in "-_."
]


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("side", [LEGACY, MODERN])
async def test_a_client_cannot_mark_its_own_request(scene: Make, name: str, side: Side) -> None:
    """No spelling passes, to the application or into a capture, also when the rules allow it."""
    allowed = [name] if {"_", "."} & set(name) else []
    it = scene(on(100 if side is MODERN else 0, mirror=WRITES), allowed_headers=allowed)
    client = it.client()
    said = f"{name}: v1;ts=1767225600;id=a;sig={'0' * 64}"
    client.send(request("POST", "/a", said, "X-Own: 1", body=b"x"))
    upstream = await it.accept(side)
    assert b"shadow" not in bytes(upstream.sent).lower()
    assert b"X-Own: 1" in bytes(upstream.sent)
    upstream.receive(OK)
    for capture in it.tap.captures:
        assert "shadow" not in str((capture.request_headers, capture.provenance)).lower()
    assert len(it.tap.captures) == (side is LEGACY)


# What is lost, and that it is counted


@pytest.mark.parametrize("why", ["no_worker", "queue_full", "error"])
async def test_the_client_never_notices_that_a_capture_is_lost(scene: Make, why: str) -> None:
    """Whatever is wrong with the shadow workers: it is counted, and that is all."""
    it = scene(on(0, mirror=ALL))
    it.tap.connected = why != "no_worker"
    it.tap.refusal = why if why == "queue_full" else None
    it.tap.failure = RuntimeError("a mistake of ours") if why == "error" else None
    client = it.client()
    client.send(get())
    upstream = await it.accept(LEGACY)
    upstream.receive(OK)
    assert client.status() == 200
    client.send(get())
    upstream.receive(OK)
    assert client.status() == 200
    assert it.dropped() == {why: 2}
    assert it.counts("all", LEGACY) == {"decided": 2, "served": 2, "ok": 2}


@pytest.mark.parametrize("legacy", [0, 100])
async def test_an_answer_that_was_cut_off_is_not_captured(scene: Make, legacy: int) -> None:
    """There is nothing to compare, whether a client saw some of it or not; that is counted."""
    it = scene(on(legacy, mirror=BOTH))
    client = it.client(high_water=100)
    client.send(get())
    upstream = await it.accept(MODERN if legacy else LEGACY)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 500)
    upstream.lose()
    if legacy:  # which serves instead of what modern had not finished
        (await it.accept(LEGACY)).receive(OK)
        assert client.status() == 200
    assert it.tap.captures == []
    assert it.dropped() == {"cut_off": 1}


# What may be spent


async def test_a_budget_is_asked_before_anything_is_copied(scene: Make) -> None:
    """What is over it is counted by the budget that refused it, and the client never notices."""
    it = scene(on(0, mirror={**ALL, "rate": "2/s"}))
    client = it.client()
    for number in range(4):
        client.send(get())
        if number == 0:
            upstream = await it.accept(LEGACY)
        upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        assert it.plane.room.left == ROOM - (2 if number < 2 else 0)
        upstream.receive(b"cde")
        assert client.status() == 200
    assert len(it.tap.captures) == 2
    assert it.dropped() == {"route_rate": 2}


async def test_bytes_of_captures_have_a_budget(scene: Make) -> None:
    """With what is around the bodies; as soon as it is paid there is another one."""
    it = scene(on(0, mirror={**ALL, "bytes": "1KB/s"}), mirror={"rate": "3/s"})
    client = it.client()
    body = answer(200, b"x" * 3000)
    client.send(get())
    upstream = await it.accept(LEGACY)
    for wait in (0.0, 2.0, 2.0):
        it.clock.advance(wait)
        upstream.receive(body)
        assert client.status() == 200
        client.send(get())
    upstream.receive(body)
    assert len(it.tap.captures) == 2
    assert it.dropped() == {"route_bytes": 2}


async def test_copies_of_one_worker_are_bounded_together(scene: Make) -> None:
    """However many answers are under way at once."""
    it = scene(on(0, mirror=ALL))
    it.plane.room.left = 10
    client = it.client()
    client.send(get())
    (await it.accept(LEGACY)).receive(answer(200, b"x" * 11))
    assert client.status() == 200
    assert it.tap.captures == []
    assert it.dropped() == {"no_room": 1}
    it.plane.room.left = ROOM
