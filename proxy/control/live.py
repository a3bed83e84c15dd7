"""What is measured of one route while the controller runs."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import Any

from proxy.outcome import BadEvent, ComparisonCount, Tally
from proxy.rollout.detectors import Compared
from proxy.rollout.evidence import AbsoluteEvidence, FirstPerIdentity
from proxy.rollout.gate import StepEvidence
from proxy.rollout.verdict import Judgement, Measured, Verdict, judge
from proxy.rollout.window import SideWindow, SlidingCounts
from proxy.routing.rules import RouteRules, Rules, StepRules
from proxy.routing.side import Side

SAMPLES_MAX = 10
NOT_COMPARED = "not_compared"

JUDGED_AT_LEAST_EVERY = 1.0
JUDGED_AT_MOST_EVERY = 0.2
"""Seconds: time alone may satisfy a gate; and good news, of which there is always some, can wait
for the rest of it. Failures and differences are judged as soon as they come."""


class Totals:
    """Counts of one route since the controller started, for metrics; never reset."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.served: Counter[str] = Counter()
        self.fallbacks = 0
        self.latencies: dict[str, Counter[int]] = {side.value: Counter() for side in Side}
        self.comparisons: Counter[tuple[str, str]] = Counter()
        self.dropped: Counter[str] = Counter()
        self.rollbacks: Counter[str] = Counter()

    def add(self, side: str, tally: Tally) -> None:
        """Count one tally."""
        self.outcomes[side, "ok"] += tally.ok
        self.outcomes[side, "bad"] += tally.bad
        self.outcomes[side, "aborted"] += tally.aborted
        self.outcomes[side, "rejected"] += tally.rejected
        self.served[side] += tally.served
        self.fallbacks += tally.fallbacks
        self.latencies.setdefault(side, Counter()).update(tally.latencies)


class LiveRoute:
    """One route: its rules, its windows, its evidence, its judgement. Times are monotonic seconds.

    Evidence counts only what was seen under rules version `since_version` or later: a worker that
    still reports on the state before a reset says nothing about the state after it.
    """

    def __init__(self, route: RouteRules, rules: Rules, version: int, now: float) -> None:
        self.totals = Totals()
        self.frozen_until = 0.0
        self.reset(route, rules, version, now)

    def reset(self, route: RouteRules, rules: Rules, version: int, now: float) -> None:
        """Begin measuring anew."""
        span = route.rollback.window
        self.route = route
        self.since_version = version
        self.sides = {side.value: SideWindow(span) for side in Side}
        self.coverage: SlidingCounts[tuple[str, str]] = SlidingCounts(span)
        self.evidence = AbsoluteEvidence(route.rollback.error_rate)
        self.samples: deque[BadEvent] = deque(maxlen=SAMPLES_MAX)
        self.judgement = Judgement(Verdict.HOLD, "nothing measured yet")
        self._news, self._pressing, self._judged = True, True, now
        self._identities = FirstPerIdentity()
        self._conditions = _conditions(route, rules)
        self._steps = _steps(route, rules)
        self.step = StepEvidence(now)

    def follow(self, route: RouteRules, rules: Rules, version: int, now: float) -> None:
        """Take the route as it is written now.

        Evidence is kept over a change of weight, and begins anew when what is measured, or against
        what, has changed.
        """
        if _conditions(route, rules) != self._conditions:
            self.reset(route, rules, version, now)
        elif route.weight != self.route.weight:
            self.step = StepEvidence(now)
        self.route = route
        self._steps = _steps(route, rules)
        self._news = self._pressing = True

    def add_outcomes(self, side: str, tally: Tally, version: int, now: float) -> None:
        """Take what a worker saw of one side."""
        self.totals.add(side, tally)
        if version < self.since_version or side not in self.sides:
            return
        self._news = True
        self._pressing |= tally.bad > 0
        self.sides[side].add(tally, now)
        if side == Side.MODERN:
            events = [e for e in tally.bad_events if self._identities.admit(e.identity, now)]
            self.samples.extend(events)
            self.evidence.add(tally.ok, len(events))
            self.step.requests += tally.ok + tally.bad
            self.step.bad += tally.bad

    def add_comparisons(self, count: ComparisonCount, version: int, now: float) -> None:
        """Take what a shadow worker judged."""
        key = (count.verdict, count.reason)
        self.totals.comparisons[key] += count.count
        if version < self.since_version:
            return
        self._news = self._pressing = True
        self.coverage.add({key: count.count}, now)
        if count.verdict != NOT_COMPARED:
            self.step.compared += count.count
            self.step.mismatches += count.count if count.verdict == "mismatch" else 0

    def is_due(self, now: float) -> bool:
        """Let go of what is too old, and say, once for each change, that it is time to judge."""
        for side in self.sides.values():
            self._news |= side.expire(now)
        self._news |= self.coverage.expire(now)
        since = now - self._judged
        if not self._pressing and since < (
            JUDGED_AT_MOST_EVERY if self._news else JUDGED_AT_LEAST_EVERY
        ):
            return False
        self._news, self._pressing, self._judged = False, False, now
        return True

    def judge(self, now: float, *, rolled_back: bool) -> Judgement:
        """Look at everything now."""
        measured = Measured(
            self.sides[Side.MODERN.value], self.compared, self.evidence, self.step, now
        )
        self.judgement = judge(self.route, self._steps, measured, rolled_back=rolled_back)
        return self.judgement

    @property
    def compared(self) -> Compared:
        """Comparisons within the window."""
        by_verdict = self.by_verdict
        pairs = by_verdict.total() - by_verdict[NOT_COMPARED]
        return Compared(pairs, by_verdict["mismatch"])

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
        return [
            {
                "at": event.at,
                "method": event.method,
                "path": event.path.partition("?")[0],
                "kind": event.kind.value,
                "status": event.status,
                "latency": event.latency,
                "request_id": event.request_id,
            }
            for event in self.samples
        ]


def _conditions(route: RouteRules, rules: Rules) -> object:
    """Everything on which the measurements of a route depend: all of it but weight and place."""
    return replace(route, weight=0, line=0, plan=None), rules.modern


def _steps(route: RouteRules, rules: Rules) -> tuple[StepRules, ...]:
    return dict(rules.plans).get(route.plan or "", ())
