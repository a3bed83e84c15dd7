from __future__ import annotations

import random

import pytest

from bench.rollback import false_alarms
from bench.rollback.false_alarms import ERRORS, Traffic


def test_half_as_bad_as_tolerated_is_no_alarm() -> None:
    """A hundred thousand requests of bursty, repeated, correlated clients ask for nothing."""
    found = false_alarms.run(100_000)
    assert found.requests >= 100_000
    assert found.raw_failures > 100_000 * ERRORS  # as failures are tried again
    assert (found.rollbacks, found.holds) == ({}, {})


def test_worse_than_tolerated_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same traffic at six times the threshold is found: the simulation can fail."""
    monkeypatch.setattr(false_alarms, "ERRORS", 6 * 0.005)
    monkeypatch.setattr(false_alarms, "RATIO", 30.0)
    assert set(Traffic(random.Random(1)).run(20_000).rollbacks) & {"t1", "t2"}
