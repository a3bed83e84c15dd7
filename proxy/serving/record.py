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
    line = asked(exchange, kind, status) | {
        "request_id": exchange.id.decode("ascii"),
        "route": exchange.route.id,
        "side": exchange.side,
        "decided": decision.side.value,
        "reason": decision.reason.value,
        "bucket": decision.bucket,
        "version": exchange.table.version,
        "bytes_in": 0 if upload is None else upload.size,
        "bytes_out": 0 if relay is None else relay.size,
        "upstream_ms": _milliseconds(exchange.latency),
        **{f"{stage}_ms": _milliseconds(spent) for stage, spent in spent_in_stages(exchange)},
    }
    if exchange.unrepeatable:
        line["unrepeatable"] = True
    tunnel = exchange.tunnel
    if tunnel is not None:
        line |= {"bytes_in": tunnel.up, "bytes_out": tunnel.down, "tunnel": tunnel.ended}
    return line


def spent_in_stages(exchange: Exchange) -> tuple[tuple[str, float], ...]:
    """Seconds in each stage so far, of the attempt that counts; what came before it is `begun`."""
    now = exchange.plane.now()
    head_at = min(now, exchange.attempt_at + exchange.latency) if exchange.latency else now
    head_at = max(head_at, exchange.leased_at)
    return (
        ("begun", exchange.attempt_at - exchange.begun_at),
        ("leasing", exchange.leased_at - exchange.attempt_at),
        ("awaiting", head_at - exchange.leased_at),
        ("relaying", now - head_at),
        ("total", now - exchange.begun_at),
    )


def server_timing(exchange: Exchange) -> bytes:
    """Write the time spent until the answer's head as a line (W3C Server Timing), with its CRLF."""
    known = [each for each in spent_in_stages(exchange) if each[0] != "relaying"]
    spent = ", ".join(f"{stage};dur={_milliseconds(seconds)}" for stage, seconds in known)
    return f"Server-Timing: {spent}\r\n".encode()


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
