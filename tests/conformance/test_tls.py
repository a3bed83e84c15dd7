"""Over TLS everything is as it is without; and what is special about it, up to the last byte."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from proxy.serving import door
from proxy.serving.certificate import read_certificate
from proxy.serving.downstream import LINGER, UNREAD_DEADLINE
from proxy.serving.tls import CertificateStore
from tests.conformance.test_streaming import BOUND, held
from tests.hostile_requests import REFUSED_BODIES, REFUSED_HEADS
from tests.support_certificates import Made, make_certificate
from tests.support_plane import Client, Received, Rig, Upstreamed, running, says
from tests.support_wire import Pieces, byte_by_byte, in_two, one_shot

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASK = b"GET /l/x HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /l/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
SIZE = 6 * 1024 * 1024
SAMPLE = [*REFUSED_HEADS[::9], *REFUSED_BODIES[::5]]


async def connect(edge: Rig, certificate: Made, source: str = "127.0.0.1") -> Client:
    """Connect to the listener with TLS."""
    return await edge.client(source, door="tls", tls=certificate.client())


async def connect_plainly(edge: Rig, certificate: Made) -> ssl.SSLSocket:
    """Connect a client that tells a TLS end from a cut, which transports do not."""

    def shake_hands() -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", edge.ports["tls"]), 10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        return certificate.client().wrap_socket(
            sock, server_hostname="shop.test", suppress_ragged_eofs=False
        )

    return await asyncio.to_thread(shake_hands)


def read_all(sock: ssl.SSLSocket) -> bytes:
    """Read until close_notify; anything else that ends a connection raises."""
    data = bytearray()
    while piece := sock.recv(65_536):
        data += piece
    return bytes(data)


async def test_the_application_is_told_of_tls(edge: Rig, certificate: Made) -> None:
    """With the scheme and the port of the listener; HTTP/1.1 is what was agreed on."""
    client = await connect(edge, certificate)
    session = client._transport.get_extra_info("ssl_object")
    assert (session.version(), session.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
    await client.send([ASK])
    assert (await client.answer()).status == 200
    request = await edge.legacy.got(1)
    assert request.get("x-forwarded-proto") == "https"
    assert request.get("x-forwarded-port") == str(edge.ports["tls"])
    assert request.get("forwarded") == 'for=127.0.0.1;host="h";proto=https'


async def test_a_connection_is_kept(edge: Rig, certificate: Made) -> None:
    """For one request after another, and for several at once."""
    client = await connect(edge, certificate)
    await client.is_clean()
    await client.is_clean("/m/")
    await client.send([ASK + ASK.replace(b"/l/x", b"/l/y")])
    assert [(await client.answer()).body, (await client.answer()).body] == [b"x", b"y"]
    await client.is_clean()


@pytest.mark.parametrize("split", [one_shot, byte_by_byte, in_two])
@pytest.mark.parametrize(
    ("raw", "status"), [case[1:] for case in SAMPLE], ids=[case[0] for case in SAMPLE]
)
async def test_refused(
    edge: Rig, certificate: Made, raw: bytes, status: int, split: Callable[[bytes], Pieces]
) -> None:
    """A sample of what is refused: answered with its status, then the connection ends."""
    client = await connect(edge, certificate)
    await client.send(split(raw))
    answer = await client.answer()
    assert (answer.status, answer.get("connection")) == (status, "close")
    assert await client.end() == "closed"
    assert not client.received
    assert not edge.legacy.requests


async def test_large_bodies_pass_both_ways(edge: Rig, certificate: Made) -> None:
    """Every byte, with both ends slower than what is sent."""
    block = bytes(range(256)) * 256
    body = block * (SIZE // len(block))

    async def mirrored(connection: Upstreamed, request: Received) -> None:
        length = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request.body)
        await connection.send([length + request.body])

    edge.legacy.answers(mirrored)
    client = await connect(edge, certificate)
    client.write(b"POST /l/x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % SIZE + body)
    answer = await client.answer()
    assert answer.body == body
    await client.is_clean()


async def test_a_slow_reader_holds_back_its_upstream(edge: Rig, certificate: Made) -> None:
    """However much the kernel's buffers take, the worker itself keeps a few reads of the answer."""
    body = bytes(4 * SIZE)
    edge.legacy.answers(says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    client = await connect(edge, certificate)
    client.pause()
    client.write(ASK)
    await edge.until_paused()
    assert held(edge) < BOUND
    client.resume()
    await client.until(lambda: len(client.received) > len(body), "answer")
    head, _, got = bytes(client.received).partition(b"\r\n\r\n")
    assert (head[:12], got == body) == (b"HTTP/1.1 200", True)
    client.received.clear()
    await client.is_clean()


async def test_the_last_answer_ends_with_close_notify(edge: Rig, certificate: Made) -> None:
    """A client can tell that it has all of an answer, also of one that ends with the connection."""
    body = bytes(SIZE)
    edge.legacy.answers(says(b"HTTP/1.1 200 OK\r\n\r\n" + body, then="close"))
    with await connect_plainly(edge, certificate) as sock:
        sock.sendall(LAST.replace(b"/1.1", b"/1.0"))
        answer = await asyncio.to_thread(read_all, sock)
    assert answer.partition(b"\r\n\r\n")[2] == body


async def test_an_answer_that_breaks_off_does_not_end(edge: Rig, certificate: Made) -> None:
    """No close_notify: a complete end is never invented."""
    edge.legacy.answers(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", then="reset"))
    with await connect_plainly(edge, certificate) as sock:
        sock.sendall(ASK)
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            await asyncio.to_thread(read_all, sock)


async def test_a_client_that_does_not_close_is_ended(edge: Rig, certificate: Made) -> None:
    """It has its last answer and was told; it may not keep the connection."""
    with await connect_plainly(edge, certificate) as sock:
        sock.sendall(LAST)
        await edge.until_closing(1)
        edge.later(LINGER)
        await edge.until_clients(0)


async def test_a_slow_reader_gets_all_of_a_last_answer(edge: Rig, certificate: Made) -> None:
    """As long as it reads some of it now and then."""
    body = bytes(SIZE)
    edge.legacy.answers(says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + body))
    with await connect_plainly(edge, certificate) as sock:
        sock.sendall(LAST)
        got = bytearray()
        while edge.closing() == 0:
            got += await asyncio.to_thread(sock.recv, 65_536)
        for seconds in (LINGER, UNREAD_DEADLINE):
            edge.later(seconds)
            more = len(got) + 1024 * 1024
            while len(got) < more:
                got += await asyncio.to_thread(sock.recv, 65_536)
        edge.later(UNREAD_DEADLINE)
        got += await asyncio.to_thread(read_all, sock)
    assert bytes(got).partition(b"\r\n\r\n")[2] == body


async def test_a_client_that_reads_no_last_answer_is_cut_off(edge: Rig, certificate: Made) -> None:
    """It had its time."""
    body = bytes(SIZE)
    edge.legacy.answers(says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + body))
    with await connect_plainly(edge, certificate) as sock:
        sock.sendall(LAST)
        while edge.closing() == 0:
            await asyncio.to_thread(sock.recv, 65_536)
        edge.later(LINGER)
        for _ in range(9):  # what is under way may be acknowledged still
            edge.later(UNREAD_DEADLINE)
            await asyncio.sleep(0)
        await edge.until_clients(0)


async def test_a_client_that_ends_its_half_ends_all(edge: Rig, certificate: Made) -> None:
    """TLS of the event loop has no half-closed connections; nothing is left of the exchange."""
    held = asyncio.Event()

    async def late(_: Upstreamed, __: Received) -> None:
        await held.wait()

    edge.legacy.answers(late)
    sock = await connect_plainly(edge, certificate)
    sock.sendall(ASK)
    request = await edge.legacy.got(1)
    sock.setblocking(False)
    with pytest.raises((ssl.SSLWantReadError, ssl.SSLZeroReturnError)):
        sock.unwrap()
    assert await request.connection.end() in ("closed", "reset")
    held.set()
    sock.close()


@pytest.mark.parametrize(
    ("hello", "reason"),
    [(ASK, "plain_http"), (b"\x16\x03\x01nonsense" * 20, "failed"), (b"\0" * 300, "failed")],
)
async def test_what_is_no_handshake_is_not_answered(
    edge: Rig, hello: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is closed and counted, without a traceback."""
    client = await edge.client(door="tls")
    client.write(hello)
    await client.end()
    assert b"HTTP" not in client.received
    await edge.has_noted("tls_handshakes_failed", reason)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_an_old_version_is_refused(edge: Rig, certificate: Made) -> None:
    """And counted; the event loop closes without the alert that would say why."""
    old = certificate.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await edge.client(door="tls", tls=old)
    await edge.has_noted("tls_handshakes_failed", "old_version")


async def test_a_handshake_has_a_deadline(edge: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is complete nobody is a client, and nothing of it remains."""
    monkeypatch.setattr(door, "HANDSHAKE_DEADLINE", 0.05)
    client = await edge.client(door="tls")
    client.write(b"\x16\x03\x01")
    assert not edge.plane.connections
    await client.end()
    await edge.has_noted("tls_handshakes_failed", "timeout")


async def test_those_who_stall_make_room(
    edge: Rig, certificate: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door is never full: whoever is on the way for longest is sent away."""
    monkeypatch.setattr(door, "ARRIVING_MAX", 2)
    stalled = [await edge.client(door="tls") for _ in range(2)]
    client = await connect(edge, certificate)
    await client.is_clean()
    await stalled[0].end()
    await edge.has_noted("tls_handshakes_failed", "crowded_out")
    assert not stalled[1].ended


async def test_a_client_that_leaves_in_its_handshake_is_let_go(edge: Rig) -> None:
    """In good order or not."""
    client = await edge.client(door="tls")
    client.write(b"\x16\x03\x01\x02\x00")
    await client.flush()
    client.half_close()
    await client.end()
    await edge.has_noted("tls_handshakes_failed", "gone")


# A worker of its own


@pytest.fixture
def laid(certificate: Made, tmp_path: Path) -> Made:
    """Give a certificate whose files may be replaced."""
    made = Made(tmp_path / "shop.crt", tmp_path / "shop.key")
    shutil.copy(certificate.certificate, made.certificate)
    shutil.copy(certificate.key, made.key)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def own_edge(tmp_path: Path, laid: Made) -> AsyncIterator[Rig]:
    """Give a worker of its own to a case that stops it or replaces its certificates."""
    store = CertificateStore([laid.certificate], [laid.key])
    async with running(tmp_path, drain_seconds=1.5, certificates=store) as rig:
        yield rig


def shown(client: Client) -> tuple[str, ...]:
    """Give the names of the certificate that a client was shown."""
    return read_certificate(
        client._transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    ).names


async def test_a_new_certificate_touches_no_connection(
    own_edge: Rig, laid: Made, certificate: Made, tmp_path: Path
) -> None:
    """New clients are shown it within a second of its files being replaced; the others stay."""
    before = await connect(own_edge, certificate)
    await before.is_clean()
    (tmp_path / "fresh").mkdir()
    fresh = make_certificate(tmp_path / "fresh", "fresh", "shop.test", "new.test")
    fresh.key.replace(laid.key)
    fresh.certificate.replace(laid.certificate)
    await own_edge.has_noted("tls_certificates_read", "taken")
    after = await connect(own_edge, laid)
    assert (shown(before), shown(after)) == (("shop.test",), ("shop.test", "new.test"))
    await before.is_clean()
    await after.is_clean()


async def test_a_reload_reads_certificates_at_once(own_edge: Rig) -> None:
    """Whether or not they have changed."""
    own_edge.worker.reload()
    assert own_edge.noted("tls_certificates_read") == {"taken": 1}


async def test_half_a_renewal_leaves_the_old_in_use(
    own_edge: Rig, laid: Made, certificate: Made, tmp_path: Path
) -> None:
    """A key that fits nothing is refused, and clients are served."""
    (tmp_path / "fresh").mkdir()
    make_certificate(tmp_path / "fresh").key.replace(laid.key)
    await own_edge.has_noted("tls_certificates_read", "refused")
    await (await connect(own_edge, certificate)).is_clean()


async def test_draining_ends_connections_in_good_order(own_edge: Rig, certificate: Made) -> None:
    """Who is in its handshake may end it and ask once; who is idle is told."""
    idle = await connect_plainly(own_edge, certificate)
    idle.sendall(ASK)
    assert (await asyncio.to_thread(idle.recv, 4096)).startswith(b"HTTP/1.1 200")
    waiting = await own_edge.client(door="tls")
    own_edge.worker.stop()
    assert await asyncio.to_thread(read_all, idle) == b""
    idle.close()
    await waiting.end()
    assert not waiting.received
