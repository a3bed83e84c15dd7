from __future__ import annotations

from typing import Any

import pytest

from proxy.routing.fail_when import BodyCondition, FailRules, parse_path


def condition(path: str, **equals: Any) -> BodyCondition:
    """Give a condition, on any value unless one is named."""
    if equals:
        return BodyCondition(path, parse_path(path), equals["equals"], is_there=False)
    return BodyCondition(path, parse_path(path))


@pytest.mark.parametrize(
    ("rule", "document", "fails"),
    [
        (condition("$.error"), {"error": "no such plan"}, True),
        (condition("$.error"), {"error": ""}, True),
        (condition("$.error"), {"error": False}, True),
        (condition("$.error"), {"error": None}, False),
        (condition("$.error"), {}, False),
        (condition("$.error"), [], False),
        (condition("$.error"), "error", False),
        (condition("$"), None, False),
        (condition("$"), {}, True),
        (condition("$.ok", equals=False), {"ok": False}, True),
        (condition("$.ok", equals=False), {"ok": 0}, False),
        (condition("$.ok", equals=0), {"ok": False}, False),
        (condition("$.code", equals=7), {"code": 7.0}, True),
        (condition("$.code", equals="7"), {"code": 7}, False),
        (condition("$.state", equals=None), {"state": None}, True),
        (condition("$.state", equals=None), {}, False),
        (condition("$.a.b-c[1].d"), {"a": {"b-c": [0, {"d": 1}]}}, True),
        (condition("$.a[1]"), {"a": [1]}, False),
        (condition("$[*].error"), [{"error": None}, {"error": 1}], True),
        (condition("$[*].error"), [], False),
        (condition("$[0]"), {"0": 1}, False),
    ],
)
def test_what_a_document_says(rule: BodyCondition, document: object, fails: bool) -> None:
    """Values are compared as JSON has them: 0 is not false, and what is missing is not null."""
    assert FailRules(bodies=(rule,)).by_body(document) is fails


@pytest.mark.parametrize(
    "text", ["", "error", "$error", "$.", "$..a", "$[x]", "$.a[", "$.a b", "$[-1]"]
)
def test_what_is_no_path(text: str) -> None:
    """A path that cannot be read is refused, with what is wrong."""
    with pytest.raises(ValueError, match=r"begins with|cannot be read"):
        parse_path(text)
