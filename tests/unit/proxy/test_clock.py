from __future__ import annotations

import time

from proxy.clock import Clock, FakeClock, SystemClock


def test_the_fake_moves_only_when_told() -> None:
    """Both clocks run on together; the wall clock alone may jump."""
    clock: Clock = FakeClock(10.0, 1000.0)
    assert isinstance(clock, FakeClock)
    assert (clock.monotonic(), clock.wall()) == (10.0, 1000.0)
    clock.advance(2.5)
    assert (clock.monotonic(), clock.wall()) == (12.5, 1002.5)
    clock.jump(-3600)
    assert (clock.monotonic(), clock.wall()) == (12.5, -2597.5)


def test_the_real_one_reads_the_machine() -> None:
    """Between two readings of one's own."""
    clock: Clock = SystemClock()
    before = time.monotonic(), time.time()
    now = clock.monotonic(), clock.wall()
    after = time.monotonic(), time.time()
    assert before <= now
    assert before[0] <= now[0] <= after[0]
