"""An answer whose client has gone, read to its end for the sake of the comparison.

The requests that clients give up are the slow ones. If their answers went with them, the slowest
requests would never be compared. So the connection to the upstream goes on without the exchange,
whose counts are closed: for no longer than the deadlines of its side allow, and only with
connections that nobody waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.outcome import OutcomeKind
from proxy.serving import shadowing
from proxy.serving.copying import Copy
from proxy.serving.relay import Relay
from proxy.serving.stage import AWAITING, RELAYING
from proxy.upstream.connection import UpstreamConnection
from proxy.wire.errors import ResponseError
from proxy.wire.message import ResponseHead
from proxy.wire.parser import END

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange

SHARE: Final = 8
"""One in so many of a pool's connections may be an orphan's."""


def leave_orphan(exchange: Exchange, connection: UpstreamConnection | None) -> bool:
    """Have the rest of an answer read for its capture; False when it is not wanted, or may not be.

    The client has sent its whole request and left. If True, the connection is the orphan's.
    """
    if connection is None or not exchange.request_done:
        return False
    if exchange.stage is not AWAITING and exchange.stage is not RELAYING:
        return False
    relay = exchange.relay
    copy = shadowing.begin_copy(exchange) if relay is None else relay.copy
    if copy is None:
        return False
    if not _may_wait(exchange):
        shadowing.drop(exchange, copy, "client_gone")
        return False
    if relay is not None:
        relay.copy = None
    Orphan(exchange, connection, copy, None if relay is None else relay.head).go_on()
    return True


def _may_wait(exchange: Exchange) -> bool:
    """Whether a connection can be spared: clients come first."""
    pool = exchange.pool
    taken = sum(1 for orphan in exchange.plane.orphans if orphan.pool is pool)
    return taken < pool.size // SHARE and not pool.figures["waiting"]


class Orphan:
    """Awaits an answer in place of the exchange that asked for it; `head` is there once it came."""

    __slots__ = ("_connection", "_copy", "_deadline", "_exchange", "_head", "pool")

    def __init__(
        self,
        exchange: Exchange,
        connection: UpstreamConnection,
        copy: Copy,
        head: ResponseHead | None,
    ) -> None:
        self.pool = exchange.pool
        self._exchange: Final = exchange
        self._connection: Final = connection
        self._copy: Final = copy
        self._head = head
        self._deadline = 0.0

    def go_on(self) -> None:
        """Take the exchange's place."""
        self._exchange.plane.orphans.add(self)
        self._connection.lessee = self
        self._be_patient()
        self._connection.resume_reading()  # the client may have been too slow for it

    def on_tick(self, now: float) -> None:
        """Give up on an upstream that is late, or when a client waits for the connection."""
        if now >= self._deadline or self.pool.figures["waiting"]:
            self._give_up("client_gone")

    # What the upstream's connection says

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Keep what has arrived."""
        parser = connection.parser
        try:
            while (event := parser.next()) is not None:
                if isinstance(event, bytes):
                    self._copy.take(event)
                elif event is not END and not self._take_head(event):
                    self._give_up("cut_off")
                    return
                if parser.ended or self._copy.truncated or self._copy.crowded_out:
                    self._finish(whole=parser.ended)
                    return
        except ResponseError:
            self._give_up("cut_off")
            return
        self._be_patient()

    def on_lost(self, connection: UpstreamConnection) -> None:
        """End a body that ends so; anything else was cut off."""
        if not connection.broken and connection.parser.finish() is END:
            self._finish(whole=True)
        else:
            self._give_up("cut_off")

    def on_writable(self, writable: bool) -> None:
        """Nothing is left to be sent."""

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Never: it has its connection."""

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Never, as above."""

    def _take_head(self, response: ResponseHead) -> bool:
        """Note the head of the answer; False when there will be no answer."""
        if response.status >= 200:
            exchange, self._head = self._exchange, response
            exchange.latency = exchange.plane.now() - exchange.attempt_at
        return response.status != 101

    def _be_patient(self) -> None:
        timeouts, exchange = self.pool.rules.timeouts, self._exchange
        silence = timeouts.response if self._head is None else timeouts.between
        self._deadline = min(exchange.plane.now() + silence, exchange.until)

    def _finish(self, *, whole: bool) -> None:
        """Give back the connection, unless something is left on it, and hand over the capture."""
        exchange, head = self._exchange, self._head
        if head is None:  # an answer ends after its head, or the parser is wrong
            self._give_up("cut_off")
            return
        exchange.plane.orphans.discard(self)
        exchange.report(self._connection, head.status)
        if whole:
            exchange.give_back(self._connection, head)
        else:
            self.pool.discard(self._connection)
        shadowing.hand_over(exchange, Relay(head, chunked=False, copy=self._copy))

    def _give_up(self, reason: str) -> None:
        self._exchange.plane.orphans.discard(self)
        self.pool.discard(self._connection)
        shadowing.drop(self._exchange, self._copy, reason)
