"""What a snapshot means to a shadow worker: the rules as written, compiled for comparing."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from proxy.routing import pattern
from proxy.routing.compare_rules import TranslateRule
from proxy.routing.read_back import ReadBackRules
from proxy.routing.rules import RouteRules
from proxy.routing.side import Side
from proxy.routing.upstream_rules import UpstreamRules
from proxy.serving.mirrored import mirror_rewrites
from proxy.snapshot import Snapshot
from proxy.upstream.connect import client_context
from proxy.upstream.instance import Instance
from shadow_compare.config import ShadowConfig, SideConfig
from shadow_compare.read_back import ReadBack, member_keys
from shadow_compare.rules import CompareRules
from shadow_compare.translate import Translation


def shadow_config(snapshot: Snapshot, workers: int = 1) -> ShadowConfig:
    """Tell one of so many shadow workers what a snapshot means to it.

    Raises ValueError and TlsError.
    """
    rules = snapshot.rules
    total, legacy_rate = rules.mirror.budget.concurrency, rules.mirror.legacy_rate
    return ShadowConfig(
        version=snapshot.version,
        sides={side.value: _shadow_side(rules.upstream(side)) for side in Side},
        routes={route.id: compare_rules(route) for route in rules.routes},
        rewrites=mirror_rewrites(rules),
        concurrency={
            route.id: max(1, most // workers)
            for route in rules.routes
            if (most := route.mirror.budget.concurrency) is not None
        },
        together=None if total is None else max(1, total // workers),
        legacy_rate=None if legacy_rate is None else legacy_rate / workers,
        writes=snapshot.mirrored_writes(),
        read_backs={
            route.id: read_back(route, written)
            for route in rules.routes
            if (written := route.mirror.read_back) is not None
        },
    )


def read_back(route: RouteRules, written: ReadBackRules) -> ReadBack:
    """Compile what is read after writes of a route."""
    ids = dict(written.ids)
    parts = pattern.segments(route.match.path)
    return ReadBack(
        path=written.path,
        segments={name: parts.index(f"{{{name}}}") for name in written.names if name not in ids},
        members={name: member_keys(ids[name]) for name in written.names if name in ids},
        after=written.after,
        within=written.within,
        translate=tuple(
            Translation.build(**plain)
            for rule in route.compare.translate
            if rule.parameter and rule.parameter not in ids
            if (plain := translation(rule, written.path))["segment"] is not None
        ),
    )


def translation(rule: TranslateRule, path: str) -> dict[str, Any]:
    """Give what a shadow worker is told of a place in requests to a path such as `/users/{id}`."""
    parts = path.partition("?")[0][1:].split("/")
    name = f"{{{rule.parameter}}}"
    return {**asdict(rule), "segment": parts.index(name) if name in parts else None}


@lru_cache(maxsize=len(Side))
def _shadow_side(rules: UpstreamRules) -> SideConfig:
    """Tell a shadow worker where a side is; the same context as long as its rules are the same."""
    secure = any(Instance.parse(url).secure for url in rules.instances)
    return SideConfig(
        rules.instances,
        tls=client_context(rules) if secure else None,
        server_name=rules.tls.server_name,
    )


def compare_rules(route: RouteRules) -> CompareRules:
    """Compile a route's comparison rules; raises ValueError."""
    written = route.compare
    # A second answer of modern's costs what any request does; PHP's are the route's to allow.
    allowed = (Side.MODERN, *route.mirror.towards)
    return CompareRules.build(
        critical=written.critical,
        arrays=written.arrays,
        ignore=[asdict(rule) for rule in written.ignore],
        equivalences=[asdict(rule) for rule in written.equivalences],
        tolerances=[asdict(rule) for rule in written.tolerances],
        correspond=[asdict(rule) for rule in written.correspond],
        translate=[translation(rule, route.match.path) for rule in written.translate],
        zone=written.zone,
        redact=written.redact,
        noise=written.noise,
        baselines=[side.value for side in allowed],
        repeat=written.repeat,
    )
