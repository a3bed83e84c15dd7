"""Changing one weight in the text of the rules, and nothing else: comments and layout stay.

The YAML parser tells where the value stands, and only those characters are replaced. Writing the
whole tree back would keep comments too, but would lay out anew what somebody has aligned by hand.
"""

from __future__ import annotations

from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError, RulesError
from proxy.routing.rules import Rules
from proxy.routing.schema import load_rules


def with_weight(before: LoadedRules, route_id: str, weight: int, file: str) -> LoadedRules:
    """Give the rules with this route's weight (hundredths of a percent) changed.

    Raises RefusedError when the text cannot be changed without changing anything else.
    """
    route = route_node(YAML(typ="safe", pure=True).compose(before.text), route_id)
    if route is None:
        raise RefusedError(f"{file}: there is no route `{route_id}`")
    text = _edit(before.text, route, spelled(weight))
    try:
        document, rules = load_rules(text, file)
    except RulesError:
        rules = None
    if rules is None or placeless(rules) != placeless(weighted(before.rules, route_id, weight)):
        raise RefusedError(
            f"{file}: the weight of `{route_id}` cannot be changed without touching more (is it"
            " shared through an anchor?); edit the file by hand"
        )
    return LoadedRules(text, document, rules)


def spelled(weight: int) -> str:
    """Spell a weight as the rules do: 1000 is 10%."""
    return f"{weight / 100:g}%"


def route_node(document: Node | None, route_id: str) -> MappingNode | None:
    """Find the node of a route in a document."""
    routes = member(document, "routes")
    if not isinstance(routes, SequenceNode):
        return None
    for node in routes.value:
        name = member(node, "id")
        if isinstance(node, MappingNode) and name is not None and name.value == route_id:
            return node
    return None


def member(node: Node | None, key: str) -> Node | None:
    """Find the value of a key, or None."""
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _edit(text: str, route: MappingNode, value: str) -> str:
    weight = member(route, "weight")
    if isinstance(weight, ScalarNode):
        return text[: weight.start_mark.index] + value + text[weight.end_mark.index :]
    key, last = next((k, v) for k, v in route.value if k.value == "id")
    at = last.end_mark.index
    if route.flow_style:
        return f"{text[:at]}, weight: {value}{text[at:]}"
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    newline = "\r\n" if text[:line_end].endswith("\r") else "\n"
    at = line_end - (len(newline) - 1)
    return f"{text[:at]}{newline}{' ' * key.start_mark.column}weight: {value}{text[at:]}"


def weighted(rules: Rules, route_id: str, weight: int) -> Rules:
    """Give the rules with one route at another weight."""
    routes = (
        replace(route, weight=weight) if route.id == route_id else route for route in rules.routes
    )
    return replace(rules, routes=tuple(routes))


def placeless(rules: Rules) -> Rules:
    """Give the rules without the lines they stand on."""
    return replace(rules, routes=tuple(replace(route, line=0) for route in rules.routes))
