"""The schema of `routing_rules.yaml`: text or plain values in, `Rules` or every problem out."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, TypeVar, cast

from proxy.errors import RulesError
from proxy.routing import pattern
from proxy.routing.budget import TotalBudget
from proxy.routing.calendar_rules import CalendarRules
from proxy.routing.compare_rules import CompareRules
from proxy.routing.document import read_document
from proxy.routing.identity import canonical, is_source
from proxy.routing.limits import WorkerLimits
from proxy.routing.node import Members, Node, Problems
from proxy.routing.node import each as _each
from proxy.routing.rules import (
    METHODS,
    Match,
    Pin,
    RetryRules,
    RollbackRules,
    RouteRules,
    Rules,
    taken_methods,
)
from proxy.routing.schema_cohorts import read_cohorts, with_cohorts
from proxy.routing.schema_compare import read_compare
from proxy.routing.schema_fail_when import read_fail_when
from proxy.routing.schema_limits import read_limits, read_worker_limits
from proxy.routing.schema_mirror import read_mirror, read_total_budget
from proxy.routing.schema_plans import Plans, read_calendar, read_plans
from proxy.routing.schema_read_back import check_names
from proxy.routing.schema_rewrite import check_strip, read_rewrites
from proxy.routing.schema_translate import check_learnt, check_places
from proxy.routing.schema_upstreams import read_upstreams
from proxy.routing.side import Side
from proxy.routing.upstream_rules import UpstreamRules

T = TypeVar("T")
Document = dict[str, Any]

RESERVED_HEADERS = ("cookie", "host", "connection", "transfer-encoding", "content-length")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def load_rules(text: str, file: str) -> tuple[Document, Rules]:
    """Parse a document; gives its plain JSON-able values and the rules they mean.

    Raises RulesError with every problem, each with file, line and column.
    """
    problems = Problems(file)
    document = read_document(text, problems)
    return cast("Document", document), _parse(document, problems)


def rules_from_plain(document: Document) -> Rules:
    """Parse the plain values that `load_rules` gave; raises RulesError."""
    return _parse(document, Problems("rules"))


def _parse(document: Any, problems: Problems) -> Rules:
    rules = read_rules(Node(document, problems))
    if problems.found or rules is None:
        found = sorted(problems.found, key=lambda each: (each.where.line, each.where.column))
        raise RulesError(tuple(found))
    return rules


def read_rules(node: Node) -> Rules | None:
    """Read a whole document; None for an empty one."""
    if node.value is None:
        node.problem("the file is empty", "start with `version: 1`, `upstreams:` and `routes:`")
        return None
    top = node.mapping(
        (
            "version", "upstreams", "defaults", "plans", "routes", "pins", "cohorts", "salt",
            "trusted_networks", "allowed_headers", "expose_decision", "limits", "mirror",
            "calendar",
        ),
        required=("version", "upstreams", "routes"),
    )  # fmt: skip
    if (version := top.get("version")) is not None:
        version.constant(1, "this program reads version 1 of the schema", "write `version: 1`")
    upstreams: dict[Side, UpstreamRules] = top.read("upstreams", read_upstreams, {})
    plans: Plans = top.read("plans", read_plans, {})
    base = top.read("defaults", lambda n: _defaults(n, plans), _BUILT_IN)
    routes = top.read("routes", lambda n: _routes(n, base, plans), ())
    ids = {route.id for route in routes}
    cohorts = top.read("cohorts", lambda n: read_cohorts(n, routes), ())
    fallback = UpstreamRules(Side.LEGACY, ())
    return Rules(
        legacy=upstreams.get(Side.LEGACY, fallback),
        modern=upstreams.get(Side.MODERN, fallback),
        routes=tuple(with_cohorts(route, cohorts) for route in routes),
        plans=tuple(plans.items()),
        pins=top.read("pins", lambda n: tuple(_pin(item, ids) for item in n.items()), ()),
        cohorts=cohorts,
        salt=top.read("salt", lambda n: n.text(), "cutover"),
        trusted_networks=top.read("trusted_networks", _each(_network), ()),
        allowed_headers=top.read("allowed_headers", _each(_header_name), ()),
        expose_decision=top.read("expose_decision", lambda n: n.flag(True), True),
        limits=top.read("limits", read_worker_limits, WorkerLimits()),
        mirror=top.read("mirror", read_total_budget, TotalBudget()),
        calendar=top.read("calendar", read_calendar, CalendarRules()),
    )


# Routes

_NO_MATCH = Match("")
_BUILT_IN = RouteRules(id="", match=_NO_MATCH)


def _defaults(node: Node, plans: Plans) -> RouteRules:
    keys = node.mapping(
        (
            "sticky_by",
            "plan",
            "rollback",
            "mirror",
            "on_breach",
            "fallback",
            "limits",
            "rewrite",
            "retry",
            "fail_when",
        )
    )
    return _shared(keys, _BUILT_IN, plans)


def _shared(keys: Members, base: RouteRules, plans: Plans) -> RouteRules:
    """Read what `defaults` and a route have in common, over what `base` says."""
    return RouteRules(
        id=base.id,
        match=base.match,
        sticky_by=keys.read("sticky_by", _sticky_by, base.sticky_by),
        plan=keys.read("plan", lambda n: _plan_name(n, plans), base.plan),
        mirror=keys.read("mirror", lambda n: read_mirror(n, base.mirror), base.mirror),
        rollback=keys.read("rollback", lambda n: _rollback(n, base.rollback), base.rollback),
        on_breach=keys.read(
            "on_breach", lambda n: n.one_of(("rollback", "freeze"), "rollback"), base.on_breach
        ),
        fallback=keys.read("fallback", lambda n: n.flag(True), base.fallback),
        limits=keys.read("limits", lambda n: read_limits(n, base.limits), base.limits),
        rewrite=keys.read("rewrite", lambda n: read_rewrites(n, base.rewrite), base.rewrite),
        retry=keys.read("retry", _retry, base.retry),
        fail_when=keys.read(
            "fail_when", lambda n: read_fail_when(n, base.fail_when), base.fail_when
        ),
    )


_ROUTE_KEYS = (
    "id", "match", "weight", "sticky_by", "plan", "mirror", "compare", "rollback", "on_breach",
    "fallback", "limits", "rewrite", "retry", "fail_when",
)  # fmt: skip


def _routes(node: Node, base: RouteRules, plans: Plans) -> tuple[RouteRules, ...]:
    routes: list[RouteRules] = []
    items: list[tuple[Node, RouteRules]] = []
    seen: dict[str, int] = {}
    earlier = pattern.Patterns[RouteRules]()
    for item in node.items():
        route = _route(item, base, plans)
        if route.id in seen:
            item.problem(f"route `{route.id}` is already defined at line {seen[route.id]}")
        if route.id:
            seen.setdefault(route.id, item.line)
        if route.match.path:
            _check_reached(item, route, earlier)
        routes.append(route)
        items.append((item, route))
    check_learnt(items)
    if not routes and isinstance(node.value, list):
        node.problem("there are no routes", "add at least `- {id: everything-else, match: …}`")
    return tuple(routes)


def _check_reached(node: Node, route: RouteRules, earlier: pattern.Patterns[RouteRules]) -> None:
    """Note it when an earlier route takes everything that this one would."""
    parts = pattern.segments(route.match.path)
    taken = taken_methods(route.match)
    hiding = [other for other in earlier.covering(parts) if taken <= taken_methods(other.match)]
    if hiding:
        first = min(hiding, key=lambda other: other.line)
        node.problem(
            f"route `{route.id}` can never match: `{first.id}` at line {first.line} takes"
            " everything it would",
            f"move it above `{first.id}`; the first route that matches wins",
        )
    earlier.add(parts, route)


def _route(node: Node, base: RouteRules, plans: Plans) -> RouteRules:
    keys = node.mapping(_ROUTE_KEYS, required=("id", "match"))
    shared = _shared(keys, base, plans)
    match = keys.read("match", _match, _NO_MATCH)
    if match.path and (sticky_by := keys.get("sticky_by")) is not None:
        _check_parameters(sticky_by, shared.sticky_by, match.path)
    if match.path and shared.mirror.read_back is not None:
        check_names(keys.get("mirror") or node, shared.mirror.read_back, match.path)
    compare = keys.read("compare", read_compare, CompareRules())
    if match.path and compare.translate:
        check_places(keys.get("compare") or node, compare, match.path)
    if match.path and (rewrite := keys.get("rewrite")) is not None:
        for side in Side:
            strip = shared.rewrite.towards(side).path.strip
            if strip != base.rewrite.towards(side).path.strip:
                check_strip(rewrite, strip, match.path)
    return RouteRules(
        id=keys.read("id", lambda n: n.name("a route id"), ""),
        match=match,
        weight=keys.read("weight", lambda n: n.weight(), 0),
        sticky_by=shared.sticky_by,
        plan=shared.plan,
        mirror=shared.mirror,
        compare=compare,
        rollback=shared.rollback,
        on_breach=shared.on_breach,
        fallback=shared.fallback,
        limits=shared.limits,
        rewrite=shared.rewrite,
        retry=shared.retry,
        fail_when=shared.fail_when,
        line=node.line,
    )


def _check_parameters(node: Node, sources: tuple[str, ...], path: str) -> None:
    for source in sources:
        kind, _, name = source.partition(":")
        if kind == "path" and name not in pattern.parameters(path):
            node.problem(f"`{path}` has no parameter {{{name}}}")


def _match(node: Node) -> Match:
    keys = node.mapping(("method", "path"), required=("path",))
    path = keys.read("path", _path, "")
    methods = keys.read("method", _each(lambda n: n.one_of(METHODS, "")), ())
    return Match(path, methods)


def _path(node: Node) -> str:
    """Read a pattern; nothing, so that no second problem follows, when it is none."""
    text = node.text()
    try:
        if text:
            pattern.segments(text)
    except ValueError as error:
        node.problem(str(error))
        return ""
    return text


def _sticky_by(node: Node) -> tuple[str, ...]:
    sources = _each(_identity_source)(node)
    if not sources and isinstance(node.value, list):
        node.problem("names no source of identity", "write `[cookie:PHPSESSID, client_ip]`")
    for name in ("mint", "client_ip"):
        if name in sources[:-1]:
            node.problem(f"`{name}` always succeeds, so it stands last")
    return sources


def _identity_source(node: Node) -> str:
    text = node.text()
    if is_source(text):
        return canonical(text)
    if text:
        node.problem(
            "is not a source of identity",
            "use jwt:CLAIM, cookie:NAME, header:NAME, path:PARAM, client_ip or mint",
        )
    return "client_ip"


def _plan_name(node: Node, plans: Plans) -> str | None:
    name = node.text()
    if name in plans:
        return name
    if name:
        known = ", ".join(plans) or "none"
        node.problem("there is no such plan", f"plans defined: {known}")
    return None


def _retry(node: Node) -> RetryRules:
    keys = node.mapping(("idempotency_key",))
    return RetryRules(keys.read("idempotency_key", lambda n: n.flag(False), False))


def _rollback(node: Node, base: RollbackRules) -> RollbackRules:
    keys = node.mapping(
        (
            "error_rate", "p95", "latency_tolerance", "mismatch_rate", "window", "min_requests",
            "cooldown", "auto_resume",
        )
    )  # fmt: skip
    return RollbackRules(
        error_rate=keys.read("error_rate", lambda n: n.rate(base.error_rate), base.error_rate),
        p95=keys.read("p95", lambda n: n.duration(base.p95, 0.001), base.p95),
        mismatch_rate=keys.read(
            "mismatch_rate", lambda n: n.rate(base.mismatch_rate), base.mismatch_rate
        ),
        window=keys.read("window", lambda n: n.duration(base.window, 1.0), base.window),
        min_requests=keys.read("min_requests", lambda n: n.count(20, 1), base.min_requests),
        cooldown=keys.read("cooldown", lambda n: n.duration(base.cooldown), base.cooldown),
        auto_resume=keys.read(
            "auto_resume", lambda n: n.count(base.auto_resume, most=100), base.auto_resume
        ),
        latency_tolerance=keys.read(
            "latency_tolerance", lambda n: n.none_or(lambda m: m.times(1.0)), base.latency_tolerance
        ),
    )


# Top-level odds and ends


def _pin(node: Node, ids: set[str]) -> Pin:
    keys = node.mapping(("identity", "side", "reason", "routes"), required=("identity", "side"))
    identity = keys.read("identity", _identity, "")
    routes = keys.read("routes", _each(lambda n: _known_route(n, ids)), ())
    return Pin(
        identity=identity,
        side=Side(keys.read("side", lambda n: n.one_of(("legacy", "modern"), "legacy"), "legacy")),
        reason=keys.read("reason", lambda n: n.text(), ""),
        routes=routes,
    )


def _identity(node: Node) -> str:
    """Read `SOURCE=VALUE` as `proxy.routing.identity` would give it."""
    text = node.text()
    source, _, value = text.partition("=")
    if text and not (value and is_source(source)):
        node.problem("must be SOURCE=VALUE", "write `header:X-Customer=17`")
    return f"{canonical(source)}={value}"


def _known_route(node: Node, ids: set[str]) -> str:
    text = node.text()
    if text and text not in ids:
        node.problem("there is no such route")
    return text


def _network(node: Node) -> str:
    text = node.text("127.0.0.1/32")
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        node.problem(f"is not a network: {error}", "write 10.0.0.0/8")
        return "127.0.0.1/32"


def _header_name(node: Node) -> str:
    text = node.text("x")
    if not _TOKEN.fullmatch(text) or text.lower() in RESERVED_HEADERS:
        node.problem("is not the name of a header that can be allowed")
    return text.lower()
