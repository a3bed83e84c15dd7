"""Rules compiled: one table per snapshot that answers which route and which side."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

from proxy.routing import pattern
from proxy.routing.bucket import bucket_of, is_chosen
from proxy.routing.decision import BUCKET, Decision, Reason
from proxy.routing.fail_when import FailRules
from proxy.routing.identity import CLIENT_IP, Source, canonical, compile_source
from proxy.routing.rewrites import Rewrites, compiled
from proxy.routing.rules import WEIGHT_MAX, Cohort, RouteRules, Rules, taken_methods
from proxy.routing.side import LEGACY, MODERN, Side
from proxy.wire.message import RequestHead
from proxy.wire.rewriting import Rewriting

_NO_PARAMETERS: Final[Mapping[str, str]] = {}
_CACHE_MAX: Final = 4096


class Route:
    """One route compiled: everything a request needs, nothing to parse."""

    __slots__ = (
        "_by_weight",
        "_cohorts",
        "_killed",
        "_pins",
        "_salt",
        "_sources",
        "copies_bodies",
        "declares_failures",
        "has_cohorts",
        "id",
        "limited",
        "methods",
        "mint",
        "needs_parameters",
        "order",
        "reads_back",
        "rewriting",
        "rules",
        "said",
        "weight",
        "writes",
    )

    def __init__(
        self,
        rules: RouteRules,
        order: int,
        whole: Rules,
        rolled_back: bool,
        kill_switch: bool,
        mint_key: bytes,
        writes_halted: bool = False,
    ) -> None:
        self.id: Final = rules.id
        self.rules: Final = rules
        self.order: Final = order
        self.methods: Final = _methods(rules)
        self.weight: Final = 0 if rolled_back or kill_switch else rules.weight
        self.limited: Final = rules.limits.limits_anything
        self.writes: Final = rules.mirror.writes and rules.mirror.share > 0.0 and not writes_halted
        self.reads_back: Final = rules.mirror.read_back is not None and rules.mirror.share > 0.0
        self.declares_failures: Final = rules.fail_when != FailRules()
        self.copies_bodies: Final = self.writes or self.reads_back
        self.rewriting: Final = _rewriting(rules, whole)
        self.mint: Final = "mint" in rules.sticky_by
        self.has_cohorts: Final = bool(rules.cohorts) and not rolled_back and not kill_switch
        sources = (*rules.sticky_by, *(cohort.source for cohort in rules.cohorts))
        self.needs_parameters: Final = any(s.startswith("path:") for s in sources)
        self.said: Final = {
            side: _said(rules.id, side) if whole.expose_decision else b"" for side in Side
        }
        self._salt: Final = whole.salt.encode()
        self._sources: Final = _sources(rules.sticky_by, mint_key)
        self._pins: Final = {
            pin.identity.encode(): pin.side
            for pin in whole.pins
            if not pin.routes or rules.id in pin.routes
        }
        self._cohorts: Final = tuple(_Members(each, mint_key) for each in rules.cohorts)
        self._killed: Final = kill_switch
        if rolled_back:
            self._by_weight: Decision | None = Decision(Side.LEGACY, Reason.ROLLED_BACK)
        elif self.weight in (0, WEIGHT_MAX):
            side = Side.MODERN if self.weight else Side.LEGACY
            self._by_weight = Decision(side, Reason.WEIGHT)
        else:
            self._by_weight = None

    def identify(
        self, head: RequestHead, client_ip: bytes, parameters: Mapping[str, str]
    ) -> bytes | None:
        """Give the identity of the request; None when the route wants one to be minted."""
        for source in self._sources:
            if source is None:
                break
            identity = source.find(head, parameters)
            if identity is not None:
                return identity
        return None if self.mint else CLIENT_IP + client_ip

    def cohort(self, head: RequestHead, parameters: Mapping[str, str]) -> Cohort | None:
        """Give the first cohort that the request belongs to; see `has_cohorts`."""
        for members in self._cohorts:
            if members.source.find(head, parameters) in members.values:
                return members.cohort
        return None

    def decide(
        self, identity: bytes, override: Side | None = None, cohort: Cohort | None = None
    ) -> Decision:
        """Give the side that serves this identity, which belongs to this cohort, if to any.

        `override` is what a trusted peer asked for. The kill switch stands above everything: it is
        there for the moment when modern must see no request at all. A cohort may be many, so a
        rollback takes it back with all others; a pin is one, by hand, and stays.
        """
        if self._killed:
            return _KILLED
        if override is not None:
            return Decision(override, Reason.OVERRIDE)
        if self._pins:
            pinned = self._pins.get(identity)
            if pinned is not None:
                return Decision(pinned, Reason.PIN)
        if cohort is not None and self.has_cohorts:
            return Decision(cohort.side, Reason.COHORT)
        if self._by_weight is not None:
            return self._by_weight
        bucket = bucket_of(self._salt, identity)
        side = MODERN if is_chosen(bucket, self.weight) else LEGACY
        return Decision(side, BUCKET, bucket)


class _Members:
    """A cohort compiled: where a request says that it belongs to it, and what it says then."""

    __slots__ = ("cohort", "source", "values")

    def __init__(self, cohort: Cohort, mint_key: bytes) -> None:
        self.cohort: Final = cohort
        self.source: Final = compile_source(cohort.source, mint_key)
        # As a source gives them; no request says nothing, which `find` gives as None.
        prefix = canonical(cohort.source).encode() + b"="
        self.values: Final[frozenset[bytes | None]] = frozenset(
            prefix + value.encode() for value in cohort.values
        )


def _rewriting(rules: RouteRules, whole: Rules) -> dict[Side, Rewriting | None] | None:
    """Compile what is rewritten towards each side; None when nothing is, as on most routes."""
    if rules.rewrite == Rewrites():
        return None
    return {
        side: compiled(rules.rewrite.towards(side), whole.upstream(side).instances) for side in Side
    }


def _said(route_id: str, side: Side) -> bytes:
    """What clients are told about a decision, as lines of an answer's head."""
    return f"Cutover-Side: {side}\r\nCutover-Route: {route_id}\r\n".encode()


class Choice:
    """What a table has found for one request head; it holds as long as that table is in force."""

    __slots__ = ("decision", "identity", "route", "table")

    def __init__(self, table: Table, route: Route, identity: bytes, decision: Decision) -> None:
        self.table: Final = table
        self.route: Final = route
        self.identity: Final = identity
        self.decision: Final = decision


_KILLED: Final = Decision(Side.LEGACY, Reason.KILL_SWITCH)


def _methods(rules: RouteRules) -> frozenset[str]:
    """Methods the route takes, none for all: most tables end in a route that takes everything."""
    return taken_methods(rules.match) if rules.match.methods else frozenset()


def _sources(sticky_by: tuple[str, ...], mint_key: bytes) -> tuple[Source | None, ...]:
    """Compile the list; None stands for `client_ip`, which ends the search."""
    return tuple(
        None if name == "client_ip" else compile_source(name, mint_key) for name in sticky_by
    )


class _Node:
    """One step of the segment trie; `rest` and `here` hold the routes that end in it, by order."""

    __slots__ = ("any", "children", "here", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.here: list[Route] = []
        self.rest: list[Route] = []


class Table:
    """All routes of one snapshot."""

    def __init__(
        self,
        rules: Rules,
        rolled_back: frozenset[str] = frozenset(),
        kill_switch: bool = False,
        version: int = 0,
        mint_key: bytes = b"",
        own_path: str = "",
        halted_writes: frozenset[str] = frozenset(),
        before: Table | None = None,
    ) -> None:
        """Compile; `own_path` is the proxy's own, and no route takes it.

        Routes that are as in the table `before`, made with the same key, are taken from there.
        """
        self.version: Final = version
        self._own_path: Final = own_path
        self.rules: Final = rules
        self.kill_switch: Final = kill_switch
        self._rolled_back: Final = rolled_back
        self._halted_writes: Final = halted_writes
        known = {} if before is None else before.shared_with(self)
        self.routes: Final = tuple(
            known.get(route.id)
            or Route(
                route,
                order,
                rules,
                route.id in rolled_back,
                kill_switch,
                mint_key,
                route.id in halted_writes,
            )
            for order, route in enumerate(rules.routes)
        )
        self.allowed_fields: Final = frozenset(name.encode() for name in rules.allowed_headers)
        self._trusted = tuple(ipaddress.ip_network(text) for text in rules.trusted_networks)
        self._trust: dict[str, bool] = {}
        self._root: Final = _Node()
        for route in self.routes:
            self._insert(route)

    def match(self, method: str, path: str) -> Route | None:
        """Give the first route of the file that takes this request, or None.

        The cost depends on the number of segments, not of routes: 0.5 us for four.
        """
        if path == self._own_path:
            return None
        # `OPTIONS *` is about the server as a whole, and goes where `/` goes.
        segments = path.split("/") if path != "*" else ["", ""]
        return self._search(self._root, segments, 1, method, None)

    def shared_with(self, other: Table) -> dict[str, Route]:
        """Give the routes that are the same in another table, by id."""
        if self.rules is not other.rules or self.kill_switch is not other.kill_switch:
            return {}
        changed = self._rolled_back ^ other._rolled_back
        changed |= self._halted_writes ^ other._halted_writes
        return {route.id: route for route in self.routes if route.id not in changed}

    def parameters(self, route: Route, path: str) -> Mapping[str, str]:
        """Give the values of the route's `{name}` segments in this path."""
        if not route.needs_parameters:
            return _NO_PARAMETERS
        parts = pattern.segments(route.rules.match.path)
        return {
            part[1:-1]: value
            for part, value in zip(parts, path[1:].split("/"), strict=False)
            if pattern.is_parameter(part)
        }

    def trusts(self, address: str) -> bool:
        """Whether a peer's address lies in one of the trusted networks."""
        known = self._trust.get(address)
        if known is None:
            known = self._is_trusted(address)
            if len(self._trust) >= _CACHE_MAX:
                self._trust.clear()
            self._trust[address] = known
        return known

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._trusted)

    def _insert(self, route: Route) -> None:
        node = self._root
        for part in pattern.segments(route.rules.match.path):
            if part == pattern.REST:
                node.rest.append(route)
                return
            if pattern.is_parameter(part):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.children.setdefault(part, _Node())
        node.here.append(route)

    def _search(
        self, node: _Node, segments: list[str], depth: int, method: str, best: Route | None
    ) -> Route | None:
        """Visit every branch that fits and keep the route that stands first in the file."""
        if depth == len(segments):
            return _first(node.here, method, best)
        best = _first(node.rest, method, best)
        segment = segments[depth]
        child = node.children.get(segment)
        if child is not None:
            best = self._search(child, segments, depth + 1, method, best)
        if node.any is not None and segment:
            best = self._search(node.any, segments, depth + 1, method, best)
        return best


def _first(routes: list[Route], method: str, best: Route | None) -> Route | None:
    for route in routes:
        if best is not None and route.order > best.order:
            return best
        if not route.methods or method in route.methods:
            return route
    return best
