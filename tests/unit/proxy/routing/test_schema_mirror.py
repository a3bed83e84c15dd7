from __future__ import annotations

import re
from typing import Any

import pytest

from proxy.errors import RulesError
from proxy.routing.budget import MirrorBudget, TotalBudget
from proxy.routing.rules import MIRRORED_BODY_MAX, MirrorRules
from proxy.routing.side import Side
from tests.support_routing import route, rules

BOTH = ("modern", "legacy")


def mirror(said: dict[str, Any], base: dict[str, Any] | None = None) -> MirrorRules:
    """Read what a route mirrors, over what `defaults` say."""
    defaults = {} if base is None else {"mirror": base}
    return rules(route("/a", mirror=said), defaults=defaults).routes[0].mirror


def test_no_write_is_mirrored_unless_it_is_said() -> None:
    """The default, whatever the share."""
    assert mirror({"share": "100%"}) == MirrorRules(1.0, (Side.MODERN,), False, MIRRORED_BODY_MAX)


def test_writes_are_mirrored_where_it_is_said() -> None:
    """By the route, or by the defaults, which a route may take back."""
    said = {"share": "5%", "writes": "dry_run", "body": "1MiB"}
    assert mirror(said) == MirrorRules(0.05, (Side.MODERN,), True, 1024 * 1024)
    assert mirror({}, said) == mirror(said)
    assert not mirror({"writes": "never"}, said).writes
    assert mirror({"writes": "dry_run", "towards": ["modern", "legacy"]}).writes


def test_a_route_that_mirrors_to_legacy_only_cannot_inherit_writes() -> None:
    """The problem stands where the two do not fit together."""
    with pytest.raises(RulesError, match=r"towards: writes are never mirrored towards legacy"):
        mirror({"towards": ["legacy"]}, {"writes": "dry_run"})


# What it may cost


def test_nothing_is_limited_unless_it_is_said() -> None:
    """Neither of a route nor of all."""
    assert mirror({"share": "100%"}).budget == MirrorBudget()
    assert rules().mirror == TotalBudget()


def test_every_budget_is_read() -> None:
    """Captures and bytes a second, requests under way at once."""
    said = {"rate": "30/m", "bytes": "1.5MB/s", "concurrency": 4}
    assert mirror(said).budget == MirrorBudget(0.5, 1_500_000.0, 4)
    total = rules(mirror={**said, "legacy_rate": "20/s"}).mirror
    assert total == TotalBudget(MirrorBudget(0.5, 1_500_000.0, 4), 20.0)


def test_a_route_may_lift_what_defaults_limit() -> None:
    """Key by key."""
    base = {"rate": "10/s", "bytes": "60KiB/m", "concurrency": 4}
    assert mirror({"rate": "none"}, base).budget == MirrorBudget(None, 1024.0, 4)
    lifted = mirror({"bytes": "none", "concurrency": "none"}, base).budget
    assert lifted == MirrorBudget(10.0, None, None)
    assert mirror({"share": "5%"}, base).budget == MirrorBudget(10.0, 1024.0, 4)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"rate": 50}, "mirror.rate: must be a number and a unit of time"),
        ({"bytes": "1MB"}, "mirror.bytes: must be a size and a unit of time: 1MB/s, 500KiB/s"),
        ({"bytes": "0B/s"}, "mirror.bytes: must lie between 1B and 1000GB a second"),
        ({"concurrency": 0}, "mirror.concurrency: must be a whole number from 1 to 10000"),
        ({"legacy_rate": "5/s"}, "mirror.legacy_rate: unknown key"),
        ({"byte": "1MB/s"}, "did you mean `bytes`?"),
    ],
)
def test_what_is_no_budget_is_refused(said: dict[str, Any], message: str) -> None:
    """With the place and what to write instead."""
    with pytest.raises(RulesError, match=re.escape(message)):
        mirror(said)


@pytest.mark.parametrize("key", ["share", "towards", "writes", "body"])
def test_what_belongs_to_a_route_is_refused_at_the_top(key: str) -> None:
    """There only the budget of all routes stands."""
    with pytest.raises(RulesError, match=rf"mirror\.{key}: unknown key"):
        rules(mirror={key: "1"})
