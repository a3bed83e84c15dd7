"""Reading `limits`: of a route or its defaults, and at the top level."""

from __future__ import annotations

from proxy.routing.limits import Allowance, LimitRules, WorkerLimits
from proxy.routing.node import Node

BODY_LARGEST = 2**50
"""No limit of a body is larger: a lengthened zero is more likely than a petabyte."""

COUNT_MOST = 1_000_000


def read_limits(node: Node, base: LimitRules) -> LimitRules:
    """Read `limits` of a route, over what `defaults` say, key by key."""
    keys = node.mapping(("route", "client", "body"))
    return LimitRules(
        route=keys.read("route", lambda n: _allowance(n, base.route), base.route),
        client=keys.read("client", lambda n: _allowance(n, base.client), base.client),
        body=keys.read("body", lambda n: n.size(base.body, 0, BODY_LARGEST), base.body),
    )


def _allowance(node: Node, base: Allowance) -> Allowance:
    keys = node.mapping(("rate", "burst", "concurrency"))
    rate = keys.read("rate", _rate, base.rate)
    burst = keys.read("burst", lambda n: n.count(1, 1, COUNT_MOST), base.burst)
    said = keys.get("burst")
    if said is not None and rate is None:
        said.problem("`burst` means nothing without `rate`", "add `rate: 20/s`, or take it out")
    return Allowance(rate, burst, keys.read("concurrency", _concurrency, base.concurrency))


def _rate(node: Node) -> float | None:
    return node.none_or(lambda n: n.frequency(1.0))


def _concurrency(node: Node) -> int | None:
    return node.none_or(lambda n: n.count(1, 1, COUNT_MOST))


def read_worker_limits(node: Node) -> WorkerLimits:
    """Read `limits` of the top level."""
    base = WorkerLimits()
    keys = node.mapping(("exchanges", "connections"))
    return WorkerLimits(
        exchanges=keys.read(
            "exchanges", lambda n: n.count(base.exchanges, 1, COUNT_MOST), base.exchanges
        ),
        connections=keys.read(
            "connections", lambda n: n.count(base.connections, 1, COUNT_MOST), base.connections
        ),
    )
