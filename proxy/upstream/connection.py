"""One connection to an instance: sends one request at a time and hands on what comes back."""

from __future__ import annotations

import asyncio
import select
import ssl
from typing import Protocol, cast

from proxy.outcome import OutcomeKind
from proxy.upstream.handover import Handover
from proxy.upstream.instance import Instance
from proxy.wire.parser import ResponseParser


class Lessee(Protocol):
    """Whoever has leased a connection and awaits an answer on it."""

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Take the connection that was asked for."""
        ...

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Hear that there will be none: CONNECT, or REJECTED when the pool is exhausted."""
        ...

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Read what has arrived from `connection.parser`."""
        ...

    def on_lost(self, connection: UpstreamConnection) -> None:
        """Hear that the upstream has closed; nothing more comes."""
        ...

    def on_writable(self, writable: bool) -> None:
        """Stop or go on sending the request's body."""
        ...


class Home(Protocol):
    """The pool that a connection belongs to."""

    def on_closed(self, connection: UpstreamConnection) -> None:
        """Forget a connection that is no more."""
        ...


class UpstreamConnection(asyncio.Protocol):
    """A connection of one pool; idle, or leased to one lessee for one request.

    `broken` says that it ended by a reset or a failure, and not in good order. With TLS, good order
    is a closing alert: without one, anybody on the way may have cut off the end (RFC 8446, 6.1).
    """

    __slots__ = (
        "_home",
        "_poll",
        "_tls",
        "_transport",
        "broken",
        "idle_limit",
        "idle_since",
        "instance",
        "lessee",
        "parser",
    )

    def __init__(self, home: Home, instance: Instance, idle_limit: float) -> None:
        self._home = home
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._tls: ssl.SSLObject | None = None
        self.instance = instance
        self.broken = False
        self.lessee: Lessee | None = None
        self.parser = ResponseParser("GET")
        self.idle_since = 0.0
        self.idle_limit = idle_limit

    # What a lessee does

    def begin(self, lessee: Lessee, method: str, data: bytes) -> None:
        """Send a request's head (and what there is of its body) and await the answer."""
        self.lessee = lessee
        self.parser.restart(method)
        self.write(data)

    def write(self, data: bytes) -> None:
        """Send more of the request, unless the connection has just been lost."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause_reading(self) -> None:
        """Let the answer wait: the client reads more slowly than the upstream writes."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on with the answer."""
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once, whatever is in flight."""
        self.lessee = None
        if self._transport is not None:
            self._transport.abort()

    def hand_over(self, to: asyncio.Protocol) -> Handover:
        """Give the connection to a tunnel; the pool counts it until it hears of its loss."""
        transport = cast("asyncio.Transport", self._transport)  # it has just brought a 101
        self.lessee = None
        transport.set_protocol(to)
        if not transport.is_closing():
            transport.resume_reading()
        return Handover(transport, self.parser.take_rest(), writable=True, ended=False)

    # What the pool asks

    def is_usable(self, now: float) -> bool:
        """Whether an idle connection may be leased again.

        It must not have been idle for as long as the upstream may keep it: stale keep-alive is the
        most common random 502 in the field. And nothing may wait in its socket that the event loop
        has not told yet: a close, or bytes nobody asked for, which would pass for the next answer.
        With TLS it may be a session ticket, too, which looks the same from outside. Servers send
        those before their first answer, so what waits here is one only on a connection that has
        never been used: better to lose that than to guess.
        """
        return (
            now - self.idle_since < self.idle_limit
            and not self.is_closing()
            and not (self._poll is not None and self._poll.poll(0))  # a system call of 0.4 us
        )

    def is_closing(self) -> bool:
        """Whether the connection is no more."""
        return self._transport is None or self._transport.is_closing()

    # What the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin life."""
        self._transport = cast("asyncio.Transport", transport)
        self._tls = transport.get_extra_info("ssl_object")
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN | select.POLLRDHUP)

    def data_received(self, data: bytes) -> None:
        """Hand on an answer; close when nobody has asked for one."""
        if self.lessee is None:
            self.abort()
            return
        self.parser.receive(data)
        self.lessee.on_answer(self)

    def pause_writing(self) -> None:
        """Tell the lessee to stop sending."""
        if self.lessee is not None:
            self.lessee.on_writable(False)

    def resume_writing(self) -> None:
        """Tell the lessee to go on sending."""
        if self.lessee is not None:
            self.lessee.on_writable(True)

    def eof_received(self) -> None:
        """Note the closing alert of TLS; the event loop then closes our end, too."""
        if self._tls is not None and _is_over(self._tls):
            self._tls = None

    def connection_lost(self, exc: Exception | None) -> None:
        """End life: the pool forgets, the lessee hears."""
        self._transport = None
        self.broken = exc is not None or self._tls is not None
        self._home.on_closed(self)
        lessee, self.lessee = self.lessee, None
        if lessee is not None:
            lessee.on_lost(self)


def _is_over(tls: ssl.SSLObject) -> bool:
    """Whether the peer has ended TLS by its closing alert, and not just the connection below."""
    try:
        return tls.read(1) == b""
    except ssl.SSLError:
        return False
