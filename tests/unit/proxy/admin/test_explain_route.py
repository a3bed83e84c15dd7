from __future__ import annotations

from typing import Any

import pytest

from proxy.admin.explain import explain
from proxy.admin.explain_route import limit_words
from proxy.admin.schemas import RequestToExplain
from proxy.routing.limits import Allowance, LimitRules
from proxy.routing.table import Table
from tests.support_routing import route, rules


def besides(target: str, **said: Any) -> dict[str, str]:
    """Explain a GET on a route; give what is told beside the decision."""
    table = Table(rules(route("/api/*", "api", **said), route()))
    found = explain(table, RequestToExplain("GET", target, (("Host", "shop.test"),), "192.0.2.1"))
    return {s.name: s.detail for s in found.steps if s.name == "limits" or "towards" in s.name}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (LimitRules(), None),
        (LimitRules(client=Allowance(20.0, 40, 10)),
         "each client: 20/s, 40 in one moment, 10 under way"),
        (LimitRules(route=Allowance(0.5)), "all together: 30/m, 1 in one moment"),
        (LimitRules(Allowance(7 / 3600), Allowance(None, None, 3), 10_000_000),
         "each client: 3 under way; all together: 7/h, 1 in one moment; a body: 10,000,000 bytes"),
    ],
)  # fmt: skip
def test_limits_in_words(limits: LimitRules, words: str | None) -> None:
    """A rate in the unit in which somebody may have written it."""
    assert limit_words(limits) == words


def test_what_each_side_is_asked() -> None:
    """The target as it would go out, and the names of fields without their values."""
    rewrite = {
        "modern": {
            "path": {"strip": "/api", "prefix": "/v2"},
            "host": "modern.internal",
            "request": {"set": {"X-Key": "secret"}, "remove": ["X-Debug"]},
            "response": {"add": {"X-Tag": "b"}},
            "location": True,
            "cookie_domain": {"modern.internal": ""},
        },
        "legacy": {"request": {"add": {"X-Tag": "a"}}},
    }
    assert besides("/api/../api/x?q=1", rewrite=rewrite) == {
        "towards legacy": "GET /api/x?q=1 of shop.test; request adds X-Tag",
        "towards modern": "GET /v2/x?q=1 of modern.internal; request sets X-Key;"
        " request removes X-Debug; response adds X-Tag; own addresses become the client's;"
        " cookie domains: modern.internal",
    }


def test_a_route_without_either_says_nothing_of_them() -> None:
    """The chain of the decision is all there is to tell."""
    assert besides("/api/x") == {}
    assert besides("/other", limits={"body": "1MB"}) == {}
    assert list(besides("/api/x", limits={"body": "1MB"})) == ["limits"]
