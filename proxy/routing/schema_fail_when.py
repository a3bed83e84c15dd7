"""Reading `fail_when` of a route or its defaults."""

from __future__ import annotations

from proxy.routing.fail_when import BodyCondition, FailRules, parse_path
from proxy.routing.node import Node, each


def read_fail_when(node: Node, base: FailRules) -> FailRules:
    """Read `fail_when`, over what `defaults` say, key by key."""
    keys = node.mapping(("status", "body"))
    return FailRules(
        statuses=keys.read("status", each(lambda n: n.count(500, 200, 599)), base.statuses),
        bodies=keys.read("body", lambda n: tuple(map(_condition, n.items())), base.bodies),
    )


def _condition(node: Node) -> BodyCondition:
    keys = node.mapping(("path", "equals"), required=("path",))
    path = keys.read("path", _path, BodyCondition("$", ()))
    equals = keys.get("equals")
    if equals is None:
        return path
    return BodyCondition(path.path, path.steps, equals.scalar(), is_there=False)


def _path(node: Node) -> BodyCondition:
    text = node.text("$")
    try:
        return BodyCondition(text, parse_path(text))
    except ValueError as error:
        node.problem(f"is not a path: {error}", "write `$.errors[0].code`")
        return BodyCondition("$", ())
