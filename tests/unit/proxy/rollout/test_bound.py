from __future__ import annotations

from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.bound import (
    DOUBT,
    ENOUGH_MAX,
    chance_of_at_most,
    enough,
    score_bound,
    upper_bound,
)

RATES = st.floats(1e-4, 0.99)


@given(st.integers(0, 60), st.integers(1, 60), RATES)
def test_chance_is_the_sum_of_its_terms(hits: int, n: int, rate: float) -> None:
    """The binomial distribution, term by term."""
    terms = (comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(min(hits, n) + 1))
    assert chance_of_at_most(hits, n, rate) == pytest.approx(min(1.0, sum(terms)), abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "n", "bound"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 1000, 0.002991),
        (1, 1000, 0.004735),
        (10, 1000, 0.016902),
        (500, 1000, 0.526499),
        (3, 10, 0.606624),
    ],
)
def test_upper_bound(hits: int, n: int, bound: float) -> None:
    """Clopper and Pearson's, by their tables: the quantile 0.95 of Beta(hits + 1, n - hits)."""
    assert upper_bound(hits, n) == pytest.approx(bound, rel=1e-3)


@given(st.integers(1, 10**6))
def test_rule_of_three(n: int) -> None:
    """Without a hit the bound lies below 3 / n, and near it once n is large."""
    assert upper_bound(0, n) <= 3 / n
    assert n < 100 or upper_bound(0, n) > 2.9 / n


@given(st.integers(0, 500), st.integers(0, 500))
def test_score_bound_is_near(hits: int, misses: int) -> None:
    """Good enough to know about how large a rate may be, once there is something to go by."""
    n = hits + misses
    assert score_bound(hits, n) == pytest.approx(upper_bound(hits, n), abs=1.0 if n < 20 else 0.05)


@given(st.integers(0, 40), st.floats(0.001, 0.9))
def test_enough_is_where_the_bound_begins_to_hold(hits: int, limit: float) -> None:
    """One event fewer proves nothing yet; this many, and any more, do."""
    n = enough(hits, limit)
    assert chance_of_at_most(hits, n, limit) <= DOUBT
    assert chance_of_at_most(hits, n - 1, limit) > DOUBT
    assert upper_bound(hits, n) <= limit * (1 + 1e-5)


@pytest.mark.parametrize(
    ("hits", "limit", "n"), [(0, 0.005, 598), (0, 1.0, 1), (7, 1.0, 7), (0, 0.0, ENOUGH_MAX)]
)
def test_enough_at_the_ends(hits: int, limit: float, n: int) -> None:
    """Something must be measured even where anything is allowed; 0% cannot be proved."""
    assert enough(hits, limit) == n


def test_nothing_reasonable_proves_a_rate_far_below_what_was_seen() -> None:
    """What would take more events than there will ever be is told as one number."""
    assert enough(10**6, 1e-4) == ENOUGH_MAX


def test_more_hits_take_more_events() -> None:
    """The bound is monotonic, so that a gate never opens because something failed."""
    counts = [enough(hits, 0.01) for hits in range(20)]
    assert all(before < after for before, after in pairwise(counts))
