"""What is noted of a sampled exchange while it runs, and the spans that are made of it at its end.

One span for the exchange, and below it one for each attempt: the upstream is told the attempt's id,
so what it does hangs below that attempt. Times are those that the exchange has anyway. Nothing here
names a person: paths are masked, and no query, address, cookie or identity is told.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from proxy.observe.masking import masked_path
from proxy.observe.span import Kind, Span, Value
from proxy.outcome import OutcomeKind
from proxy.upstream.instance import Instance
from proxy.wire.forwarding import traceparent

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange
    from proxy.serving.plane import Tracer

SAMPLED: Final = 1
ANSWERED: Final = (OutcomeKind.OK, OutcomeKind.STATUS)
"""How an attempt ends that has brought a whole answer, whose status is the upstream's."""

log = logging.getLogger(__name__)


class Attempt:
    """One attempt on a side; times are monotonic seconds, 0 while something has not happened."""

    __slots__ = (
        "answered_at",
        "begun_at",
        "ended_at",
        "id",
        "instance",
        "kind",
        "leased_at",
        "side",
        "status",
    )

    def __init__(self, identifier: bytes, side: str, begun_at: float) -> None:
        self.id: Final = identifier
        self.side: Final = side
        self.begun_at: Final = begun_at
        self.leased_at = 0.0
        self.answered_at = 0.0
        self.ended_at = 0.0
        self.instance: Instance | None = None
        self.kind = OutcomeKind.OK
        self.status = 0


class Trail:
    """Trace, parent and own id in hex, and the attempts so far."""

    __slots__ = ("attempts", "id", "parent", "trace")

    def __init__(self, trace: bytes, parent: bytes, identifier: bytes) -> None:
        self.trace: Final = trace
        self.parent: Final = parent
        self.id: Final = identifier
        self.attempts: list[Attempt] = []

    @property
    def context(self) -> bytes:
        """The trace context of the exchange itself, for what is linked with it."""
        return b"00-%b-%b-01" % (self.trace, self.id)


def begin(exchange: Exchange, tracer: Tracer) -> Trail | None:
    """Follow an exchange whose trace is sampled; one without a trace is drawn by chance."""
    plane, given = exchange.plane, traceparent(exchange.head)
    if given is None:
        if not plane.samples(tracer.share):
            return None
        return Trail(exchange.trace[3:35], b"", exchange.trace[36:52])
    if not int(given[53:55], 16) & SAMPLED:
        return None
    return Trail(given[3:35], given[36:52], _new_id(exchange))


def begin_attempt(exchange: Exchange, trail: Trail) -> bytes:
    """Note that an attempt begins; gives the trace context that its upstream is told."""
    attempt = Attempt(_new_id(exchange), exchange.side.value, exchange.attempt_at)
    trail.attempts.append(attempt)
    return b"00-%b-%b-01" % (trail.trace, attempt.id)


def lease(exchange: Exchange, trail: Trail, instance: Instance) -> None:
    """Note on which instance an attempt goes on."""
    attempt = trail.attempts[-1]
    attempt.instance, attempt.leased_at = instance, exchange.leased_at


def fail(exchange: Exchange, trail: Trail, kind: OutcomeKind, status: int = 0) -> None:
    """Note that an attempt has failed; another may follow."""
    _end_attempt(exchange, trail.attempts[-1], kind, status)


def finish(exchange: Exchange, trail: Trail, kind: OutcomeKind, status: int) -> None:
    """Make the spans of an exchange that has ended. Whatever goes wrong, the client has no part."""
    plane = exchange.plane
    tracer = plane.tracer
    if tracer is None:  # pragma: no cover - there would be no trail
        return
    try:
        if trail.attempts and not trail.attempts[-1].ended_at:
            _end_attempt(exchange, trail.attempts[-1], kind, status)
        tracer.offer(_span(exchange, trail, kind, status, _decided(exchange)))
        for number, attempt in enumerate(trail.attempts):
            tracer.offer(_attempt_span(exchange, trail, attempt, number))
    except Exception:
        log.exception("a trace of route %s failed", exchange.route.id)
        plane.note("spans_dropped", "error", 1 + len(trail.attempts))


def turn_away(exchange: Exchange, trail: Trail, status: int) -> None:
    """Make the span of what was refused before any route was chosen."""
    plane = exchange.plane
    if plane.tracer is not None:
        path: dict[str, Value] = {"url.path": masked_path(exchange.head.path, "/*")}
        plane.tracer.offer(_span(exchange, trail, OutcomeKind.REJECTED, status, path))


def _end_attempt(exchange: Exchange, attempt: Attempt, kind: OutcomeKind, status: int) -> None:
    attempt.kind, attempt.status = kind, status
    attempt.ended_at = exchange.plane.now()
    if exchange.latency and (kind in ANSWERED or kind is OutcomeKind.CLIENT_ABORT):
        attempt.answered_at = exchange.attempt_at + exchange.latency


def _decided(exchange: Exchange) -> dict[str, Value]:
    """Give what is known once a route has been chosen."""
    decision, pattern = exchange.decision, exchange.route.rules.match.path
    return {
        "http.route": pattern,
        "url.path": masked_path(exchange.head.path, pattern),
        "cutover.route": exchange.route.id,
        "cutover.side": exchange.side.value,
        "cutover.decided": decision.side.value,
        "cutover.reason": decision.reason.value,
        "cutover.rules_version": exchange.table.version,
    }


def _span(
    exchange: Exchange, trail: Trail, kind: OutcomeKind, status: int, more: dict[str, Value]
) -> Span:
    """Give the span of the exchange: what the client asked, and was answered."""
    head, plane = exchange.head, exchange.plane
    now, ended = plane.now(), plane.wall()
    route = more.get("http.route")
    attributes: dict[str, Value] = {
        "http.request.method": head.method,
        "url.scheme": exchange.client.peer.scheme.decode("ascii"),
        "network.protocol.version": f"1.{head.minor}",
        "cutover.outcome": kind.value,
        "cutover.request_id": exchange.id.decode("ascii"),
        **more,
    }
    if kind is not OutcomeKind.CLIENT_ABORT:  # whoever has left was told nothing
        attributes["http.response.status_code"] = status
    failed = status >= 500 or kind.is_bad
    if failed:
        attributes["error.type"] = str(status) if kind is OutcomeKind.STATUS else kind.value
    return Span(
        trail.trace.decode("ascii"),
        trail.id.decode("ascii"),
        trail.parent.decode("ascii"),
        head.method if route is None else f"{head.method} {route}",
        Kind.SERVER,
        ended - (now - exchange.begun_at),
        ended,
        attributes,
        failed=failed,
    )


def _attempt_span(exchange: Exchange, trail: Trail, attempt: Attempt, number: int) -> Span:
    """Give the span of one attempt: what an instance was asked, and answered."""
    plane, method, kind = exchange.plane, exchange.head.method, attempt.kind
    to_wall = plane.wall() - plane.now()
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "url.path": masked_path(exchange.head.path, exchange.route.rules.match.path),
        "cutover.side": attempt.side,
        "cutover.outcome": kind.value,
    }
    if number:
        attributes["http.request.resend_count"] = number
    if attempt.instance is not None:
        attributes["server.address"] = attempt.instance.host
        attributes["server.port"] = attempt.instance.port
    if kind in ANSWERED:
        attributes["http.response.status_code"] = attempt.status
    if kind.is_bad:
        is_status = kind is OutcomeKind.STATUS
        attributes["error.type"] = str(attempt.status) if is_status else kind.value
    events = (("leased", attempt.leased_at), ("answered", attempt.answered_at))
    return Span(
        trail.trace.decode("ascii"),
        attempt.id.decode("ascii"),
        trail.id.decode("ascii"),
        method,
        Kind.CLIENT,
        to_wall + attempt.begun_at,
        to_wall + attempt.ended_at,
        attributes,
        tuple((name, to_wall + at) for name, at in events if at),
        failed=kind.is_bad,
    )


def _new_id(exchange: Exchange) -> bytes:
    return exchange.plane.traceparent()[36:52]
