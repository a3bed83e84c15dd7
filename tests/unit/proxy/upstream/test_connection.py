from __future__ import annotations

import pytest

from proxy.outcome import OutcomeKind
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.fake import FakeTransport
from proxy.upstream.instance import Instance
from proxy.wire.message import ResponseHead
from proxy.wire.parser import END


class Everybody:
    """Pool and lessee in one: remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Not said by a connection."""

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Not said by a connection."""

    def on_closed(self, connection: UpstreamConnection) -> None:
        """Forget it."""
        assert connection.is_closing()
        self.told.append("closed")

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Read what came."""
        while (event := connection.parser.next()) is not None:
            self.told.append(event.status if isinstance(event, ResponseHead) else event)

    def on_lost(self, connection: UpstreamConnection) -> None:
        """Hear the end."""
        assert connection.lessee is None
        self.told.append("lost")

    def on_writable(self, writable: bool) -> None:
        """Stop or go on."""
        self.told.append(writable)


@pytest.fixture
def everybody() -> Everybody:
    """Give a listener."""
    return Everybody()


@pytest.fixture
def connection(everybody: Everybody) -> UpstreamConnection:
    """Give a connection that has not been made yet."""
    return UpstreamConnection(everybody, Instance("a", 1), 60.0)


@pytest.fixture
def transport(connection: UpstreamConnection) -> FakeTransport:
    """Make the connection, with little room in its buffer."""
    transport = FakeTransport(connection, high_water=10)
    connection.connection_made(transport)
    return transport


def test_an_answer_is_read_by_whoever_asked(
    connection: UpstreamConnection, transport: FakeTransport, everybody: Everybody
) -> None:
    """One request, one answer, a new parser for each."""
    connection.begin(everybody, "GET", b"one")
    transport.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    connection.begin(everybody, "HEAD", b"two")
    transport.receive(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n")
    assert everybody.told == [200, b"hi", END, 404, END]
    assert transport.take() == b"onetwo"


def test_back_pressure_is_passed_on(
    connection: UpstreamConnection, transport: FakeTransport, everybody: Everybody
) -> None:
    """Both ways: what cannot be sent stops the client, what cannot be taken stops the upstream."""
    connection.begin(everybody, "POST", b"x" * 11)
    transport.take()
    assert everybody.told == [False, True]
    connection.pause_reading()
    assert not transport.is_reading()
    connection.resume_reading()
    assert transport.is_reading()


def test_nobody_is_told_of_room_when_nobody_sends(
    connection: UpstreamConnection, transport: FakeTransport, everybody: Everybody
) -> None:
    """The next lessee begins with an empty account."""
    connection.write(b"x" * 11)
    transport.take()
    assert everybody.told == []


def test_bytes_without_a_request_end_the_connection(
    connection: UpstreamConnection, transport: FakeTransport, everybody: Everybody
) -> None:
    """An answer that nobody asked for is never anybody's."""
    transport.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    assert transport.aborted
    assert everybody.told == []
    assert connection.is_closing()


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_its_end_is_told_to_the_pool_first(
    connection: UpstreamConnection,
    transport: FakeTransport,
    everybody: Everybody,
    error: Exception | None,
) -> None:
    """So that the lessee, who may ask again at once, finds room."""
    connection.begin(everybody, "GET", b"one")
    transport.lose(error)
    assert everybody.told == ["closed", "lost"]
    assert connection.broken is (error is not None)


def test_whoever_aborts_hears_nothing_more(
    connection: UpstreamConnection, transport: FakeTransport, everybody: Everybody
) -> None:
    """Only the pool, to forget it."""
    connection.begin(everybody, "GET", b"one")
    connection.abort()
    transport.settle()
    assert connection.is_closing()
    assert everybody.told == ["closed"]


def test_after_its_end_nothing_can_be_done_to_it(
    connection: UpstreamConnection, transport: FakeTransport
) -> None:
    """Whoever still holds it does no harm."""
    transport.lose()
    connection.write(b"x")
    connection.pause_reading()
    connection.resume_reading()
    connection.abort()
    assert connection.is_closing()
    assert not connection.is_usable(0.0)
    assert transport.take() == b""


def test_before_it_is_made_it_is_no_connection(connection: UpstreamConnection) -> None:
    """Nobody can lease it."""
    assert connection.is_closing()
