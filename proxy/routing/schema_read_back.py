"""The schema of `mirror.read_back`."""

from __future__ import annotations

import re
from typing import Final

from proxy.routing import pattern
from proxy.routing.node import Node
from proxy.routing.read_back import AFTER, WITHIN, ReadBackRules

_TARGET: Final = re.compile(r"/(?:\{[a-z_][a-z0-9_]*\}|[A-Za-z0-9\-._~!$&'()+,;=:@/?%])*")
_MEMBER: Final = re.compile(r"\$(?:\.[\w-]+|\['[^'\]]+'\]|\[\d+\])+")
_LONGEST: Final = 600.0
"""Seconds that anything may be awaited: a worker keeps it in memory for so long."""


def read_read_back(node: Node) -> ReadBackRules:
    """Read what is read back."""
    keys = node.mapping(("path", "ids", "after", "within"), required=("path",))
    rules = ReadBackRules(
        path=keys.read("path", _target, "/"),
        ids=keys.read("ids", _ids, ()),
        after=keys.read("after", _time, AFTER),
        within=keys.read("within", _time, WITHIN),
    )
    if rules.after > rules.within:
        node.problem("`after` lies beyond `within`: nothing would be read")
    return rules


def check_names(node: Node, rules: ReadBackRules, path: str) -> None:
    """Note names that neither the write's path nor its answer gives."""
    known = {*pattern.parameters(path), *(name for name, _ in rules.ids)}
    for name in rules.names:
        if name not in known:
            node.problem(
                f"nobody says what {{{name}}} is",
                f'add `ids: {{{name}: "$.data.{name}"}}`, or match `{{{name}}}` in the path',
            )


def _target(node: Node) -> str:
    text = node.text("/")
    if _TARGET.fullmatch(text):
        return text
    node.problem("is not a path with a query", "write `/api/orders/{id}`, escaped")
    return "/"


def _ids(node: Node) -> tuple[tuple[str, str], ...]:
    return tuple((name, _member(child)) for name, child in node.mapping(None))


def _member(node: Node) -> str:
    text = node.text("$.id")
    if not _MEMBER.fullmatch(text):
        node.problem("is not a place in the answer", "write `$.data.id`: keys and `[0]`")
    return text


def _time(node: Node) -> float:
    seconds = node.duration(AFTER)
    if seconds > _LONGEST:
        node.problem(f"must be at most {_LONGEST:g}s")
    return seconds
