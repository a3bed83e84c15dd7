# ruff: noqa: E501 - a row is a mistake and what is said of it: wrapped, it could not be read
from __future__ import annotations

from typing import Any

import pytest

from proxy.errors import RulesError
from proxy.routing.limits import Allowance, LimitRules, WorkerLimits
from proxy.routing.schema import load_rules
from tests.support_routing import HEAD, ROUTES, route, rules


def limits(said: dict[str, Any], defaults: dict[str, Any] | None = None) -> LimitRules:
    """Read the limits of a route, below those of `defaults`."""
    (only,) = rules(route(limits=said), defaults={"limits": defaults or {}}).routes
    return only.limits


def test_a_route_has_no_limits_but_of_its_bodies() -> None:
    """Whoever says nothing counts nothing."""
    (only,) = rules().routes
    assert only.limits == LimitRules(Allowance(), Allowance(), 256 * 1024 * 1024)
    assert not only.limits.limits_anything
    assert rules().limits == WorkerLimits(10_000, 50_000)


def test_every_limit_is_read() -> None:
    """Rates as requests a second, bodies as bytes."""
    assert limits(
        {
            "route": {"rate": "500/s", "burst": 1000, "concurrency": 200},
            "client": {"rate": "30/m", "burst": 40, "concurrency": 10},
            "body": "10MB",
        }
    ) == LimitRules(Allowance(500.0, 1000, 200), Allowance(0.5, 40, 10), 10_000_000)
    assert limits({"client": {"concurrency": 1}}).limits_anything
    assert rules(limits={"exchanges": 7}).limits == WorkerLimits(7, 50_000)
    assert rules(limits={"connections": 9}).limits == WorkerLimits(10_000, 9)


def test_a_route_says_otherwise_key_by_key() -> None:
    """What it does not name is as `defaults` say; `none` lifts a limit."""
    base = {"client": {"rate": "20/s", "burst": 40, "concurrency": 10}, "body": "1MB"}
    client = Allowance(20.0, 40, 10)
    assert limits({}, base) == LimitRules(client=client, body=1_000_000)
    assert limits({"client": {"burst": 5}}, base).client == Allowance(20.0, 5, 10)
    assert limits({"client": {"rate": "none"}}, base).client == Allowance(None, 40, 10)
    assert limits({"client": {"concurrency": "none"}}, base).client == Allowance(20.0, 40, None)
    assert limits({"route": {"rate": "1/s"}}, base) == LimitRules(Allowance(1.0), client, 1_000_000)


R = "routes: [{id: a, match: {path: /*}, limits: "


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (R + "5}]", "5:37", "routes[0].limits: must be a mapping"),
        (R + "{rate: 5/s}}]", "5:46", "routes[0].limits.rate: unknown key"),
        (R + "{clients: {}}}]", "5:46", "routes[0].limits.clients: unknown key (found: clients)\n    did you mean `client`?"),
        (R + "{route: {rate: 500}}}]", "5:54", "routes[0].limits.route.rate: must be a number and a unit of time: 20/s, 30/m or 100/h (found: 500)\n    write `500/s`"),
        (R + "{route: {rate: 0/s}}}]", "5:54", "routes[0].limits.route.rate: must lie above 0"),
        (R + "{route: {rate: off}}}]", "5:54", "routes[0].limits.route.rate: must be a number"),
        (R + "{route: {rate: }}}]", "5:54", "routes[0].limits.route.rate: must be a number"),
        (R + "{route: {burst: 5}}}]", "5:54", "routes[0].limits.route.burst: `burst` means nothing without `rate`"),
        (R + "{route: {rate: 1/s, burst: 0}}}]", "5:65", "routes[0].limits.route.burst: must be a whole number from 1"),
        (R + "{client: {concurrency: 0}}}]", "5:55", "routes[0].limits.client.concurrency: must be a whole number from 1"),
        (R + "{body: 10}}]", "5:46", "routes[0].limits.body: must be a size with its unit: B, KB, MB, GB, KiB, MiB or GiB (found: 10)\n    write `10B`"),
        (ROUTES + "limits: {exchanges: 0}", "6:10", "limits.exchanges: must be a whole number from 1"),
        (ROUTES + "limits: {conections: 5}", "6:10", "limits.conections: unknown key (found: conections)\n    did you mean `connections`?"),
        (ROUTES + "limits: {client: {rate: 1/s}}", "6:10", "limits.client: unknown key"),
        (ROUTES + "defaults: {limits: {body: 1 megabyte}}", "6:21", "defaults.limits.body: must be a size"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_where_it_stands(text: str, where: str, message: str) -> None:
    """File, line, column, what is wrong, and how to mend it."""
    with pytest.raises(RulesError) as refused:
        load_rules(HEAD + text, "f")
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"f:{where}: {message}")
