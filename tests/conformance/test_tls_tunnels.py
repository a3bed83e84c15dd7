"""WebSocket tunnels over TLS: the same bytes, and what differs where no half can be closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from proxy.serving.tls import CertificateStore
from tests.conformance.test_tls import connect, connect_plainly, read_all
from tests.conformance.test_tunnels import (
    ASK,
    GIVE,
    GIVEN,
    both_ways,
    ended,
    nothing_left,
    outlives_changes,
    tunnel,
)
from tests.support_certificates import Made
from tests.support_plane import TRUSTED, Client, Rig, Upstreamed, running, says
from tests.support_wire import SPLITS, Pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 6 * 1024 * 1024


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_tunnel_stays(shared_edge: Rig) -> AsyncIterator[None]:
    """End what a case has left open, at both ends."""
    yield
    for client in shared_edge.clients:
        client.reset()
    await shared_edge.legacy.hang_up()
    await shared_edge.modern.hang_up()
    await nothing_left(shared_edge)


async def opened(edge: Rig, certificate: Made) -> tuple[Client, Upstreamed]:
    """Open a tunnel through the listener with TLS."""
    return await tunnel(edge, client=await connect(edge, certificate))


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
async def test_tunnel(edge: Rig, certificate: Made, split: Callable[[bytes], Pieces]) -> None:
    """Both ends get exactly what the other sent, what came in one record with the heads first."""
    edge.legacy.answers(says(*split(GIVE + b"early down")))
    client = await connect(edge, certificate)
    await client.send(split(ASK + b"early up"))
    received = await edge.legacy.got(1)
    upstream = received.connection
    assert received.get("x-forwarded-proto") == "https"
    assert (received.get("upgrade"), received.get("connection")) == ("websocket", "Upgrade")
    await upstream.until(lambda: upstream.unread == b"early up", "early bytes")
    await client.until(lambda: client.received == GIVEN + b"early down", "head and early bytes")
    await both_ways(client, upstream)


async def test_much_passes_both_ways_at_once(edge: Rig, certificate: Made) -> None:
    """Every byte, while neither end waits for the other."""
    client, upstream = await opened(edge, certificate)
    block = bytes(range(256)) * 64
    up, down = b"up" + block * (SIZE // len(block)), b"down" + block * (SIZE // len(block))
    upstream.received.clear()
    client.write(up)
    upstream.write(down)
    await upstream.until(lambda: len(upstream.received) >= len(up), "all bytes up")
    await client.until(lambda: len(client.received) >= len(down), "all bytes down")
    assert bytes(upstream.received) == up
    assert bytes(client.received) == down
    await both_ways(client, upstream)


async def test_upstream_closes_first(edge: Rig, certificate: Made) -> None:
    """The client gets the last byte, and a good end of TLS, not a cut."""
    last = bytes(range(256)) * (SIZE // 256)
    edge.legacy.answers(says(GIVE, last, then="close"))
    sock = await connect_plainly(edge, certificate)
    await asyncio.to_thread(sock.sendall, ASK)
    got = await asyncio.to_thread(read_all, sock)
    sock.close()
    assert got == GIVEN + last
    assert (await ended(edge, "closed"))["bytes_out"] == len(last)


async def test_client_closes_first(edge: Rig, certificate: Made) -> None:
    """Its last bytes arrive, then the end: whoever has said so in TLS hears no more either."""
    client, upstream = await opened(edge, certificate)
    client.write(b"goodbye")
    client.close()
    assert await upstream.end() == "closed"
    assert upstream.unread == b"goodbye"
    await ended(edge, "closed")


async def test_resets_pass(edge: Rig, certificate: Made) -> None:
    """From either end to the other, as what they are."""
    client, upstream = await opened(edge, certificate)
    client.reset()
    assert await upstream.end() == "reset"
    await ended(edge, "client")
    client, upstream = await opened(edge, certificate)
    upstream.reset()
    await client.end()
    await ended(edge, "upstream")


async def test_behind_the_proxy_protocol(edge: Rig, certificate: Made) -> None:
    """Where a listener asks for both, the upstream is told the address in the header."""
    header = [b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 443\r\n"]
    client = await edge.client(TRUSTED, door="tls;proxy", header=header, tls=certificate.client())
    client, upstream = await tunnel(edge, client=client)
    await both_ways(client, upstream)
    assert edge.legacy.requests[0].get("x-forwarded-for") == "192.0.2.7"


async def test_rules_change_under_a_tunnel(certificate: Made, tmp_path: Path) -> None:
    """New rules, a rollback and the kill switch leave it alone; the drain's deadline ends it."""
    store = CertificateStore([certificate.certificate], [certificate.key])
    async with running(tmp_path, drain_seconds=0.3, certificates=store) as rig:
        client = await connect(rig, certificate)
        ask = ASK.replace(b"/l/", b"/m/")
        client, upstream = await tunnel(rig, ask, rig.modern, client)
        await outlives_changes(rig, client, upstream)
        rig.worker.stop()
        await both_ways(client, upstream)
        await client.end()
        assert await upstream.end() == "reset"
        await ended(rig, "cut")
