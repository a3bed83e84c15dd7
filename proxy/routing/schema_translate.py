"""Reading `compare.translate`: where requests have ids that each side gives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from proxy.routing import pattern
from proxy.routing.compare_rules import CompareRules, TranslateRule
from proxy.routing.node import Node
from proxy.routing.rules import RouteRules

SKIP: Final = "skip"
AS_IS: Final = "as_is"

# The grammar of shadow_compare.translate, which gives it meaning; a test holds the two together.
_PLACE: Final = re.compile(
    r"path\.[a-z_][a-z0-9_]*"
    r"|(?:query|form)\.[\w.\[\]-]{1,100}"
    r"|\$(?:\.[\w-]+|\['[^'\]]+'\]|\.\*|\[(?:\*|\d+)\])*"
)


def read_translation(node: Node) -> TranslateRule:
    """Read one place of a request."""
    keys = node.mapping(("at", "as", "unknown"), required=("at", "as"))
    return TranslateRule(
        at=keys.read("at", _place, "$"),
        name=keys.read("as", lambda n: n.name("what is translated"), ""),
        as_is=keys.read("unknown", lambda n: n.one_of((SKIP, AS_IS), SKIP), SKIP) == AS_IS,
    )


def _place(node: Node) -> str:
    text = node.text("$")
    if not _PLACE.fullmatch(text):
        node.problem(
            "is not a place in a request",
            "write `path.id` for `{id}` of the path, `query.user_id`, `form.token`, `$.user.id`",
        )
        return "$"
    return text


def check_places(node: Node, rules: CompareRules, path: str) -> None:
    """Note places in the path that the path of the route does not have."""
    known = pattern.parameters(path)
    for rule in rules.translate:
        name = rule.parameter
        if name and name not in known:
            node.problem(
                f"`translate` has `{rule.at}`, and the path of this route no `{{{name}}}`",
                f"match the segment by `{{{name}}}` in `match.path`",
            )


def check_learnt(routes: Iterable[tuple[Node, RouteRules]]) -> None:
    """Note names that nobody can ever learn, as no answer of any route is said to have them."""
    routes = tuple(routes)
    learnt = {each.name for _, route in routes for each in route.compare.correspond}
    for node, route in routes:
        for rule in route.compare.translate:
            if rule.name and rule.name not in learnt:
                node.problem(
                    f"`translate` of `{route.id}` needs names of `{rule.name}`, which no route"
                    " learns",
                    f"add `correspond: [{{path: $.data.id, as: {rule.name}}}]` to a route whose"
                    " answers have them",
                )
