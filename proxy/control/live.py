"""What is measured of one route while the controller runs."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import Any, NamedTuple

from proxy.control.customers import Customers
from proxy.control.moments import Moments
from proxy.control.status import Rollback
from proxy.observe.masking import masked_path
from proxy.outcome import BadEvent, ComparisonCount, PairEvent, PairKind, Tally
from proxy.rollout.breach import Verdict
from proxy.rollout.calendar import Closed
from proxy.rollout.course import Cooling, Standing
from proxy.rollout.detectors import Detectors
from proxy.rollout.gate import WATCHED_GAP, Pace, StepEvidence
from proxy.rollout.plan import Progress
from proxy.rollout.slowness import SlowLimit
from proxy.rollout.verdict import Judgement, Measured, judge
from proxy.rollout.window import SideWindow, SlidingCounts
from proxy.rollout.window_rule import Compared
from proxy.routing.rules import WEIGHT_MAX, RouteRules, Rules, StepRules
from proxy.routing.side import Side

log = logging.getLogger(__name__)

SAMPLES_MAX = 10
MISMATCH = "mismatch"
NOT_COMPARED = "not_compared"

NOTHING_YET = Judgement(Verdict.HOLD, "nothing measured yet")
NONE_COMPARED = Compared(0, 0)
BY_HAND = Standing(Progress(), StepEvidence())
"""Where a route without a plan stands, unless it is rolled back: nothing of it is asked for."""

JUDGED_AT_LEAST_EVERY = 1.0
JUDGED_AT_MOST_EVERY = 0.2
"""Seconds: time alone may satisfy a gate; and good news, of which there is always some, can wait
for the rest of it. Failures and differences are judged as soon as they come."""


class World(NamedTuple):
    """What holds for all routes alike: calendar, kill switch, and whether anybody reports.

    `opens` is seconds until the calendar opens, if it is `closed`. While workers are not heard of,
    nothing is watched, and no time passes for any plan. `doubt` says why no route should go on.
    """

    closed: Closed | None = None
    opens: float = 0.0
    killed: bool = False
    watched: bool = True
    doubt: str | None = None


class Position(NamedTuple):
    """Where one route stands by the version in force."""

    progress: Progress
    rollback: Rollback | None
    world: World = World()


class SideTotals:
    """Counts of one side since the controller started."""

    __slots__ = (
        "aborted", "bad", "client_errors", "decided", "denied", "latencies", "ok", "rejected",
        "served", "slow",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ok = self.bad = self.aborted = self.rejected = self.served = self.client_errors = 0
        self.decided = self.slow = self.denied = 0
        self.latencies: dict[int, int] = {}

    def add(self, tally: Tally) -> None:
        """Count one tally."""
        self.decided += tally.decided
        self.slow += tally.slow
        self.denied += tally.denied
        self.ok += tally.ok
        self.bad += tally.bad
        self.aborted += tally.aborted
        self.rejected += tally.rejected
        self.served += tally.served
        self.client_errors += tally.client_errors
        latencies = self.latencies
        for bucket, count in tally.latencies.items():
            latencies[bucket] = latencies.get(bucket, 0) + count


class Totals:
    """Counts of one route since the controller started, for metrics; never reset."""

    def __init__(self) -> None:
        self.sides: dict[str, SideTotals] = {}
        self.fallbacks = 0
        self.comparisons: Counter[tuple[str, str]] = Counter()
        self.dropped: Counter[str] = Counter()
        self.rollbacks: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        """Events that count, as `Detectors.counted` names them; and customers (see `Customers`)."""

    def add(self, side: str, tally: Tally) -> None:
        """Count one tally."""
        totals = self.sides.get(side)
        if totals is None:
            totals = self.sides[side] = SideTotals()
        totals.add(tally)
        self.fallbacks += tally.fallbacks

    @property
    def outcomes(self) -> dict[tuple[str, str], int]:
        """Attempts by side and how they ended."""
        return {
            (side, outcome): count
            for side, totals in self.sides.items()
            for outcome, count in (
                ("ok", totals.ok),
                ("bad", totals.bad),
                ("client_error", totals.client_errors),
                ("aborted", totals.aborted),
                ("rejected", totals.rejected),
            )
        }


class LiveRoute:
    """One route: its rules, its windows, its evidence, its judgement. Times are monotonic seconds.

    Evidence counts only what was seen under rules version `since_version` or later: a worker that
    still reports on the state before a reset says nothing about the state after it. From `due` on
    it is to be judged. `obstacle` says why the next step of its plan could not be taken, if so.
    """

    def __init__(self, route: RouteRules, rules: Rules, version: int, now: float) -> None:
        self.totals = Totals()
        self.moments = Moments()
        self._customers: Customers | None = None
        self.frozen_until = 0.0
        self.obstacle = ""
        self.entered = 0
        self.cooled = 0.0
        self._cooling: float | None = None
        self._watched_at: float | None = None
        self.reset(route, rules, version, now)

    def reset(self, route: RouteRules, rules: Rules, version: int, now: float) -> None:
        """Begin measuring anew."""
        span = route.rollback.window
        self.route = route
        self.since_version = version
        self.sides = {side.value: SideWindow(span) for side in Side}
        self.coverage: SlidingCounts[tuple[str, str]] = SlidingCounts(span)
        self.detectors = Detectors(route.rollback, self.totals.counted)
        self.limit = SlowLimit(route.rollback)
        self.samples: deque[BadEvent | PairEvent] = deque(maxlen=SAMPLES_MAX)
        self.judgement = NOTHING_YET
        self.due = self._judged = now
        self._conditions = _conditions(route, rules)
        self.steps = _steps(route, rules)
        self.step = StepEvidence()

    def follow(self, route: RouteRules, rules: Rules, version: int, now: float) -> None:
        """Take the route as it is written now.

        Evidence is kept over a change of weight, and begins anew when what is measured, or against
        what, has changed.
        """
        if _conditions(route, rules) != self._conditions:
            self.reset(route, rules, version, now)
        elif route.weight != self.route.weight:
            self.note(now)
            self.detectors.step(raised=route.weight > self.route.weight, now=now)
        self.route = route
        self.steps = _steps(route, rules)
        self.due = now

    def add_outcomes(self, side: str, tally: Tally, version: int, now: float) -> None:
        """Take what a worker saw of one side."""
        tells = tally.bad or tally.slow or tally.denied
        if tells:
            self.note(now)
        self.totals.add(side, tally)
        if version >= self.since_version and side in self.sides:
            self._see(side, tally, now)
        if tells:
            self.note(now)

    def _see(self, side: str, tally: Tally, now: float) -> None:
        self.due = now if tally.bad else min(self.due, self._judged + JUDGED_AT_MOST_EVERY)
        self.sides[side].add(tally, now)
        counted = self.detectors.outcomes(side, tally, self.route.weight / WEIGHT_MAX, now)
        if counted:
            self.samples.extend(counted)
            self.due = now
        if side == Side.MODERN:
            self.step.requests += tally.ok + tally.bad
            self.step.bad += tally.bad

    def add_comparisons(self, count: ComparisonCount, version: int, now: float) -> None:
        """Take what a shadow worker judged."""
        key = (count.verdict, count.reason)
        self.totals.comparisons[key] += count.count
        if version < self.since_version:
            return
        self.due = now
        self.coverage.add({key: count.count}, now)
        if count.verdict != NOT_COMPARED:
            self.step.compared += count.count
            self.step.mismatches += count.count if count.verdict == MISMATCH else 0

    def add_pairs(self, alike: int, pairs: Sequence[PairEvent], version: int, now: float) -> None:
        """Take how many comparisons came out alike, and the pairs that are evidence meanwhile."""
        if version < self.since_version:
            return
        counted = self.detectors.comparisons(alike, pairs, now)
        if counted:
            self.samples.extend(counted)
            self.due = now
            self._count_customers(counted, now)
        if pairs:
            self.note(now)

    def note(self, now: float) -> None:
        """Keep apart, for `simulate`, what came until now from what comes after."""
        self.moments.note(now, self.route.weight, self.totals)

    @property
    def critical_place(self) -> str:
        """Where answers differed last that may not, "" if never."""
        return "" if self._customers is None else self._customers.place

    def _count_customers(self, pairs: Sequence[PairEvent], now: float) -> None:
        for pair in pairs:
            if pair.kind is PairKind.CRITICAL:
                if self._customers is None:
                    self._customers = Customers(self.totals.counted)
                self._customers.count(pair, now)

    def add_baselines(self, baselines: int, differed: int, version: int) -> None:
        """Take how often the primary's side was compared with itself, and how often it differed."""
        if version >= self.since_version:
            self.detectors.noise(baselines, differed)

    def add_dropped(self, reasons: Mapping[str, int], version: int, now: float) -> None:
        """Take captures that were dropped: seen in the coverage, and never judged by."""
        self.totals.dropped.update(reasons)
        if version >= self.since_version:
            dropped = {(NOT_COMPARED, reason): number for reason, number in reasons.items()}
            self.coverage.add(dropped, now)

    def judge(self, now: float, at: Position) -> Judgement:
        """Let go of what is too old, and look at the rest."""
        for side in self.sides.values():
            side.expire(now)
        self.coverage.expire(now)
        self._watch(now, at)
        if self.limit.is_measured:
            self.limit.look(self.sides[Side.LEGACY.value], now)
        self.detectors.slow_limit = self.limit.seconds
        measured = Measured(
            self.sides[Side.MODERN.value],
            self.compared,
            self.detectors,
            self.sides[Side.LEGACY.value],
            at.world.doubt,
        )
        planned = self.steps or at.rollback is not None
        standing = self.standing(now, at) if planned else BY_HAND
        self.judgement = judge(self.route, self.steps, measured, standing)
        return self.judgement

    def _watch(self, now: float, at: Position) -> None:
        """Let time pass, by no clock that jumps: on a step only as far as it was watched."""
        if at.progress.entered != self.entered:
            self.entered, self.step, self.obstacle = at.progress.entered, StepEvidence(), ""
        if at.rollback is not None and at.rollback.at != self._cooling:
            self._cooling, self.cooled = at.rollback.at, 0.0
        passed = 0.0 if self._watched_at is None else now - self._watched_at
        self._watched_at = now
        if at.rollback is not None:
            self.cooled += passed
        elif passed <= WATCHED_GAP and at.world.watched and not at.world.killed:
            self.step.held += passed

    def standing(self, now: float, at: Position) -> Standing:
        """Give where the route stands, with what was measured there."""
        rollback, cooling = at.rollback, None
        if rollback is not None:
            cooling = Cooling(rollback.cooldown, self.cooled, rollback.times, rollback.automatic)
        world = at.world
        return Standing(
            progress=at.progress,
            seen=self.step,
            pace=self.pace(now),
            closed=world.closed,
            opens=world.opens,
            cooling=cooling,
            killed=world.killed,
            obstacle=self.obstacle,
        )

    def pace(self, now: float) -> Pace:
        """How fast evidence has been coming in within the window."""
        modern = self.sides[Side.MODERN.value]
        watched = min(self.coverage.span, max(1.0, self.step.held))
        return Pace(modern.per_second(now), self.compared.pairs / watched)

    def kept(self) -> dict[str, Any]:
        """Give what is to survive this controller, as JSON-able values."""
        step = {"entered": self.entered, **asdict(self.step)}
        cooling = {"at": self._cooling, "seconds": self.cooled}
        return {"step": step, "cooling": cooling, **self._kept_evidence()}

    def _kept_evidence(self) -> dict[str, Any]:
        """Give the evidence with what it is about; nothing while there is none."""
        detectors = self.detectors.kept()
        return {} if detectors is None else {"detectors": detectors, "about": self._about()}

    def _about(self) -> list[Any]:
        """Give what evidence depends on, so that it is told from evidence about something else."""
        digest = blake2b(repr(self._conditions).encode(), digest_size=8).hexdigest()
        return [digest, self.entered, self._cooling]

    def restore(self, kept: Mapping[str, Any], at: Position, now: float) -> None:
        """Take up what another controller has kept, as far as it is about the same position.

        Evidence that is about other conditions, or cannot be read, begins anew.
        """
        step, cooling = dict(kept.get("step", {})), kept.get("cooling", {})
        if step.pop("entered", None) == at.progress.entered:
            self.entered, self.step = at.progress.entered, StepEvidence(**step)
        if at.rollback is not None and cooling.get("at") == at.rollback.at:
            self._cooling, self.cooled = at.rollback.at, float(cooling["seconds"])
        if kept.get("about") == self._about():
            self._restore_detectors(kept.get("detectors"), now)

    def _restore_detectors(self, kept: Any, now: float) -> None:
        """Take up evidence, or begin anew and say so."""
        found = Detectors(self.route.rollback, self.totals.counted)
        try:
            found.restore(kept, now)
        except ValueError as error:
            log.warning("the evidence about %s begins anew: %s", self.route.id, error)
            return
        self.detectors = found

    def put_off(self, now: float) -> None:
        """Note that the route has just been judged."""
        self._judged, self.due = now, now + JUDGED_AT_LEAST_EVERY

    @property
    def is_idle(self) -> bool:
        """Whether its windows are empty."""
        sides = self.sides.values()
        return not self.coverage.totals and not any(s.requests or s.decided for s in sides)

    @property
    def compared(self) -> Compared:
        """Comparisons within the window."""
        pairs = mismatches = 0
        if not self.coverage.totals:
            return NONE_COMPARED
        for (verdict, _), count in self.coverage.totals.items():
            if verdict != NOT_COMPARED:
                pairs += count
                mismatches += count if verdict == MISMATCH else 0
        return Compared(pairs, mismatches)

    @property
    def by_verdict(self) -> Counter[str]:
        """Comparisons within the window, by how they ended."""
        found: Counter[str] = Counter()
        for (verdict, _), count in self.coverage.totals.items():
            found[verdict] += count
        return found

    @property
    def not_compared(self) -> dict[str, int]:
        """Pairs within the window that were not compared, by reason."""
        totals = self.coverage.totals
        return {reason: n for (verdict, reason), n in totals.items() if verdict == NOT_COMPARED}

    def redacted_samples(self) -> list[dict[str, Any]]:
        """Give the last bad events without what could name a person: no query, no identity."""
        route = self.route.match.path
        return [
            _pair(each, route) if isinstance(each, PairEvent) else _event(each, route)
            for each in self.samples
        ]


def _event(event: BadEvent, route: str) -> dict[str, Any]:
    return {
        "at": event.at,
        "method": event.method,
        "path": masked_path(event.path, route),
        "kind": event.kind.value,
        "status": event.status,
        "latency": event.latency,
        "request_id": event.request_id,
    }


def _pair(pair: PairEvent, route: str) -> dict[str, Any]:
    return {
        "at": pair.at,
        "method": pair.method,
        "path": masked_path(pair.path, route),
        "kind": pair.kind.value,
        "status": pair.modern,
        "legacy_status": pair.legacy,
        "place": pair.place,
        "request_id": pair.request_id,
    }


def _conditions(route: RouteRules, rules: Rules) -> object:
    """Everything on which the measurements of a route depend: all of it but weight and place."""
    return replace(route, weight=0, line=0, plan=None), rules.modern


def _steps(route: RouteRules, rules: Rules) -> tuple[StepRules, ...]:
    return dict(rules.plans).get(route.plan or "", ())
