"""A controller and a report with varied data, in memory, for tests of the console."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from proxy.control.interval import Interval, SideCounts
from proxy.control.recordings import Recordings
from proxy.control.status import (
    Brief,
    CoverageStatus,
    DecisionRecord,
    HostsStatus,
    PlanStatus,
    RollbackStatus,
    RouteFigures,
    RouteStatus,
    SideFigures,
    SideStatus,
    Status,
    VersionRecord,
    WorkerStatus,
    WriteHalt,
)
from proxy.errors import ConflictError, NotFoundError, RefusedError
from proxy.observe.metrics import Reading, RouteReading
from proxy.recording import Recording, RecordingFile
from proxy.rollout.plan import Hand
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.rules import Pin, Rules
from proxy.routing.schema import load_rules
from shadow_compare.report import (
    EVERY_GROUP,
    Coverage,
    Cursor,
    Filters,
    Occurrences,
    Proposal,
    SignatureDetail,
    SignatureSummary,
    State,
)
from shadow_compare.report.coverage import Cell
from shadow_compare.sample import KeptAnswer, KeptDifference, Sample
from shadow_compare.searched import head_of, with_values

DOCUMENT = """\
version: 1
# Both applications listen on loopback only.
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
routes:
  - id: plans
    match: {method: [GET], path: /api/plans}
    weight: 10%  # since Monday
    mirror: {share: 100%}
  - id: everything-else
    match: {path: /*}
    weight: 0%
"""


def side(
    requests: int = 1200,
    bad: int = 0,
    p95: float | None = 0.048,
    window: float = 60.0,
) -> SideStatus:
    """One side with this many requests in its window."""
    return SideStatus(
        requests=requests,
        requests_per_second=requests / window,
        bad=bad,
        error_rate=bad / requests if requests else None,
        p50=p95 * 0.45 if p95 is not None and requests else None,
        p95=p95 if requests else None,
    )


def route(name: str = "plans", **changes: Any) -> RouteStatus:
    """One healthy route at 10%, but for the changes."""
    base = RouteStatus(
        id=name,
        methods=("GET",),
        path="/api/plans",
        phase="CANARY",
        weight_configured=1000,
        weight_in_force=1000,
        weight_observed=0.104,
        window=60.0,
        legacy=side(1080),
        modern=side(125, p95=0.019),
        coverage=CoverageStatus(match=1162, ignored=38, not_compared={"dropped": 5}),
        verdict="HOLD",
        verdict_reason="the gate waits for 875 more requests",
        mirror_share=1.0,
        plan="standard",
        on_breach="rollback",
    )
    return replace(base, **changes)


def progress(**changes: Any) -> PlanStatus:
    """Stand on the second of five steps, but for the changes."""
    base = PlanStatus(
        weights=(0, 1000, 5000, 9000, 10_000),
        step=2,
        following=5000,
        waits=("875 more requests on modern, about 7 min", "an approval by hand"),
        held=None,
        approved=None,
        needs_approval=True,
        power="at 50% of 20 rps, a jump from 0.5% to 5% errors will be caught after about 194"
        " modern requests, 19 s",
        resumed=(0, 2),
    )
    return replace(base, **changes)


def varied_routes(now: float) -> list[RouteStatus]:
    """Routes in every phase, with and without traffic and differences."""
    return [
        route(
            verdict="ADVANCE",
            verdict_reason="the gate of this step is passed: 1,205 requests, 1,200 compared",
        ),
        route(
            "subscriptions.list",
            path="/api/subscriptions",
            weight_configured=5000,
            weight_in_force=5000,
            weight_observed=0.487,
            legacy=side(611, 2, 0.212),
            modern=side(580, 3, 0.034),
            coverage=CoverageStatus(
                match=1087, ignored=90, mismatch=14, not_compared={"timeout": 2}
            ),
            verdict_reason="14 of 1,191 compared answers differ, above the gate's 0.5%",
            progress=progress(step=3, following=9000),
        ),
        route(
            "billing.history",
            path="/api/billing/history",
            phase="ROLLED_BACK",
            weight_configured=2500,
            weight_in_force=0,
            weight_observed=0.0,
            legacy=side(402, 0, 0.141),
            modern=side(0),
            coverage=CoverageStatus(
                match=388, mismatch=0, not_compared={"candidate_unreachable": 14}
            ),
            verdict_reason="rolled back",
            rolled_back=RollbackStatus(
                at=now - 130,
                author="cutover",
                reason="error rate 12.5% of modern is above 5%",
                cooldown_until=now + 470,
                evidence={"detector": "error_rate", "value": 0.125, "bound": 0.05, "n": 96},
            ),
        ),
        route(
            "users.read",
            path="/api/users/{id}",
            phase="MODERN",
            weight_configured=10_000,
            weight_in_force=10_000,
            weight_observed=1.0,
            legacy=side(0),
            modern=side(2310, 1, 0.022),
            coverage=CoverageStatus(),
            mirror_share=0.0,
            verdict_reason="the last step of the plan; nothing more to wait for",
        ),
        route(
            "plans.read",
            path="/api/plans/{id}",
            phase="SHADOW",
            weight_configured=0,
            weight_in_force=0,
            weight_observed=0.0,
            legacy=side(95, 0, 0.031),
            modern=side(0),
            coverage=CoverageStatus(match=95),
            verdict_reason="the gate waits for 905 more comparisons",
        ),
        route(
            "subscriptions.create",
            methods=("POST",),
            path="/api/subscriptions",
            phase="LEGACY",
            weight_configured=0,
            weight_in_force=0,
            weight_observed=None,
            legacy=side(0),
            modern=side(0),
            coverage=CoverageStatus(),
            mirror_share=0.05,
            verdict_reason="no requests",
            mirrors_writes=True,
        ),
        route(
            "everything-else",
            methods=(),
            path="/*",
            phase="LEGACY",
            weight_configured=0,
            weight_in_force=0,
            weight_observed=0.0,
            legacy=side(3840, 4, 0.096),
            modern=side(0),
            coverage=CoverageStatus(),
            mirror_share=0.0,
            plan=None,
            verdict_reason="no plan",
        ),
    ]


def workers(version: int) -> list[WorkerStatus]:
    """Two data plane workers, one of them behind, and a shadow worker."""
    return [
        WorkerStatus("worker", 0, 4101, version, True, 0.1, connections=18),
        WorkerStatus("worker", 1, 4102, version, True, 0.2, connections=21),
        WorkerStatus("shadow", 0, 4103, version, True, 0.1, queue=3),
    ]


def _figures(side: SideStatus) -> SideFigures:
    return SideFigures(side.requests_per_second, side.error_rate, side.p95)


class OrderInMemory(RecordingFile):
    """An order to record, without a directory to stand in."""

    def __init__(self) -> None:
        super().__init__(Path("state"))
        self.order: Recording | None = None

    def read(self) -> Recording | None:
        """Give the order."""
        return self.order

    def begin(self, recording: Recording, now: float) -> Recording | None:
        """Take an order, unless another holds."""
        if self.order is not None and now < self.order.until:
            return self.order
        self.order = recording
        return None

    def remove(self) -> bool:
        """Take it back."""
        order, self.order = self.order, None
        return order is not None


class FakeController:
    """Keeps the routing in memory and obeys the same rules of refusal as the real one."""

    def __init__(
        self,
        routes: list[RouteStatus] | None = None,
        clock: Callable[[], float] = time.time,
        version: int = 17,
    ) -> None:
        self.clock = clock
        given = varied_routes(clock()) if routes is None else routes
        self.routes = {route.id: route for route in given}
        self.kill = False
        self.ignored: dict[str, list[IgnoreRule]] = {}
        self.rules_problem: str | None = None
        self.store_problem: str | None = None
        self.records_broken = False
        self.number = version
        self.journal: list[DecisionRecord] = []
        self.history: list[VersionRecord] = []
        self.workers: list[WorkerStatus] = workers(version)
        self.hosts: HostsStatus | None = None
        self.minutes: list[Interval] = []
        self.rolled: list[tuple[int, Interval]] = []
        self.changes = 0
        self.orders = OrderInMemory()
        self.recordings = Recordings(self.orders, lambda: self.clock(), self._note)
        self._record("load", None, "file", "routing_rules.yaml changed", {})

    def status(self) -> Status:
        """Everything now."""
        return Status(
            at=self.clock(),
            version=self.number,
            kill_switch=self.kill,
            rules_file="routing_rules.yaml",
            rules_problem=self.rules_problem,
            store_problem=self.store_problem,
            routes=tuple(self.routes.values()),
            workers=tuple(self.workers),
            recording=self.recordings.now,
            hosts=self.hosts,
        )

    def figures(self) -> Iterator[RouteFigures]:
        """What is charted of each route."""
        for route in self.routes.values():
            yield RouteFigures(route.id, _figures(route.legacy), _figures(route.modern))

    async def survey(self, *, plans: bool = True) -> Status:  # noqa: ARG002 - as the real one
        """Everything now, in parts."""
        return self.status()

    def glance(self, *route_ids: str) -> Status:
        """Everything now, of these routes only."""
        routes = tuple(self.routes[each] for each in route_ids if each in self.routes)
        return replace(self.status(), routes=routes)

    def brief(self) -> Brief:
        """What most requests need."""
        routes = tuple(self.routes)
        return Brief(self.clock(), self.number, self.kill, routes, self.recordings.now)

    def route(self, route_id: str) -> RouteStatus | None:
        """One route."""
        return self.routes.get(route_id)

    def rules(self) -> Rules | None:
        """Nothing: they are read from the document."""
        return None

    def reading(self) -> Reading:
        """Two workers with pools, one of them with an instance out."""
        return Reading(
            version=self.number,
            kill_switch=self.kill,
            rules_refused=False,
            store_failed=False,
            captures_sent=19_800,
            routes=(
                RouteReading(
                    "plans", 0.1, 0.1, 0.104, False, {}, {}, 0, {}, {}, {"queue_full": 5}, {}
                ),
            ),
            workers=(),
            pools={
                (str(worker), side, state): count
                for worker in (0, 1)
                for side in ("legacy", "modern")
                for state, count in (("idle", 6), ("leased", 2 + worker), ("waiting", 0))
            },
            instances={
                ("0", "modern", "127.0.0.1:8082"): (1, 2),
                ("1", "modern", "127.0.0.1:8083"): (0, 0),
            },
            breakers={("0", "modern"): 0, ("1", "modern"): 1},
            events={("retries", "legacy"): 3, ("refused_requests", "400"): 12},
        )

    async def set_weight(
        self,
        route_id: str,
        weight: int,
        *,
        author: str,
        reason: str,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Change a weight."""
        found = self._route(route_id)
        self._expect(expected_version)
        if found.rolled_back:
            raise RefusedError(f"route `{route_id}` is rolled back; resume it first")
        self.routes[route_id] = replace(
            found,
            weight_configured=weight,
            weight_in_force=weight,
            phase="MODERN" if weight == 10_000 else "CANARY" if weight else "SHADOW",
        )
        evidence = {"previous": found.weight_configured, "weight": weight}
        return self._record("set_weight", route_id, author, reason, evidence)

    async def add_ignore_rules(
        self,
        route_id: str,
        wanted: Sequence[IgnoreRule],
        *,
        author: str,
        reason: str,
        evidence: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Remember the rules."""
        self._route(route_id)
        self._expect(expected_version)
        self.ignored.setdefault(route_id, []).extend(wanted)
        return self._record("ignore", route_id, author, reason, dict(evidence))

    async def add_compare_entry(
        self,
        route_id: str,
        section: str,
        entry: Mapping[str, Any],
        *,
        author: str,
        reason: str,
        evidence: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Record the entry."""
        self._route(route_id)
        self._expect(expected_version)
        return self._record("compare", route_id, author, reason, {**evidence, section: dict(entry)})

    async def import_rules(
        self, text: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Record another document."""
        load_rules(text, "the document")
        self._expect(expected_version)
        return self._record("import", None, author, reason, {}, text)

    async def revert(
        self, number: int, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Record an earlier document once more."""
        text = (await self.version(number)).text
        self._expect(expected_version)
        return self._record("revert", None, author, reason, {"reverted_to": number}, text)

    async def rollback(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take a route back."""
        self._expect(expected_version)
        return self.take_back(route_id, author, reason, {})

    async def resume(
        self,
        route_id: str,
        *,
        author: str,
        reason: str,
        weight: int | None = None,
        force: bool = False,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Put a route in force again."""
        found = self._route(route_id)
        self._expect(expected_version)
        if found.progress is not None and found.progress.held and weight is None:
            self.routes[route_id] = replace(found, progress=replace(found.progress, held=None))
            return self._record("release", route_id, author, reason, {})
        if not found.rolled_back:
            raise RefusedError(f"route `{route_id}` is not rolled back")
        if found.rolled_back.cooldown_until > self.clock() and not force:
            raise RefusedError(f"route `{route_id}` still cools down; resume by force")
        wanted = found.weight_configured if weight is None else weight
        self.routes[route_id] = replace(
            found,
            rolled_back=None,
            phase="CANARY",
            weight_configured=wanted,
            weight_in_force=wanted,
        )
        return self._record("resume", route_id, author, reason, {"weight": wanted})

    async def advance(
        self,
        route_id: str,
        *,
        author: str,
        reason: str,
        force: bool = False,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Take a step."""
        found, progress = self._with_plan(route_id, expected_version)
        if progress.waits and not force:
            raise RefusedError(f"the step of `{route_id}` still needs {'; '.join(progress.waits)}")
        following = progress.following or 0
        self.routes[route_id] = replace(
            found, weight_configured=following, weight_in_force=following
        )
        evidence = {
            "step": 3, "of": 5, "previous": found.weight_configured, "weight": following,
            "forced": force, "power": "at 50% of 20 rps, a jump will be caught",
        }  # fmt: skip
        return self._record("advance", route_id, author, reason, evidence)

    async def hold(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Keep a plan where it is."""
        found, progress = self._with_plan(route_id, expected_version)
        held = replace(progress, held=Hand(self.clock(), author, reason))
        self.routes[route_id] = replace(found, progress=held)
        return self._record("hold", route_id, author, reason, {"weight": found.weight_configured})

    async def approve(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Agree that a step is left."""
        found, progress = self._with_plan(route_id, expected_version)
        approved = replace(progress, approved=Hand(self.clock(), author, reason))
        self.routes[route_id] = replace(found, progress=approved)
        evidence = {"step": 2, "of": 5, "weight": found.weight_configured}
        return self._record("approve", route_id, author, reason, evidence)

    async def pin(
        self, pin: Pin, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Hold an identity on one side."""
        self._expect(expected_version)
        evidence = {"identity": pin.identity, "side": pin.side.value, "routes": list(pin.routes)}
        return self._record("pin", None, author, reason, evidence)

    async def unpin(
        self, identity: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Let an identity go."""
        self._expect(expected_version)
        if identity == "client_ip=10.0.0.1":
            raise NotFoundError(f"no pin holds {identity}")
        return self._record("unpin", None, author, reason, {"identity": identity})

    async def outcomes(
        self,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give two minutes of one route, and what a test has put in."""
        seen = SideCounts(ok=90, bad=1, served=91, distinct=1, latencies={220: 91})
        found = [
            (
                n,
                Interval(
                    "plans", 1_790_000_000.0 + 60 * n, 60.0, 17, 1000, seen, seen, {"match": 9}
                ),
            )
            for n in (1, 2)
        ]
        found += enumerate(self.minutes, start=3)
        chosen = [(n, i) for n, i in found if n > after and since <= i.at <= until]
        return [(n, i) for n, i in chosen if route in (None, i.route)][:limit]

    async def rollups(
        self,
        span: int,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> list[tuple[int, Interval]]:
        """Give what a test has put in."""
        return [
            (n, each)
            for n, (kept, each) in enumerate(self.rolled, start=1)
            if kept == span and n > after and since <= each.at <= until
            if route in (None, each.route)
        ][:limit]

    def _with_plan(self, route_id: str, version: int | None) -> tuple[RouteStatus, PlanStatus]:
        found = self._route(route_id)
        self._expect(version)
        if found.progress is None:
            raise RefusedError(f"`{route_id}` has no plan; its weight is set by hand")
        return found, found.progress

    def halt_writes(self, route_id: str) -> None:
        """Stop mirroring the writes of a route, as after one that was not acknowledged."""
        halt = WriteHalt(self.clock() - 40, "cutover", "no cutover-shadow-ack", True, 0, {})
        self.routes[route_id] = replace(self._route(route_id), writes_halted=halt)

    async def resume_writes(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Mirror the writes of a route again."""
        found = self._route(route_id)
        self._expect(expected_version)
        if not found.writes_halted:
            raise RefusedError(f"the writes of `{route_id}` are not halted")
        self.routes[route_id] = replace(found, writes_halted=None)
        return self._record("resume_writes", route_id, author, reason, {})

    async def deployed(
        self, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take note of another release of modern."""
        self._expect(expected_version)
        return self._record("deployed", None, author, reason, {})

    async def set_kill_switch(self, on: bool, *, author: str, reason: str) -> VersionRecord:
        """Turn the kill switch."""
        self.kill = on
        for name, found in self.routes.items():
            weight = 0 if on or found.rolled_back else found.weight_configured
            self.routes[name] = replace(found, weight_in_force=weight)
        return self._record("kill" if on else "unkill", None, author, reason, {})

    async def note_aside(
        self, action: str, *, author: str, reason: str, evidence: Mapping[str, Any]
    ) -> None:
        """Enter a change of an account."""
        self._note(action, author, reason, dict(evidence))

    async def versions(self, limit: int = 50, before: int | None = None) -> list[VersionRecord]:
        """List versions, newest first."""
        self._read()
        return [v for v in reversed(self.history) if before is None or v.number < before][:limit]

    async def version(self, number: int) -> VersionRecord:
        """One version."""
        self._read()
        for version in self.history:
            if version.number == number:
                return version
        raise NotFoundError(f"there is no version {number}")

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> list[DecisionRecord]:
        """List decisions, newest first."""
        self._read()
        found = [d for d in reversed(self.journal) if route is None or d.route == route]
        return [d for d in found if before is None or d.id < before][:limit]

    async def decision(self, decision_id: int) -> DecisionRecord:
        """One decision."""
        self._read()
        for decision in self.journal:
            if decision.id == decision_id:
                return decision
        raise NotFoundError(f"there is no decision {decision_id}")

    async def changed(self) -> AsyncIterator[int]:
        """Yield when something was decided, whichever thread did it."""
        seen = self.changes
        while True:
            await asyncio.sleep(0.01)
            if seen != self.changes:
                seen = self.changes
                yield self.number

    def take_back(
        self, route_id: str, author: str, reason: str, evidence: dict[str, Any]
    ) -> VersionRecord:
        """Roll a route back at once, as the detectors do."""
        now = self.clock()
        self.routes[route_id] = replace(
            self._route(route_id),
            phase="ROLLED_BACK",
            weight_in_force=0,
            weight_observed=0.0,
            rolled_back=RollbackStatus(now, author, reason, now + 600, evidence),
        )
        return self._record("rollback", route_id, author, reason, evidence)

    def _route(self, route_id: str) -> RouteStatus:
        if route_id not in self.routes:
            raise NotFoundError(f"there is no route `{route_id}`")
        return self.routes[route_id]

    def _expect(self, version: int | None) -> None:
        if version is not None and version != self.number:
            raise ConflictError(f"version {self.number} came before yours")

    def _read(self) -> None:
        if self.records_broken:
            raise OSError("disk full")

    def _note(self, action: str, author: str, reason: str, evidence: dict[str, Any]) -> None:
        """Enter what makes no version."""
        number = len(self.journal) + 1
        at = self.clock()
        self.journal.append(
            DecisionRecord(number, at, None, action, author, reason, self.number, evidence)
        )
        self.changes += 1

    def _record(
        self,
        action: str,
        route: str | None,
        author: str,
        reason: str,
        evidence: dict[str, Any],
        text: str | None = None,
    ) -> VersionRecord:
        parent = self.number
        self.number += 1
        weights = ", ".join(f"{r.id}: {r.weight_configured}" for r in self.routes.values())
        record = VersionRecord(
            number=self.number,
            parent=parent,
            at=self.clock(),
            author=author,
            reason=reason,
            text=f"{DOCUMENT}# weights now: {weights}\n" if text is None else text,
            rolled_back=tuple(r.id for r in self.routes.values() if r.rolled_back),
            kill_switch=self.kill,
            evidence=evidence,
        )
        self.history.append(record)
        self.journal.append(
            DecisionRecord(
                len(self.journal) + 1,
                record.at,
                route,
                action,
                author,
                reason,
                self.number,
                evidence,
            )
        )
        self.workers = [replace(worker, version=self.number) for worker in self.workers]
        self.changes += 1
        return record


LEGACY_BODY = """{"status":"ok","data":[
{"id":1,"name":"Basic","description":"Für kleine Teams","price":"9.90","currency":"EUR",\
"billing_cycle":"monthly","trial_days":14,"features":{"seats":1,"support":"email"},\
"is_active":1,"created_at":"2022-01-01 09:00:00"},
{"id":2,"name":"Team","description":"Bis 10 Plätze","price":"29.00","currency":"EUR",\
"billing_cycle":"monthly","trial_days":14,"features":{"seats":10,"support":"phone"},\
"is_active":1,"created_at":"2022-01-01 09:00:00"}],
"meta":{"total":2,"generated_at":"2026-11-23 16:40:12"}}"""
MODERN_BODY = (
    LEGACY_BODY.replace('"9.90"', "9.9")
    .replace('"29.00"', "29.5")
    .replace('"is_active":1', '"is_active":true')
    .replace('"support":"phone"', '"support":"phone","sla":"4h"')
)


def summary(name: str = "9f1c2ab4d0e17735", **changes: Any) -> SignatureSummary:
    """One group of differences, but for the changes."""
    now = time.time()
    base = SignatureSummary(
        id=name,
        route="plans",
        kinds=("value_changed",),
        paths=("$.data[*].price",),
        example_path="$.data[id=2].price",
        example_old='"29.00"',
        example_new="29.5",
        critical=True,
        count=412,
        compared=19_619,
        first_seen=now - 7_300,
        last_seen=now - 14,
        first_version=9,
        last_version=17,
    )
    return replace(base, **changes)


def sample(**changes: Any) -> Sample:
    """One exchange that differed, but for the changes."""
    headers = (("content-type", "application/json; charset=utf-8"),)
    base = Sample(
        at=time.time() - 14,
        request_id="01JDC8Z4T2V7",
        version=17,
        primary_side="legacy",
        curl="curl --path-as-is -X GET http://127.0.0.1:8080/api/plans -H 'accept: */*'",
        primary=KeptAnswer(200, (*headers, ("x-powered-by", "PHP/8.2")), LEGACY_BODY, False, 0.041),
        candidate=KeptAnswer(200, headers, MODERN_BODY, False, 0.012),
        differences=(
            KeptDifference("$.data[id=2].price", "value_changed", '"29.00"', "29.5"),
            KeptDifference("$.data[id=2].features.sla", "extra", None, '"4h"'),
        ),
    )
    return replace(base, **changes)


class FakeReport:
    """Stored comparisons, as they were put in."""

    def __init__(self) -> None:
        self.broken = False
        self.asked_for: list[Filters] = []
        self.details = [
            SignatureDetail(
                summary(),
                (sample(), sample(primary_side="modern")),
                tuple(Occurrences(time.time() - 3_600 * n, 40 + 30 * n) for n in (2, 1, 0)),
            ),
            SignatureDetail(
                summary(
                    "47aa10f3c2b9d811",
                    route="subscriptions.list",
                    kinds=("missing", "length_changed"),
                    paths=("$.data[*].history_url", "$.data[length]"),
                    example_old='"/api/billing/history?user_id=17"',
                    example_new=None,
                    critical=False,
                    count=14,
                    compared=1_197,
                ),
                (),
            ),
            SignatureDetail(
                summary(
                    "c0ffee00c0ffee00",
                    route="subscriptions.list",
                    kinds=("value_changed",),
                    paths=("status 200 -> 500",),
                    example_old="200",
                    example_new="500",
                    critical=True,
                    count=1,
                    compared=1_250,
                ),
                (),
            ),
        ]
        self.proposed = [
            Proposal(
                "plans",
                "ignore",
                "$.meta.at",
                {"path": "$.meta.at", "reason": "noise"},
                "of 40 answers that were asked for twice 40 differed from themselves here",
                {"baselines": 40, "disagreed": 40, "rate": 1.0},
            ),
            Proposal(
                "plans",
                "tolerances",
                "$.meta.clock",
                {"$.meta.clock": {"time": "60s"}},
                "by less than a minute",
            ),
        ]
        self.covered = [
            Coverage(
                match=1162,
                ignored=38,
                not_compared={"dropped": 5},
                ignored_by_reason={"rules": 38},
                route="plans",
                fired={"number_as_string": 1162},
                cells={("GET", "2xx"): Cell(1162, 38, 0, {"dropped": 5}, {"rules": 38})},
            ),
            Coverage(1087, 90, 14, {"timeout": 2}, route="subscriptions.list"),
        ]

    async def coverage(
        self,
        route: str | None = None,
        since: float | None = None,  # noqa: ARG002 - as the real one
    ) -> list[Coverage]:
        """Coverage of each route, or of one."""
        self._read()
        return [each for each in self.covered if route is None or each.route == route]

    async def signatures(
        self,
        filters: Filters = EVERY_GROUP,
        *,
        limit: int = 50,
        offset: int = 0,
        after: Cursor | None = None,
    ) -> list[SignatureSummary]:
        """Groups of differences."""
        self._read()
        self.asked_for.append(filters)
        found = [each.summary for each in self.details if _passes(each.summary, filters)]
        found.sort(key=_rank)
        if after is not None:
            found = [
                each for each in found if _rank(each) > (not after.critical, -after.count, after.id)
            ]
        return found[offset : offset + limit]

    async def signature(self, signature_id: str) -> SignatureDetail | None:
        """One group."""
        self._read()
        return next((d for d in self.details if d.summary.id == signature_id), None)

    async def occurrences(
        self, names: Collection[str], since: float
    ) -> dict[str, tuple[Occurrences, ...]]:
        """Hours in which groups were seen."""
        self._read()
        return {
            each.summary.id: tuple(seen for seen in each.occurrences if seen.at >= since)
            for each in self.details
            if each.summary.id in names
        }

    async def proposals(
        self, route: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> list[Proposal]:
        """Rules that are proposed."""
        self._read()
        found = [each for each in self.proposed if route is None or each.route == route]
        return found[offset : offset + limit]

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """One of them."""
        self._read()
        return next((each for each in self.proposed if each.id == proposal_id), None)

    async def mark(
        self, signature_id: str, state: State, *, author: str, reason: str, at: float, version: int
    ) -> SignatureSummary | None:
        """Say what was done about a group."""
        self._read()
        for place, detail in enumerate(self.details):
            if detail.summary.id == signature_id:
                marked = replace(
                    detail.summary,
                    state=state,
                    state_author=author,
                    state_reason=reason,
                    state_at=at,
                    state_version=version,
                )
                self.details[place] = replace(detail, summary=marked)
                return marked
        return None

    def _read(self) -> None:
        if self.broken:
            raise OSError("disk full")


def _rank(found: SignatureSummary) -> tuple[bool, int, str]:
    return not found.critical, -found.count, found.id


def _passes(found: SignatureSummary, filters: Filters) -> bool:
    """Whether a group is wanted, as the real report would have it."""
    seen = [found.example_old or "", found.example_new or "", found.example_path]
    searched = with_values(head_of(found.route, found.kinds, found.paths), seen)
    return (
        filters.route in (None, found.route)
        and filters.critical in (None, found.critical)
        and filters.state in (None, found.state)
        and (filters.kind is None or filters.kind in found.kinds)
        and (filters.since_version is None or found.first_version >= filters.since_version)
        and all(word in searched for word in filters.words)
    )
