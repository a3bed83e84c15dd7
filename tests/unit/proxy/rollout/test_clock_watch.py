from __future__ import annotations

import pytest

from proxy.rollout.clock_watch import ClockWatch


@pytest.mark.parametrize(
    ("wall", "monotonic", "reason"),
    [
        (0.05, 0.05, ""),
        (1.5, 0.05, ""),  # as the clock is set right by little steps
        (3600.05, 0.05, "the clock jumped forward by 3600 s"),
        (-3599.95, 0.05, "the clock jumped back by 3600 s"),
        (30.0, 30.0, "nobody looked for 30 s"),  # stopped, or the machine was asleep
        (3600.0, 0.0, "the clock jumped forward by 3600 s"),
        (0.0, -4.0, "nobody looked for 4 s"),
    ],
)
def test_what_is_noticed(wall: float, monotonic: float, reason: str) -> None:
    """Either clock's irregularity is noticed, and named."""
    watch = ClockWatch(1_000_000.0, 50.0)
    assert watch.look(1_000_000.0 + wall, 50.0 + monotonic) == bool(reason)
    assert watch.reason == reason


def test_the_doubt_ends_with_a_window_that_was_watched() -> None:
    """For one whole window after a jump nothing goes on, and then it does."""
    watch = ClockWatch(1_000_000.0, 50.0)
    assert watch.doubt(50.0, 60.0) is None
    watch.look(1_003_600.0, 50.05)
    assert "jumped forward by 3600 s; waiting for 60 s" in (watch.doubt(100.0, 60.0) or "")
    assert watch.doubt(110.05, 60.0) is None
    assert not watch.look(1_003_600.05, 50.1)
