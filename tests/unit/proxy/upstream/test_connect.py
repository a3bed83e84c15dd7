from __future__ import annotations

import asyncio
import select
import socket
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from proxy.outcome import OutcomeKind
from proxy.routing.side import Side
from proxy.routing.upstream_rules import Timeouts, TlsRules, UpstreamRules
from proxy.upstream.connect import TlsError, client_context, connect_tcp, connector, explain
from proxy.upstream.connection import Home, UpstreamConnection
from proxy.upstream.instance import Instance
from proxy.upstream.pool import Pool
from proxy.wire.parser import END
from tests.support_tls import NAME, Pair, answer_until_close, echo, make_pair, serving

NOW = 1000.0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Give a certificate for modern.test and 127.0.0.1."""
    return make_pair(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Give a certificate for another host, of another authority."""
    return make_pair(tmp_path_factory.mktemp("tls"), "other.test")


def side(port: int, **tls: Any) -> UpstreamRules:
    """Give a side with one instance over TLS; files may be paths."""
    tls = {name: str(value) if isinstance(value, Path) else value for name, value in tls.items()}
    return UpstreamRules(
        Side.MODERN,
        (f"https://127.0.0.1:{port}",),
        timeouts=Timeouts(connect=5.0),
        tls=TlsRules(**tls),
    )  # fmt: skip


@dataclass(eq=False)
class Asker:
    """A lessee that asks one thing and keeps the answer."""

    path: str = "/a"

    def __post_init__(self) -> None:
        """Begin without an answer."""
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.body = b""
        self.reused: bool | None = None
        self.connection: UpstreamConnection | None = None

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Ask."""
        self.connection, self.reused = connection, reused
        head = f"GET {self.path} HTTP/1.1\r\nHost: h\r\n\r\n"
        connection.begin(self, "GET", head.encode())

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Hear that there is no connection."""
        self.done.set_exception(ConnectionError(kind))

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Read."""
        while (event := connection.parser.next()) is not None:
            if isinstance(event, bytes):
                self.body += event
            elif event is END:
                self.done.set_result(self.body)

    def on_lost(self, connection: UpstreamConnection) -> None:
        """Hear the end."""
        if not connection.broken and connection.parser.finish() is END:
            self.done.set_result(self.body)
        elif not self.done.done():
            self.done.set_exception(ConnectionResetError("cut off"))

    def on_writable(self, writable: bool) -> None:
        """Nothing is sent that does not fit."""


async def ask(pool: Pool, path: str = "/a") -> Asker:
    """Ask and give back the connection; raises ConnectionError."""
    asker = Asker(path)
    pool.lease(asker, NOW)
    async with asyncio.timeout(10):
        assert await asker.done == path.encode()
    assert asker.connection is not None
    pool.release(asker.connection, NOW)
    return asker


async def end(pool: Pool) -> None:
    """Close a pool, and let its transports end before their loop does."""
    pool.close()
    await asyncio.sleep(0.01)


async def test_an_instance_is_reached_over_tls(pair: Pair) -> None:
    """By the address that its certificate names; the connection is used again, as any other."""
    with serving(pair.server(), echo) as port:
        pool = Pool(side(port, ca=pair.cert), 2)
        asked = [await ask(pool, f"/{number}") for number in range(4)]
        assert [asker.reused for asker in asked] == [False, True, True, True]
        assert pool.figures["idle"] == 1
        (connection,) = pool.members.all[0].idle
        tls = connection._tls
        assert tls is not None
        assert (tls.version(), tls.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
        await end(pool)


async def test_a_name_can_stand_for_the_address(pair: Pair) -> None:
    """`server_name` is what is verified, and what the server hears."""
    heard: list[str | None] = []
    context = pair.server()
    context.sni_callback = lambda _socket, name, _context: heard.append(name)
    with serving(context, echo) as port:
        pool = Pool(side(port, ca=pair.cert, server_name=NAME), 2)
        await ask(pool)
        assert heard == [NAME]
        await end(pool)


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({}, "does not verify: self-signed certificate; name its authority with `tls.ca`"),
        ({"server_name": "other.test"}, "Hostname mismatch"),
    ],
    ids=["unknown authority", "another host"],
)
async def test_a_certificate_that_does_not_verify(
    pair: Pair, caplog: pytest.LogCaptureFixture, tls: dict[str, Any], said: str
) -> None:
    """Counts as not reached, and the log says what, where and how to mend it; but not each time."""
    if "server_name" in tls:
        tls = {**tls, "ca": pair.cert}
    with serving(pair.server(), echo) as port:
        pool = Pool(side(port, **tls), 2)
        for _ in range(3):
            with pytest.raises(ConnectionError, match="connect"):
                await ask(pool)
        (line,) = [
            record.getMessage() for record in caplog.records if record.name.startswith("proxy")
        ]
        assert line.startswith(f"modern: the certificate of 127.0.0.1:{port}")
        assert said in line
        assert pool.figures == {"idle": 0, "leased": 0, "connecting": 0, "waiting": 0}
        await end(pool)


async def test_verification_can_be_switched_off(stranger: Pair) -> None:
    """By somebody who writes `verify: false`."""
    with serving(stranger.server(), echo) as port:
        pool = Pool(side(port, verify=False), 2)
        await ask(pool)
        await end(pool)


async def test_a_server_may_ask_who_we_are(pair: Pair, stranger: Pair) -> None:
    """Our certificate is shown; without one, or with the wrong one, there is no connection."""
    with serving(pair.server(client_ca=stranger.cert), echo) as port:
        shown = Pool(side(port, ca=pair.cert, cert=stranger.cert, key=stranger.key), 2)
        await ask(shown)
        hidden = Pool(side(port, ca=pair.cert), 2)
        with pytest.raises(ConnectionError):
            await ask(hidden)
        await end(shown)
        await end(hidden)


async def test_something_that_speaks_no_tls(caplog: pytest.LogCaptureFixture, pair: Pair) -> None:
    """A port of plain HTTP is no instance over TLS, and the log says so."""

    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(side(port, ca=pair.cert), 2)
    with pytest.raises(ConnectionError, match="connect"):
        await ask(pool)
    assert "does it speak TLS 1.2 or later there?" in caplog.text
    await end(pool)
    server.close()
    await server.wait_closed()


async def test_an_old_version_of_tls_is_refused(pair: Pair) -> None:
    """1.1 and older are no protection."""
    context = pair.server()
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with serving(context, echo) as port:
        pool = Pool(side(port, ca=pair.cert), 2)
        with pytest.raises(ConnectionError, match="connect"):
            await ask(pool)
        await end(pool)


@pytest.mark.parametrize("alert", [True, False], ids=["closing alert", "cut off"])
async def test_a_body_that_ends_with_the_connection(pair: Pair, alert: bool) -> None:
    """Is complete when TLS was ended in good order, and cut off when only TCP was."""
    with serving(pair.server(), answer_until_close(alert=alert)) as port:
        pool = Pool(side(port, ca=pair.cert), 2)
        asker = Asker()
        pool.lease(asker, NOW)
        async with asyncio.timeout(10):
            if alert:
                assert await asker.done == b"all there is"
            else:
                with pytest.raises(ConnectionResetError):
                    await asker.done
        assert asker.body == b"all there is"
        await end(pool)


@pytest.mark.asyncio(loop_factories=["asyncio"])  # uvloop writes later: nothing could be waited for
async def test_a_session_ticket_is_no_surplus(pair: Pair) -> None:
    """One that waits unread keeps a connection from being used, once read it does no more.

    The server sends tickets when it has heard the end of the handshake. A connection that nobody
    wanted any more has them in its socket until the loop reads them; nobody outside of TLS can tell
    them from an alert or from an answer nobody asked for.
    """
    loop = asyncio.get_running_loop()
    seen: list[tuple[bool, bool]] = []

    def look(connection: UpstreamConnection) -> None:
        """Let the tickets come while the loop stands."""
        assert connection._transport is not None
        sock: socket.socket = connection._transport.get_extra_info("socket")
        readable, _, _ = select.select([sock.fileno()], [], [], 10.0)
        seen.append((bool(readable), connection.is_usable(NOW)))

    class Watched(asyncio.Protocol):
        """Stands before a connection, and has it looked at as soon as it is made."""

        def __init__(self, connection: UpstreamConnection) -> None:
            self.connection = connection
            self.data_received = connection.data_received  # type: ignore[method-assign]
            self.eof_received = connection.eof_received  # type: ignore[method-assign]
            self.connection_lost = connection.connection_lost  # type: ignore[method-assign]

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.connection.connection_made(transport)
            loop.call_soon(look, self.connection)  # before the loop looks at its sockets again

    async def connect(
        home: Home, instance: Instance, idle_limit: float, _deadline: float
    ) -> UpstreamConnection:
        _, watched = await loop.create_connection(
            lambda: Watched(UpstreamConnection(home, instance, idle_limit)),
            instance.host,
            instance.port,
            ssl=client_context(rules),
            server_hostname=NAME,
        )
        return watched.connection

    with serving(pair.server(), echo) as port:
        rules = side(port, ca=pair.cert)
        pool = Pool(rules, 2, connect)
        gone = Asker()
        pool.lease(gone, NOW)
        pool.cancel(gone)
        async with asyncio.timeout(10):
            idle = pool.members.all[0].idle
            while not (idle and idle[0].is_usable(NOW)):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
        assert seen == [(True, False)]
        assert (await ask(pool)).reused is True
        await end(pool)


@pytest.mark.parametrize("name", ["ca", "cert"])
@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate"], ids=["missing", "empty", "text"]
)
def test_files_that_cannot_be_used_are_refused(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    """When the rules are applied, and not at the first request; the text says which and why."""
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TlsError) as refused:
        connector(side(1, **{name: file}))
    assert str(refused.value).startswith(f"upstreams.modern.tls.{name}: {file}")
    assert "in PEM" in str(refused.value)


def test_a_key_that_belongs_to_another_certificate_is_refused(pair: Pair, stranger: Pair) -> None:
    """Before anybody is shown anything."""
    with pytest.raises(TlsError, match="the key that belongs to it"):
        connector(side(1, cert=pair.cert, key=stranger.key))


def test_without_an_instance_over_tls_nothing_is_read() -> None:
    """The path of plain HTTP is what it was."""
    rules = UpstreamRules(Side.LEGACY, ("http://a:1",), tls=TlsRules(ca="/nowhere"))
    assert connector(rules) is connect_tcp


async def test_a_side_may_have_both(pair: Pair) -> None:
    """An instance over TLS beside one without, as while moving from one to the other."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await echo(reader, writer)

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    with serving(pair.server(), echo) as port:
        rules = side(port, ca=pair.cert)
        both = (*rules.instances, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        pool = Pool(replace(rules, instances=both), 2, chance=iter([0.0, 0.5]).__next__)
        first, second = Asker(), Asker()
        pool.lease(first, NOW)
        pool.lease(second, NOW)
        async with asyncio.timeout(10):
            assert [await first.done, await second.done] == [b"/a", b"/a"]
        secure = {
            asker.connection.instance.secure
            for asker in (first, second)
            if asker.connection is not None
        }
        assert secure == {True, False}
        for asker in (first, second):
            assert asker.connection is not None
            pool.release(asker.connection, NOW)
        await end(pool)
    server.close()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Refused"), "a:1 cannot be reached: Refused"),
        (TimeoutError(), "a:1 cannot be reached: no connection within `timeouts.connect`"),
        (OSError("Multiple exceptions"), "a:1 cannot be reached: Multiple exceptions"),
        (OSError(), "a:1 cannot be reached: OSError"),
        (ssl.SSLError(1, "x"), "no TLS with a:1: not valid TLS, or not PEM; does it speak TLS 1.2"),
    ],
)  # fmt: skip
def test_every_failure_is_explained(error: Exception, said: str) -> None:
    """What, where, and how to mend it."""
    assert explain(error, Instance("a", 1)).startswith(said)
