"""The life of one request, from its head to the record of how it ended.

    admit  match  identify  decide  lease  send  (retry | fall back)  relay  mirror  record

`begin` is the table of contents of the way in, `_finish` that of the way out. Between them the
exchange is driven by callbacks: of the client's connection (`on_client_…`), of the pool
(`on_leased`, `on_lease_failed`), of the upstream's connection (`on_answer`, `on_lost`,
`on_writable`) and of the clock (`on_deadline`). On the normal path there is no task and no future.
"""

from __future__ import annotations

import logging
from enum import IntEnum
from typing import Final

from proxy.outcome import OutcomeKind
from proxy.routing.decision import Decision
from proxy.routing.identity import MINT_COOKIE, MINT_PREFIX
from proxy.routing.side import Side
from proxy.routing.table import Route, Table
from proxy.serving import mirror
from proxy.serving.admission import BODY_MAX
from proxy.serving.client import Client
from proxy.serving.plane import Plane
from proxy.serving.relay import Relay
from proxy.serving.upload import Upload
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.pool import Pool
from proxy.upstream.retry import FALLBACK_STATUSES, may_fall_back, may_retry
from proxy.wire.chunked import LAST_CHUNK
from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.forwarding import (
    CONTINUE,
    request_id,
    traceparent,
    write_interim,
    write_own,
    write_request,
    write_response,
)
from proxy.wire.framing import NO_BODY
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.parser import END

log = logging.getLogger(__name__)

_FAILURE_STATUS: Final = {
    OutcomeKind.CONNECT: (502, "the application cannot be reached"),
    OutcomeKind.RESET: (502, "the application closed the connection"),
    OutcomeKind.PROTOCOL: (502, "the application's answer is not valid HTTP"),
    OutcomeKind.TIMEOUT: (504, "the application did not answer in time"),
}


HELD_MAX: Final = 65_536
"""Bytes of an answer of modern that may be held back until it is complete."""


class Stage(IntEnum):
    """Where an exchange stands."""

    BEGUN = 0
    LEASING = 1  # waits for a connection
    AWAITING = 2  # the request is on its way, no byte of the answer has gone to the client
    RELAYING = 3  # the answer's head has gone to the client
    ENDED = 4


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_attempt_at",
        "_begun_at",
        "_client",
        "_close",
        "_connection",
        "_decision",
        "_extra",
        "_fell_back",
        "_identity",
        "_latency",
        "_plane",
        "_pool",
        "_relay",
        "_retried",
        "_reused",
        "_route",
        "_side",
        "_stage",
        "_table",
        "_upload",
        "_upstream_writable",
        "head",
        "id",
        "request_done",
        "trace",
    )

    def __init__(self, plane: Plane, client: Client, head: RequestHead) -> None:
        self.head: Final = head
        self.id = b""
        self.trace = b""
        self.request_done = False
        self._plane: Final = plane
        self._client: Final = client
        self._begun_at = self._attempt_at = plane.now()
        self._stage = Stage.BEGUN
        self._table: Table
        self._route: Route
        self._identity = b""
        self._decision: Decision
        self._side = Side.LEGACY
        self._pool: Pool
        self._connection: UpstreamConnection | None = None
        self._reused = False
        self._retried = False
        self._fell_back = False
        self._upstream_writable = True
        self._upload = Upload(head.length) if head.length != NO_BODY else None
        self._relay: Relay | None = None
        self._latency = 0.0
        self._close = not head.keep_alive
        self._extra = b""

    # The way in

    def begin(self) -> None:
        """Take the request as far as it goes without waiting."""
        if not (self._admit() and self._match()):
            return
        self._identify()
        self._decide()
        self._lease()

    def _admit(self) -> bool:
        plane, head = self._plane, self.head
        if head.length == NO_BODY:
            self.request_done = self._client.read_body() is END
        if plane.table is None:
            return self._turn_away(503, "the proxy has no routing rules yet")
        if head.length > BODY_MAX:
            return self._turn_away(413, "the body is too large")
        if not plane.admission.enter():
            return self._turn_away(503, "too many requests at once")
        self._table = plane.table
        return True

    def _match(self) -> bool:
        route = self._table.match(self.head.method, self.head.path)
        if route is None:
            self._plane.admission.leave()
            return self._turn_away(404, "no route takes this request")
        self._route = route
        return True

    def _identify(self) -> None:
        head, peer, table = self.head, self._client.peer, self._table
        self.id = request_id(head, peer.trusted) or self._plane.request_id()
        self.trace = traceparent(head) or self._plane.traceparent()
        identity = self._route.identify(
            head,
            peer.client_address(head, table.trusts),
            table.parameters(self._route, head.path),
        )
        if identity is None:
            value = self._plane.mint()
            identity = MINT_PREFIX + value
            self._extra = (
                b"Set-Cookie: %b=%b; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000\r\n"
                % (MINT_COOKIE, value)
            )
        self._identity = identity

    def _decide(self) -> None:
        self._decision = self._route.decide(self._identity, self._override())
        self._side = self._decision.side
        self._plane.tally(self._route.id, self._side).decided += 1

    def _override(self) -> Side | None:
        """The side that a trusted peer asks for; from anybody else the field never counted."""
        if not self._client.peer.trusted:
            return None
        wanted = self.head.get(b"cutover-side")
        if wanted == b"modern":
            return Side.MODERN
        return Side.LEGACY if wanted == b"legacy" else None

    def _lease(self, fresh: bool = False) -> None:
        plane = self._plane
        self._stage = Stage.LEASING
        self._pool = plane.pools[self._side]
        now = self._attempt_at = plane.now()
        self._client.deadline = now + self._pool.rules.timeouts.response
        self._pool.lease(self, now, fresh)

    # What the pool says

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Send the request."""
        if self._stage is not Stage.LEASING:
            self._pool.release(connection, self._plane.now())
            return
        self._connection = connection
        self._reused = reused
        self._upstream_writable = True
        self._stage = Stage.AWAITING
        head = self.head
        written = write_request(
            head,
            self._client.peer.provenance(head),
            self.id,
            self.trace,
            self._table.allowed_fields,
        )
        upload = self._upload
        if upload is None:
            connection.begin(self, head.method, written)
            return
        if head.expects_continue and not (upload.size or self._retried or self._fell_back):
            self._client.write(CONTINUE)
        connection.begin(self, head.method, b"".join((written, *upload.again())))
        self.on_client_data()

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Answer without a connection; a full queue is our refusal and says nothing of the side.

        Modern with all its connections in use hangs more often than it is popular: legacy, which
        served everybody before, is a better answer than 503.
        """
        if kind is not OutcomeKind.REJECTED:
            self._fail(kind)
            return
        self._plane.tally(self._route.id, self._side).rejected += 1
        if self._may_fall_back(kind):
            self._fall_back()
        else:
            self._answer(503, "all connections to the application are in use")

    # What the client's connection says

    def on_client_data(self) -> None:
        """Pass on what has arrived of the request's body."""
        connection, upload = self._connection, self._upload
        if connection is None or upload is None or upload.done:
            return
        out: list[bytes] = []
        try:
            while self._upstream_writable and not upload.done:
                event = self._client.read_body()
                if event is None:
                    break
                upload.take(event, out)
        except RequestError as error:
            self._on_broken_request(error)
            return
        self.request_done = upload.done
        if out:
            self._client.deadline = self._plane.now() + self._pool.rules.timeouts.response
            connection.write(b"".join(out))
        if self._upstream_writable:
            self._client.resume_reading()
        else:
            self._client.pause_reading()

    def on_client_writable(self, writable: bool) -> None:
        """Hold the answer while the client does not read, so that memory stays bounded."""
        if self._connection is None or self._stage is not Stage.RELAYING:
            return
        if writable:
            self._client.deadline = self._plane.now() + self._pool.rules.timeouts.response
            self._connection.resume_reading()
        else:
            self._connection.pause_reading()

    def on_client_gone(self) -> None:
        """Stop: nobody waits for the answer. It says nothing about the upstream."""
        if self._stage is Stage.ENDED:
            return
        self._abandon(499)

    def _abandon(self, status: int) -> None:
        """Count and record that the client has left, or is as good as gone."""
        self._plane.tally(self._route.id, self._side).aborted += 1
        self._lose_capture("client_gone")
        self._record(OutcomeKind.CLIENT_ABORT, status)
        self._end()

    def _on_broken_request(self, error: RequestError) -> None:
        self._plane.tally(self._route.id, self._side).rejected += 1
        if self._stage is Stage.RELAYING:
            self._record(OutcomeKind.REJECTED, error.status)
            self._end()
            self._client.reset()
        else:
            self._answer(error.status, error.reason)

    # What the upstream's connection says

    def on_writable(self, writable: bool) -> None:
        """Stop or go on sending the request's body."""
        self._upstream_writable = writable
        self.on_client_data()
        if not writable and not self.request_done:
            self._client.pause_reading()

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Relay what has arrived, in one write."""
        parser = connection.parser
        untold = self._stage is Stage.AWAITING
        out: list[bytes] = []
        try:
            while (event := parser.next()) is not None:
                if event is END:
                    self._finish(connection, out)
                    return
                if not isinstance(event, bytes):
                    if not self._take_head(event, out):
                        return
                elif self._relay is not None:
                    out.append(self._relay.take(event))
        except ResponseError:
            if untold:
                self._stage = Stage.AWAITING
            self._fail(OutcomeKind.PROTOCOL)
            return
        self._client.deadline = self._plane.now() + self._pool.rules.timeouts.response
        if self._relay is not None and self._stage is Stage.AWAITING:
            self._relay.held += out
        elif out:
            self._client.write(b"".join(out))
            if not self._client.writable:
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
        if self._stage is Stage.RELAYING and not self._client.writable:
            self._abandon(408)
            self._client.reset()
        elif self._stage is Stage.AWAITING and not self.request_done and self._upstream_writable:
            self._on_broken_request(RequestError(408, "the body did not arrive in time"))
        elif self._stage is Stage.LEASING and self._pool.exhausted:
            self._pool.cancel(self)
            self.on_lease_failed(OutcomeKind.REJECTED)
        else:
            self._latency = now - self._attempt_at
            self._fail(OutcomeKind.TIMEOUT)

    def _take_head(self, response: ResponseHead, out: list[bytes]) -> bool:
        """Pass on the answer's head; False when another attempt has begun instead."""
        if response.status < 200:
            return self._take_interim(response, out)
        self._latency = self._plane.now() - self._attempt_at
        if response.status in FALLBACK_STATUSES and self._may_fall_back(OutcomeKind.STATUS):
            self._fail(OutcomeKind.STATUS, response.status)
            return False
        if not self._is_held(response):
            self._stage = Stage.RELAYING
        # A client that has its final answer early need not send the rest (RFC 9112, 9.3).
        self._close = self._close or not self.request_done or self._plane.draining
        if response.length < NO_BODY and self.head.minor == 0:
            self._close = True
        written, chunked = write_response(
            response, self.head, self._extra + self._said(), self._close
        )
        out.append(written)
        self._relay = Relay(response, chunked=chunked, mirrored=self._is_mirrored())
        return True

    def _is_held(self, response: ResponseHead) -> bool:
        """Whether a small answer of modern waits until it is complete.

        Most answers arrive in one read or two. Until the last, legacy can still answer instead if
        modern dies, and what is complete goes out in one write.
        """
        return 0 < response.length <= HELD_MAX and self._may_fall_back(OutcomeKind.RESET)

    def _take_interim(self, response: ResponseHead, out: list[bytes]) -> bool:
        if response.status == 101:  # nobody asked: Upgrade is stripped from every request
            self._fail(OutcomeKind.PROTOCOL)
            return False
        if self.head.minor == 1 and response.status != 100:
            out.append(write_interim(response))
        return True

    def _said(self) -> bytes:
        """What we tell the client about the decision."""
        if not self._table.rules.expose_decision:
            return b""
        return b"Cutover-Side: %b\r\nCutover-Route: %b\r\n" % (
            self._side.encode(),
            self._route.id_bytes,
        )

    # Failure: another attempt, or an answer of our own

    def _fail(self, kind: OutcomeKind, status: int = 0) -> None:
        """The attempt has failed by the upstream's doing."""
        stage, connection = self._stage, self._connection
        if stage is Stage.ENDED:
            return
        if self._may_retry(kind, connection):
            self._drop_connection()
            self._retried = True
            self._lease(fresh=True)
            return
        if not self._latency:
            self._latency = self._plane.now() - self._attempt_at
        self._count_bad(kind, status)
        may_fall_back = self._may_fall_back(kind)
        self._drop_connection()
        if stage is Stage.RELAYING:
            self._lose_capture("cut_off")
            self._record(kind, status or 502)
            self._end()
            self._client.reset()
            return
        self._relay = None  # an answer that broke off before the client saw any of it
        if may_fall_back:
            self._fall_back()
        else:
            code, sentence = _FAILURE_STATUS[kind]
            self._close = self._close or kind is OutcomeKind.PROTOCOL
            self._answer(code, sentence, kind)

    def _fall_back(self) -> None:
        """Let legacy serve what modern could not; the client notices nothing."""
        self._plane.tally(self._route.id, self._side).fallbacks += 1
        self._fell_back = True
        self._side = Side.LEGACY
        self._latency = 0.0
        self._lease()

    def _may_retry(self, kind: OutcomeKind, connection: UpstreamConnection | None) -> bool:
        answered = connection is not None and connection.parser.started
        return (
            not self._retried
            and self._stage is Stage.AWAITING
            and (self._upload is None or self._upload.repeatable)
            and may_retry(self.head.method, kind, reused=self._reused, answered=answered)
        )

    def _may_fall_back(self, kind: OutcomeKind) -> bool:
        return (
            self._side is Side.MODERN
            and self._stage is not Stage.RELAYING
            and self._route.rules.fallback
            and (self._upload is None or self._upload.repeatable)
            and may_fall_back(self.head.method, kind)
        )

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.discard(connection)
        elif self._stage is Stage.LEASING:
            self._pool.cancel(self)

    def _answer(self, status: int, sentence: str, kind: OutcomeKind = OutcomeKind.REJECTED) -> None:
        """Answer ourselves, and close when the request has not been read to its end."""
        self._record(kind, status)
        self._end()
        self._write_own(status, sentence)

    def _turn_away(self, status: int, sentence: str) -> bool:
        """Refuse before any route was chosen."""
        self._plane.note("refused_requests", str(status))
        self._stage = Stage.ENDED
        if self._plane.log is not None and self._plane.table is not None:
            self._plane.log.record(self._asked(OutcomeKind.REJECTED, status))
        self._write_own(status, sentence)
        return False

    def _write_own(self, status: int, sentence: str) -> None:
        close = self._close or not self.request_done or self._plane.draining
        head_only = self.head.method == "HEAD"
        self._client.write(write_own(status, sentence, close=close, head_only=head_only))
        self._client.done(close)

    # The way out

    def _finish(self, connection: UpstreamConnection, out: list[bytes]) -> None:
        """The answer is complete: relay its end, give back the connection, mirror, record."""
        relay = self._relay
        if relay is None:  # an answer ends after its head, or the parser is wrong
            self._fail(OutcomeKind.PROTOCOL)
            return
        if relay.chunked:
            out.append(LAST_CHUNK)
        self._connection = None  # first: a client that reads slowly must not pause the next lessee
        if relay.held:
            out = relay.held + out
        if out:
            self._client.write(b"".join(out))
        self._give_back(connection, relay.head)
        self._count(relay.head.status)
        self._mirror(relay)
        close = self._close or not self.request_done
        self._end()
        self._client.done(close)

    def _give_back(self, connection: UpstreamConnection, response: ResponseHead) -> None:
        parser = connection.parser
        reusable = (
            response.keep_alive
            and self.request_done
            and not parser.until_close
            and not parser.waiting
        )
        if reusable:
            self._pool.release(connection, self._plane.now(), response.idle_hint)
        else:
            self._pool.discard(connection)

    def _count(self, status: int) -> None:
        if status >= 500:
            self._plane.tally(self._route.id, self._side).served += 1
            self._count_bad(OutcomeKind.STATUS, status)
            self._record(OutcomeKind.STATUS, status)
        else:
            self._plane.record_ok(self._route.id, self._side, self._latency)
            self._record(OutcomeKind.OK, status)

    def _count_bad(self, kind: OutcomeKind, status: int) -> None:
        self._plane.record_bad(
            self._route.id,
            self._side,
            kind,
            status,
            self._latency,
            self._identity,
            self.head.method,
            self.head.path,
            self.id,
        )

    def _is_mirrored(self) -> bool:
        rules = self._route.rules.mirror
        return (
            rules.share > 0.0
            and not self._fell_back
            and not self._table.kill_switch
            and mirror.is_mirrorable(self.head)
            and self._side.other in rules.towards
            and self._plane.samples(rules.share)
        )

    def _mirror(self, relay: Relay) -> None:
        if not relay.mirrored:
            return
        if not self._plane.tap.connected:
            self._lose_capture("no_worker")
            return
        try:
            self._capture(relay)
        except Exception:
            # The one hook for whatever goes wrong with shadowing: the client has its answer.
            log.exception("a capture of route %s failed", self._route.id)
            self._lose_capture("error")

    def _lose_capture(self, reason: str) -> None:
        """Count a capture that was to be made and is not."""
        if self._relay is not None and self._relay.mirrored:
            self._plane.drop_capture(self._route.id, reason)

    def _capture(self, relay: Relay) -> None:
        frame = mirror.frame(
            self.head,
            relay.head,
            body=relay.copy(),
            identifier=self.id,
            route=self._route.id,
            primary=self._side,
            identity=self._identity,
            at=self._plane.wall(),
            latency=self._latency,
            version=self._table.version,
        )
        self._plane.offer(self._route.id, frame)

    def _record(self, kind: OutcomeKind, status: int) -> None:
        """Write the access log's line: what was asked, who answered, and why that side."""
        access_log = self._plane.log
        if access_log is None:
            return
        decision = self._decision
        access_log.record(
            self._asked(kind, status)
            | {
                "request_id": self.id.decode("ascii"),
                "route": self._route.id,
                "side": self._side,
                "decided": decision.side.value,
                "reason": decision.reason.value,
                "bucket": decision.bucket,
                "version": self._table.version,
                "bytes_in": 0 if self._upload is None else self._upload.size,
                "bytes_out": 0 if self._relay is None else self._relay.size,
                "upstream_ms": round(self._latency * 1000, 3),
                "total_ms": round((self._plane.now() - self._begun_at) * 1000, 3),
            }
        )

    def _asked(self, kind: OutcomeKind, status: int) -> dict[str, object]:
        """What was asked and how it ended: the part of a line that needs no route."""
        return {
            "at": self._plane.wall(),
            "client": self._client.peer.address.decode("ascii"),
            "method": self.head.method,
            "path": self.head.path,
            "status": status,
            "outcome": kind.value,
        }

    def _end(self) -> None:
        """Let go of everything; safe to call in any stage."""
        self._drop_connection()
        self._stage = Stage.ENDED
        self._plane.admission.leave()
