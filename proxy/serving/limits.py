"""Rates and concurrency of routes and of their clients, counted within one worker (pure).

A rate is kept as one number for each route, and for each route and client: the moment from which
nothing is owed any more (the theoretical arrival time of GCRA, ITU-T I.371, annex A). A request
moves it on by one interval, and is refused while it lies further ahead than a burst reaches. A
moment that has passed says the same as no moment at all, and is forgotten.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proxy.routing.limits import Allowance, LimitRules
from proxy.wire.memory import Remembered

CLIENTS_MAX: Final = 100_000
"""Pairs of route and client that a worker remembers: some 30 MB at the very most."""

_SWEPT: Final = 2
"""Old entries looked at for each new one: more go than come."""

_SLACK: Final = 0.0001
"""The part of a request by which a burst is larger: sums of intervals are not exact."""

Key = tuple[str, bytes]
"""A route's id and a client, as `client_key` gives it."""


class Reason(StrEnum):
    """Which limit has been reached."""

    CLIENT_RATE = "client_rate"
    CLIENT_CONCURRENCY = "client_concurrency"
    ROUTE_RATE = "route_rate"
    ROUTE_CONCURRENCY = "route_concurrency"


_SENTENCES: Final = {
    Reason.CLIENT_RATE: "this client asks too often",
    Reason.CLIENT_CONCURRENCY: "this client has too many requests under way",
    Reason.ROUTE_RATE: "this route is asked too often",
    Reason.ROUTE_CONCURRENCY: "this route has too many requests under way",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is not taken; `retry_after` is whole seconds, at least 1."""

    reason: Reason
    retry_after: int = 1

    @property
    def sentence(self) -> str:
        """What the client is told."""
        return _SENTENCES[self.reason]

    @property
    def status(self) -> int:
        """429 tells a client that it asks too much (RFC 6585, 4), 503 that everybody does."""
        by_client = self.reason in (Reason.CLIENT_RATE, Reason.CLIENT_CONCURRENCY)
        return 429 if by_client else 503


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an admitted request holds until it leaves."""

    route: _Route | None = None
    client: Key | None = None


_NOTHING_HELD: Final = Ticket()


class Pace:
    """A rate with its burst; `tolerance` is how far ahead the moment may lie, in seconds."""

    __slots__ = ("interval", "tolerance")

    def __init__(self, rate: float, burst: int) -> None:
        """Take requests a second, and how many of them may come at once."""
        self.interval: Final = 1.0 / rate
        self.tolerance: Final = (burst - 1 + _SLACK) * self.interval

    def checked(self, moment: float, now: float) -> float:
        """Give the moment, not further ahead than these rules could have moved it.

        After a change of the rules it may be: a client that had used up 10/h does not wait for
        hours when 10/s are allowed.
        """
        return min(moment, now + self.tolerance + self.interval)

    def wait(self, moment: float, now: float) -> float:
        """Seconds until a request is allowed; not above 0 when it is now."""
        return moment - now - self.tolerance

    def after(self, moment: float, now: float) -> float:
        """Give the moment after one more request."""
        return max(moment, now) + self.interval


class _Route:
    """One route's limits in this worker, and what is used of them by everybody."""

    __slots__ = ("client_most", "client_pace", "in_flight", "moment", "most", "pace")

    def __init__(self) -> None:
        self.moment = -math.inf
        self.in_flight = 0
        self.pace: Pace | None = None
        self.most: int | None = None
        self.client_pace: Pace | None = None
        self.client_most: int | None = None

    def follow(self, rules: LimitRules, workers: int) -> None:
        """Go by these rules; what is used stays used.

        The route's limits are the whole proxy's, and each worker has its equal part. A client's
        are each worker's own: its connections end where the kernel puts them.
        """
        self.pace = _pace(rules.route, workers)
        most = rules.route.concurrency
        self.most = None if most is None else max(1, most // workers)
        self.client_pace = _pace(rules.client)
        self.client_most = rules.client.concurrency


def _pace(allowance: Allowance, workers: int = 1) -> Pace | None:
    if allowance.rate is None:
        return None
    return Pace(allowance.rate / workers, max(1, allowance.at_once // workers))


class Limits:
    """All that one worker counts towards limits. Times are seconds of one monotonic clock.

    When `clients_max` pairs are remembered, the one that was admitted longest ago makes room,
    whatever it owes. Who asks often is thus forgotten last; to take no new clients into account
    instead would leave a flood from many addresses without any limit as soon as it is large.
    `forgotten` counts what was owed then.
    """

    def __init__(self, workers: int, clients_max: int = CLIENTS_MAX) -> None:
        self.forgotten = 0
        self._workers = workers
        self._clients_max = clients_max
        self._routes: dict[str, _Route] = {}
        # Ordered by the last admission. A plain dict finds its first entry ever more slowly, the
        # more of those before it have been taken out.
        self._moments: OrderedDict[Key, float] = OrderedDict()
        self._in_flight: dict[Key, int] = {}

    @property
    def remembered(self) -> int:
        """How many pairs of route and client are remembered."""
        return len(self._moments)

    def follow(self, limited: Iterable[tuple[str, LimitRules]]) -> None:
        """Go by these rules, given by the ids of their routes."""
        found = {route_id: (self._routes.get(route_id) or _Route(), r) for route_id, r in limited}
        for route, rules in found.values():
            route.follow(rules, self._workers)
        self._routes = {route_id: route for route_id, (route, _) in found.items()}

    def enter(self, route_id: str, client: bytes, now: float) -> Ticket | Refusal:
        """Count a request of a limited route, or refuse it and count nothing.

        `client` is a client's address.
        """
        route, key = self._routes[route_id], (route_id, _CLIENT_KEYS[client])
        refusal = self._refused(route, key, now)
        if refusal is not None:
            return refusal
        if route.client_pace is not None:
            self._remember(key, route.client_pace, now)
        if route.pace is not None:
            route.moment = route.pace.after(route.moment, now)
        if route.most is None and route.client_most is None:
            return _NOTHING_HELD
        # Both are counted where one is limited: a limit that is set now finds the others counted.
        route.in_flight += 1
        self._in_flight[key] = self._in_flight.get(key, 0) + 1
        return Ticket(route, key)

    def leave(self, ticket: Ticket) -> None:
        """Give back what a request has held; once for each ticket."""
        if ticket.route is not None and ticket.client is not None:
            ticket.route.in_flight -= 1
            left = self._in_flight[ticket.client] - 1
            if left:
                self._in_flight[ticket.client] = left
            else:
                del self._in_flight[ticket.client]

    def _refused(self, route: _Route, key: Key, now: float) -> Refusal | None:
        """Ask all limits before any is used: who is refused by one has used up nothing of others.

        The client's come first, so that one client's flood is its own fault and not the route's.
        """
        if route.client_most is not None and self._in_flight.get(key, 0) >= route.client_most:
            return Refusal(Reason.CLIENT_CONCURRENCY)
        if route.client_pace is not None and key in self._moments:
            moment = self._moments[key] = route.client_pace.checked(self._moments[key], now)
            wait = route.client_pace.wait(moment, now)
            if wait > 0.0:
                return Refusal(Reason.CLIENT_RATE, max(1, math.ceil(wait)))
        if route.most is not None and route.in_flight >= route.most:
            return Refusal(Reason.ROUTE_CONCURRENCY)
        if route.pace is not None:
            route.moment = route.pace.checked(route.moment, now)
            wait = route.pace.wait(route.moment, now)
            if wait > 0.0:
                return Refusal(Reason.ROUTE_RATE, max(1, math.ceil(wait)))
        return None

    def _remember(self, key: Key, pace: Pace, now: float) -> None:
        moment = self._moments.pop(key, None)
        if moment is None:
            self._sweep(now)
            moment = now
        self._moments[key] = pace.after(moment, now)

    def _sweep(self, now: float) -> None:
        """Make room for a new entry: forget old ones that owe nothing, and at the bound any."""
        moments = self._moments
        for _ in range(_SWEPT):
            if not moments or next(iter(moments.values())) > now:
                break
            moments.popitem(last=False)
        if len(moments) >= self._clients_max:
            moments.popitem(last=False)
            self.forgotten += 1


def client_key(address: bytes) -> bytes:
    """Give what stands for a client: its address, or the /64 of an IPv6 one.

    Whoever has one IPv6 address has the 2^64 of its network (RFC 6177).
    """
    if b":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.decode("ascii"))
    except ValueError:  # a trusted peer's account of its client may be anything
        return address
    mapped = found.ipv4_mapped
    return str(mapped).encode() if mapped is not None else b"[" + found.packed[:8]


_CLIENT_KEYS: Final[Remembered[bytes]] = Remembered(client_key, longest=64)
