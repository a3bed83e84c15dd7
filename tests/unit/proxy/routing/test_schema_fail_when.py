from __future__ import annotations

from typing import Any

import pytest

from proxy.errors import RulesError
from proxy.routing.fail_when import BodyCondition, FailRules
from proxy.routing.schema import load_rules
from tests.support_routing import HEAD, route, rules


def fail_when(said: dict[str, Any], defaults: dict[str, Any] | None = None) -> FailRules:
    """Read what a route calls a failure, below what `defaults` do."""
    (only,) = rules(route(fail_when=said), defaults={"fail_when": defaults or {}}).routes
    return only.fail_when


def test_nothing_but_5xx_unless_it_is_said() -> None:
    """A route that declares nothing has nothing to look for."""
    (only,) = rules().routes
    assert only.fail_when == FailRules()


def test_everything_that_can_be_said() -> None:
    """Statuses and conditions as they stand."""
    assert fail_when(
        {
            "status": [409, 423],
            "body": [{"path": "$.error"}, {"path": "$.ok", "equals": False}],
        }
    ) == FailRules(
        (409, 423),
        (
            BodyCondition("$.error", ("error",)),
            BodyCondition("$.ok", ("ok",), False, is_there=False),
        ),
    )


def test_a_route_says_otherwise_key_by_key() -> None:
    """What it does not name is as `defaults` say."""
    base = {"status": [409], "body": [{"path": "$.error"}]}
    assert fail_when({}, base) == FailRules((409,), (BodyCondition("$.error", ("error",)),))
    assert fail_when({"body": []}, base) == FailRules((409,))
    assert fail_when({"status": []}, base).statuses == ()


R = "routes: [{id: a, match: {path: /*}, fail_when: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5}]", "must be a mapping"),
        ("{statuses: 5}}]", "unknown key"),
        ("{status: 409}}]", "must be a list"),
        ("{status: [42]}}]", "routes[0].fail_when.status[0]: "),
        ("{status: [500, x]}}]", "routes[0].fail_when.status[1]: "),
        ("{body: {path: $.a}}}]", "must be a list"),
        ("{body: [{equals: 1}]}}]", "`path` is missing"),
        ("{body: [{path: a}]}}]", "is not a path: begins with `$`"),
        ("{body: [{path: $.a, equals: [1]}]}}]", "must be one value"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """Each is told with its place and how to mend it."""
    with pytest.raises(RulesError) as refused:
        load_rules(HEAD + R + text, "rules")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("said", "read"), [("1.5x", 1.5), ("1x", 1.0), ("100x", 100.0), ("none", None)]
)
def test_a_latency_may_be_so_many_times_legacys(said: str, read: float | None) -> None:
    """A factor from 1x to 100x; `none` takes back what `defaults` say."""
    defaults = {"rollback": {"latency_tolerance": "3x"}}
    (only,) = rules(route(rollback={"latency_tolerance": said}), defaults=defaults).routes
    assert only.rollback.latency_tolerance == read


@pytest.mark.parametrize("said", ["0.5x", "101x", "x", "1.5", 2, "-1x"])
def test_what_is_no_factor(said: object) -> None:
    """Less than legacy itself is not tolerance."""
    with pytest.raises(RulesError, match=r"rollback\.latency_tolerance"):
        rules(route(rollback={"latency_tolerance": said}))
