"""One client connection: reads requests in order, one exchange at a time."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import sys
import termios
from typing import Final, cast

from proxy.serving.exchange import Exchange
from proxy.serving.pace import RATE_MIN
from proxy.serving.plane import Plane
from proxy.serving.reset import reset
from proxy.serving.stage import RELAYING
from proxy.upstream.handover import Handover
from proxy.wire.errors import RequestError
from proxy.wire.forwarding import HTTP, HTTPS, Peer, write_own
from proxy.wire.message import RequestHead
from proxy.wire.parser import RequestEvent, RequestParser

HEAD_DEADLINE: Final = 10.0
LINGER: Final = 2.0
"""Seconds for a head to be complete, and to read on after a last answer."""

UNREAD_DEADLINE: Final = 30.0
"""Seconds after which a client must have read its share of a last answer, or all of it."""

_BYTES_ACKED: Final = slice(120, 128)  # of struct tcp_info: tcpi_bytes_acked

READ_AHEAD: Final = 65_536
"""Bytes a client may send ahead of what its current exchange takes."""


class Downstream(asyncio.Protocol):
    """The client's side. `deadline` is looked at by the worker ten times a second.

    `source` is what a PROXY header said of the client; without one it is who connected.
    """

    __slots__ = (
        "_advancing",
        "_closing",
        "_ended",
        "_listener_port",
        "_live",
        "_parser",
        "_peer_table",
        "_reading",
        "_scheme",
        "_source",
        "_transport",
        "_unsent",
        "deadline",
        "exchange",
        "peer",
        "plane",
        "writable",
    )

    def __init__(
        self,
        plane: Plane,
        live: set[Downstream],
        listener_port: int,
        scheme: bytes = HTTP,
        source: str | None = None,
    ) -> None:
        self.plane: Final = plane
        self.exchange: Exchange | None = None
        self.deadline = 0.0
        self.writable = True
        self.peer: Peer
        self._live = live
        self._listener_port = listener_port
        self._scheme = scheme
        self._source = source
        self._parser = RequestParser()
        self._transport: asyncio.Transport
        self._peer_table: object = None
        self._advancing = False
        self._closing = False
        self._ended = False
        self._reading = True
        self._unsent = 0

    # What the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen to the client."""
        self._transport = cast("asyncio.Transport", transport)
        self._live.add(self)
        self.plane.connections += 1
        self.deadline = self.plane.now() + HEAD_DEADLINE
        if self.plane.connections > self.plane.connections_max:
            # Not left at the door: it would wait there, unanswered, while other workers have room.
            self.plane.note("rejected_requests", "connections")
            self._refuse(RequestError(503, "too many connections at once"))
        elif self.plane.draining:
            self.drain()
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._scheme is HTTPS:  # uvloop would let half a megabyte wait for a slow reader
            self._transport.set_write_buffer_limits(READ_AHEAD)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._closing:
            return
        self._parser.receive(data)
        exchange = self.exchange
        if exchange is None:
            self._advance()
        elif not exchange.request_done:
            exchange.on_client_data()
        if self._parser.waiting > READ_AHEAD:
            self.pause_reading()

    def eof_received(self) -> bool:
        """Let the transport stay open while answers are still to be written.

        With TLS it never does: whoever sends close_notify gets no more answers.
        """
        self._ended = True
        exchange = self.exchange
        if exchange is None:
            return not self.writable and self._scheme is HTTP
        if exchange.request_done and self._scheme is HTTP:
            return True
        if exchange.stage is RELAYING:  # the end of its answer must not be invented
            self.cut_off()
        return False

    def pause_writing(self) -> None:
        """Stop taking the answer: the client reads slowly."""
        self.writable = False
        if self.exchange is not None:
            self.exchange.on_client_writable(False)

    def resume_writing(self) -> None:
        """Go on with the answer, or with the requests that wait behind it."""
        self.writable = True
        if self.exchange is not None:
            self.exchange.on_client_writable(True)
        else:
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        """Let the exchange in flight know that nobody waits for it."""
        self._closing = True
        self._live.discard(self)
        self.plane.connections -= 1
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.on_client_gone()

    # What the exchange does

    def read_body(self) -> RequestEvent | None:
        """Give more of the request's body; raises RequestError."""
        return self._parser.next()

    def write(self, data: bytes) -> None:
        """Send to the client, unless it has just gone."""
        # uvloop raises then, and the loop would blame the upstream whose bytes these are.
        if not self._transport.is_closing():
            self._transport.write(data)

    def done(self, close: bool) -> None:
        """End the exchange and go on to the next request, or close."""
        self.exchange = None
        if close:
            self.close_gently()
            return
        parser = self._parser
        parser.restart()
        self.deadline = self.plane.now() + self.plane.idle_seconds
        if not self._reading:
            self.resume_reading()
        if parser.waiting or self._ended:
            self._advance()

    def reset(self) -> None:
        """Cut the client off, by a reset: a plain close can be the end of a complete answer."""
        self.exchange = None
        self._closing = True
        # With TLS it is closing while close_notify goes to and fro, and has its socket still.
        if self._transport.is_closing() and self._scheme is HTTP:
            self._transport.abort()
        else:
            reset(self._transport)

    def hand_over(self, to: asyncio.Protocol) -> Handover:
        """Give the connection to a tunnel; what the client has sent ahead is not a request."""
        self._transport.set_protocol(to)
        early = self._parser.take_rest()
        self.resume_reading()
        return Handover(self._transport, early, self.writable, self._ended)

    def close_gently(self) -> None:
        """Close after the last answer, without a reset that would destroy it (RFC 9112, 9.6)."""
        self._closing = True
        if self._transport.is_closing():
            return
        # With TLS what is unsent is known by degrees only: the first look begins to count.
        self._unsent = self._transport.get_write_buffer_size() if self._scheme is HTTP else 0
        self.deadline = self.plane.now() + (UNREAD_DEADLINE if self._unsent else LINGER)
        self.resume_reading()
        # With TLS, to close is to end our half: close_notify goes out behind the answer, and the
        # transport reads on, and throws away, until the client's comes back.
        if self._ended or self._scheme is HTTPS:
            self._transport.close()
        else:
            self._transport.write_eof()

    def pause_reading(self) -> None:
        """Let the client wait with the rest of its request."""
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading, unless enough waits already."""
        if self._reading or self._transport.is_closing():
            return
        if self._closing or self._parser.waiting <= READ_AHEAD:
            self._reading = True
            self._transport.resume_reading()

    # What the worker does

    def on_tick(self, now: float) -> None:
        """Act when the deadline has passed."""
        if now < self.deadline:
            return
        if self._closing:
            self._linger(now)
        elif self.exchange is not None:
            self.exchange.on_deadline(now)
        elif self._parser.waiting and self.writable:
            # Else it is we who did not take the request, because the client reads no answers: a
            # refusal would come for a request that is there, and with a body even if it is a HEAD.
            self._refuse(RequestError(408, "the request did not arrive in time"))
        else:
            self.close_gently()

    def drain(self) -> None:
        """Close an idle connection soon; the answer to what is on its way says that it is the last.

        Not at once: on a new connection the first request is on its way, and on one in use the next
        may be. A client that asks within the time is answered, and told to close.
        """
        if self.exchange is None and not self._closing and not self._parser.waiting:
            self.deadline = min(self.deadline, self.plane.now() + self.plane.idle_seconds)

    def cut_off(self) -> None:
        """End now: by a reset, unless nothing is on its way."""
        exchange = self.exchange
        if exchange is None and not self._closing and not self._parser.waiting:
            self.close_gently()
            return
        self.reset()
        self.exchange = exchange  # `connection_lost` tells it, or has its tunnel tell it

    def _linger(self, now: float) -> None:
        """Wait on for a client that still reads its last answer; end with any other."""
        unsent = self._count_unsent()
        if not unsent:
            self._transport.abort()
        elif not self._unsent or self._unsent - unsent >= RATE_MIN * UNREAD_DEADLINE:
            self._unsent = unsent
            self.deadline = now + UNREAD_DEADLINE
        else:
            self.reset()

    def _count_unsent(self) -> int:
        """A number that falls by each byte that the client takes, and is 0 when it has all.

        A transport with TLS does not count what it has handed down, but the kernel knows what was
        acknowledged, and whether anything is not: then nothing waits above it either (tcp(7)).
        """
        if self._scheme is HTTP:
            return self._transport.get_write_buffer_size()
        sock = self._transport.get_extra_info("socket")
        if sock is None or fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)) == bytes(4):
            return 0
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED.stop)
        return -int.from_bytes(info[_BYTES_ACKED], sys.byteorder)

    def _advance(self) -> None:
        """Begin the next exchange, and the ones behind it that end at once."""
        if self._advancing:  # an exchange ended while it was being begun: the loop below goes on
            return
        self._advancing = True
        try:
            while self.exchange is None and self.writable and not self._closing:
                idle = not self._parser.waiting
                event = self._parser.next()
                if event is None:
                    if self._ended:
                        self.close_gently()
                    elif not idle and self.deadline > (soon := self.plane.now() + HEAD_DEADLINE):
                        self.deadline = soon
                    return
                self._begin(cast("RequestHead", event))
        except RequestError as error:
            self._refuse(error)
        finally:
            self._advancing = False

    def _begin(self, head: RequestHead) -> None:
        table = self.plane.table
        if table is not self._peer_table and table is not None:
            peername = self._transport.get_extra_info("peername")
            address = str(peername[0]) if isinstance(peername, tuple) else "127.0.0.1"
            address = self._source or address
            self.peer = Peer(address, self._listener_port, self._scheme, table.trusts(address))
            self._peer_table = table
        self.exchange = exchange = Exchange(self.plane, self, head)
        exchange.begin()

    def _refuse(self, error: RequestError) -> None:
        self.write(write_own(error.status, error.reason, close=True))
        self.plane.note("refused_requests", str(error.status))
        self.close_gently()
