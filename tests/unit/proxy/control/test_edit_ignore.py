from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.edit_ignore import with_ignore_rules
from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.schema import load_rules

HEAD = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes:
"""
RULE = IgnoreRule("$.at", "the clock", "billing", date(2027, 3, 1))
FLOW = '{path: $.at, reason: "the clock", owner: billing, until: 2027-03-01}'


def changed(text: str, *rules: IgnoreRule, route_id: str = "a") -> str:
    """Give the text with rules added."""
    before = LoadedRules(text, *load_rules(text, "rules"))
    return with_ignore_rules(before, route_id, rules, "rules").text


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (
            "- id: a\n  match: {path: /a}  # first\n\n# second\n- {id: b, match: {path: /b}}\n",
            f"- id: a\n  match: {{path: /a}}  # first\n  compare:\n    ignore:\n      - {FLOW}\n\n"
            "# second\n- {id: b, match: {path: /b}}\n",
        ),
        (
            "- {id: a, match: {path: /a}}  # c\n",
            f"- {{id: a, match: {{path: /a}}, compare: {{ignore: [{FLOW}]}}}}  # c\n",
        ),
        (
            "- id: a\n  compare: {zone: UTC}\n  match: {path: /a}\n",
            f"- id: a\n  compare: {{zone: UTC, ignore: [{FLOW}]}}\n  match: {{path: /a}}\n",
        ),
        (
            "- id: a\n  compare: {}\n  match: {path: /a}\n",
            f"- id: a\n  compare: {{ignore: [{FLOW}]}}\n  match: {{path: /a}}\n",
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare:\n    critical:\n      - $.p  # money\n",
            "- id: a\n  match: {path: /a}\n  compare:\n    critical:\n      - $.p  # money\n"
            f"    ignore:\n      - {FLOW}\n",
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare:\n    ignore:\n"
            "    - {path: $.x, reason: y}  # z\n    zone: UTC\n",
            "- id: a\n  match: {path: /a}\n  compare:\n    ignore:\n"
            f"    - {{path: $.x, reason: y}}  # z\n    - {FLOW}\n    zone: UTC\n",
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare:\n    ignore:\n      - path: $.x\n"
            "        reason: >-\n          long\n          words\n\n    zone: UTC",
            "- id: a\n  match: {path: /a}\n  compare:\n    ignore:\n      - path: $.x\n"
            f"        reason: >-\n          long\n          words\n      - {FLOW}\n\n    zone: UTC",
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare: {ignore: [{path: $.x, reason: y}]}",
            "- id: a\n  match: {path: /a}\n"
            f"  compare: {{ignore: [{{path: $.x, reason: y}}, {FLOW}]}}",
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare: {ignore: []}\n",
            f"- id: a\n  match: {{path: /a}}\n  compare: {{ignore: [{FLOW}]}}\n",
        ),
    ],
)
def test_only_the_rule_is_added(routes: str, expected: str) -> None:
    """Whatever the style; comments and layout stay."""
    assert changed(HEAD + routes, RULE) == HEAD + expected


def test_windows_line_ends_stay() -> None:
    """A file with CRLF keeps it, also on the lines that are added."""
    text = (HEAD + "- id: a\n  match: {path: /a}\n").replace("\n", "\r\n")
    edited = changed(text, RULE)
    assert edited.count("\r\n") == edited.count("\n") == text.count("\n") + 3


def test_rules_shared_through_an_anchor_are_refused_with_what_to_write() -> None:
    """Another route would change with this one."""
    text = HEAD + (
        "- {id: a, match: {path: /a}, compare: &c {zone: UTC}}\n"
        "- {id: b, match: {path: /b}, compare: *c}\n"
    )
    with pytest.raises(RefusedError) as caught:
        changed(text, RULE, route_id="b")
    assert f"  - {FLOW}" in str(caught.value)


def test_unknown_route_is_refused() -> None:
    """A route that is not there cannot be changed."""
    with pytest.raises(RefusedError, match="no route `x`"):
        changed(HEAD + "- {id: a, match: {path: /a}}\n", RULE, route_id="x")


WORDS = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"))).filter(str.strip)
"""Blanks alone are no text to the schema, and the API takes them for none."""


@given(
    WORDS,
    WORDS,
    st.sampled_from(["- id: a\n  match: {path: /a}\n", "- {id: a, match: {path: /a}}"]),
)
def test_any_words_read_back(reason: str, owner: str, route: str) -> None:
    """Quotes, colons, hashes, words that YAML takes for something else."""
    rules = (IgnoreRule("$.a[*].b", reason, owner), IgnoreRule("$['x y']", reason))
    text = changed(HEAD + route, *rules)
    (found,) = load_rules(text, "rules")[1].routes
    assert found.compare.ignore == rules
