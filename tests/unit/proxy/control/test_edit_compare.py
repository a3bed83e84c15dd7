from __future__ import annotations

from typing import Any

import pytest

from proxy.control.edit_compare import with_entry
from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError
from proxy.routing.schema import load_rules

HEAD = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
routes:
"""
BOUND: dict[str, Any] = {"$.at": {"time": "60s"}}
SAME = {"name": "number_as_string", "at": ["$.data[*].price"]}


def added(routes: str, section: str, entry: dict[str, Any]) -> str:
    """Give the text of the routes with an entry more."""
    before = LoadedRules(HEAD + routes, *load_rules(HEAD + routes, "rules"))
    return with_entry(before, "a", section, entry, "rules").text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("routes", "section", "entry", "expected"),
    [
        (
            "- id: a\n  match: {path: /a}  # first\n",
            "correspond",
            {"path": "$.id"},
            "- id: a\n  match: {path: /a}  # first\n  compare:\n    correspond:\n"
            "      - {path: $.id}\n",
        ),
        (
            "- {id: a, match: {path: /a}, compare: {correspond: [$.x]}}\n",
            "correspond",
            {"path": "$.id"},
            "- {id: a, match: {path: /a}, compare: {correspond: [$.x, {path: $.id}]}}\n",
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare:\n    equivalences:\n    - int_bool # yes\n",
            "equivalences",
            SAME,
            "- id: a\n  match: {path: /a}\n  compare:\n    equivalences:\n    - int_bool # yes\n"
            '    - {name: number_as_string, at: ["$.data[*].price"]}\n',
        ),
        (
            "- {id: a, match: {path: /a}}\n",
            "tolerances",
            BOUND,
            '- {id: a, match: {path: /a}, compare: {tolerances: {$.at: {time: "60s"}}}}\n',
        ),
        (
            "- {id: a, match: {path: /a}, compare: {tolerances: {$.n: {within: 1}}}}\n",
            "tolerances",
            BOUND,
            "- {id: a, match: {path: /a}, compare:"
            ' {tolerances: {$.n: {within: 1}, $.at: {time: "60s"}}}}\n',
        ),
        (
            "- id: a\n  match: {path: /a}\n  compare:\n    tolerances:\n      $.n: {within: 1}\n",
            "tolerances",
            BOUND,
            "- id: a\n  match: {path: /a}\n  compare:\n    tolerances:\n      $.n: {within: 1}\n"
            '      $.at: {time: "60s"}\n',
        ),
    ],
)
def test_entries_are_added_in_the_style_of_what_is_there(
    routes: str, section: str, entry: dict[str, Any], expected: str
) -> None:
    """Nothing else changes, and the rules mean what they did and the entry."""
    assert added(routes, section, entry) == expected


@pytest.mark.parametrize(
    ("routes", "section", "entry"),
    [
        ("- {id: b, match: {path: /a}}\n", "correspond", {"path": "$.id"}),
        ("- {id: a, match: {path: /a}}\n", "correspond", {"path": "id"}),
        ("- {id: a, match: {path: /a}}\n", "nonsense", {"path": "$.id"}),
        (
            "- {id: a, match: {path: /a}, compare: &c {zone: UTC}}\n"
            "- {id: b, match: {path: /b}, compare: *c}\n",
            "correspond",
            {"path": "$.id"},
        ),
        (
            "- {id: a, match: {path: /a}, compare: {tolerances: {$.at: {time: 1s}}}}\n",
            "tolerances",
            BOUND,
        ),
    ],
)
def test_what_cannot_be_added_alone_is_refused(
    routes: str, section: str, entry: dict[str, Any]
) -> None:
    """No such route, no valid rule, or more would change than was asked for."""
    with pytest.raises(RefusedError):
        added(routes, section, entry)
