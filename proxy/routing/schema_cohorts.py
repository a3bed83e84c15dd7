"""Reading `cohorts`: groups of users that are held on one side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from proxy.routing import pattern
from proxy.routing.identity import NAMED, canonical, is_source
from proxy.routing.node import Node
from proxy.routing.rules import Cohort, RouteRules
from proxy.routing.side import Side


def read_cohorts(node: Node, routes: Iterable[RouteRules]) -> tuple[Cohort, ...]:
    """Read the list; routes that are named must exist."""
    known = {route.id: route for route in routes}
    found: list[Cohort] = []
    for item in node.items():
        cohort = _cohort(item, known)
        if cohort.id and any(cohort.id == other.id for other in found):
            item.problem(f"cohort `{cohort.id}` is defined twice")
        found.append(cohort)
    return tuple(found)


def with_cohorts(route: RouteRules, cohorts: Iterable[Cohort]) -> RouteRules:
    """Give the route with the cohorts that it has, in their order."""
    own = tuple(each for each in cohorts if not each.routes or route.id in each.routes)
    return replace(route, cohorts=own) if own else route


def _cohort(node: Node, known: dict[str, RouteRules]) -> Cohort:
    keys = node.mapping(
        ("id", "side", "source", "values", "reason", "routes"),
        required=("id", "side", "source", "values"),
    )
    source = keys.read("source", _source, "")
    routes = keys.read("routes", lambda n: tuple(_known(each, known) for each in n.items()), ())
    if source.startswith("path:"):
        where = [known[each] for each in routes if each in known] or known.values()
        _check_parameter(keys.get("source") or node, source, where)
    return Cohort(
        id=keys.read("id", lambda n: n.name("a cohort's id"), ""),
        side=Side(keys.read("side", lambda n: n.one_of(("legacy", "modern"), "modern"), "modern")),
        source=source,
        values=keys.read("values", _values, ()),
        reason=keys.read("reason", lambda n: n.text(), ""),
        routes=routes,
    )


def _source(node: Node) -> str:
    text = node.text()
    if text and (not is_source(text) or text.partition(":")[0] not in NAMED):
        kinds = ", ".join(f"{kind}:NAME" for kind in NAMED)
        node.problem(f"must be one of {kinds}", "write `header:X-Group`")
    return canonical(text)


def _values(node: Node) -> tuple[str, ...]:
    values = tuple(item.text() for item in node.items())
    if not values and isinstance(node.value, list):
        node.problem("nobody belongs to a cohort without values", "write `[staff]`")
    return values


def _known(node: Node, known: dict[str, RouteRules]) -> str:
    text = node.text()
    if text and text not in known:
        node.problem("there is no such route")
    return text


def _check_parameter(node: Node, source: str, routes: Iterable[RouteRules]) -> None:
    name = source.partition(":")[2]
    for route in routes:
        if route.match.path and name not in pattern.parameters(route.match.path):
            node.problem(f"`{route.match.path}` has no parameter {{{name}}}", "name `routes`")
            return
