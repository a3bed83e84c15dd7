"""A listener that says so wants a PROXY header first, from who may send it, or it hangs up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from proxy.serving import door
from tests.support_certificates import Made, talk
from tests.support_plane import TRUSTED, Rig
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

Split = Callable[[bytes], Pieces]
every_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)

MARK = b"\r\n\r\n\0\r\nQUIT\n"
ASK = b"GET /l/x HTTP/1.1\r\nHost: h\r\n"
CHAIN = b"X-Forwarded-For: 198.51.100.7\r\n"


def v1(source: str) -> bytes:
    """Write a header of version 1."""
    return f"PROXY TCP4 {source} 192.0.2.99 40000 443\r\n".encode()


def v2(source: str) -> bytes:
    """Write a header of version 2, with an extension behind the addresses."""
    address = ip_address(source).packed
    block = address * 2 + b"\x9c\x40\x01\xbb" + b"\x04\x00\x02ok"
    family = b"\x11" if len(address) == 4 else b"\x21"
    return MARK + b"\x21" + family + len(block).to_bytes(2, "big") + block


@every_split
@pytest.mark.parametrize(
    ("header", "address"),
    [
        (v1("192.0.2.1"), "192.0.2.1"),
        (v2("192.0.2.1"), "192.0.2.1"),
        (v2("2001:db8::1"), "2001:db8::1"),
        (b"PROXY UNKNOWN\r\n", "unknown"),
    ],
)
async def test_the_client_is_who_the_header_says(
    edge: Rig, header: bytes, address: str, split: Split
) -> None:
    """It is not trusted because the sender is; on the same connection it stays who it is."""
    client = await edge.client(TRUSTED, door="proxy")
    await client.send(split(header + ASK + CHAIN + b"Cutover-Side: modern\r\n\r\n"))
    assert (await client.answer()).status == 200
    await client.is_clean()
    for number in (1, 2):
        request = await edge.legacy.got(number)
        assert request.all("x-forwarded-for") == [address]
        assert request.get("x-forwarded-proto") == "http"
        assert request.get("x-forwarded-port") == str(edge.ports["proxy"])
    assert not edge.modern.requests
    assert {line["client"] for line in edge.log.lines} == {address}


async def test_a_client_that_is_itself_trusted_is_believed(edge: Rig) -> None:
    """Its address from the header decides, as that of a peer would."""
    client = await edge.client(TRUSTED, door="proxy")
    await client.send([v1(TRUSTED) + ASK + CHAIN + b"Cutover-Side: modern\r\n\r\n"])
    assert (await client.answer()).status == 200
    request = await edge.modern.got(1)
    assert request.get("x-forwarded-for") == f"198.51.100.7, {TRUSTED}"


async def test_a_sender_may_speak_for_itself(edge: Rig) -> None:
    """LOCAL: it asks whether we are alive, and is the client."""
    client = await edge.client(TRUSTED, door="proxy")
    await client.send([MARK + b"\x20\x00\x00\x00" + ASK + b"\r\n"])
    assert (await client.answer()).status == 200
    assert (await edge.legacy.got(1)).get("x-forwarded-for") == TRUSTED


@every_split
async def test_behind_a_header_the_rules_are_the_same(edge: Rig, split: Split) -> None:
    """What is no HTTP is refused, a second header too."""
    client = await edge.client(TRUSTED, door="proxy")
    await client.send(split(v1("192.0.2.1") * 2 + ASK + b"\r\n"))
    answer = await client.answer()
    assert (answer.status, answer.get("connection")) == (400, "close")
    assert await client.end() == "closed"
    assert not edge.legacy.requests


@pytest.mark.parametrize("named", ["", "tls;proxy"])
async def test_from_a_stranger_nothing_is_taken(edge: Rig, named: str) -> None:
    """Not even a good header: anybody could be anybody. Nothing is answered."""
    client = await edge.client("127.0.0.3", door=named or "proxy")
    client.write(v1("192.0.2.1") + ASK + b"\r\n")
    await client.end()
    assert not client.received
    await edge.has_noted("proxy_headers_refused", "untrusted")
    assert not edge.legacy.requests


@every_split
@pytest.mark.parametrize("named", ["proxy", "tls;proxy"])
@pytest.mark.parametrize(
    "data", [ASK + b"\r\n", b"\x16\x03\x01\x00\x05", v1("192.0.2.256"), MARK + b"\x11\x11\x00\x0c"]
)
async def test_without_a_header_nothing_is_answered(
    edge: Rig, named: str, data: bytes, split: Split
) -> None:
    """The connection is closed at once: a guess would take a client for its load balancer."""
    client = await edge.client(TRUSTED, door=named)
    await client.send(split(data))
    await client.end()
    assert not client.received
    await edge.has_noted("proxy_headers_refused", "malformed")
    assert not edge.legacy.requests
    assert not edge.plane.connections


async def test_a_header_has_a_deadline(edge: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is complete the connection counts nowhere."""
    monkeypatch.setattr(door, "HEAD_DEADLINE", 0.05)
    client = await edge.client(TRUSTED, door="proxy")
    client.write(b"PROXY TCP4 ")
    await client.end()
    assert not client.received
    await edge.has_noted("proxy_headers_refused", "timeout")


@pytest.mark.parametrize("part", [b"", b"PROXY "])
async def test_a_sender_that_leaves_is_let_go(edge: Rig, part: bytes) -> None:
    """Before its header or in the middle of it."""
    client = await edge.client(TRUSTED, door="proxy")
    client.write(part)
    await client.flush()
    client.half_close()
    await client.end()
    await edge.has_noted("proxy_headers_refused", "gone")


@pytest.mark.parametrize("header", [v1("192.0.2.1"), v2("192.0.2.1")])
@every_split
async def test_elsewhere_a_header_is_no_http(edge: Rig, header: bytes, split: Split) -> None:
    """A listener that does not ask for it does not let a client choose its address."""
    answer, client = await edge.ask(header + ASK + b"\r\n", split=split, source=TRUSTED)
    assert answer.status == 400
    assert await client.end() == "closed"
    assert not edge.legacy.requests


@every_split
@pytest.mark.parametrize("header", [v1("192.0.2.1"), v2("192.0.2.1")])
async def test_tls_begins_behind_the_header(
    edge: Rig, certificate: Made, header: bytes, split: Split
) -> None:
    """The header comes in clear, the handshake behind it."""
    client = await edge.client(
        TRUSTED, door="tls;proxy", header=split(header), tls=certificate.client()
    )
    await client.send([ASK + b"\r\n"])
    assert (await client.answer()).status == 200
    await client.is_clean()
    request = await edge.legacy.got(1)
    assert request.get("x-forwarded-for") == "192.0.2.1"
    assert request.get("x-forwarded-proto") == "https"
    assert request.get("forwarded") == 'for=192.0.2.1;host="h";proto=https'


async def test_header_and_handshake_may_come_in_one_packet(edge: Rig, certificate: Made) -> None:
    """Of what has arrived the header is taken, and the handshake finds all of the rest."""
    place = ("127.0.0.1", edge.ports["tls;proxy"])
    with socket.create_connection(place, 5, source_address=(TRUSTED, 0)) as sock:
        request = ASK + b"Connection: close\r\n\r\n"
        answer = await asyncio.to_thread(talk, sock, certificate, v2("192.0.2.1"), request)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nx")
    assert (await edge.legacy.got(1)).get("x-forwarded-for") == "192.0.2.1"
