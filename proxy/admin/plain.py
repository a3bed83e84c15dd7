"""Control plane records as the JSON of the API.

Weights are percentages with at most two decimals, rates and shares fractions, durations seconds,
points in time RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from proxy.control.status import (
    CoverageStatus,
    DecisionRecord,
    HostsStatus,
    PlanStatus,
    Rollback,
    RollbackStatus,
    RouteStatus,
    SideStatus,
    Status,
    VersionRecord,
    WorkerStatus,
    WriteHalt,
)
from proxy.recording import Recording
from proxy.rollout.plan import Hand
from shadow_compare.report import SignatureDetail, SignatureSummary
from shadow_compare.report.covering import Covering

Plain = dict[str, Any]


def status_plain(status: Status, routes: Sequence[Any] | None = None) -> Plain:
    """Everything now; `routes` if they are written already."""
    return {
        "at": instant(status.at),
        "version": status.version,
        "kill_switch": status.kill_switch,
        "kill_file": status.kill_file,
        "rules_file": status.rules_file,
        "rules_problem": status.rules_problem,
        "store_problem": status.store_problem,
        "measured": status.measured,
        "routes": [route_plain(route) for route in status.routes] if routes is None else routes,
        "workers": [worker_plain(worker) for worker in status.workers],
        "retiring": status.retiring,
        "recording": recording_plain(status.recording),
        **hosts_plain(status.hosts),
    }


def recording_plain(recording: Recording | None) -> Plain | None:
    """What is recorded of the traffic."""
    if recording is None:
        return None
    return {
        "id": recording.id,
        "since": instant(recording.at),
        "until": instant(recording.until),
        "routes": list(recording.routes),
        "share": recording.share,
        "bytes": recording.size,
        "author": recording.author,
        "reason": recording.reason,
    }


def hosts_plain(status: HostsStatus | None) -> Plain:
    """All hosts, and who acts; nulls where there is only one."""
    if status is None:
        return {"host": None, "acting": None, "token": None, "hosts": []}
    hosts = [
        {
            "name": host.name,
            "url": host.url,
            "acting": host.name == status.acting,
            "connected": host.connected,
            "last_seen": round(host.last_seen, 3),
            "bus": host.bus,
            "version": host.version,
            "problem": host.problem or None,
            "other_keys": list(host.other_keys),
        }
        for host in status.hosts
    ]
    return {"host": status.own, "acting": status.acting, "token": status.token, "hosts": hosts}


def route_plain(route: RouteStatus) -> Plain:
    """One route now."""
    observed = route.weight_observed
    return {
        "id": route.id,
        "methods": list(route.methods),
        "path": route.path,
        "phase": route.phase,
        "weight_configured": percent(route.weight_configured),
        "weight_in_force": percent(route.weight_in_force),
        "weight_observed": None if observed is None else round(observed * 100, 2),
        "window": route.window,
        "legacy": side_plain(route.legacy),
        "modern": side_plain(route.modern),
        "coverage": coverage_plain(route.coverage),
        "verdict": route.verdict,
        "verdict_reason": route.verdict_reason,
        "mirror_share": route.mirror_share,
        "plan": route.plan,
        "on_breach": route.on_breach,
        "progress": None if route.progress is None else progress_plain(route.progress),
        "rolled_back": None if route.rolled_back is None else rollback_plain(route.rolled_back),
        "mirrors_writes": route.mirrors_writes,
        "writes_halted": None if route.writes_halted is None else halt_plain(route.writes_halted),
    }


def progress_plain(progress: PlanStatus) -> Plain:
    """Where a route stands on its plan."""
    following, held, approved = progress.following, progress.held, progress.approved
    return {
        "weights": [percent(weight) for weight in progress.weights],
        "step": progress.step,
        "following": None if following is None else percent(following),
        "waits": list(progress.waits),
        "held": None if held is None else hand_plain(held),
        "approved": None if approved is None else hand_plain(approved),
        "needs_approval": progress.needs_approval,
        "power": progress.power,
        "resumed": progress.resumed[0],
        "may_resume": progress.resumed[1],
    }


def hand_plain(hand: Hand) -> Plain:
    """Who did something by hand."""
    return {"at": instant(hand.at), "author": hand.author, "reason": hand.reason}


def side_plain(side: SideStatus) -> Plain:
    """One side of a route over the window."""
    return {
        "requests": side.requests,
        "requests_per_second": side.requests_per_second,
        "bad": side.bad,
        "error_rate": side.error_rate,
        "p50": side.p50,
        "p95": side.p95,
    }


def coverage_plain(coverage: CoverageStatus) -> Plain:
    """Comparisons of a route over the window."""
    return {
        "match": coverage.match,
        "ignored": coverage.ignored,
        "mismatch": coverage.mismatch,
        "not_compared": coverage.not_compared,
        "compared": coverage.compared,
        "mismatch_rate": coverage.mismatch_rate,
    }


def rollback_plain(rollback: RollbackStatus | Rollback) -> Plain:
    """Why a route stands at 0."""
    return {
        "at": instant(rollback.at),
        "author": rollback.author,
        "reason": rollback.reason,
        "cooldown_until": instant(rollback.cooldown_until),
        "evidence": evidence_plain(rollback.evidence),
    }


def halt_plain(halt: WriteHalt) -> Plain:
    """Why the writes of a route are not mirrored."""
    return {
        "at": instant(halt.at),
        "author": halt.author,
        "reason": halt.reason,
        "evidence": evidence_plain(halt.evidence),
    }


def worker_plain(worker: WorkerStatus) -> Plain:
    """One process as last heard of."""
    return {
        "host": worker.host or None,
        "role": worker.role,
        "index": worker.index,
        "pid": worker.pid,
        "version": worker.version,
        "connected": worker.connected,
        "last_seen": worker.last_seen,
        "connections": worker.connections,
        "queue": worker.queue,
    }


def version_plain(version: VersionRecord) -> Plain:
    """One version without its document, as lists show it."""
    return {
        "number": version.number,
        "parent": version.parent,
        "at": instant(version.at),
        "author": version.author,
        "reason": version.reason,
        "rolled_back": list(version.rolled_back),
        "kill_switch": version.kill_switch,
        "evidence": evidence_plain(version.evidence),
    }


def version_with_text_plain(version: VersionRecord) -> Plain:
    """One version with its document and the last rollback of each route that had one."""
    rollbacks = {
        route: {**rollback_plain(rollback), "times": rollback.times, "active": rollback.active}
        for route, rollback in version.rollbacks.items()
    }
    return {**version_plain(version), "text": version.text, "rollbacks": rollbacks}


def decision_plain(decision: DecisionRecord) -> Plain:
    """One decision with its evidence."""
    return {
        "id": decision.id,
        "at": instant(decision.at),
        "route": decision.route,
        "action": decision.action,
        "author": decision.author,
        "reason": decision.reason,
        "version": decision.version,
        "evidence": evidence_plain(decision.evidence),
    }


def evidence_plain(evidence: Mapping[str, Any]) -> Plain:
    """Evidence with its weights and times as the rest of the API tells them."""
    plain = dict(evidence)
    for name in ("weight", "previous"):
        if isinstance(plain.get(name), int):
            plain[name] = percent(plain[name])
    if "samples" in plain:
        plain["samples"] = [{**each, "at": instant(each["at"])} for each in plain["samples"]]
    return plain


def signature_plain(signature: SignatureSummary | SignatureDetail) -> Plain:
    """A group of differences; with its samples when it is a detail."""
    plain = signature.to_plain()
    plain["first_seen"] = instant(plain["first_seen"])
    plain["last_seen"] = instant(plain["last_seen"])
    plain["state_at"] = None if plain["state_at"] is None else instant(plain["state_at"])
    if "samples" in plain:
        plain["samples"] = [{**each, "at": instant(each["at"])} for each in plain["samples"]]
        hours = plain["occurrences"]
        plain["occurrences"] = [{**each, "at": instant(each["at"])} for each in hours]
    return plain


def covering_plain(covering: Covering) -> Plain:
    """What rules would cover."""
    plain = covering.to_plain()
    plain["samples"] = [{**each, "at": instant(each["at"])} for each in plain["samples"]]
    return plain


def percent(hundredths: int) -> int | float:
    """Give a weight in percent: 1000 is 10, 1050 is 10.5."""
    whole, rest = divmod(hundredths, 100)
    return hundredths / 100 if rest else whole


def instant(at: float) -> str:
    """Write a point in time to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
