from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.evidence import AbsoluteEvidence
from proxy.rollout.mixture import EVIDENCE_MAX, HOLD_AT, ROLLBACK_AT


def events_until(limit: float, rate: float, chance: random.Random, tolerated: float = 0.005) -> int:
    """Count the events to an alarm when events fail at this rate."""
    evidence, events = AbsoluteEvidence(tolerated), 0
    while evidence.value < limit:
        bad = chance.random() < rate
        evidence.add(int(not bad), int(bad))
        events += 1
    return events


def mean_events(limit: float, rate: float, runs: int = 60) -> float:
    """Average over seeded runs."""
    chance = random.Random(20_250_101)
    return sum(events_until(limit, rate, chance) for _ in range(runs)) / runs


@pytest.mark.parametrize(
    ("rate", "limit", "least", "most"),
    [
        (1.0, HOLD_AT, 3, 4),
        (1.0, ROLLBACK_AT, 4, 6),
        (0.5, HOLD_AT, 6, 10),
        (0.5, ROLLBACK_AT, 9, 14),
        (0.1, HOLD_AT, 55, 85),
        (0.05, HOLD_AT, 130, 195),
    ],
)
def test_delay_is_near_the_limit_of_what_is_possible(
    rate: float, limit: float, least: float, most: float
) -> None:
    """A regression is proved after about as many requests as the published simulation needs."""
    assert least <= mean_events(limit, rate) <= most


def test_false_alarms_are_as_rare_as_promised() -> None:
    """Without a regression, G = 1000 is reached after 1000 events or more on average."""
    assert mean_events(1000.0, 0.005, runs=40) >= 1000


def test_less_than_tolerated_proves_nothing() -> None:
    """A long quiet run keeps the evidence near its floor."""
    evidence = AbsoluteEvidence(0.05)
    evidence.add(1_000_000, 0)
    assert evidence.value < 20


def parts(good: int, bad: int) -> list[int]:
    """Share good events out evenly before each of the bad ones."""
    return [good * (k + 1) // bad - good * k // bad for k in range(bad)]


def test_a_row_is_not_made_of_a_batch() -> None:
    """Six bad ones among six hundred are one in a hundred, however they are told."""
    evidence = AbsoluteEvidence(0.01)
    evidence.add(594, 6)
    assert evidence.value < 1000


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=8))
def test_many_at_once_is_the_same_as_one_by_one(batches: list[tuple[int, int]]) -> None:
    """The closed form for runs of good events equals the recursion, the bad ones spread evenly."""
    at_once, singly = AbsoluteEvidence(0.01), AbsoluteEvidence(0.01)
    for good, bad in batches:
        at_once.add(good, bad)
        for part in parts(good, bad):
            for _ in range(part):
                singly.add(1, 0)
            singly.add(0, 1)
        if not bad:
            for _ in range(good):
                singly.add(1, 0)
    assert at_once.value == pytest.approx(singly.value, rel=1e-6)


@pytest.mark.parametrize("tolerated", [0.0, 0.004, 0.05, 0.4, 0.95, 1.0])
def test_every_tolerated_rate_has_alternatives(tolerated: float) -> None:
    """Whatever the operator tolerates, a dead side is proved, and the numbers stay finite."""
    evidence = AbsoluteEvidence(tolerated)
    evidence.add(0, 10_000)
    assert ROLLBACK_AT <= evidence.value <= EVIDENCE_MAX
    evidence.add(100_000, 0)
    assert evidence.value < HOLD_AT


def test_it_rests_on_the_events_since_it_began_to_grow() -> None:
    """Good events before a failure, or those that washed one away, are not part of the proof."""
    evidence = AbsoluteEvidence(0.05)
    evidence.add(1000, 1)
    evidence.add(0, 2)
    assert (evidence.n, evidence.hits) == (3, 3)
    evidence.add(2, 1)
    assert (evidence.n, evidence.hits) == (6, 4)
    evidence.add(5000, 0)
    assert (evidence.n, evidence.hits) == (0, 0)
    assert evidence.at_rest


def test_it_begins_where_good_events_would_have_brought_it() -> None:
    """A route that was always well, and one that is new, stand at the same evidence."""
    new, old = AbsoluteEvidence(0.05), AbsoluteEvidence(0.05)
    old.add(0, 1)
    old.add(1_000_000, 0)
    assert old.at_rest
    assert old.value == pytest.approx(new.value, rel=1e-6)


@given(
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=6),
)
def test_another_tolerated_rate_keeps_the_evidence(
    before: float, after: float, batches: list[tuple[int, int]]
) -> None:
    """What was proved stays proved, as an average, when the rate that is tolerated moves."""
    evidence = AbsoluteEvidence(before)
    for good, bad in batches:
        evidence.add(good, bad)
    value = evidence.value
    evidence.tolerate(after)
    assert evidence.tolerated == AbsoluteEvidence(after).tolerated
    if not evidence.at_rest:
        assert evidence.value == pytest.approx(value)


def test_it_goes_on_after_a_restart() -> None:
    """What was kept and what was not interrupted come to the same."""
    evidence, again = AbsoluteEvidence(0.01), AbsoluteEvidence(0.05)
    evidence.add(30, 4)
    again.restore(evidence.kept())
    for each in (evidence, again):
        each.add(3, 1)
    assert again.kept() == evidence.kept()


@pytest.mark.parametrize(
    "changed",
    [
        {"tolerated": 7.0},
        {"tolerated": "x"},
        {"r": [1.0]},
        {"r": [float("nan")] * 4},
        {"r": [-1.0] * 4},
        {"r": [1e300] * 4},
        {"r": None},
        {"n": -1},
        {"n": True},
        {"hits": 99},
    ],
)
def test_what_cannot_be_is_not_restored(changed: dict[str, object]) -> None:
    """Evidence that was damaged is refused, and leaves what is there as it was."""
    evidence = AbsoluteEvidence(0.01)
    evidence.add(0, 2)
    before = evidence.kept()
    with pytest.raises((ValueError, TypeError)):
        evidence.restore({**before, **changed})
    assert evidence.kept() == before
