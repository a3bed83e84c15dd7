from __future__ import annotations

from math import inf
from typing import Any

from proxy.routing.rules import RetryRules
from proxy.routing.side import Side
from proxy.routing.upstream_rules import (
    BreakerRules,
    EjectionRules,
    ProbeRules,
    RetryBudgetRules,
    Timeouts,
    TlsRules,
    UpstreamRules,
)
from tests.support_exchange import sides
from tests.support_routing import route, rules

EVERYTHING: dict[str, Any] = {
    "instances": ["https://a:8443", "http://[::1]:81/"],
    "max_connections": 40,
    "max_waiting": 10,
    "timeouts": {
        "connect": "1s",
        "queue": "2s",
        "response": "3s",
        "between": "4s",
        "exchange": "5m",
        "idle": "6s",
        "tunnel": "7m",
    },
    "tls": {"ca": "c", "server_name": "m.test", "verify": False, "cert": "p", "key": "k"},
    "slow_start": "8s",
    "failure_statuses": [500, 429],
    "ejection": {"failures": 9, "duration": "10s", "max_duration": "11s", "max_ejected": "12%"},
    "probe": {
        "path": "/health?deep=1&x=$",
        "host": "shop.test:80",
        "interval": "13s",
        "timeout": "14s",
        "rise": 15,
        "fall": 16,
        "statuses": [200, 503],
    },
    "breaker": {
        "failures": "17%",
        "min_attempts": 18,
        "window": "19s",
        "duration": "20s",
        "trials": 21,
    },
    "retry_budget": {"share": "22%", "least": 23, "fallbacks": "24%"},
}


def test_every_key_of_an_upstream_is_read() -> None:
    """One side that says everything."""
    found = rules(upstreams=sides(modern=EVERYTHING)).modern
    assert found == UpstreamRules(
        side=Side.MODERN,
        instances=("https://a:8443", "http://[::1]:81"),
        max_connections=40,
        timeouts=Timeouts(1.0, 3.0, 6.0, 2.0, 4.0, 300.0, 420.0),
        max_waiting=10,
        tls=TlsRules("c", "m.test", False, "p", "k"),
        slow_start=8.0,
        failure_statuses=(500, 429),
        ejection=EjectionRules(9, 10.0, 11.0, 0.12),
        probe=ProbeRules("/health?deep=1&x=$", "shop.test:80", 13.0, 14.0, 15, 16, (200, 503)),
        breaker=BreakerRules(0.17, 18, 19.0, 20.0, 21),
        retry_budget=RetryBudgetRules(0.22, 23, 0.24),
    )


def test_nothing_said_is_the_default() -> None:
    """No probe, no breaker, no end of a whole exchange; a queue that follows the pool."""
    found = rules(upstreams=sides()).legacy
    assert found == UpstreamRules(Side.LEGACY, ("http://legacy.test:80",))
    assert (found.probe, found.breaker, found.max_waiting) == (None, None, None)
    assert found.timeouts.exchange == inf


def test_silence_within_an_answer_is_as_long_as_before_it() -> None:
    """Unless the rules tell them apart; who has one number in the file keeps its meaning."""
    found = rules(upstreams=sides(legacy={"timeouts": {"response": "9s"}})).legacy.timeouts
    assert (found.response, found.between) == (9.0, 9.0)


def test_an_ejection_may_be_long_from_the_start() -> None:
    """Longer than the longest that nobody has written down."""
    found = rules(upstreams=sides(legacy={"ejection": {"duration": "1h"}})).legacy.ejection
    assert (found.duration, found.max_duration) == (3600.0, 3600.0)


def test_keys_are_believed_by_the_route_or_by_all() -> None:
    """A route says otherwise for itself."""
    keyed = {"retry": {"idempotency_key": True}}
    found = rules(route("/a", "a"), route("/b", "b", retry={}), defaults=keyed)
    assert [each.retry for each in found.routes] == [RetryRules(True), RetryRules(False)]
