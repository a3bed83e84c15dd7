from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import FakeClock
from proxy.control.believed import SLEW, BelievedTime


def test_it_follows_a_clock_that_is_corrected() -> None:
    """A second more or less is what time servers do all day."""
    clock = FakeClock()
    believed = BelievedTime(clock.wall(), clock.monotonic())
    for drift in (0.5, -1.0, SLEW):
        clock.advance(10.0)
        clock.jump(drift)
        assert believed.at(clock.wall(), clock.monotonic()) == pytest.approx(clock.wall())


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_jump_is_believed_once_it_has_lasted(jump: float) -> None:
    """An hour is believed after an hour; until then time goes on as if nothing had been."""
    clock = FakeClock()
    believed = BelievedTime(clock.wall(), clock.monotonic())
    expected = clock.wall()
    clock.jump(jump)
    for _ in range(3600):
        assert believed.at(clock.wall(), clock.monotonic()) == pytest.approx(expected)
        clock.advance(1.0)
        expected += 1.0
    assert believed.at(clock.wall(), clock.monotonic()) == pytest.approx(clock.wall())


def test_a_clock_that_was_set_back_and_forth_was_never_believed() -> None:
    """A mistake that somebody mends moves nothing."""
    clock = FakeClock()
    believed = BelievedTime(clock.wall(), clock.monotonic())
    for jump in (-3600.0, 3600.0, -7200.0, 7200.0):
        clock.jump(jump)
        clock.advance(600.0)
        believed.at(clock.wall(), clock.monotonic())
    assert believed.at(clock.wall(), clock.monotonic()) == pytest.approx(clock.wall())


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-1e5, 1e5)), max_size=40))
def test_time_never_runs_faster_than_its_corrections(moves: list[tuple[float, float]]) -> None:
    """Whatever the clock does, time goes on by what has passed, or by a jump that had lasted."""
    clock = FakeClock()
    believed = BelievedTime(clock.wall(), clock.monotonic())
    last, since = believed.at(clock.wall(), clock.monotonic()), clock.monotonic()
    for passed, jump in moves:
        clock.advance(passed)
        clock.jump(jump)
        now = believed.at(clock.wall(), clock.monotonic())
        lasted = clock.monotonic() - since
        assert abs(now - last - passed) <= max(SLEW, lasted) + 1e-3
        last = now
