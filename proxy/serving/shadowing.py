"""What shadow workers get of an exchange that has ended: a capture, or a count why not.

Nothing of it can hurt the client, who has the whole answer by then: every failure ends in one hook.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from proxy.serving import mirror
from proxy.serving.relay import Relay

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
        and mirror.is_mirrorable(exchange.head)
        and exchange.side.other in rules.towards
        and exchange.plane.samples(rules.share)
    )


def hand_over(exchange: Exchange, relay: Relay) -> None:
    """Offer a capture of a complete answer that was to be mirrored."""
    if not exchange.plane.tap.connected:
        lose(exchange, "no_worker")
        return
    try:
        exchange.plane.offer(exchange.route.id, _capture(exchange, relay))
    except Exception:
        log.exception("a capture of route %s failed", exchange.route.id)
        lose(exchange, "error")


def lose(exchange: Exchange, reason: str) -> None:
    """Count a capture that was to be made and is not."""
    if exchange.relay is not None and exchange.relay.mirrored:
        exchange.plane.drop_capture(exchange.route.id, reason)


def _capture(exchange: Exchange, relay: Relay) -> bytes:
    return mirror.frame(
        exchange.head,
        relay.head,
        body=relay.copy(),
        identifier=exchange.id,
        route=exchange.route.id,
        primary=exchange.side,
        identity=exchange.identity,
        at=exchange.plane.wall(),
        latency=exchange.latency,
        version=exchange.table.version,
    )
