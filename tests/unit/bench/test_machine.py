from __future__ import annotations

import os

import pytest

from bench.machine import describe, stolen_ns

STAT = """cpu  44203 84 8978 82005 484 0 2031 60 0 0
cpu0 22710 84 3948 41247 322 0 1007 31 0 0
cpu1 21493 0 5029 40757 162 0 1023 28 0 0
intr 1
"""


def test_stolen_time_is_that_of_the_cores_asked_for() -> None:
    """In nanoseconds, from ticks."""
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert stolen_ns([0], STAT) == 31 * tick
    assert stolen_ns([0, 1], STAT) == 59 * tick


def test_a_core_that_is_not_there_is_an_error() -> None:
    """Rather than a core from which nothing is stolen."""
    with pytest.raises(KeyError, match="cpu7"):
        stolen_ns([7], STAT)


def test_this_machine_can_be_asked_and_described() -> None:
    """Stolen time never goes back."""
    cores = os.sched_getaffinity(0)
    before = stolen_ns(cores)
    assert "cores" in describe()
    assert stolen_ns(cores) >= before >= 0
