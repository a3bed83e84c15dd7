"""Against what `cutover replay` runs: both sides, how they are asked, and by which rules."""

from __future__ import annotations

import argparse
import hashlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from proxy.bootstrap.shadow_rules import compare_rules
from proxy.commands.check import read_rules
from proxy.commands.compare_input import field_of
from proxy.routing.compare_rules import NOISE
from proxy.routing.rules import Rules
from proxy.routing.side import Side
from proxy.routing.table import Table
from proxy.serving.mirrored import mirror_rewrites
from proxy.upstream.connect import client_context
from proxy.wire.errors import RequestError
from proxy.wire.target import read_request_line
from shadow_compare.config import Rewrite, ShadowConfig, SideConfig
from shadow_compare.normalize import NotComparableError
from shadow_compare.replay.hosts import OwnHost
from shadow_compare.replay.run import Plan
from shadow_compare.rules import CompareRules

ALL: Final = "replay"
"""The route of everything when no rules are named."""
NO_ROUTE: Final = "(no route)"

RouteOf = Callable[[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Against:
    """The plan of a replay, and what it depends on beside the traffic."""

    plan: Plan
    sides: tuple[str, str]
    said: str

    def what(self, files: Sequence[Path], size: int) -> str:
        """Name a replay, so that another one does not go on with its results."""
        names = ", ".join(str(file.absolute()) for file in files)
        digest = hashlib.blake2b(self.said.encode(), digest_size=6).hexdigest()
        return f"{names} ({size} bytes) to {' and '.join(self.sides)}, options {digest}"


def against(args: argparse.Namespace) -> Against:
    """Read where both sides are and the rules; raises ValueError, RulesError and OSError."""
    rules = None if args.rules is None else read_rules(args.rules)
    named = dict(map(field_of, args.header))
    where = {side: _url(args, side, rules) for side in Side}
    primary = Side(args.primary)
    headers = {"host": _authority(where[primary]), **{n.lower(): v for n, v in named.items()}}
    has_host = any(name.lower() == "host" for name in named)
    config = ShadowConfig(
        version=0,
        sides={side.value: _side(args, side, where[side], rules) for side in Side},
        routes=_routes(rules),
        rewrites=_rewrites(where, rules, own_host=not has_host),
    )
    plan = Plan(
        config=config,
        route_of=_plain_route if rules is None else _route_of(rules),
        primary=primary.value,
        hosts=frozenset(host.lower() for host in args.host),
        rate=args.rate,
        concurrency=args.concurrency,
        writes=args.writes is not None,
        timeout=args.timeout,
        headers=headers,
    )
    text = "" if args.rules is None else args.rules.read_text(encoding="utf-8")
    said = (sorted(headers.items()), args.primary, sorted(args.host), plan.writes, text)
    return Against(plan, (where[Side.LEGACY], where[Side.MODERN]), repr(said))


def _url(args: argparse.Namespace, side: Side, rules: Rules | None) -> str:
    url: str | None = getattr(args, side.value)
    if url is None and rules is not None:
        url = rules.upstream(side).instances[0]
    if url is None:
        raise ValueError(f"say with --{side} URL, or --rules FILE, where {side} is")
    return _checked(url, side)


def _checked(url: str, side: Side) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    is_side = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    if not is_side or port == -1 or parts.username is not None:
        raise ValueError(f"--{side}: {url!r} is not the URL of a side, as http://127.0.0.1:8081")
    return f"{parts.scheme}://{parts.netloc}"


def _authority(url: str) -> str:
    return urlsplit(url).netloc


def _side(args: argparse.Namespace, side: Side, url: str, rules: Rules | None) -> SideConfig:
    """Say where a side is; one of the rules is verified as the rules say."""
    if not url.startswith("https:"):
        return SideConfig((url,))
    if rules is not None and getattr(args, side.value) is None:
        upstream = rules.upstream(side)
        return SideConfig(
            (url,), tls=client_context(upstream), server_name=upstream.tls.server_name
        )
    return SideConfig((url,), tls=ssl.create_default_context())


def _routes(rules: Rules | None) -> dict[str, CompareRules]:
    """Compile how each route is compared; whoever replays has allowed asking both sides again."""
    both = frozenset(side.value for side in Side)
    plain = CompareRules.build(noise=NOISE, baselines=both)
    if rules is None:
        return {ALL: plain}
    routes = {route.id: replace(compare_rules(route), baselines=both) for route in rules.routes}
    return {NO_ROUTE: plain, **routes}


def _rewrites(
    where: dict[Side, str], rules: Rules | None, *, own_host: bool
) -> dict[tuple[str, str], Rewrite]:
    """Give what is rewritten towards each side, by route."""
    written: dict[tuple[str, str], Rewrite] = {} if rules is None else {**mirror_rewrites(rules)}
    if not own_host:
        return written
    routes = [ALL] if rules is None else [NO_ROUTE, *(route.id for route in rules.routes)]
    return {
        (route, side.value): OwnHost(
            _authority(where[side]), where[side].lower(), written.get((route, side.value))
        )
        for route in routes
        for side in Side
    }


def _plain_route(_method: str, target: str) -> tuple[str, str]:
    return ALL, target


def _route_of(rules: Rules) -> RouteOf:
    """Give what finds the route of a request, as the proxy does: by its path in one spelling."""
    table = Table(rules)

    def route_of(method: str, target: str) -> tuple[str, str]:
        try:
            line = read_request_line(f"{method} {target} HTTP/1.1".encode("latin-1"))
        except RequestError as error:
            raise NotComparableError("bad_request") from error
        route = table.match(method, line.path)
        return NO_ROUTE if route is None else route.rules.id, line.target.decode("latin-1")

    return route_of
