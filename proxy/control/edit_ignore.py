"""Adding ignore rules to one route in the text of the rules; comments and layout stay (see `edit`).

What is added goes behind the last entry of `compare.ignore`, or behind the last key of `compare`,
or of the route, in the style, block or flow, of what it is added to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from proxy.control.edit import member, placeless, route_node
from proxy.control.insert import append, insert_in_flow, insert_lines, scalar
from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError, RulesError
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.rules import Rules
from proxy.routing.schema import load_rules


def with_ignore_rules(
    before: LoadedRules, route_id: str, added: Sequence[IgnoreRule], file: str
) -> LoadedRules:
    """Give the rules with these added to the route's ignore rules.

    Raises RefusedError when the text cannot be changed without changing anything else.
    """
    route = route_node(YAML(typ="safe", pure=True).compose(before.text), route_id)
    if route is None:
        raise RefusedError(f"{file}: there is no route `{route_id}`")
    text = _edit(before.text, route, [_flow(rule) for rule in added])
    try:
        document, rules = load_rules(text, file)
    except RulesError:
        rules = None
    if rules is None or placeless(rules) != placeless(_added(before.rules, route_id, added)):
        written = "\n".join(f"  - {_flow(rule)}" for rule in added)
        raise RefusedError(
            f"{file}: the ignore rules of `{route_id}` cannot be changed without touching more (are"
            f" they shared through an anchor?); add by hand, under compare.ignore:\n{written}"
        )
    return LoadedRules(text, document, rules)


def _edit(text: str, route: MappingNode, rules: list[str]) -> str:
    compare = member(route, "compare")
    if not isinstance(compare, MappingNode):
        return append(text, route, "compare", ["ignore:", *(f"  - {rule}" for rule in rules)],
                       f"{{ignore: [{', '.join(rules)}]}}")  # fmt: skip
    ignore = member(compare, "ignore")
    if not isinstance(ignore, SequenceNode):
        block = [f"- {rule}" for rule in rules]
        return append(text, compare, "ignore", block, f"[{', '.join(rules)}]")
    if ignore.flow_style or not ignore.value:
        return insert_in_flow(text, ignore, ", ".join(rules))
    column = ignore.start_mark.column
    return insert_lines(text, ignore, [f"{' ' * column}- {rule}" for rule in rules])


def _flow(rule: IgnoreRule) -> str:
    parts = [
        f"path: {scalar(rule.path)}",
        f"reason: {json.dumps(rule.reason, ensure_ascii=False)}",
    ]
    if rule.owner:
        parts.append(f"owner: {scalar(rule.owner)}")
    if rule.until is not None:
        parts.append(f"until: {rule.until.isoformat()}")
    return f"{{{', '.join(parts)}}}"


def _added(rules: Rules, route_id: str, added: Sequence[IgnoreRule]) -> Rules:
    routes = (
        replace(route, compare=replace(route.compare, ignore=(*route.compare.ignore, *added)))
        if route.id == route_id
        else route
        for route in rules.routes
    )
    return replace(rules, routes=tuple(routes))
