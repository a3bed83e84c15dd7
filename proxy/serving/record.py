"""The access log's line of one exchange: what was asked, who answered, and why that side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.outcome import OutcomeKind

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange

Line = dict[str, object]


def asked(exchange: Exchange, kind: OutcomeKind, status: int) -> Line:
    """What was asked and how it ended: the part of a line that needs no route."""
    return {
        "at": exchange.plane.wall(),
        "client": exchange.client.peer.address.decode("ascii"),
        "method": exchange.head.method,
        "path": exchange.head.path,
        "status": status,
        "outcome": kind.value,
    }


def answered(exchange: Exchange, kind: OutcomeKind, status: int) -> Line:
    """The whole line. Times are in milliseconds, sizes in octets of bodies."""
    decision, upload, relay = exchange.decision, exchange.upload, exchange.relay
    return asked(exchange, kind, status) | {
        "request_id": exchange.id.decode("ascii"),
        "route": exchange.route.id,
        "side": exchange.side,
        "decided": decision.side.value,
        "reason": decision.reason.value,
        "bucket": decision.bucket,
        "version": exchange.table.version,
        "bytes_in": 0 if upload is None else upload.size,
        "bytes_out": 0 if relay is None else relay.size,
        "upstream_ms": round(exchange.latency * 1000, 3),
        "total_ms": round((exchange.plane.now() - exchange.begun_at) * 1000, 3),
    }
