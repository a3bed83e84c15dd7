from __future__ import annotations

from typing import Any

import pytest

from proxy.errors import RulesError
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
