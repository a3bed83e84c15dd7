"""The life of one request, from its head to the record of how it ended.

    admit  match  identify  decide  limit  lease  send  (retry | fall back)  relay  mirror  record

The middle of the way in is `choosing`, another attempt is `second`, an answer of ours `own`.
`begin` is the table of contents of the way in, `_finish` that of the way out. Between them the
exchange is driven by callbacks: of the client's connection (`on_client_…`), of the pool
(`on_leased`, `on_lease_failed`), of the upstream's connection (`on_answer`, `on_lost`,
`on_writable`) and of the clock (`on_deadline`). On the normal path there is no task and no future.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.outcome import DENIED, BadEvent, OutcomeKind, Tally
from proxy.routing.decision import Decision
from proxy.routing.identity import identity_hash
from proxy.routing.side import LEGACY, Side
from proxy.routing.table import Route, Table
from proxy.serving import choosing, failing, orphan, own, record, second, shadowing, trail
from proxy.serving.client import Client
from proxy.serving.limits import Refusal, Ticket
from proxy.serving.pace import BODY_GRACE, CONTINUE_AFTER, renewed
from proxy.serving.plane import Plane
from proxy.serving.relay import Relay
from proxy.serving.stage import (
    AWAITING,
    BEGUN,
    ENDED,
    LEASING,
    RELAYING,
    TUNNELLING,
)
from proxy.serving.tunnel import Tunnel
from proxy.serving.upload import Upload
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.pool import Pool
from proxy.upstream.retry import FALLBACK_STATUSES
from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.forwarding import (
    CONTINUE,
    request_id,
    traceparent,
    write_interim,
    write_request,
    write_response,
    write_switching,
)
from proxy.wire.framing import NO_BODY
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.parser import END
from proxy.wire.rewriting import Rewriting

_FAILURE_STATUS: Final = {
    OutcomeKind.CONNECT: (502, "the application cannot be reached"),
    OutcomeKind.RESET: (502, "the application closed the connection"),
    OutcomeKind.PROTOCOL: (502, "the application's answer is not valid HTTP"),
    OutcomeKind.TIMEOUT: (504, "the application did not answer in time"),
}


TIMING_FIELD: Final = b"cutover-timing"
PATH_MAX: Final = 200
"""Characters of a path that are told of one attempt."""

HELD_MAX: Final = 65_536
"""Bytes of an answer of modern that may be held back until it is complete."""


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_connection",
        "_tally",
        "_ticket",
        "_upstream_writable",
        "attempt_at",
        "begun_at",
        "client",
        "close",
        "decision",
        "extra",
        "fell_back",
        "head",
        "id",
        "identity",
        "latency",
        "leased_at",
        "loans",
        "plane",
        "pool",
        "relay",
        "request_done",
        "retried",
        "reused",
        "route",
        "side",
        "stage",
        "table",
        "trace",
        "trail",
        "tunnel",
        "unrepeatable",
        "until",
        "upload",
    )

    def __init__(self, plane: Plane, client: Client, head: RequestHead) -> None:
        self.head: Final = head
        self.plane: Final = plane
        self.client: Final = client
        self.table: Table
        self.route: Route
        self.identity: bytes
        self.decision: Decision
        self.side: Side
        self.id: bytes
        self.trace: bytes
        self.trail: trail.Trail | None = None
        self.begun_at = self.attempt_at = self.leased_at = plane.now()
        self.latency = 0.0
        self.request_done = head.length == NO_BODY
        self.upload = (
            None if self.request_done else Upload(head.length, waits=head.expects_continue)
        )
        self.relay: Relay | None = None
        self.tunnel: Tunnel | None = None
        self._tally: Tally
        self.pool: Pool
        self._ticket: Ticket | None = None
        self._connection: UpstreamConnection | None = None
        self.stage = BEGUN
        self.reused = False
        self.retried = False
        self.fell_back = False
        self.loans: list[Callable[[], None]] | None = None
        self.until = 0.0
        self.unrepeatable = False
        self._upstream_writable = True
        self.close = not head.keep_alive
        self.extra = b""

    # The way in

    def begin(self) -> None:
        """Take the request as far as it goes without waiting."""
        if not self._admit():
            return
        if not choosing.choose(self):
            self.plane.admission.leave()
            own.turn_away(self, 404, "no route takes this request")
            return
        self._tally = self.plane.tallies.of(self.route.id, self.side)
        if (self.route.limited or self.upload is not None) and not self._limit():
            return
        self._tally.decided += 1
        if self.head.block.counted and self.head.block.drops(self.table.allowed_fields):
            self.plane.note("dropped_fields")
        self._lease()

    def _admit(self) -> bool:
        plane = self.plane
        table = plane.table
        if table is None:
            own.turn_away(self, 503, "the proxy has no routing rules yet")
            return False
        if not plane.admission.enter():
            plane.note("rejected_requests", "exchanges")
            own.turn_away(self, 503, "too many requests at once")
            return False
        self.table = table
        peer = self.client.peer
        self.id = request_id(self.head, peer.trusted) or plane.request_id()
        self.trace = traceparent(self.head) or plane.traceparent()
        if plane.tracer is not None:
            self.trail = trail.begin(self, plane.tracer)
        return True

    def _limit(self) -> bool:
        """Refuse what is more than this route takes; nothing of it reaches an application."""
        rules, head, upload = self.route.rules.limits, self.head, self.upload
        if upload is not None:
            upload.most = rules.body
            if self.route.copies_bodies or self.plane.recording is not None:
                shadowing.keep_body(self, upload)
            if head.length > rules.body:
                return self._shed("body", 413, "the body is too large")
        if not self.route.limited:
            return True
        client = choosing.client_address(self)
        found = self.plane.limits.enter(self.route.id, client, self.begun_at)
        if isinstance(found, Refusal):
            return self._shed(found.reason, found.status, found.sentence, found.retry_after)
        self._ticket = found
        return True

    def _shed(self, reason: str, status: int, sentence: str, retry_after: int = 1) -> bool:
        """Refuse for a limit of the route: nobody's failure."""
        self._tally.rejected += 1
        self.plane.note("rejected_requests", reason)
        self._answer(status, sentence, retry_after=retry_after)
        return False

    def _rewriting(self) -> Rewriting | None:
        """What is rewritten between the client and the side in use."""
        by_side = self.route.rewriting
        return None if by_side is None else by_side[self.side]

    def _lease(self, fresh: bool = False) -> None:
        plane = self.plane
        self.stage = LEASING
        self.pool = pool = plane.pools[self.side]
        now = self.attempt_at = self.leased_at = plane.now()
        if self.trail is not None:
            self.trace = trail.begin_attempt(self, self.trail)
        timeouts = pool.rules.timeouts
        self.until = now + timeouts.exchange
        self.client.deadline = now + timeouts.queue
        pool.lease(self, now, fresh)

    # What the pool says

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Send the request."""
        if self.stage is not LEASING:
            self.pool.release(connection, self.plane.now())
            return
        now = self.leased_at = self.plane.now()
        self._be_patient(now)
        self._connection = connection
        self.reused = reused
        self._upstream_writable = True
        self.stage = AWAITING
        if self.trail is not None:
            trail.lease(self, self.trail, connection.instance)
        head, upload = self.head, self.upload
        written = write_request(
            head,
            self.client.peer.provenance(head),
            self.id,
            self.trace,
            self.table.allowed_fields,
            rewriting=None if self.route.rewriting is None else self._rewriting(),
            expect=upload is not None and upload.waits,
        )
        if upload is None:
            connection.begin(self, head.method, written)
            return
        connection.begin(self, head.method, b"".join((written, *upload.again())))
        if not upload.done:
            self._ask_for_body(upload)
            self.on_client_data()

    def _ask_for_body(self, upload: Upload) -> None:
        """Begin to wait for the client, which may begin to wait for us to say so."""
        wait = CONTINUE_AFTER if upload.waits else BODY_GRACE
        upload.patience = min(wait, self.pool.rules.timeouts.between)
        if self._upstream_writable:
            self._wait_until(self.plane.now() + upload.patience)

    def _go_ahead(self, upload: Upload) -> None:
        """Note that the client has its 100: from now on it is the client who is late."""
        upload.waits = False
        self._ask_for_body(upload)

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Answer without a connection; a full queue is our refusal and says nothing of the side.

        Modern with all its connections in use hangs more often than it is popular: legacy, which
        served everybody before, is a better answer than 503.
        """
        if kind is not OutcomeKind.REJECTED:
            self._fail(kind)
            return
        if second.can_fall_back(self, kind):
            self._count_bad(kind, 0)  # whatever legacy rescues, modern has failed
            if self.trail is not None:
                trail.fail(self, self.trail, kind)
            self._fall_back()
        else:
            self._tally.rejected += 1
            self._answer(503, self.pool.refusal)

    # What the client's connection says

    def on_client_data(self) -> None:
        """Pass on what has arrived of the request's body."""
        connection, upload = self._connection, self.upload
        if connection is None or upload is None or upload.done:
            return
        out: list[bytes] = []
        before = upload.size
        try:
            while self._upstream_writable and not upload.done:
                event = self.client.read_body()
                if event is None:
                    break
                upload.take(event, out)
        except RequestError as error:
            self._on_broken_request(error)
            return
        self.request_done = upload.done
        if out:
            self._renew_deadline(upload, upload.size - before)
            connection.write(b"".join(out))
        if self._upstream_writable:
            self.client.resume_reading()
        else:
            self.client.pause_reading()

    def _renew_deadline(self, upload: Upload, octets: int) -> None:
        """Give time for the answer, or for more of the body as so many octets of it have come."""
        now, silence = self.plane.now(), self.pool.rules.timeouts.between
        if upload.done:
            self._be_patient(now)
        else:
            self._wait_until(renewed(self.client.deadline, now, octets, silence))

    def on_client_writable(self, writable: bool) -> None:
        """Hold the answer while the client does not read, so that memory stays bounded."""
        if self._connection is None or self.stage is not RELAYING:
            return
        if writable:
            self._be_patient(self.plane.now())
            self._connection.resume_reading()
        else:
            self._connection.pause_reading()

    def on_client_gone(self) -> None:
        """Stop: nobody waits for the answer. It says nothing about the upstream."""
        if self.stage is ENDED:
            return
        self._abandon(499)

    def _abandon(self, status: int) -> None:
        """Count and record that the client has left, or is as good as gone."""
        self._tally.aborted += 1
        if orphan.leave_orphan(self, self._connection):
            self._connection = None
        else:
            shadowing.lose(self, "client_gone")
        self._record(OutcomeKind.CLIENT_ABORT, status)
        self._end()

    def _on_broken_request(self, error: RequestError) -> None:
        self._tally.rejected += 1
        if error.status == 413:
            self.plane.note("rejected_requests", "body")
        shadowing.lose(self, "client_gone")
        if self.stage is RELAYING:
            self._record(OutcomeKind.REJECTED, error.status)
            self._end()
            self.client.reset()
        else:
            self._answer(error.status, error.reason)

    # What the upstream's connection says

    def on_writable(self, writable: bool) -> None:
        """Stop or go on sending the request's body."""
        self._upstream_writable = writable
        upload = self.upload
        if upload is not None and not upload.done:
            self._let_client_wait(upload, not writable)
        self.on_client_data()
        if not writable and not self.request_done:
            self.client.pause_reading()

    def _let_client_wait(self, upload: Upload, waits: bool) -> None:
        """Stop the client's clock while it is we who do not take its body."""
        now = self.plane.now()
        if waits:
            upload.patience = self.client.deadline - now
            self._wait_until(now + self.pool.rules.timeouts.between)
        else:
            self._wait_until(now + upload.patience)

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Relay what has arrived, in one write."""
        parser = connection.parser
        untold = self.stage is AWAITING
        out: list[bytes] = []
        try:
            while (event := parser.next()) is not None:
                if isinstance(event, bytes):
                    if self.relay is not None:
                        out.append(self.relay.take(event))
                elif event is not END and not self._take_head(event, out):
                    return
                if parser.ended:
                    self._finish(connection, out)
                    return
        except ResponseError:
            if untold:
                self.stage = AWAITING
            self._fail(OutcomeKind.PROTOCOL)
            return
        if self.request_done or self.relay is not None:
            self._be_patient(self.plane.now())
        if self.relay is not None and self.stage is AWAITING:
            self.relay.held += out
        elif out:
            self.client.write(b"".join(out))
            if not self.client.writable:
                connection.pause_reading()

    def on_lost(self, connection: UpstreamConnection) -> None:
        """End a body that ends so; anything else was cut off."""
        if connection is not self._connection:
            return
        # A body that ends with the connection ends with an orderly close: a reset cut it off.
        if not connection.broken and connection.parser.finish() is END:
            self._finish(connection, [])
        else:
            self._fail(OutcomeKind.RESET)

    def on_deadline(self, now: float) -> None:
        """Give up on whoever is late."""
        if self.tunnel is not None:
            self.tunnel.on_deadline()
        elif self.stage is RELAYING and not self.client.writable:
            self._abandon(408)
            self.client.reset()
        elif self.stage is AWAITING and not self.request_done and self._upstream_writable:
            self._on_late_body()
        elif self.stage is LEASING and not self.pool.is_opening_for(self):
            self.pool.cancel(self)
            self.on_lease_failed(OutcomeKind.REJECTED)
        elif self.stage is LEASING and now < self.until:  # the pool bounds this by itself
            self._wait_until(now + self.pool.rules.timeouts.connect)
        else:
            self.latency = now - self.attempt_at
            self._fail(OutcomeKind.TIMEOUT)

    def _on_late_body(self) -> None:
        upload = self.upload
        if upload is not None and upload.waits:
            self.client.write(CONTINUE)
            self._go_ahead(upload)
        else:
            self._on_broken_request(RequestError(408, "the body did not arrive in time"))

    def _be_patient(self, now: float) -> None:
        """Wait for the answer's first byte, or for more of it."""
        timeouts = self.pool.rules.timeouts
        self._wait_until(now + (timeouts.response if self.relay is None else timeouts.between))

    def _wait_until(self, deadline: float) -> None:
        """Have the clock look then, and not later than at the end of the whole attempt."""
        self.client.deadline = deadline if deadline < self.until else self.until

    def _take_head(self, response: ResponseHead, out: list[bytes]) -> bool:
        """Pass on the answer's head; False when another attempt has begun instead."""
        if response.status < 200:
            return self._take_interim(response, out)
        self.latency = self.plane.now() - self.attempt_at
        if response.status in FALLBACK_STATUSES and second.can_fall_back(self, OutcomeKind.STATUS):
            self._fail(OutcomeKind.STATUS, response.status)
            return False
        if not self._is_held(response):
            self.stage = RELAYING
        # A client that has its final answer early need not send the rest (RFC 9112, 9.3).
        self.close = self.close or not self.request_done or self.plane.draining
        if response.length < NO_BODY and self.head.minor == 0:
            self.close = True
        extra = self.extra + self.route.said[self.side]
        if self.client.peer.trusted and self.head.get(TIMING_FIELD) is not None:
            extra += record.server_timing(self)
        fields = None if self.route.rewriting is None else self._rewritten(response)
        written, chunked = write_response(response, self.head, extra, self.close, fields=fields)
        out.append(written)
        self.relay = relay = Relay(response, chunked=chunked, copy=shadowing.begin_copy(self))
        if self.route.declares_failures:
            relay.look = failing.begin_look(self, response)
        return True

    def _rewritten(self, response: ResponseHead) -> bytes | None:
        """Give the answer's lines as the client gets them, or None when they are its own."""
        rewriting = self._rewriting()
        if rewriting is None:
            return None
        return rewriting.answer(response.block.forwarded, *self.client.peer.origin(self.head))

    def _is_held(self, response: ResponseHead) -> bool:
        """Whether a small answer of modern waits until it is complete.

        Most answers arrive in one read or two. Until the last, legacy can still answer instead if
        modern dies, and what is complete goes out in one write.
        """
        return (
            0 < response.length <= HELD_MAX
            and second.may_fall_back(self, OutcomeKind.RESET)
            and (self.upload is None or self.upload.repeatable)
        )

    def _take_interim(self, response: ResponseHead, out: list[bytes]) -> bool:
        if response.status == 101:
            if self.head.websocket and response.websocket:
                self._turn_over(response, out)
            else:  # nobody asked for this protocol
                self._fail(OutcomeKind.PROTOCOL)
            return False
        if response.status == 100:
            if self.upload is None or not self.upload.waits:
                return True  # the client is not waiting for it, or not any more
            self._go_ahead(self.upload)
        if self.head.minor == 1:
            fields = None
            if (rewriting := self._rewriting()) is not None:
                fields = rewriting.interim(response.block.forwarded)
            out.append(write_interim(response, fields))
        return True

    def _turn_over(self, response: ResponseHead, out: list[bytes]) -> None:
        """Let both connections be a tunnel, which is neither answered again nor given back."""
        connection, self._connection = self._connection, None
        if connection is None:  # pragma: no cover - an answer comes on a connection
            return
        self.stage = TUNNELLING
        self.latency = self.plane.now() - self.attempt_at
        self._tally.add_ok(self.latency)
        extra = self.extra + self.route.said[self.side]
        out.append(write_switching(response, extra, self._rewritten(response)))
        self.report(connection, response.status)
        idle = self.pool.rules.timeouts.tunnel
        self.tunnel = Tunnel(self.client, connection, self.plane.now, self._on_tunnel_end, idle)
        self.tunnel.open(b"".join(out))

    def _on_tunnel_end(self, ended: str) -> None:
        self.plane.note("tunnels", ended)
        self._record(OutcomeKind.OK, 101)
        self._end()

    # Failure: another attempt, or an answer of our own

    def _fail(self, kind: OutcomeKind, status: int = 0) -> None:
        """The attempt has failed by the upstream's doing."""
        stage, connection = self.stage, self._connection
        if stage is ENDED:
            return
        if self.trail is not None:
            trail.fail(self, self.trail, kind, status)
        if second.take_retry(self, kind, connection):
            self._drop_connection()
            self.retried = True
            self._lease(fresh=True)
            return
        if not self.latency:
            self.latency = self.plane.now() - self.attempt_at
        self._count_bad(kind, status)
        if connection is not None:
            self.report(connection, status)
        can_fall_back = second.can_fall_back(self, kind)
        self._drop_connection()
        shadowing.lose(self, "cut_off")
        if stage is RELAYING:
            self._record(kind, status or 502)
            self._end()
            self.client.reset()
            return
        self._look_no_more()
        self.relay = None  # an answer that broke off before the client saw any of it
        if can_fall_back:
            second.take_fallback(self, kind)
            self._fall_back()
        else:
            code, sentence = _FAILURE_STATUS[kind]
            self.close = self.close or kind is OutcomeKind.PROTOCOL
            self._answer(code, sentence, kind)

    def _fall_back(self) -> None:
        """Let legacy serve what modern could not; the client notices nothing."""
        self._tally.fallbacks += 1
        self.fell_back = True
        self.side = LEGACY
        self._tally = self.plane.tallies.of(self.route.id, self.side)
        self.latency = 0.0
        self._lease()

    def report(self, connection: UpstreamConnection, status: int) -> None:
        """Tell the pool what came of the connection: an answer of this status, or none at all."""
        pool = self.pool
        if pool.watched:
            bad = not status or status in pool.rules.failure_statuses
            pool.report(connection, self.plane.now(), bad=bad)

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self.pool.discard(connection)
        elif self.stage is LEASING:
            self.pool.cancel(self)

    def _answer(
        self,
        status: int,
        sentence: str,
        kind: OutcomeKind = OutcomeKind.REJECTED,
        retry_after: int = 1,
    ) -> None:
        """Answer ourselves, and close when the request has not been read to its end."""
        self._record(kind, status)
        self._end()
        own.write(self, status, sentence, retry_after)

    # The way out

    def _finish(self, connection: UpstreamConnection, out: list[bytes]) -> None:
        """The answer is complete: relay its end, give back the connection, mirror, record."""
        relay = self.relay
        if relay is None:  # an answer ends after its head, or the parser is wrong
            self._fail(OutcomeKind.PROTOCOL)
            return
        if relay.chunked:
            out.append(relay.end(connection.parser.trailers))
        self._connection = None  # first: a client that reads slowly must not pause the next lessee
        if relay.held:
            out = relay.held + out
        if out:
            self.client.write(b"".join(out))
        self.report(connection, relay.head.status)
        self.give_back(connection, relay.head)
        self._count(relay)
        self._mirror(relay)
        close = self.close or not self.request_done
        self._end()
        self.client.done(close)

    def give_back(self, connection: UpstreamConnection, response: ResponseHead) -> None:
        """Let the next one use a connection whose answer is complete, if it can be used again."""
        parser = connection.parser
        reusable = (
            response.keep_alive
            and self.request_done
            and not parser.until_close
            and not parser.waiting
        )
        if reusable:
            self.pool.release(connection, self.plane.now(), response.idle_hint)
        else:
            self.pool.discard(connection)

    def _count(self, relay: Relay) -> None:
        status, tally, route = relay.head.status, self._tally, self.route
        if status >= 500 or (
            route.declares_failures
            and failing.has_failed(route.rules.fail_when, status, relay.head, relay.look)
        ):
            tally.served += 1
            self._count_bad(OutcomeKind.STATUS, status)
            self._record(OutcomeKind.STATUS, status)
            return
        if status < 400:
            tally.add_ok(self.latency)
            if self.latency > tally.slow_at:
                self.plane.record_slow(route.id, self.side, self._event(OutcomeKind.OK, status))
        else:
            tally.served += 1
            tally.client_errors += 1
            if status in DENIED:
                self.plane.record_denied(route.id, self.side, self._event(OutcomeKind.OK, status))
        self._record(OutcomeKind.OK, status)

    def _count_bad(self, kind: OutcomeKind, status: int) -> None:
        self.plane.record_bad(self.route.id, self.side, self._event(kind, status))

    def _event(self, kind: OutcomeKind, status: int) -> BadEvent:
        """Give what is told of one attempt by itself."""
        head = self.head
        return BadEvent(
            self.plane.wall(),
            identity_hash(self.identity),
            kind,
            status,
            self.latency,
            head.method,
            head.path[:PATH_MAX],
            self.id.decode("ascii"),
        )

    def _look_no_more(self) -> None:
        """Give back what an answer held that was to be looked into."""
        if self.relay is not None and self.relay.look is not None:
            self.relay.look.end()

    def _mirror(self, relay: Relay) -> None:
        """Hand a copy to the shadow workers."""
        if relay.copy is not None or self.plane.recording is not None:
            shadowing.hand_over(self, relay)

    def _record(self, kind: OutcomeKind, status: int) -> None:
        """Write the access log's line, and the spans of an exchange that is traced."""
        if self.trail is not None:
            trail.finish(self, self.trail, kind, status)
        if self.plane.log is not None:
            self.plane.log.record(record.answered(self, kind, status))

    def _end(self) -> None:
        """Let go of everything; safe to call in any stage."""
        self._drop_connection()
        self._look_no_more()
        self.stage = ENDED
        self.plane.admission.leave()
        if self._ticket is not None:
            self.plane.limits.leave(self._ticket)
        if self.loans is not None:
            for give_back in self.loans:
                give_back()
