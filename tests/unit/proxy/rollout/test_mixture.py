from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.mixture import EVIDENCE_MAX, Mixture


@given(st.lists(st.floats(0.01, 5.0), max_size=20))
def test_each_alternative_follows_the_recursion(factors: list[float]) -> None:
    """R <- (1 + R) L, whatever the other alternatives do."""
    mixture, expected = Mixture((0.0, 3.0), calm=0.0), [0.0, 3.0]
    for factor in factors:
        mixture.take((factor, 1.0), hit=True)
        expected = [(1 + expected[0]) * factor, 1 + expected[1]]
    assert mixture.value == pytest.approx(sum(expected) / 2)


@given(st.floats(0.05, 0.95), st.floats(0.06, 0.99), st.floats(0.0, 1e9))
def test_no_event_raises_it_by_more_than_one_on_average(p0: float, p1: float, r: float) -> None:
    """Under the null `value - n` is a martingale: that is what bounds the false alarms."""
    yes, no = Mixture((r,), calm=0.0), Mixture((r,), calm=0.0)
    yes.take((p1 / p0,), hit=True)
    no.take(((1 - p1) / (1 - p0),), hit=False)
    assert p0 * yes.value + (1 - p0) * no.value == pytest.approx(r + 1)


def test_evidence_is_bounded_and_comes_down_again() -> None:
    """A side that was dead for an hour is not held against it for another."""
    mixture = Mixture((0.0,), calm=10.0)
    for _ in range(1000):
        mixture.take((100.0,), hit=True)
    assert mixture.value == EVIDENCE_MAX
    for _ in range(60):
        mixture.take((0.5,), hit=False)
    assert mixture.value < 10.0


def test_counts_begin_anew_when_it_is_calm() -> None:
    """What the evidence rests on are the events since it began to grow."""
    mixture = Mixture((0.0,), calm=10.0)
    for _ in range(5):
        mixture.take((3.0,), hit=True)
    assert (mixture.n, mixture.hits) == (5, 5)
    for _ in range(10):
        mixture.take((0.1,), hit=False)
    assert (mixture.n, mixture.hits) == (1, 0)
