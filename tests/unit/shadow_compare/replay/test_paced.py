from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.replay.paced import Pace


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_turns_come_at_the_rate() -> None:
    """Who comes early waits, in the order of coming."""
    clock = Clock()
    pace = Pace(4.0, clock)
    assert [pace.next() for _ in range(3)] == [0.0, 0.25, 0.5]
    clock.now += 0.5
    assert pace.next() == pytest.approx(0.25)


def test_a_pause_is_not_made_up_for() -> None:
    """After a minute of nothing there is no burst."""
    clock = Clock()
    pace = Pace(10.0, clock)
    pace.next()
    clock.now += 60
    assert [pace.next() for _ in range(2)] == [0.0, pytest.approx(0.1)]


def test_without_a_rate_nobody_waits() -> None:
    """As fast as it goes."""
    pace = Pace(0.0, Clock())
    assert [pace.next() for _ in range(3)] == [0.0] * 3


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 5), max_size=50))
def test_no_second_has_more_turns_than_the_rate(rate: float, pauses: list[float]) -> None:
    """Two turns are always apart by what the rate says."""
    clock = Clock()
    pace = Pace(rate, clock)
    turns = []
    for pause in pauses:
        clock.now += pause
        turns.append(clock.now + pace.next())
    assert all(b - a >= 1 / rate - 1e-6 for a, b in pairwise(turns))
