from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.outcome import BadEvent, OutcomeKind, Tally
from proxy.rollout.breach import Verdict
from proxy.rollout.course import Cooling, NoPlan, Standing, Takes, Waiting
from proxy.rollout.detectors import Detectors
from proxy.rollout.gate import StepEvidence
from proxy.rollout.plan import Progress
from proxy.rollout.verdict import Measured, judge
from proxy.rollout.window import SideWindow
from proxy.rollout.window_rule import Compared
from proxy.routing.rules import Cohort, GateRules, Match, MirrorRules, RouteRules, StepRules
from proxy.routing.side import Side

ROUTE = RouteRules("plans", Match("/api/plans"), weight=1000, mirror=MirrorRules(1.0))
STEPS = (StepRules(0), StepRules(1000, until=GateRules(requests=100)), StepRules(10_000))


def seen(ok: int = 0, bad: int = 0, compared: int = 0, mismatches: int = 0) -> Measured:
    """Give measurements of modern."""
    window = SideWindow(60.0)
    window.add(Tally(ok=ok, bad=bad), 1000.0)
    events = [BadEvent(0.0, n, OutcomeKind.RESET, 0, 0.0, "GET", "/", "r") for n in range(bad)]
    detectors = Detectors(ROUTE.rollback)
    detectors.outcomes("modern", Tally(ok=ok, bad=bad, bad_events=events), 0.1, 1000.0)
    return Measured(window, Compared(compared, mismatches), detectors)


def replace_doubt(measured: Measured) -> Measured:
    """Give the same, measured while worker 1 has said nothing."""
    return measured._replace(doubt="worker 1 has said nothing for 9 s")


def standing(measured: Measured, cooling: Cooling | None = None) -> Standing:
    """Stand on a step for 100 s, in which all of this was seen."""
    modern, compared = measured.modern, measured.compared
    step = StepEvidence(100.0, modern.requests, modern.bad, compared.pairs, compared.mismatches)
    return Standing(Progress(), step, cooling=cooling)


@pytest.mark.parametrize(
    ("weight", "measured", "verdict", "reason"),
    [
        (1000, seen(ok=100), Verdict.ADVANCE, "step 2 of 3 is satisfied; the next is 100%"),
        (1000, seen(ok=40), Verdict.HOLD, "step 2 of 3 needs 60 more requests on modern"),
        (1000, seen(), Verdict.HOLD, "step 2 of 3 needs 100 more requests on modern"),
        (10_000, seen(ok=20), Verdict.HOLD, "step 3 of 3, the last; nothing more to wait for"),
        (2500, seen(ok=9), Verdict.HOLD, "the weight is on no step of the plan"),
        (1000, seen(ok=10, bad=10), Verdict.ROLLBACK, "error rate of 50.0%"),
        (1000, seen(bad=9), Verdict.ROLLBACK, "9 of 9 requests to modern failed: this proves"),
        (1000, seen(bad=6), Verdict.HOLD, "6 of 6 requests to modern failed: this speaks for"),
        (1000, replace_doubt(seen(ok=100)), Verdict.HOLD, "worker 1 has said nothing"),
        (1000, replace_doubt(seen(bad=9)), Verdict.ROLLBACK, "9 of 9 requests"),
        (1000, seen(compared=50, mismatches=9), Verdict.ROLLBACK, "18.0% of 50 comparisons"),
        (0, seen(compared=50, mismatches=9), Verdict.HOLD, "18.0% of 50 comparisons"),
        (0, seen(bad=50), Verdict.HOLD, "error rate of 100.0%"),
    ],
)
def test_judgement(weight: int, measured: Measured, verdict: Verdict, reason: str) -> None:
    """Evidence is needed to advance and to go back; everything else holds, with its reason."""
    judgement = judge(replace(ROUTE, weight=weight), STEPS, measured, standing(measured))
    assert judgement.verdict is verdict
    assert judgement.reason.startswith(reason)
    if verdict is Verdict.ROLLBACK:
        assert judgement.breach is not None
    assert isinstance(judgement.course, Takes) == (verdict is Verdict.ADVANCE)


def test_rolled_back_route_is_not_judged_again() -> None:
    """What is rolled back waits, whatever is measured."""
    measured = seen(bad=100)
    at = standing(measured, Cooling(0.0, 0.0, 0, automatic=False))
    judgement = judge(ROUTE, STEPS, measured, at)
    assert judgement.verdict is Verdict.HOLD
    assert judgement.course == Waiting(0.0, 0)
    assert "resumed" in judgement.reason


def test_without_a_plan() -> None:
    """A route without a plan has nothing to advance to."""
    judgement = judge(ROUTE, (), seen(ok=1000), standing(seen(ok=1000)))
    assert (judgement.verdict, judgement.course) == (Verdict.HOLD, NoPlan())


@pytest.mark.parametrize(
    ("side", "verdict"), [(Side.MODERN, Verdict.ROLLBACK), (Side.LEGACY, Verdict.HOLD)]
)
def test_a_cohort_on_modern_is_taken_back_like_a_weight(side: Side, verdict: Verdict) -> None:
    """At weight 0 a breach is what shadowing is for, unless modern serves a cohort."""
    cohort = Cohort("staff", side, "header:x-group", ("staff",))
    measured = seen(ok=50, bad=50)
    route = replace(ROUTE, weight=0, cohorts=(cohort,))
    assert judge(route, (), measured, standing(measured)).verdict is verdict
