from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.json_value import Json
from shadow_compare.near import magnitudes, pair_near

UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"b": 2, "a": "1.5"}, (1.5, 2.0)),
        ([1, [2.5, "x"], None, True], (1.0, 2.5)),
        ("1970-01-02 00:00:00", (86_400.0,)),
        ("text", ()),
    ],
)
def test_magnitudes_are_numbers_and_times(value: Json, found: tuple[float, ...]) -> None:
    """However they are written, in an order that does not depend on that of members."""
    assert magnitudes(value, UTC) == found


def paired(olds: Sequence[float], news: Sequence[float], apart: float) -> list[tuple[int, int]]:
    """Pair numbers that are at most so far apart."""
    return pair_near(
        {i: ("form", (old,)) for i, old in enumerate(olds)},
        {j: ("form", (new,)) for j, new in enumerate(news)},
        lambda i, j: abs(olds[i] - news[j]) <= apart,
    )


def test_elements_of_other_forms_never_meet() -> None:
    """Whatever their numbers are."""
    assert pair_near({0: ("a", (1.0,))}, {0: ("b", (1.0,))}, lambda _i, _j: True) == []


def test_who_has_no_partner_is_left_out() -> None:
    """And takes nobody's."""
    assert paired([5.0, 1.0, 3.0], [3.1, 5.1], 0.2) == [(2, 0), (0, 1)]


@given(
    st.permutations(range(6)),
    st.lists(st.integers(-2, 2), min_size=6, max_size=6),
    st.integers(0, 3),
)
def test_every_partner_is_found_where_distances_are_clear(
    order: Sequence[int], noise: list[int], left_out: int
) -> None:
    """As the slow way does it, which tries every pair: numbers ten apart, moved by two at most."""
    olds = [10.0 * number for number in range(6)]
    news = [olds[at] + noise[at] for at in order][left_out:]
    slow = {(i, j) for i, o in enumerate(olds) for j, n in enumerate(news) if abs(o - n) <= 2}
    assert set(paired(olds, news, 2)) == slow
