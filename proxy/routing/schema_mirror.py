"""The schema of `mirror`: which requests are repeated on the other side."""

from __future__ import annotations

from typing import Final

from proxy.routing.node import Members, Node
from proxy.routing.node import each as _each
from proxy.routing.rules import MirrorRules
from proxy.routing.side import Side

BODY_MOST: Final = 4 * 1024 * 1024
"""Bytes of a request body that a route may have mirrored at most: a copy is held in memory."""

NEVER: Final = "never"
DRY_RUN: Final = "dry_run"


def read_mirror(node: Node, base: MirrorRules) -> MirrorRules:
    """Read `mirror` of `defaults` or of a route, over what `base` says."""
    keys = node.mapping(("share", "towards", "writes", "body"))
    rules = MirrorRules(
        share=keys.read("share", lambda n: n.rate(0.0), base.share),
        towards=keys.read(
            "towards", _each(lambda n: Side(n.one_of(("modern", "legacy"), "modern"))), base.towards
        ),
        writes=keys.read("writes", _writes, base.writes),
        body=keys.read("body", lambda n: n.size(base.body, most=BODY_MOST), base.body),
    )
    if rules.writes and Side.MODERN not in rules.towards:
        _refuse_writes(node, keys)
    return rules


def _writes(node: Node) -> bool:
    return node.one_of((NEVER, DRY_RUN), NEVER) == DRY_RUN


def _refuse_writes(node: Node, keys: Members) -> None:
    """Note that writes would go to legacy, which cannot take them back."""
    place = keys.get("writes") or keys.get("towards") or node
    place.problem(
        "writes are never mirrored towards legacy: PHP would carry them out",
        "add `modern` to `towards`, or write `writes: never`",
    )
