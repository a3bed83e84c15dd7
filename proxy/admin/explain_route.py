"""What a route does with a request besides choosing its side: limits and rewriting, in words."""

from __future__ import annotations

from proxy.routing.limits import BODY_MAX, Allowance, LimitRules
from proxy.routing.rewrites import RewriteRules
from proxy.routing.side import Side
from proxy.routing.table import Route
from proxy.wire.message import RequestHead


def limit_words(limits: LimitRules) -> str | None:
    """Name the limits of a route, or None when it has none of its own."""
    parts = [
        f"{whose}: {_allowance_words(allowance)}"
        for whose, allowance in (("each client", limits.client), ("all together", limits.route))
        if allowance.limits_anything
    ]
    if limits.body != BODY_MAX:
        parts.append(f"a body: {limits.body:,} bytes")
    return "; ".join(parts) or None


def _allowance_words(allowance: Allowance) -> str:
    parts = []
    if allowance.rate is not None:
        parts.append(f"{_rate_words(allowance.rate)}, {allowance.at_once} in one moment")
    if allowance.concurrency is not None:
        parts.append(f"{allowance.concurrency} under way")
    return ", ".join(parts)


def _rate_words(rate: float) -> str:
    """Write a rate in the largest unit that makes it a whole number."""
    for seconds, unit in ((1, "s"), (60, "m")):
        if round(rate * seconds, 6).is_integer():
            return f"{rate * seconds:.0f}/{unit}"
    return f"{rate * 3600:.0f}/h"


def asked_words(route: Route, side: Side, head: RequestHead) -> str | None:
    """Say what a side is asked for, and what else is rewritten; None when nothing is."""
    rewriting = None if route.rewriting is None else route.rewriting[side]
    if rewriting is None:
        return None
    rules = route.rules.rewrite.towards(side)
    target = rewriting.target(head.target).decode("ascii")
    host = (rewriting.host or head.host).decode("latin-1")
    return "; ".join([f"{head.method} {target} of {host}", *_edited_words(rules)])


def _edited_words(rules: RewriteRules) -> list[str]:
    """Name the fields only: their values are no business of whoever asks."""
    parts = []
    for what, edits in (("request", rules.request), ("response", rules.response)):
        for verb, names in (
            ("sets", [name for name, _ in edits.set]),
            ("adds", [name for name, _ in edits.add]),
            ("removes", list(edits.remove)),
        ):
            if names:
                parts.append(f"{what} {verb} {', '.join(names)}")
    if rules.location:
        parts.append("own addresses become the client's")
    if rules.cookie_domain:
        parts.append(f"cookie domains: {', '.join(old for old, _ in rules.cookie_domain)}")
    return parts
