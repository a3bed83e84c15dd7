from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.outcome import latency_bucket
from proxy.rollout.sketch import quantile

LATENCIES = st.lists(st.floats(0.0002, 60.0), min_size=1, max_size=200)


def sketch(latencies: list[float]) -> Counter[int]:
    """Count latencies as a worker does."""
    return Counter(map(latency_bucket, latencies))


@given(LATENCIES, st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_quantile_is_exact_to_two_percent(latencies: list[float], share: float) -> None:
    """A quantile differs from the exact one by no more than the width of a bucket."""
    exact = sorted(latencies)[max(1, math.ceil(share * len(latencies))) - 1]
    assert quantile(sketch(latencies), share) == pytest.approx(exact, rel=0.02)


@given(LATENCIES, LATENCIES)
def test_sketches_add_up(one: list[float], two: list[float]) -> None:
    """What two workers saw is merged without loss."""
    assert quantile(sketch(one) + sketch(two), 0.95) == quantile(sketch(one + two), 0.95)


def test_no_samples() -> None:
    """Nothing measured is None, not zero."""
    assert quantile({}, 0.95) is None
