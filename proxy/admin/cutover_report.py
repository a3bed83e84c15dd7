"""The evidence about one route, for the meeting that decides whether it is cut over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from proxy.admin.interfaces import Controller, Report
from proxy.admin.series import RANGES, Series, read_series
from proxy.admin.standing import RulesInForce, RuleStanding, standings
from proxy.control.status import DecisionRecord, RouteStatus, VersionRecord
from proxy.errors import NotFoundError
from shadow_compare.report import Coverage, Filters, SignatureSummary

GROUPS_MAX: Final = 100
"""Groups of differences that are listed, critical ones first, then the most frequent."""
DECISIONS_MAX: Final = 50
LOOKED_BACK: Final = ("24h", "14d")
"""Ranges over which both sides are measured."""


@dataclass(frozen=True, slots=True)
class CutoverReport:
    """Everything that is known of a route at one moment; `more` says that lists were cut."""

    at: float
    route: RouteStatus
    version: VersionRecord
    coverage: Coverage
    groups: Sequence[SignatureSummary]
    more_groups: bool
    series: Sequence[Series]
    rules: Sequence[RuleStanding]
    decisions: Sequence[DecisionRecord]
    more_decisions: bool


async def gather(
    controller: Controller, report: Report, route_id: str, now: float
) -> CutoverReport:
    """Read it all; raises NotFoundError for a route that is not in the rules, and StoreError."""
    route = controller.route(route_id)
    if route is None:
        raise NotFoundError(f"there is no route {route_id!r} in the rules in force")
    coverage = await report.coverage(route=route_id)
    groups = await report.signatures(Filters(route=route_id), limit=GROUPS_MAX + 1)
    decisions = await controller.decisions(limit=DECISIONS_MAX + 1, route=route_id)
    rules = await RulesInForce(controller).get()
    today = datetime.fromtimestamp(now, UTC).date()
    return CutoverReport(
        at=now,
        route=route,
        version=await controller.version(controller.brief().version),
        coverage=coverage[0] if coverage else Coverage(route=route_id),
        groups=groups[:GROUPS_MAX],
        more_groups=len(groups) > GROUPS_MAX,
        series=[await read_series(controller, RANGES[name], now, route_id) for name in LOOKED_BACK],
        rules=await asyncio.to_thread(standings, rules, coverage, today, route_id),
        decisions=decisions[:DECISIONS_MAX],
        more_decisions=len(decisions) > DECISIONS_MAX,
    )
