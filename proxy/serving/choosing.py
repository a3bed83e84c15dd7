"""Who serves a request, and for whom: match, identify, decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.routing.identity import CLIENT_IP, MINT_COOKIE, MINT_PREFIX
from proxy.routing.override import FIELD as OVERRIDE_FIELD
from proxy.routing.override import read_override
from proxy.routing.side import Side
from proxy.routing.table import Choice

if TYPE_CHECKING:
    from proxy.serving.exchange import Exchange


def choose(exchange: Exchange) -> bool:
    """Find route, identity, decision and side; False when no route takes the request."""
    if _recall(exchange):
        return True
    if not _match(exchange):
        return False
    _identify(exchange)
    _decide(exchange)
    return True


def client_address(exchange: Exchange) -> bytes:
    """Give the address of whoever asks, behind peers that the rules trust."""
    peer = exchange.client.peer
    if not peer.trusted:
        return peer.address
    return peer.client_address(exchange.head, exchange.table.trusts)


def _recall(exchange: Exchange) -> bool:
    """Take what was found for a head of the same bytes."""
    choice = exchange.head.memo
    if choice is None or choice.table is not exchange.table:
        return False
    exchange.route, exchange.identity = choice.route, choice.identity
    exchange.decision = choice.decision
    exchange.side = choice.decision.side
    return True


def _match(exchange: Exchange) -> bool:
    route = exchange.table.match(exchange.head.method, exchange.head.path)
    if route is None:
        return False
    exchange.route = route
    return True


def _identify(exchange: Exchange) -> None:
    head, route = exchange.head, exchange.route
    parameters = exchange.table.parameters(route, head.path)
    identity = route.identify(head, client_address(exchange), parameters)
    exchange.identity = identity or _mint(exchange)


def _mint(exchange: Exchange) -> bytes:
    """Give a new identity, and have the client told of it."""
    value = exchange.plane.mint()
    exchange.extra = b"Set-Cookie: %b=%b; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000\r\n" % (
        MINT_COOKIE,
        value,
    )
    return MINT_PREFIX + value


def _decide(exchange: Exchange) -> None:
    head, identity = exchange.head, exchange.identity
    route, override = exchange.route, _override(exchange)
    cohort = None
    if route.has_cohorts:
        cohort = route.cohort(head, exchange.table.parameters(route, head.path))
    exchange.decision = decision = route.decide(identity, override, cohort)
    exchange.side = decision.side
    # What the head alone has decided holds for every request of the same bytes.
    if not (exchange.extra or identity.startswith(CLIENT_IP) or head.block.asks):
        head.memo = Choice(exchange.table, exchange.route, identity, decision)


def _override(exchange: Exchange) -> Side | None:
    """Give the side that the client asks for and may ask for: see `routing.override`."""
    head, plane = exchange.head, exchange.plane
    value = head.get(OVERRIDE_FIELD) if head.block.asks else None
    if value is None:
        return None
    found = read_override(
        value,
        key=plane.override_key,
        route=exchange.route.id,
        now=plane.wall(),
        trusted=exchange.client.peer.trusted,
    )
    if isinstance(found, Side):
        return found
    plane.note("overrides_refused", found)
    return None
