"""What shadow workers get of an exchange that has ended: a capture, or a count why not.

Nothing of it can hurt the client, who has the whole answer by then: every failure ends in one hook.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from proxy.routing.rules import WRITES
from proxy.routing.side import LEGACY
from proxy.serving import mirror
from proxy.serving.relay import Relay
from proxy.serving.upload import Upload
from proxy.wire.forwarding import forwarded_lines

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange

log = logging.getLogger(__name__)


def is_wanted(exchange: Exchange) -> bool:
    """Whether this exchange is to be mirrored; asked once, as chance has a say in it."""
    rules = exchange.route.rules.mirror
    return (
        rules.share > 0.0
        and not exchange.fell_back
        and not exchange.table.kill_switch
        and (mirror.is_mirrorable(exchange.head) or _is_mirrorable_write(exchange))
        and exchange.side.other in rules.towards
        and exchange.plane.samples(rules.share)
    )


def _is_mirrorable_write(exchange: Exchange) -> bool:
    """Whether modern may be sent this too, to carry it out without effect."""
    head = exchange.head
    return (
        exchange.route.writes
        and exchange.side is LEGACY
        and head.method in WRITES
        and not head.websocket
    )


def keep_body(exchange: Exchange, upload: Upload) -> None:
    """Keep as much of a body as may be mirrored, besides what may be sent again."""
    upload.keeps = max(upload.keeps, exchange.route.rules.mirror.body)


def hand_over(exchange: Exchange, relay: Relay) -> None:
    """Offer a capture of a complete answer that was to be mirrored."""
    if not exchange.plane.tap.connected:
        lose(exchange, "no_worker")
        return
    if not exchange.request_done:
        lose(exchange, "cut_off")
        return
    try:
        request_body = _request_body(exchange)
        if request_body is None:
            lose(exchange, "body_too_big")
            return
        exchange.plane.offer(exchange.route.id, _capture(exchange, relay, request_body))
    except Exception:
        log.exception("a capture of route %s failed", exchange.route.id)
        lose(exchange, "error")


def lose(exchange: Exchange, reason: str) -> None:
    """Count a capture that was to be made and is not."""
    if exchange.relay is not None and exchange.relay.mirrored:
        exchange.plane.drop_capture(exchange.route.id, reason)


def _request_body(exchange: Exchange) -> bytes | None:
    """Give the body as it was sent up, or None when it is longer than what is mirrored."""
    upload = exchange.upload
    return b"" if upload is None else upload.copy(exchange.route.rules.mirror.body)


def _capture(exchange: Exchange, relay: Relay, request_body: bytes) -> bytes:
    return mirror.frame(
        exchange.head,
        relay.head,
        request_body=request_body,
        fields=forwarded_lines(exchange.head.block, exchange.table.allowed_fields),
        provenance=exchange.client.peer.provenance(exchange.head),
        body=relay.copy(),
        identifier=exchange.id,
        route=exchange.route.id,
        primary=exchange.side,
        identity=exchange.identity,
        at=exchange.plane.wall(),
        latency=exchange.latency,
        version=exchange.table.version,
    )
