"""A small HTTP/1.1 client: asks what it is told, byte for byte, and gives back what came.

It follows nothing, keeps no cookies and adds no headers. General clients do, and it is their price
per request that decides how much of the traffic one worker can compare: with httpx 0.28 a whole
comparison took 1.8 ms of processor time, with this one 0.1 ms.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple, cast

import httptools

from shadow_compare.normalize import Answer
from shadow_compare.refusals import Refusals

KEEPALIVE: Final = 4.0
"""Seconds; below the 5 that Apache keeps an idle connection, so that it is not us who lose."""

_HEAD_MAX: Final = 64 * 1024
_NO_BODY: Final = frozenset({204, 304})


class Origin(NamedTuple):
    """Where one instance listens; with `tls`, over TLS, verified for `server_name`."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str | None = None


class UnreachableError(Exception):
    """No connection could be made."""


class SparedError(UnreachableError):
    """None was asked for, as the last ones could not be made."""


class BrokenError(Exception):
    """The connection ended before the answer did, or the answer broke HTTP."""


class _ClosedUnusedError(BrokenError):
    """A kept connection was closed before anything of the answer came: asking again may help."""


class Transport:
    """Connections to any number of origins, kept while idle for KEEPALIVE seconds.

    With `refusals` an origin that refuses is tried only now and then.
    """

    def __init__(
        self,
        body_max: int,
        connect_timeout: float,
        monotonic: Callable[[], float],
        refusals: Refusals | None = None,
    ) -> None:
        self._body_max = body_max
        self._connect_timeout = connect_timeout
        self._monotonic = monotonic
        self._refusals = refusals
        self._idle: defaultdict[Origin, list[tuple[_Connection, float]]] = defaultdict(list)

    async def exchange(
        self, origin: Origin, request: bytes, *, is_head: bool, fresh: bool = False
    ) -> Answer:
        """Send a request, and wait for the answer.

        It may be sent twice, as a kept connection may be closed meanwhile; on a `fresh` one it is
        sent once at most. A body beyond the maximum gives an answer that is marked as truncated.
        Raises UnreachableError, by which nothing was sent, and BrokenError.
        """
        connection = None if fresh else self._kept(origin)
        if connection is not None:
            try:
                return await self._ask(origin, connection, request, is_head=is_head)
            except _ClosedUnusedError:
                pass
        connection = await self._connected(origin)
        return await self._ask(origin, connection, request, is_head=is_head)

    def spares(self, origin: Origin) -> bool:
        """Whether asking this origin now would only give a SparedError."""
        refusals = self._refusals
        return (
            refusals is not None
            and refusals.spares(origin, self._monotonic())
            and not self._idle.get(origin)
        )

    def close(self) -> None:
        """Close every idle connection."""
        for connections in self._idle.values():
            for connection, _ in connections:
                connection.close()
        self._idle.clear()

    async def _ask(
        self, origin: Origin, connection: _Connection, request: bytes, *, is_head: bool
    ) -> Answer:
        try:
            answer = await connection.ask(request, is_head=is_head)
        except BaseException:  # cancelled as well: an answer may still be on its way
            connection.close()
            raise
        if connection.reusable:
            self._idle[origin].append((connection, self._monotonic()))
        else:
            connection.close()
        return answer

    def _kept(self, origin: Origin) -> _Connection | None:
        connections = self._idle[origin]
        while connections:
            connection, since = connections.pop()
            if connection.reusable and self._monotonic() - since < KEEPALIVE:
                return connection
            connection.close()
        return None

    async def _connected(self, origin: Origin) -> _Connection:
        refusals = self._refusals
        if refusals is None:
            return await self._connect(origin)
        if not refusals.may_try(origin, self._monotonic()):
            raise SparedError
        try:
            connection = await self._connect(origin)
        except UnreachableError:
            refusals.refused(origin, self._monotonic())
            raise
        refusals.connected(origin)
        return connection

    async def _connect(self, origin: Origin) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._body_max),
                    origin.host,
                    origin.port,
                    ssl=origin.tls,
                    server_hostname=origin.server_name,
                )
        except OSError as error:  # TimeoutError is one
            raise UnreachableError(str(error)) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, which carries one exchange at a time."""

    def __init__(self, body_max: int) -> None:
        self._body_max = body_max
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._used = False
        self.reusable = False

    async def ask(self, request: bytes, *, is_head: bool) -> Answer:
        """Send the request and wait for the answer; raises BrokenError."""
        self.reusable = False
        self._is_head = is_head
        self._heard = 0
        self._begin()
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None:
            raise _ClosedUnusedError
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[str, str]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._status = 0
        self._ends_with_connection = False

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked
            return
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BrokenError(str(error)))
            self.close()
            return
        # After reading it: a head may come in one piece with a body that is longer than any head.
        if not self._status and self._heard > _HEAD_MAX:
            self._fail(BrokenError("the head does not end"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.reusable = False
        if self._ends_with_connection and exc is None:
            self._finish()
        elif self._used and not self._heard:
            self._fail(_ClosedUnusedError("closed while idle"))
        else:
            self._fail(BrokenError("closed before the answer was complete"))

    # What the parser tells

    def on_message_begin(self) -> None:
        """Hang up when this begins a second answer to one request: we are out of step."""
        if self._answer is None or self._answer.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Find out how the body ends (RFC 9112 section 6.3)."""
        self._status = self._parser.get_status_code()
        if self._is_informational():
            return
        if self._is_head or self._status in _NO_BODY:
            self._finish()  # without reuse: the parser does not know that no body follows
            return
        names = {name for name, _ in self._headers}
        self._ends_with_connection = not names & {"content-length", "transfer-encoding"}

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, up to the maximum."""
        self._size += len(body)
        if self._size <= self._body_max:
            self._parts.append(body)
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._status, tuple(self._headers), b"", truncated=True))

    def on_message_complete(self) -> None:
        """Finish, unless this was only an informational answer before the real one."""
        if self._is_informational():
            self._headers.clear()
            self._status = 0
        elif self._answer is not None and not self._answer.done():
            self._used = True
            self.reusable = self._parser.should_keep_alive() and self._transport is not None
            self._finish()

    def _is_informational(self) -> bool:
        return 100 <= self._status < 200

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            body = b"".join(self._parts)
            self._answer.set_result(Answer(self._status, tuple(self._headers), body))

    def _fail(self, error: BrokenError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
