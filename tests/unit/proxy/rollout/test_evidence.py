from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.evidence import (
    EVIDENCE_MAX,
    HOLD_AT,
    IDENTITIES_MAX,
    ROLLBACK_AT,
    AbsoluteEvidence,
    FirstPerIdentity,
)


def events_until(limit: float, rate: float, chance: random.Random, tolerated: float = 0.005) -> int:
    """Count the events to an alarm when events fail at this rate."""
    evidence = AbsoluteEvidence(tolerated)
    while evidence.value < limit:
        bad = chance.random() < rate
        evidence.add(int(not bad), int(bad))
    return evidence.events


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


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=8))
def test_many_at_once_is_the_same_as_one_by_one(batches: list[tuple[int, int]]) -> None:
    """The closed form for a run of good events equals the recursion."""
    at_once, singly = AbsoluteEvidence(0.01), AbsoluteEvidence(0.01)
    for good, bad in batches:
        at_once.add(good, bad)
        for _ in range(good):
            singly.add(1, 0)
        singly.add(0, bad)
    assert at_once.value == pytest.approx(singly.value, rel=1e-6)
    assert at_once.events == singly.events


@pytest.mark.parametrize("tolerated", [0.0, 0.004, 0.05, 0.4, 0.95, 1.0])
def test_every_tolerated_rate_has_alternatives(tolerated: float) -> None:
    """Whatever the operator tolerates, a dead side is proved, and the numbers stay finite."""
    evidence = AbsoluteEvidence(tolerated)
    evidence.add(0, 10_000)
    assert ROLLBACK_AT <= evidence.value <= EVIDENCE_MAX
    evidence.add(100_000, 0)
    assert evidence.value < HOLD_AT


class TestFirstPerIdentity:
    """One broken customer is one event."""

    def test_once_in_ten_seconds(self) -> None:
        """A customer in a retry loop counts once in 10 s, another customer at once."""
        first = FirstPerIdentity()
        admitted = [(at, first.admit(1, at)) for at in (0.0, 0.1, 9.9, 10.0, 10.1, 20.1)]
        assert [at for at, counted in admitted if counted] == [0.0, 10.0, 20.1]
        assert first.admit(2, 0.1) is True

    def test_memory_is_bounded(self) -> None:
        """Even a flood of identities at one moment does not grow for ever."""
        first = FirstPerIdentity()
        for identity in range(2 * IDENTITIES_MAX + 5):
            assert first.admit(identity, 1.0)
        assert len(first._counted) <= IDENTITIES_MAX
        assert first.admit(2 * IDENTITIES_MAX + 4, 1.0) is False


def test_run_counts_what_the_evidence_rests_on() -> None:
    """Good events before a failure, or those that washed one away, are not part of the proof."""
    evidence = AbsoluteEvidence(0.05)
    evidence.add(1000, 3)
    assert evidence.run == 3
    evidence.add(2, 1)
    assert evidence.run == 6
    evidence.add(5000, 0)
    assert evidence.run == 0
    assert evidence.events == 6006
