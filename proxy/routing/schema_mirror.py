"""The schema of `mirror`: which requests are repeated on the other side, and what it may cost."""

from __future__ import annotations

from typing import Final

from proxy.routing.budget import MirrorBudget, TotalBudget
from proxy.routing.node import Members, Node
from proxy.routing.node import each as _each
from proxy.routing.rules import MirrorRules
from proxy.routing.schema_read_back import read_read_back
from proxy.routing.side import Side

BODY_MOST: Final = 4 * 1024 * 1024
"""Bytes of a request body that a route may have mirrored at most: a copy is held in memory."""

CONCURRENCY_MOST: Final = 10_000

_BUDGET: Final = ("rate", "bytes", "concurrency")

NEVER: Final = "never"
DRY_RUN: Final = "dry_run"


def read_mirror(node: Node, base: MirrorRules) -> MirrorRules:
    """Read `mirror` of `defaults` or of a route, over what `base` says."""
    keys = node.mapping(("share", "towards", "writes", "body", "read_back", *_BUDGET))
    rules = MirrorRules(
        share=keys.read("share", lambda n: n.rate(0.0), base.share),
        towards=keys.read(
            "towards", _each(lambda n: Side(n.one_of(("modern", "legacy"), "modern"))), base.towards
        ),
        writes=keys.read("writes", _writes, base.writes),
        body=keys.read("body", lambda n: n.size(base.body, most=BODY_MOST), base.body),
        budget=_budget(keys, base.budget),
        read_back=keys.read("read_back", read_read_back, base.read_back),
    )
    if rules.writes and Side.MODERN not in rules.towards:
        _refuse_writes(node, keys)
    return rules


def read_total_budget(node: Node) -> TotalBudget:
    """Read `mirror` of the top level: what all routes may spend together."""
    keys = node.mapping((*_BUDGET, "legacy_rate"))
    return TotalBudget(
        budget=_budget(keys, MirrorBudget()), legacy_rate=keys.read("legacy_rate", _rate, None)
    )


def _budget(keys: Members, base: MirrorBudget) -> MirrorBudget:
    return MirrorBudget(
        rate=keys.read("rate", _rate, base.rate),
        bandwidth=keys.read("bytes", _bandwidth, base.bandwidth),
        concurrency=keys.read("concurrency", _concurrency, base.concurrency),
    )


def _rate(node: Node) -> float | None:
    return node.none_or(lambda n: n.frequency(1.0))


def _bandwidth(node: Node) -> float | None:
    return node.none_or(lambda n: n.bandwidth(1.0))


def _concurrency(node: Node) -> int | None:
    return node.none_or(lambda n: n.count(1, 1, CONCURRENCY_MOST))


def _writes(node: Node) -> bool:
    return node.one_of((NEVER, DRY_RUN), NEVER) == DRY_RUN


def _refuse_writes(node: Node, keys: Members) -> None:
    """Note that writes would go to legacy, which cannot take them back."""
    place = keys.get("writes") or keys.get("towards") or node
    place.problem(
        "writes are never mirrored towards legacy: PHP would carry them out",
        "add `modern` to `towards`, or write `writes: never`",
    )
