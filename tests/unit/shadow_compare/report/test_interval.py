from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.report.interval import rate_of


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (1, 1, 0.2065, 1.0),
        (5, 10, 0.2366, 0.7634),
        (15, 148, 0.0624, 0.1605),
        (0, 100_000, 0.0, 0.0000384),
    ],
)
def test_known_intervals(hits: int, trials: int, low: float, high: float) -> None:
    """As published tables and other programs give them."""
    found = rate_of(hits, trials)
    assert found is not None
    assert list(found[1:]) == pytest.approx([low, high], abs=1e-4)


def test_nothing_is_said_without_trials() -> None:
    """No rate is better than a wrong one."""
    assert rate_of(0, 0) is None
    assert rate_of(3, -1) is None


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_bounds_hold_the_rate_and_stay_within_reason(hits: int, trials: int) -> None:
    """Whatever was counted, also more hits than trials."""
    found = rate_of(hits, trials)
    assert found is not None
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_more_of_the_same_makes_it_narrower(hits: int, extra: int) -> None:
    """Ten times the evidence for one rate is a narrower interval."""
    few, many = rate_of(hits, hits + extra), rate_of(10 * hits, 10 * (hits + extra))
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low
