"""Reading `compare` of a route."""

from __future__ import annotations

import re

from proxy.routing.compare_rules import (
    EQUIVALENCES,
    NOISE,
    CompareRules,
    CorrespondRule,
    EquivalenceRule,
    IgnoreRule,
    ToleranceRule,
)
from proxy.routing.node import Node, each
from proxy.routing.schema_translate import read_translation

UNITS_MOST = 1_000_000
"""More units in the last place than this are no rounding."""
_IN_UNITS = "float_precision"

# The grammar of shadow_compare.paths, which gives it meaning; a test holds the two together.
_PATH = re.compile(
    r"status"
    r"|(?:headers\.[!#$%&'+^_`|~0-9A-Za-z-]+|\$|xml|text|csv|form|pdf|notice)"
    r"(?:\.[\w-]+|\['[^'\]]+'\]|\.\*|\[(?:\*|\d+|order|length)\])*"
    r"|html(?:\.[\w-]+|\.\*|\[[^\[\]]+\])*"
)


def read_compare(node: Node) -> CompareRules:
    """Read `compare` of a route."""
    keys = node.mapping(
        (
            "critical", "arrays", "ignore", "equivalences", "tolerances", "correspond", "translate",
            "zone", "noise", "repeat", "redact",
        )
    )  # fmt: skip
    return CompareRules(
        critical=keys.read("critical", each(_answer_path), ()),
        arrays=keys.read("arrays", _arrays, ()),
        ignore=keys.read("ignore", each(_ignore), ()),
        equivalences=keys.read("equivalences", each(_equivalence), ()),
        tolerances=keys.read("tolerances", _tolerances, ()),
        correspond=keys.read("correspond", each(_correspond), ()),
        translate=keys.read("translate", each(read_translation), ()),
        zone=keys.read("zone", _zone, "UTC"),
        redact=keys.read("redact", each(_answer_path), ()),
        noise=keys.read("noise", lambda n: n.rate(NOISE), NOISE),
        repeat=keys.read("repeat", lambda n: n.flag(True), True),
    )


def _equivalence(node: Node) -> EquivalenceRule:
    """Read a name, or a mapping that says where it holds and how near is near enough."""
    return node.either(lambda n: EquivalenceRule(n.one_of(EQUIVALENCES, "")), _equivalence_at)


def _equivalence_at(node: Node) -> EquivalenceRule:
    keys = node.mapping(("name", "at", "units"), required=("name",))
    name = keys.read("name", lambda n: n.one_of(EQUIVALENCES, ""), "")
    if (units := keys.get("units")) is not None and name != _IN_UNITS:
        units.problem(f"only `{_IN_UNITS}` is measured in units", "take it out")
    return EquivalenceRule(
        name=name,
        at=keys.read("at", each(_answer_path), ()),
        units=keys.read("units", lambda n: n.count(1, 1, UNITS_MOST), None),
    )


def _tolerances(node: Node) -> tuple[ToleranceRule, ...]:
    return tuple(_tolerance(_path_key(path, child), child) for path, child in node.mapping(None))


def _tolerance(path: str, node: Node) -> ToleranceRule:
    keys = node.mapping(("within", "relative", "units", "time"))
    if isinstance(node.value, dict) and not node.value:
        node.problem("says nothing", "write `{within: 0.01}`, `{relative: 0.1%}` or `{time: 2s}`")
    return ToleranceRule(
        path=path,
        within=keys.read("within", lambda n: n.decimal(), None),
        relative=keys.read("relative", lambda n: n.rate(0.0), None),
        units=keys.read("units", lambda n: n.count(1, 1, UNITS_MOST), None),
        time=keys.read("time", lambda n: n.duration(0.0), None),
    )


def _correspond(node: Node) -> CorrespondRule:
    """Read a path, or a mapping that also says what its values name."""
    return node.either(lambda n: CorrespondRule(_answer_path(n)), _correspond_as)


def _correspond_as(node: Node) -> CorrespondRule:
    keys = node.mapping(("path", "as"), required=("path",))
    return CorrespondRule(
        path=keys.read("path", _answer_path, "$"),
        name=keys.read("as", lambda n: n.name("what corresponds"), ""),
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
        by = child.mapping(("by",), required=("by",)).read("by", lambda n: n.text(), "")
        found.append((_path_key(path, child), by))
    return tuple(found)


def _ignore(node: Node) -> IgnoreRule:
    keys = node.mapping(("path", "reason", "owner", "until"), required=("path", "reason"))
    return IgnoreRule(
        path=keys.read("path", _answer_path, "$"),
        reason=keys.read("reason", lambda n: n.text(), ""),
        owner=keys.read("owner", lambda n: n.text(), ""),
        until=keys.read("until", lambda n: n.day(), None),
    )


def _path_key(path: str, node: Node) -> str:
    """Read the key of a mapping as a path."""
    if not _PATH.fullmatch(path):
        node.problem(f"`{path}` is not a path", "write `$.data` or `$.data[*].lines`")
        return "$"
    return path


def is_answer_path(text: str) -> bool:
    """Whether a text names a place in an answer."""
    return _PATH.fullmatch(text) is not None


def _answer_path(node: Node) -> str:
    text = node.text("$")
    if not _PATH.fullmatch(text):
        node.problem(
            "is not a path",
            "write `$.data[*].price`, `html.form[#login].input[csrf].value`, `status`",
        )
        return "$"
    return text
