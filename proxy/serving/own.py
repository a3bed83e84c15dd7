"""What the proxy answers by itself: refusals, failures, and that it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.outcome import OutcomeKind
from proxy.serving import record, trail
from proxy.serving.stage import ENDED
from proxy.wire.forwarding import write_own, write_text

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange


def write(exchange: Exchange, status: int, sentence: str, retry_after: int = 1) -> None:
    """Answer, and close when the request has not been read to its end."""
    close = _closes(exchange)
    head_only = exchange.head.method == "HEAD"
    exchange.client.write(
        write_own(status, sentence, close=close, head_only=head_only, retry_after=retry_after)
    )
    exchange.client.done(close)


def turn_away(exchange: Exchange, status: int, sentence: str) -> None:
    """Refuse before any route was chosen, unless it is the proxy itself that was asked."""
    head, plane = exchange.head, exchange.plane
    exchange.stage = ENDED
    if head.path == plane.ready_path and head.method in ("GET", "HEAD"):
        _tell_readiness(exchange)
        return
    plane.note("refused_requests", str(status))
    if plane.log is not None and plane.table is not None:
        plane.log.record(record.asked(exchange, OutcomeKind.REJECTED, status))
    if exchange.trail is not None:
        trail.turn_away(exchange, exchange.trail, status)
    write(exchange, status, sentence)


def _tell_readiness(exchange: Exchange) -> None:
    """Answer a load balancer: it is no exchange, so it is neither counted nor logged."""
    status, word = exchange.plane.readiness()
    close = _closes(exchange)
    text = word.encode() + b"\n"
    exchange.client.write(
        write_text(status, text, close=close, head_only=exchange.head.method == "HEAD")
    )
    exchange.client.done(close)


def _closes(exchange: Exchange) -> bool:
    return exchange.close or not exchange.request_done or exchange.plane.draining
