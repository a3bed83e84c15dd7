"""Doors: how connections to one listening socket become clients of the plane.

An open door leaves accepting to the event loop. A guarded one accepts by itself, because something
comes before HTTP there: a PROXY header, a TLS handshake, or the one and then the other. Until that
is over nobody is a client: it has a deadline, its number is bounded, and it counts nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from proxy.serving.downstream import HEAD_DEADLINE, UNREAD_DEADLINE, Downstream
from proxy.serving.listener import BACKLOG, Listener
from proxy.serving.plane import Plane
from proxy.serving.tls import CertificateStore
from proxy.wire.errors import ProxyHeaderError
from proxy.wire.forwarding import HTTP, HTTPS
from proxy.wire.proxy_protocol import HEADER_MAX, read_proxy_header

HANDSHAKE_DEADLINE: Final = 10.0
"""Seconds for a TLS handshake; a PROXY header has those of a head, before it."""

ARRIVING_MAX: Final = 1_024
"""Connections of one door that may be on their way in; the oldest makes room for one more."""

SHUTDOWN_DEADLINE: Final = 100 * UNREAD_DEADLINE
"""Seconds for close_notify to be answered: out of reach, as `Downstream` ends it when it is due."""

LAST_ARRIVALS: Final = 2.0
"""Seconds for those on their way in when the door closes: a few round trips."""

ACCEPT_MAX: Final = 64
"""Connections accepted in one turn of the event loop, so that others have theirs."""

BREATHER: Final = 1.0
"""Seconds without accepting when the process has no descriptor or memory left."""

LOG_INTERVAL: Final = 1.0
"""Seconds between two lines of the log about connections that were not let in."""

log = logging.getLogger(__name__)


class Door(Protocol):
    """The way in by one listening socket."""

    async def open(self) -> None:
        """Begin to accept."""
        ...

    async def leave(self) -> None:
        """Accept no more; who waits in the socket's queue is left to whoever else serves it."""
        ...

    async def close(self) -> None:
        """Take in who is waiting, and have the kernel turn away or pass on the rest.

        To close our end is not enough: the supervisor and its other children hold the socket, too,
        and clients would wait in its queue, send their requests, and be reset when all have ended.
        """
        ...


def door(
    listener: Listener,
    plane: Plane,
    live: set[Downstream],
    certificates: CertificateStore | None = None,
) -> Door:
    """Make the door of a listener; with TLS it needs certificates."""
    sock, port = listener.sock, listener.sock.getsockname()[1]
    if not (listener.tls or listener.proxy):
        return OpenDoor(sock, partial(Downstream, plane, live, port))
    return GuardedDoor(
        sock,
        plane,
        partial(Downstream, plane, live, port, HTTPS if listener.tls else HTTP),
        certificates if listener.tls else None,
        proxy=listener.proxy,
    )


class OpenDoor:
    """Where clients speak HTTP from the first byte."""

    def __init__(self, sock: socket.socket, make: Callable[[], Downstream]) -> None:
        self._sock = sock
        self._make = make
        self._server: asyncio.Server

    async def open(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make, sock=self._sock, backlog=BACKLOG)

    async def leave(self) -> None:
        """Accept no more."""
        self._server.close()

    async def close(self) -> None:
        """Take in who is waiting, and close for the rest."""
        waiting: list[socket.socket] = []
        with contextlib.suppress(OSError):
            while True:
                waiting.append(self._sock.accept()[0])
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._server.close()
        loop = asyncio.get_running_loop()
        for client in waiting:
            client.setblocking(False)
            await loop.connect_accepted_socket(self._make, client)


class GuardedDoor:
    """Where something comes before HTTP: a PROXY header, a TLS handshake, or both."""

    def __init__(
        self,
        sock: socket.socket,
        plane: Plane,
        make: Callable[[str | None], Downstream],
        certificates: CertificateStore | None,
        *,
        proxy: bool,
    ) -> None:
        self._sock = sock
        self._plane = plane
        self._make = make
        self._certificates = certificates
        self._proxy = proxy
        self._arriving: dict[asyncio.Task[None], None] = {}
        self._told = -LOG_INTERVAL
        self._loop: asyncio.AbstractEventLoop
        self._again: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Begin to accept."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock.fileno(), self._accept)

    async def leave(self) -> None:
        """Accept no more, and let in who is on the way."""
        self._stop()
        if self._arriving:
            await asyncio.wait(self._arriving, timeout=LAST_ARRIVALS)
        for task in self._arriving:
            task.cancel()

    async def close(self) -> None:
        """Take in who is waiting, and close for the rest."""
        self._stop()
        with contextlib.suppress(OSError):
            while True:
                self._begin(*self._sock.accept())
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        await self.leave()

    def _stop(self) -> None:
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._sock.fileno())

    def _accept(self) -> None:
        for _ in range(ACCEPT_MAX):
            try:
                self._begin(*self._sock.accept())
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue  # it has left while it waited
            except OSError as error:
                self._pause(error)
                return

    def _pause(self, error: OSError) -> None:
        """Wait a little when there is nothing left to accept with: it would fail again at once."""
        self._stop()
        self._again = self._loop.call_later(
            BREATHER, self._loop.add_reader, self._sock.fileno(), self._accept
        )
        log.error("no connection can be accepted now: %s", error.strerror)

    def _begin(self, client: socket.socket, address: tuple[str, int]) -> None:
        client.setblocking(False)
        if self._proxy and not self._is_trusted(address[0]):
            client.close()
            self._turn_away("proxy_headers_refused", "untrusted", address[0], "not trusted")
            return
        if len(self._arriving) >= ARRIVING_MAX:
            # Who is in earnest needs a few round trips: the oldest is the one that stalls.
            oldest = next(iter(self._arriving))
            del self._arriving[oldest]
            oldest.cancel()
        task = self._loop.create_task(self._let_in(client, address[0]))
        self._arriving[task] = None
        task.add_done_callback(lambda done: self._arriving.pop(done, None))

    def _is_trusted(self, address: str) -> bool:
        """Whether what this peer says of its client is believed; without rules nobody is."""
        table = self._plane.table
        return table is not None and table.trusts(address)

    async def _let_in(self, client: socket.socket, address: str) -> None:
        """Make a client of a connection, or close it without a word."""
        event, source = "proxy_headers_refused", None
        try:
            if self._proxy:
                async with asyncio.timeout(HEAD_DEADLINE):
                    source = await self._read_header(client)
            event = "tls_handshakes_failed"
            await self._hand_over(client, source)
        except (ProxyHeaderError, OSError, asyncio.CancelledError) as error:
            # What has been handed over is closed already; closing it again does nothing.
            client.close()
            self._turn_away(event, _trouble(error), address, error)
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _read_header(self, client: socket.socket) -> str | None:
        """Read the PROXY header and not a byte more; gives the address that it tells, if any.

        Only the header is taken out of the socket, the rest is looked at and left: what comes
        next is a TLS handshake or HTTP, and each is read by somebody else.
        """
        held = b""
        while True:
            seen = await self._peek(client)
            header = read_proxy_header(held + seen)
            if header is not None:
                client.recv(header.size - len(held))
                return header.source
            held += client.recv(len(seen))  # or it would be readable for ever

    async def _peek(self, client: socket.socket) -> bytes:
        """Wait for something to arrive, and give it without taking it."""
        came = self._loop.create_future()
        self._loop.add_reader(client.fileno(), _arrive, came)
        try:
            await came
        finally:
            self._loop.remove_reader(client.fileno())
        seen = client.recv(HEADER_MAX, socket.MSG_PEEK)
        if not seen:
            raise ConnectionResetError("it has ended")
        return seen

    async def _hand_over(self, client: socket.socket, source: str | None) -> None:
        """Shake hands, if that is to be done, and begin with HTTP."""
        make = partial(self._make, source)
        if self._certificates is None:
            await self._loop.connect_accepted_socket(make, client)
            return
        await self._loop.connect_accepted_socket(
            make,
            client,
            ssl=self._certificates.context,
            ssl_handshake_timeout=HANDSHAKE_DEADLINE,
            ssl_shutdown_timeout=SHUTDOWN_DEADLINE,
        )

    def _turn_away(self, event: str, label: str, address: str, error: object) -> None:
        """Count a connection that was not let in, and tell of some."""
        self._plane.note(event, label)
        now = self._plane.now()
        if now - self._told >= LOG_INTERVAL:
            self._told = now
            log.info("a connection from %s was closed: %s: %s", address, event, error)


def _arrive(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)


def _trouble(error: BaseException) -> str:
    """Name why a connection was not let in, from a small set."""
    if isinstance(error, ProxyHeaderError):
        return "malformed"
    if isinstance(error, ssl.SSLError):
        return _TLS_TROUBLES.get(error.reason or "", "failed")
    if isinstance(error, asyncio.CancelledError):
        return "crowded_out"
    # Of a handshake that is too slow, uvloop says that it has aborted the connection.
    return "timeout" if isinstance(error, TimeoutError | ConnectionAbortedError) else "gone"


_TLS_TROUBLES: Final = {
    "HTTP_REQUEST": "plain_http",
    "UNSUPPORTED_PROTOCOL": "old_version",
    "UNKNOWN_PROTOCOL": "old_version",
    "NO_SHARED_CIPHER": "no_shared_cipher",
    "UNEXPECTED_EOF_WHILE_READING": "gone",
}
