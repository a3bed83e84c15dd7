from __future__ import annotations

import pytest

from proxy.routing.rules import METHODS, Match, taken_methods
from proxy.routing.side import Side
from tests.support_routing import route, rules


@pytest.mark.parametrize(
    ("methods", "taken"),
    [
        ((), set(METHODS)),
        (("GET",), {"GET", "HEAD"}),
        (("GET", "POST"), {"GET", "HEAD", "POST"}),
        (("HEAD",), {"HEAD"}),
        (("POST",), {"POST"}),
    ],
)
def test_whoever_takes_get_takes_head(methods: tuple[str, ...], taken: set[str]) -> None:
    """A route without methods takes all of them."""
    assert taken_methods(Match("/", methods)) == taken


def test_a_route_is_found_by_its_id() -> None:
    """Or not at all."""
    found = rules(route("/a", "a"), route("/b", "b"))
    assert found.route("b") is found.routes[1]
    assert found.route("c") is None


def test_each_side_has_its_upstream() -> None:
    """And each side has another one."""
    found = rules()
    assert found.upstream(Side.LEGACY) is found.legacy
    assert found.upstream(Side.MODERN) is found.modern
    assert (Side.LEGACY.other, Side.MODERN.other) == (Side.MODERN, Side.LEGACY)
