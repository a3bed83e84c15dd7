from __future__ import annotations

import os

from proxy.serving.vitals import pulses


def test_a_child_is_read_without_being_asked() -> None:
    """Each has a row of its own, and what it wrote outlives it."""
    first, second = pulses(2)
    if (pid := os.fork()) == 0:
        second.beat()
        second.beat()
        second.is_ready()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert (second.beats, second.ready) == (2, True)
    assert (first.beats, first.ready) == (0, False)


def test_a_new_life_begins_at_nothing_and_keeps_the_count() -> None:
    """How often it died is not forgotten with what it did."""
    (pulse,) = pulses(1)
    pulse.beat()
    pulse.is_ready()
    pulse.count_restart()
    pulse.count_hang()
    pulse.begin()
    assert (pulse.beats, pulse.ready, pulse.restarts, pulse.hangs) == (0, False, 1, 1)


def test_a_family_may_be_empty() -> None:
    """A role without children that are watched."""
    assert pulses(0) == []
