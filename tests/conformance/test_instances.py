"""Two instances of one side, on sockets: one dies, both die, one comes back; and TLS to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from proxy.routing.side import Side
from tests.support import eventually_async
from tests.support_plane import PATIENCE, Rig, Upstream, says
from tests.support_tls import NAME, Pair, make_pair

pytestmark = pytest.mark.asyncio(loop_scope="session")

EJECTION = {"failures": 2, "duration": "30s"}


@pytest_asyncio.fixture(loop_scope="session")
async def other() -> AsyncIterator[Upstream]:
    """Give a second instance of legacy."""
    upstream = Upstream()
    await upstream.listen()
    yield upstream
    await upstream.stop()
    assert not upstream.errors


def both(rig: Rig, other: Upstream, **more: Any) -> None:
    """Have legacy served by two instances."""
    instances = [f"http://127.0.0.1:{upstream.port}" for upstream in (rig.legacy, other)]
    rig.rules(rig.document({"legacy": {"instances": instances, "ejection": EJECTION, **more}}))


async def warm(rig: Rig, other: Upstream) -> None:
    """Ask until both instances have an idle connection."""
    client = await rig.client()
    async with asyncio.timeout(PATIENCE):
        while not (rig.legacy.requests and other.requests):
            await client.is_clean()
    rig.forget()
    other.forget()


def get(path: str) -> bytes:
    """Write a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


def post(path: str) -> bytes:
    """Write a POST with a body."""
    return f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\ncharge".encode()


def out(rig: Rig) -> int:
    """Count the instances of legacy that take no part."""
    return [admitted for admitted, _ in rig.plane.pools[Side.LEGACY].instances.values()].count(0)


def told(rig: Rig, event: str) -> list[str]:
    """Give the labels under which an event was counted so far."""
    batches = [payload for kind, payload in rig.uplink.sent if kind == "outcomes"]
    batches.append(rig.plane.batch(rig.plane.tallies.take_all()).to_wire())
    return [label for batch in batches for label in batch["events"].get(event, {})]


async def test_both_take_their_share(own_rig: Rig, other: Upstream) -> None:
    """Neither is left without; each answer goes to who asked."""
    both(own_rig, other)
    client = await own_rig.client()
    for _ in range(60):
        await client.is_clean()
    assert len(own_rig.legacy.requests) + len(other.requests) == 60
    assert min(len(own_rig.legacy.requests), len(other.requests)) >= 10  # 60 draws: 1 in 10**8


async def test_one_dies_and_nobody_notices(own_rig: Rig, other: Upstream) -> None:
    """Its traffic moves, it is left out, and it comes back when its time is over."""
    both(own_rig, other)
    await warm(own_rig, other)
    await other.stop()
    client = await own_rig.client()
    for _ in range(40):
        await client.is_clean()
    assert len(own_rig.legacy.requests) == 40
    assert out(own_rig) == 1
    await other.listen()
    own_rig.later(30.0)
    async with asyncio.timeout(PATIENCE):
        while not other.requests:
            await client.is_clean()
    assert out(own_rig) == 0


async def test_a_post_finds_the_instance_that_lives(own_rig: Rig, other: Upstream) -> None:
    """A connection that cannot be made has carried no byte: the other instance is asked."""
    both(own_rig, other)
    await other.stop()
    for number in range(12):
        answer, client = await own_rig.ask(post(f"/l/{number}"))
        assert (answer.status, answer.body) == (200, str(number).encode())
        client.close()
    assert len(own_rig.legacy.requests) == 12


async def test_when_both_have_died_both_are_tried(own_rig: Rig, other: Upstream) -> None:
    """All out is as none out: the first that lives again answers, without waiting for its time."""
    both(own_rig, other, ejection={"failures": 1, "duration": "1h", "max_ejected": "100%"})
    await own_rig.legacy.stop()
    await other.stop()
    answer, client = await own_rig.ask(get("/l/x"))
    assert (answer.status, out(own_rig)) == (502, 2)
    await other.listen()
    await client.is_clean()
    assert set(told(own_rig, "panic_leases")) == {"legacy"}
    await own_rig.legacy.listen()


@pytest.mark.parametrize(
    "death",
    [
        says(then="close"),
        says(then="reset"),
        says(b"HTTP/1.1 200 O", then="close"),
        says(b"HTTP/1.1 2x0 Odd\r\n\r\n"),
        says(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["close", "reset", "half a head", "no HTTP", "503"],
)
@pytest.mark.parametrize("warmed", [True, False])
async def test_a_post_is_sent_once(own_rig: Rig, other: Upstream, death: Any, warmed: bool) -> None:
    """However the instance that has it fails: no other instance, and no other side, gets it."""
    both(own_rig, other)
    if warmed:
        await warm(own_rig, other)
    everybody = (own_rig.legacy, other, own_rig.modern)
    for upstream in everybody:
        upstream.answers(death)
    answer, client = await own_rig.ask(post("/l/x"))
    assert answer.status in (502, 503)
    received = [request.raw for upstream in everybody for request in upstream.requests]
    assert len(received) == 1
    assert received[0].endswith(b"\r\n\r\ncharge")
    for upstream in everybody:
        upstream.forget()
    client.close()
    client = await own_rig.client()
    await client.is_clean()


async def test_probes_find_out_before_anybody_asks(own_rig: Rig, other: Upstream) -> None:
    """An instance that does not answer its probes gets no request; back, it gets its share."""
    probe = {"path": "/health", "interval": "100ms", "fall": 1, "rise": 1}
    both(own_rig, other, probe=probe)

    async def asked() -> bool:
        return any(request.target == "/health" for request in other.requests)

    await eventually_async(asked, PATIENCE, "a probe")
    assert {request.get("User-Agent") for request in other.requests} == {"cutover-probe"}
    await other.stop()

    async def is_out() -> bool:
        return out(own_rig) == 1

    await eventually_async(is_out, PATIENCE, "the instance is out")
    client = await own_rig.client()
    for _ in range(10):
        await client.is_clean()
    await other.listen()

    async def is_back() -> bool:
        return out(own_rig) == 0

    await eventually_async(is_back, PATIENCE, "the instance is back")
    assert set(told(own_rig, "probes_failed")) == {f"127.0.0.1:{other.port}"}


# TLS


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Give a certificate."""
    return make_pair(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture(loop_scope="session")
async def secure(pair: Pair) -> AsyncIterator[Upstream]:
    """Give an instance over TLS."""
    upstream = Upstream(tls=pair.server())
    await upstream.listen()
    yield upstream
    await upstream.stop()
    assert not upstream.errors


def over_tls(rig: Rig, secure: Upstream, **tls: Any) -> dict[str, Any]:
    """Write rules in which legacy is reached over TLS."""
    instances = [f"https://127.0.0.1:{secure.port}"]
    return rig.document({"legacy": {"instances": instances, "tls": tls}})


async def test_the_bytes_are_the_same_over_tls(own_rig: Rig, secure: Upstream, pair: Pair) -> None:
    """Request and answer, a body both ways, one connection for all; plain and over TLS."""
    body = bytes(range(256)) * 4096
    raw = b"PUT /l/x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    seen = []
    for upstream in (own_rig.legacy, secure):
        if upstream is secure:
            own_rig.rules(over_tls(own_rig, secure, ca=str(pair.cert), server_name=NAME))
        upstream.answers(says(said))
        answer, client = await own_rig.ask(raw)
        assert answer.body == body
        await client.is_clean()
        await client.is_clean()
        seen.append([request.raw for request in upstream.requests[:1]])
        assert len(upstream.connections) == 1
        client.close()
    assert seen[0] == seen[1]


async def test_a_certificate_that_does_not_verify_is_no_connection(
    own_rig: Rig, secure: Upstream
) -> None:
    """502, and no byte of a request reaches whoever that is."""
    own_rig.rules(over_tls(own_rig, secure))
    answer, _ = await own_rig.ask(post("/l/x"))
    assert answer.status == 502
    assert secure.requests == []
    assert own_rig.log.lines[-1]["outcome"] == "connect"


async def test_files_that_cannot_be_used_change_nothing(
    own_rig: Rig, secure: Upstream, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """The rules of before stay in force, and the log says which file and why."""
    missing = str(Path(pair.cert).with_name("missing.pem"))
    pools = dict(own_rig.plane.pools)
    own_rig.rules(over_tls(own_rig, secure, ca=missing))
    assert f"upstreams.legacy.tls.ca: {missing} cannot be used" in caplog.text
    assert own_rig.plane.pools == pools
    assert own_rig.plane.table is not None
    assert own_rig.plane.table.version == 1
    client = await own_rig.client()
    await client.is_clean()
    own_rig.rules(over_tls(own_rig, secure, ca=str(pair.cert)))
    await client.is_clean()
    assert len(secure.requests) == 1
