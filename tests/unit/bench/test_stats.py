from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import difference, percentile, ratio, slope


def test_a_ratio_is_the_median_of_paired_quotients() -> None:
    """A round in which the machine was slow for both does not count against anybody."""
    assert ratio([10, 20, 100], [20, 40, 200]) == 0.5
    assert ratio([10, 10, 90], [10, 10, 10]) == 1.0


def test_a_ratio_needs_whole_pairs() -> None:
    """A round that only one of them ran is a mistake, not a pair."""
    with pytest.raises(ValueError, match="zip"):
        ratio([1, 2], [1])


def test_a_difference_is_the_median_of_paired_differences() -> None:
    """What is added is added in each round."""
    assert difference([5, 9, 7], [1, 2, 6]) == 4


@pytest.mark.parametrize(
    ("share", "found"), [(0.0, 1), (0.5, 5), (0.9, 9), (0.91, 10), (0.99, 10), (1.0, 10)]
)
def test_a_percentile_is_a_value_that_occurred(share: float, found: int) -> None:
    """Nearest rank: no interpolation between two of them."""
    assert percentile(list(range(1, 11)), share) == found


def test_no_values_have_no_percentile() -> None:
    """Nothing is invented."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.floats(-5, 5), st.integers(3, 40))
def test_the_slope_of_a_line_is_its_slope(steep: float, count: int) -> None:
    """Without noise the interval closes in on it."""
    found = slope(range(count), [steep * x for x in range(count)])
    assert found.middle == pytest.approx(steep, abs=1e-9)
    assert found.low <= found.middle <= found.high


def test_a_few_wild_points_do_not_move_the_slope() -> None:
    """A fifth of the readings is off by anything at all."""
    ys = [2.0 * x + (1e6 if x % 5 == 0 else 0) for x in range(50)]
    assert slope(range(50), ys).middle == pytest.approx(2, rel=0.01)


def test_noise_alone_is_no_growth() -> None:
    """The interval of a flat series has zero in it."""
    chance = random.Random(3)
    found = slope(range(60), [chance.gauss(50, 4) for _ in range(60)])
    assert found.low < 0 < found.high


def test_growth_below_the_noise_is_found_given_time() -> None:
    """A drift of a tenth of the noise per reading shows in a hundred readings."""
    chance = random.Random(3)
    found = slope(range(100), [0.1 * x + chance.gauss(0, 1) for x in range(100)])
    assert 0 < found.low < 0.1 < found.high


def test_one_place_has_no_slope() -> None:
    """All readings at one count say nothing about growth."""
    with pytest.raises(ValueError, match="different x"):
        slope([1, 1, 1], [1, 2, 3])
