from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.calendar import Closed
from proxy.rollout.gate import Opening, Pace, StepEvidence, duration, wants, words
from proxy.routing.rules import GateRules, Match, MirrorRules, RollbackRules, RouteRules, StepRules

ROUTE = RouteRules("plans", Match("/api/plans"), weight=1000, mirror=MirrorRules(1.0))
PACE = Pace(requests=2.0, comparisons=0.5)


def step(
    weight: int = 1000, hold: float = 0.0, approval: bool = False, **until: float
) -> StepRules:
    """Give a step with such a gate; without one for requests it asks for none."""
    gate = {"requests": 0, "compared": 0, **until}
    return StepRules(weight, hold, until=GateRules(**gate), approval=approval)  # type: ignore[arg-type] # counts are whole floats


def missing(rules: StepRules, seen: StepEvidence, route: RouteRules = ROUTE) -> list[str]:
    """Say what is missing."""
    return [words(want, PACE) for want in wants(route, rules, seen)]


@pytest.mark.parametrize(
    ("rules", "seen", "waits"),
    [
        (step(), StepEvidence(), []),
        (step(hold=900.0), StepEvidence(0.0), ["15 min more on this step"]),
        (step(hold=900.0), StepEvidence(860.0), ["40 s more on this step"]),
        (step(hold=900.0), StepEvidence(900.0), []),
        (step(requests=1000), StepEvidence(requests=400),
         ["600 more requests on modern, about 5 min"]),
        (step(requests=1000), StepEvidence(requests=1000), []),
        (step(compared=10), StepEvidence(compared=9), ["1 more comparison, about 2 s"]),
        (step(error_rate=0.01), StepEvidence(),
         ["299 more requests on modern without a failure, to prove at most 1% (0 of 0 failed),"
          " about 2.5 min"]),
        (step(error_rate=0.01), StepEvidence(requests=299), []),
        (step(error_rate=0.01), StepEvidence(requests=299, bad=1),
         ["174 more requests on modern without a failure, to prove at most 1% (1 of 299 failed),"
          " about 1.5 min"]),
        (step(error_rate=0.01, requests=5000), StepEvidence(requests=299, bad=1),
         ["4,701 more requests on modern, about 39.2 min"]),
        (step(mismatch_rate=0.005), StepEvidence(compared=100),
         ["498 more comparisons without a difference, to prove at most 0.5% (0 of 100 differ),"
          " about 16.6 min"]),
        (step(mismatch_rate=0.005), StepEvidence(compared=598), []),
        (step(approval=True), StepEvidence(), ["an approval by hand"]),
    ],
)  # fmt: skip
def test_what_is_missing(rules: StepRules, seen: StepEvidence, waits: list[str]) -> None:
    """A gate names what is missing, and how long that takes; nothing once it is satisfied."""
    assert missing(rules, seen) == waits


def test_nothing_comes_in() -> None:
    """Without traffic there is no telling when, and the words do not pretend."""
    [want] = wants(ROUTE, step(requests=3), StepEvidence())
    assert words(want, Pace()) == "3 more requests on modern, and none come in"


def test_a_step_that_asks_for_nothing_needs_something_all_the_same() -> None:
    """Missing data is never a pass: requests where modern serves, comparisons where it does not."""
    bare = StepRules(1000, hold=60.0)
    held = StepEvidence(held=60.0)
    assert missing(bare, held) == ["20 more requests on modern, about 10 s"]
    assert missing(bare, replace(held, requests=20)) == []
    shadow = replace(bare, weight=0)
    assert missing(shadow, replace(held, requests=20)) == ["20 more comparisons, about 40 s"]
    fewer = replace(ROUTE, rollback=RollbackRules(min_requests=3))
    assert missing(shadow, replace(held, compared=3), fewer) == []


def test_where_nothing_is_mirrored_nothing_is_known() -> None:
    """A first step at 0% without a mirror cannot be left by evidence, and says so."""
    unseen = replace(ROUTE, mirror=MirrorRules())
    [told] = missing(StepRules(0), StepEvidence(), unseen)
    assert told.startswith("comparisons, and nothing is mirrored")
    assert missing(step(0), StepEvidence(), unseen) == []  # who writes 0 wants to know nothing


def test_an_approval_that_was_given_is_missing_no_more() -> None:
    """A person's word is one of the things a step may wait for."""
    assert wants(ROUTE, step(approval=True), StepEvidence(), approved=True) == ()


def test_the_calendar_in_words() -> None:
    """It says when it opens, and by what rule it is closed."""
    told = words(Opening(Closed("a freeze (holidays)", 9e9), 5400.0), PACE)
    assert told == "the calendar to open in 1.5 h: a freeze (holidays)"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "1 s"),
        (59.5, "60 s"),
        (60, "1 min"),
        (150, "2.5 min"),
        (5400, "1.5 h"),
        (2e5, "2.4 d"),
    ],
)
def test_duration(seconds: float, told: str) -> None:
    """Lengths of time are told in their largest unit, and never as less than they are."""
    assert duration(seconds) == told


COUNTS = st.integers(0, 5000)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.floats(0, 1e4), st.integers(0, 1) | st.just(1000))
def test_a_failure_or_a_difference_never_opens_a_gate(
    requests: int, bad: int, compared: int, differ: int, held: float, weight: int
) -> None:
    """More of what is bad leaves as much missing, or more; more time and more good never do."""
    rules = StepRules(
        weight, 900.0, until=GateRules(1000, 1000, error_rate=0.02, mismatch_rate=0.01)
    )
    seen = StepEvidence(held, requests + bad, bad, compared + differ, differ)
    now = wants(ROUTE, rules, seen)
    worse = replace(seen, requests=seen.requests + 1, bad=bad + 1)
    assert wants(ROUTE, rules, worse) != () or now == ()
    assert not (now and not wants(ROUTE, rules, worse)) or seen.requests < 1000
    better = replace(seen, held=held + 1, requests=seen.requests + 1, compared=seen.compared + 1)
    assert len(wants(ROUTE, rules, better)) <= len(now)
