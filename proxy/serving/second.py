"""What may follow a failed attempt: a retry on the same side, or legacy's answer to it.

`upstream.retry` says when that changes nothing twice; here the budgets are kept, and what is in the
way is counted. A second attempt that was taken is given back when its exchange ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proxy.outcome import OutcomeKind
from proxy.routing.side import LEGACY, MODERN
from proxy.serving.stage import AWAITING, RELAYING
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.retry import UNSENT, may_retry
from proxy.upstream.retry import may_fall_back as changes_nothing_there

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange

KEY_FIELD: Final = b"idempotency-key"


def take_retry(
    exchange: Exchange, kind: OutcomeKind, connection: UpstreamConnection | None
) -> bool:
    """Take a retry on the same side, if there may be one."""
    return (
        not exchange.retried
        and exchange.stage is AWAITING
        and connection is not None
        and may_retry(
            exchange.head.method,
            kind,
            reused=exchange.reused,
            answered=connection.parser.started,
            keyed=_is_keyed(exchange),
        )
        and _can_repeat(exchange)
        and _borrow_retry(exchange)
    )


def may_fall_back(exchange: Exchange, kind: OutcomeKind) -> bool:
    """Whether legacy may serve what modern has failed so, budgets and bodies aside."""
    return (
        exchange.side is MODERN
        and exchange.stage is not RELAYING
        and exchange.route.rules.fallback
        and changes_nothing_there(exchange.head.method, kind)
        # Modern may have begun a session; clients of WebSockets connect again themselves.
        and (kind in UNSENT or not exchange.head.websocket)
    )


def can_fall_back(exchange: Exchange, kind: OutcomeKind) -> bool:
    """Whether legacy can serve what modern has failed so."""
    return may_fall_back(exchange, kind) and _can_repeat(exchange) and _has_fallback(exchange, kind)


def take_fallback(exchange: Exchange, kind: OutcomeKind) -> None:
    """Take the fallback that there is, until the exchange ends."""
    budget = exchange.plane.pools[LEGACY].budget
    if kind not in UNSENT and budget.take_fallback(exchange.plane.admission.in_flight):
        _lend(exchange, budget.give_fallback)


def _is_keyed(exchange: Exchange) -> bool:
    """Whether the application can tell that it has this request already, and says so."""
    allowed = exchange.route.rules.retry.idempotency_key
    return allowed and bool(exchange.head.get(KEY_FIELD))


def _can_repeat(exchange: Exchange) -> bool:
    """Whether the body so far can be sent again; if only that is in the way, it is counted."""
    if exchange.upload is None or exchange.upload.repeatable:
        return True
    if not exchange.unrepeatable:
        exchange.unrepeatable = True
        exchange.plane.note("unrepeatable_bodies", exchange.side)
    return False


def _borrow_retry(exchange: Exchange) -> bool:
    budget = exchange.pool.budget
    if not budget.take_retry(exchange.plane.admission.in_flight):
        exchange.plane.note("retry_budget_exhausted", exchange.side)
        return False
    _lend(exchange, budget.give_retry)
    exchange.plane.note("retries", exchange.side)
    return True


def _has_fallback(exchange: Exchange, kind: OutcomeKind) -> bool:
    """Whether legacy's budget allows a fallback; what modern never saw needs none."""
    if kind in UNSENT:
        return True
    plane = exchange.plane
    if plane.pools[LEGACY].budget.has_fallback(plane.admission.in_flight):
        return True
    plane.note("retry_budget_exhausted", LEGACY)
    return False


def _lend(exchange: Exchange, give_back: Callable[[], None]) -> None:
    exchange.loans = [*(exchange.loans or ()), give_back]
