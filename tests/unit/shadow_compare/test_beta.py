from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.beta import at_most, bound, interval

COUNTS = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("rate", "happened", "tried", "probability"),
    [
        # R: pbeta(rate, happened + 0.5, tried - happened + 0.5); the first two are arcsine laws
        (0.5, 0, 0, 0.5),
        (0.25, 0, 0, 1 / 3),
        (0.5, 5, 10, 0.5),
        (0.0, 3, 10, 0.0),
        (1.0, 3, 10, 1.0),
    ],
)
def test_known_probabilities(
    rate: float, happened: float, tried: float, probability: float
) -> None:
    """The distribution has its known values."""
    assert at_most(rate, happened, tried) == pytest.approx(probability, abs=1e-12)


@pytest.mark.parametrize(
    ("happened", "tried", "low", "high"),
    [
        # Brown, Cai and DasGupta, table 5: Jeffreys' limits at 95%
        (0, 10, 0.0, 0.217),
        (1, 10, 0.011, 0.381),
        (5, 10, 0.224, 0.776),
        (10, 10, 0.783, 1.0),
        (3, 20, 0.044, 0.349),
    ],
)
def test_published_intervals(happened: int, tried: int, low: float, high: float) -> None:
    """The bounds are those that were published."""
    assert list(interval(happened, tried)) == pytest.approx([low, high], abs=6e-4)


@given(COUNTS)
def test_interval_holds_the_rate_that_was_seen(counts: tuple[int, int]) -> None:
    """What was seen lies within the bounds, and they within 0 and 1."""
    low, high = interval(*counts)
    assert 0.0 <= low <= counts[0] / counts[1] <= high <= 1.0


@given(COUNTS)
def test_bound_is_monotone(counts: tuple[int, int]) -> None:
    """One more that happened does not lower the bound, one more that did not does."""
    happened, tried = counts
    here = bound(0.99, happened, tried)
    assert bound(0.99, happened + 1, tried + 1) >= here - 1e-9
    assert bound(0.99, happened, tried + 1) <= here + 1e-9


@given(COUNTS, st.floats(0.01, 0.99))
def test_bound_is_the_inverse(counts: tuple[int, int], probability: float) -> None:
    """The rate at a probability has that probability."""
    assert at_most(bound(probability, *counts), *counts) == pytest.approx(probability, abs=1e-3)
