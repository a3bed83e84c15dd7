"""What shadow workers get of an exchange that has ended: a capture, or a count why not.

Nothing of it can hurt the client, who has the whole answer by then: every failure ends in one hook.
Budgets are asked before anything is copied.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from proxy.routing.rules import WRITES
from proxy.routing.side import LEGACY
from proxy.serving import mirror
from proxy.serving.copying import Copy
from proxy.serving.relay import Relay
from proxy.serving.upload import Upload
from proxy.wire.forwarding import forwarded_lines

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange

log = logging.getLogger(__name__)


def begin_copy(exchange: Exchange) -> Copy | None:
    """Begin to copy an answer if it is to be mirrored and may be; asked once, chance has a say."""
    if exchange.route.rules.mirror.share <= 0.0 or not _is_wanted(exchange):
        return None
    plane, route_id = exchange.plane, exchange.route.id
    why = plane.budgets.refusal(route_id, plane.now()) if plane.tap.connected else "no_worker"
    if why:
        plane.drop_capture(route_id, why)
        return None
    return Copy(plane.room)


def _is_wanted(exchange: Exchange) -> bool:
    rules = exchange.route.rules.mirror
    return (
        not exchange.fell_back
        and not exchange.table.kill_switch
        and (mirror.is_mirrorable(exchange.head) or _is_mirrorable_write(exchange))
        and exchange.side.other in rules.towards
        and exchange.plane.samples(rules.share)
    )


def _is_mirrorable_write(exchange: Exchange) -> bool:
    """Whether modern may be sent this too, without effect, or both be asked what it has done."""
    head, route = exchange.head, exchange.route
    return (
        (route.reads_back or (route.writes and exchange.side is LEGACY))
        and head.method in WRITES
        and not head.websocket
    )


def keep_body(exchange: Exchange, upload: Upload) -> None:
    """Keep as much of a body as may be mirrored, besides what may be sent again."""
    upload.keeps = max(upload.keeps, exchange.route.rules.mirror.body)


def hand_over(exchange: Exchange, relay: Relay) -> None:
    """Offer a capture of a complete answer, if it was to be mirrored or recorded."""
    copy, relay.copy = relay.copy, None
    recorded = _is_recorded(exchange)
    if copy is None and not recorded:
        return
    try:
        why = _offer(exchange, relay, copy, recorded)
    except Exception:
        log.exception("a capture of route %s failed", exchange.route.id)
        why = "error"
    if copy is not None:
        copy.end()
    if why:
        exchange.plane.drop_capture(exchange.route.id, why)


def _is_recorded(exchange: Exchange) -> bool:
    """Whether this request is to be written down for a later replay; asked once."""
    plane = exchange.plane
    recording = plane.recording
    return (
        recording is not None
        and recording.takes(exchange.route.id, plane.wall())
        and not exchange.head.websocket
        and plane.samples(recording.share)
    )


def lose(exchange: Exchange, reason: str) -> None:
    """Count a capture that was to be made and is not."""
    relay = exchange.relay
    if relay is not None and relay.copy is not None:
        drop(exchange, relay.copy, reason)
        relay.copy = None


def drop(exchange: Exchange, copy: Copy, reason: str) -> None:
    """Give up a copy, and count it."""
    copy.end()
    exchange.plane.drop_capture(exchange.route.id, reason)


def _offer(exchange: Exchange, relay: Relay, copy: Copy | None, recorded: bool) -> str:
    """Hand a capture to the mirror; gives the reason when there is none."""
    if not exchange.request_done:
        return "cut_off"
    if copy is not None and copy.crowded_out:
        if not recorded:
            return "no_room"
        copy = None
    request_body = _request_body(exchange)
    if request_body is None:
        return "body_too_big"
    return exchange.plane.offer(
        exchange.route.id, _capture(exchange, relay, copy, request_body, recorded)
    )


def _request_body(exchange: Exchange) -> bytes | None:
    """Give the body as it was sent up, or None when it is longer than what is mirrored."""
    upload = exchange.upload
    return b"" if upload is None else upload.copy(exchange.route.rules.mirror.body)


def _capture(
    exchange: Exchange, relay: Relay, copy: Copy | None, request_body: bytes, recorded: bool
) -> bytes:
    """Write a capture; one without a copy is recorded only."""
    return mirror.frame(
        exchange.head,
        relay.head,
        request_body=request_body,
        fields=forwarded_lines(exchange.head.block, exchange.table.allowed_fields),
        provenance=_provenance(exchange),
        body=b"" if copy is None else copy.body(),
        identifier=exchange.id,
        route=exchange.route.id,
        primary=exchange.side,
        identity=exchange.identity,
        at=exchange.plane.wall(),
        latency=exchange.latency,
        version=exchange.table.version,
        recorded=recorded,
        mirrored=copy is not None,
    )


def _provenance(exchange: Exchange) -> bytes:
    """Give what the primary was told of the client; and the trace, if there is one to link with."""
    told = exchange.client.peer.provenance(exchange.head)
    trail = exchange.trail
    return told if trail is None else told + b"traceparent: %b\r\n" % trail.context
