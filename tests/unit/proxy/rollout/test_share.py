from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.share import Share


def test_the_weight_holds_until_more_is_known() -> None:
    """A first batch in which modern alone is told of does not make it the only side."""
    share = Share()
    assert share.of(0.1) == pytest.approx(0.1)
    share.add(modern=4)
    assert share.of(0.1) < 0.2


def test_few_who_ask_much_have_a_larger_share() -> None:
    """A tenth of the customers may make a third of the requests."""
    share = Share()
    for _ in range(100):
        share.add(modern=30, legacy=60)
    assert share.of(0.1) == pytest.approx(1 / 3, abs=0.02)


def test_few_who_ask_little_count_by_their_number() -> None:
    """When everything fails, each customer counts once, however little it asks for."""
    share = Share()
    share.add(modern=1, legacy=2000)
    assert share.of(0.5) == 0.5


def test_what_was_long_ago_fades() -> None:
    """A share that has changed is soon known."""
    share = Share()
    share.add(legacy=100_000)
    for _ in range(1000):
        share.add(modern=50, legacy=50)
    assert share.of(0.1) == pytest.approx(0.5, abs=0.03)


@given(
    st.floats(0.0, 1.0),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=20),
)
def test_it_is_a_share(weight: float, counts: list[tuple[int, int]]) -> None:
    """It lies between the weight and one, whatever is counted."""
    share = Share()
    for modern, legacy in counts:
        share.add(modern=modern, legacy=legacy)
    assert weight <= share.of(weight) <= 1.0 + 1e-12
