from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.control.interval import EVERY_ROUTE, Interval, SideCounts
from proxy.control.loaded import LoadedRules
from proxy.control.simulate import Simulation, simulate
from proxy.outcome import latency_bucket
from proxy.routing.schema import load_rules

POLICY = """\
version: 1
upstreams: {legacy: {instances: ["http://a:1"]}, modern: {instances: ["http://a:2"]}}
defaults: {rollback: {cooldown: 2m, min_requests: 20}}
plans:
  p:
    - {weight: 0%, until: {compared: 100}}
    - {weight: 10%, hold: 3m, until: {requests: 50}}
    - {weight: 50%, hold: 1m}
    - {weight: 100%}
routes:
  - {id: plans, match: {path: /plans}, weight: 0%, plan: p, mirror: {share: 100%}}
  - {id: rest, match: {path: /*}}
"""
START = 1_790_000_000.0


def play(recorded: list[Interval], policy: str = POLICY) -> Simulation:
    """Play a policy on what was recorded."""
    return simulate(LoadedRules(policy, *load_rules(policy, "policy")), recorded)


def minute(number: int, bad: int = 0, modern: int = 120, **changes: object) -> Interval:
    """Give a minute in which each side answered, and some of modern's answers were bad."""
    fast = {latency_bucket(0.02): modern}
    seen = SideCounts(modern - bad, bad, modern - bad, bad, fast)
    legacy = SideCounts(1000, 0, 1000, 0, {latency_bucket(0.05): 1000})
    found = Interval(
        "plans", START + 60 * number, 60.0, 1, 1000, legacy, seen, {"match": 60, "mismatch": 0}
    )
    return replace(found, **changes)  # type: ignore[arg-type] # names of its own fields


def told(found: Simulation) -> list[tuple[str, int, int, float]]:
    """Give the moves, each with the minute in which it came."""
    return [(m.action, m.before, m.after, (m.at - START) / 60) for m in found.moves]


def test_a_good_day() -> None:
    """Steps come when their gates are satisfied by what was recorded, to five seconds."""
    found = play([minute(n) for n in range(1, 12)])
    assert [move[:3] for move in told(found)] == [
        ("advance", 0, 1000), ("advance", 1000, 5000), ("advance", 5000, 10_000),
    ]  # fmt: skip
    times = [move[3] for move in told(found)]
    assert 1.5 < times[0] < 1.8  # 100 comparisons at 60 a minute
    assert times[1] == pytest.approx(times[0] + 3.0, abs=0.2)
    assert times[2] == pytest.approx(times[1] + 1.0, abs=0.3)
    [ending, _] = found.endings
    assert (ending.route, ending.weight, ending.minutes) == ("plans", 10_000, 11)


def test_a_bad_hour_is_taken_back() -> None:
    """With the sentence that the controller would have said; and nobody is there to resume."""
    found = play([*(minute(n) for n in range(1, 4)), *(minute(n, bad=60) for n in range(4, 30))])
    assert [move[:3] for move in told(found)] == [("advance", 0, 1000), ("rollback", 1000, 0)]
    assert 3.0 < told(found)[1][3] < 3.5
    assert "modern" in found.moves[1].reason or "error rate" in found.moves[1].reason
    assert found.endings[0].reason.startswith("rolled back; waits to be resumed")


def test_a_policy_that_resumes_by_itself() -> None:
    """As often as it says, after the cool-down of the policy, from its first step."""
    policy = POLICY.replace("cooldown: 2m", "cooldown: 2m, auto_resume: 1")
    found = play([minute(n, bad=60 if n > 3 else 0) for n in range(1, 40)], policy)
    actions = [move[0] for move in told(found)]
    assert actions == ["advance", "rollback", "resume", "advance", "rollback"]
    assert told(found)[2][3] == pytest.approx(told(found)[1][3] + 2.0, abs=0.2)


def test_a_policy_that_freezes() -> None:
    """The weight stays, and it is said once in a cool-down."""
    policy = POLICY.replace("plan: p,", "plan: p, on_breach: freeze,")
    found = play([minute(n, bad=60 if n > 3 else 0) for n in range(1, 8)], policy)
    assert [move[0] for move in told(found)] == ["advance", "freeze", "freeze"]
    assert found.endings[0].weight == 1000


def test_what_nobody_saw_is_no_evidence() -> None:
    """Without answers of modern no step beyond the shadow; without comparisons not even that."""
    unseen = [minute(n, modern=0) for n in range(1, 30)]
    assert [move[:3] for move in told(play(unseen))] == [("advance", 0, 1000)]
    found = play([replace(each, comparisons={}) for each in unseen])
    assert found.moves == ()
    assert "more comparisons" in found.endings[0].reason


def test_idle_minutes_that_were_watched_count() -> None:
    """A minute in which somebody watched and nothing came holds a step; one unrecorded does not."""
    watched = [Interval(EVERY_ROUTE, START + 60.0 * n, 60.0) for n in range(1, 30)]
    busy = [minute(n) for n in (1, 2, 3, 20)]
    moves = told(play([*watched, *busy]))
    assert [move[:2] for move in moves] == [("advance", 0), ("advance", 1000), ("advance", 5000)]
    assert 4.5 < moves[1][3] < 5.0  # its 50 requests were there, and the time went on
    assert play(busy).endings[0].weight == 1000


def test_the_calendar_of_the_policy() -> None:
    """Is a part of it."""
    frozen = "calendar: {zone: UTC, freeze: [{from: 2026-09-01, to: 2026-10-31, reason: no}]}\n"
    found = play([minute(n) for n in range(1, 10)], POLICY + frozen)
    assert found.moves == ()
    assert "a freeze (no)" in found.endings[0].reason


def test_a_route_that_the_policy_does_not_know() -> None:
    """Is left out; a route that was not recorded stands where it stood."""
    found = play([replace(minute(1), route="gone")])
    assert [each.minutes for each in found.endings] == [0, 0]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 200)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=25)
def test_no_evidence_is_made_up(minutes: list[tuple[int, int]]) -> None:
    """At no weight does a route see more answers of modern than there were."""
    recorded = [
        minute(n, bad=min(bad, modern), modern=modern)
        for n, (bad, modern) in enumerate(minutes, start=1)
    ]
    found = play(recorded, POLICY.replace("weight: 0%, plan", "weight: 100%, plan"))
    seen = sum(modern for _, modern in minutes)
    for move in found.moves:
        assert move.action == "rollback"
        assert seen > 0
