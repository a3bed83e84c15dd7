"""Reading `compare` of a route."""

from __future__ import annotations

import re

from proxy.routing.compare_rules import EQUIVALENCES, CompareRules, IgnoreRule
from proxy.routing.node import Node, each

# The grammar of shadow_compare.paths, which gives it meaning; a test holds the two together.
_PATH = re.compile(
    r"status|headers\.[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    r"|(?:\$|xml|text|csv|form|pdf|notice)"
    r"(?:\.[\w-]+|\['[^'\]]+'\]|\.\*|\[(?:\*|\d+|order|length)\])*"
    r"|html(?:\.[\w-]+|\.\*|\[[^\[\]]+\])*"
)


def read_compare(node: Node) -> CompareRules:
    """Read `compare` of a route."""
    keys = node.mapping(("critical", "arrays", "ignore", "equivalences", "zone", "redact"))
    return CompareRules(
        critical=keys.read("critical", each(_answer_path), ()),
        arrays=keys.read("arrays", _arrays, ()),
        ignore=keys.read("ignore", each(_ignore), ()),
        equivalences=keys.read("equivalences", each(lambda n: n.one_of(EQUIVALENCES, "")), ()),
        zone=keys.read("zone", _zone, "UTC"),
        redact=keys.read("redact", each(_answer_path), ()),
    )


def _zone(node: Node) -> str:
    text = node.text("UTC")
    if re.fullmatch(r"[A-Za-z]+(?:[/_+\-][A-Za-z0-9_+\-]+)*", text):
        return text
    node.problem("is not the name of a time zone", "write UTC or Europe/Berlin")
    return "UTC"


def _arrays(node: Node) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for path, child in node.mapping(None):
        if not _PATH.fullmatch(path):
            child.problem(f"`{path}` is not a path", "write `$.data` or `$.data[*].lines`")
        by = child.mapping(("by",), required=("by",)).read("by", Node.text, "")
        found.append((path, by))
    return tuple(found)


def _ignore(node: Node) -> IgnoreRule:
    keys = node.mapping(("path", "reason", "owner", "until"), required=("path", "reason"))
    return IgnoreRule(
        path=keys.read("path", _answer_path, "$"),
        reason=keys.read("reason", Node.text, ""),
        owner=keys.read("owner", Node.text, ""),
        until=keys.read("until", Node.day, None),
    )


def _answer_path(node: Node) -> str:
    text = node.text("$")
    if not _PATH.fullmatch(text):
        node.problem(
            "is not a path",
            "write `$.data[*].price`, `html.form[#login].input[csrf].value`, `status`",
        )
        return "$"
    return text
