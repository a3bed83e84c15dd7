"""The controller's knowledge put into values for people and for metrics."""

from __future__ import annotations

from typing import Final

from proxy.control.live import LiveRoute, Position
from proxy.control.next_power import power_told
from proxy.control.state import RoutingState
from proxy.control.status import (
    CoverageStatus,
    HostsStatus,
    PlanStatus,
    RollbackStatus,
    RouteFigures,
    RouteStatus,
    SideFigures,
    SideStatus,
    WorkerStatus,
)
from proxy.control.workers import worker_name
from proxy.observe.metrics import HostReading, HostsReading, RouteReading, WorkerReading
from proxy.rollout.course import missing_on
from proxy.rollout.gate import words
from proxy.rollout.plan import place_after, place_on
from proxy.rollout.window import SideWindow
from proxy.routing.rules import WEIGHT_MAX
from proxy.routing.side import Side

_NOTHING_COMPARED: Final = CoverageStatus()


def route_status(
    state: RoutingState,
    live: LiveRoute,
    legacy: SideStatus,
    modern: SideStatus,
    coverage: CoverageStatus,
    progress: PlanStatus | None,
    *,
    killed: bool = False,
) -> RouteStatus:
    """One route now, of what is known of its parts; `killed` says that the kill file is there."""
    route = live.route
    rollback = state.rollback_of(route.id)
    return RouteStatus(
        id=route.id,
        methods=route.match.methods,
        path=route.match.path,
        phase=state.phase_of(route).value,
        weight_configured=route.weight,
        weight_in_force=0 if killed else state.weight_in_force(route),
        weight_observed=observed(live),
        window=route.rollback.window,
        legacy=legacy,
        modern=modern,
        coverage=coverage,
        verdict=live.judgement.verdict.value,
        verdict_reason=live.judgement.reason,
        mirror_share=route.mirror.share,
        plan=route.plan,
        on_breach=route.on_breach,
        progress=progress,
        rolled_back=None
        if rollback is None
        else RollbackStatus(
            at=rollback.at,
            author=rollback.author,
            reason=rollback.reason,
            cooldown_until=rollback.cooldown_until,
            evidence=rollback.evidence,
        ),
        mirrors_writes=route.mirror.writes,
        writes_halted=state.write_halt_of(route.id),
    )


def plan_status(state: RoutingState, live: LiveRoute, now: float, position: Position) -> PlanStatus:
    """Where a route stands on its plan; expects that it has one."""
    route, steps, progress = live.route, live.steps, position.progress
    standing = live.standing(now, position)
    place = place_on(steps, route.weight, progress.step)
    if place is not None:
        following = place.following
    else:
        after = place_after(steps, route.weight, progress.step)
        following = None if after is None else after.step
    missing = missing_on(route, place, standing) if place and position.rollback is None else ()
    last = state.record.rollbacks.get(route.id)
    spent = max(0, last.times - 1) if last is not None and last.active else 0
    return PlanStatus(
        weights=tuple(step.weight for step in steps),
        step=None if place is None else place.number,
        following=None if following is None else following.weight,
        waits=tuple(words(want, standing.pace) for want in missing),
        held=progress.held,
        approved=progress.approved,
        needs_approval=place is not None and place.step.approval,
        power=None if following is None else power_told(live, following.weight, now),
        resumed=(min(spent, route.rollback.auto_resume), route.rollback.auto_resume),
    )


def route_figures(live: LiveRoute, now: float) -> RouteFigures:
    """What is charted of one route."""
    legacy, modern = (live.sides[side.value] for side in (Side.LEGACY, Side.MODERN))
    return RouteFigures(live.route.id, _figures(legacy, now), _figures(modern, now))


def side_status(window: SideWindow, now: float) -> SideStatus:
    """One side over the window."""
    return SideStatus(
        requests=window.requests,
        requests_per_second=window.per_second(now),
        bad=window.bad,
        error_rate=window.error_rate,
        p50=window.latency(0.5),
        p95=window.latency(0.95),
    )


def coverage_status(live: LiveRoute) -> CoverageStatus:
    """Comparisons of one route over the window."""
    if not live.coverage.totals:
        return _NOTHING_COMPARED
    by_verdict = live.by_verdict
    return CoverageStatus(
        match=by_verdict["match"],
        ignored=by_verdict["ignored"],
        mismatch=by_verdict["mismatch"],
        not_compared=live.not_compared,
    )


def observed(live: LiveRoute) -> float | None:
    """Share of the window's requests that were decided for modern, or None without any."""
    decided = {side: window.decided for side, window in live.sides.items()}
    total = sum(decided.values())
    return decided[Side.MODERN.value] / total if total else None


def route_reading(state: RoutingState, live: LiveRoute, *, killed: bool = False) -> RouteReading:
    """One route for metrics; a copy, as it is written beside the loop that goes on counting."""
    totals = live.totals
    held = state.progress_of(live.route.id).held if live.steps else None
    return RouteReading(
        id=live.route.id,
        weight_configured=live.route.weight / WEIGHT_MAX,
        weight_in_force=0.0 if killed else state.weight_in_force(live.route) / WEIGHT_MAX,
        weight_observed=observed(live),
        rolled_back=state.rollback_of(live.route.id) is not None,
        outcomes=totals.outcomes,
        served={side: counted.served for side, counted in totals.sides.items()},
        fallbacks=totals.fallbacks,
        latencies={side: dict(counted.latencies) for side, counted in totals.sides.items()},
        comparisons=dict(totals.comparisons),
        dropped=dict(totals.dropped),
        rollbacks=dict(totals.rollbacks),
        writes_halted=state.write_halt_of(live.route.id) is not None
        if live.route.mirror.writes
        else None,
        held_since=None if held is None else held.at,
    )


def worker_reading(worker: WorkerStatus) -> WorkerReading:
    """One worker for metrics."""
    return WorkerReading(
        role=worker.role,
        name=worker_name(worker.host, worker.index),
        version=worker.version,
        connected=worker.connected,
        connections=worker.connections,
        queue=worker.queue,
        compiled=worker.compiled,
    )


def hosts_reading(status: HostsStatus | None) -> HostsReading | None:
    """All hosts for metrics, where there are many."""
    if status is None:
        return None
    hosts = {
        host.name: HostReading(host.connected, host.bus, host.version, bool(host.other_keys))
        for host in status.hosts
    }
    return HostsReading(status.acting == status.own, status.token, hosts)


def _figures(window: SideWindow, now: float) -> SideFigures:
    return SideFigures(window.per_second(now), window.error_rate, window.latency(0.95))
