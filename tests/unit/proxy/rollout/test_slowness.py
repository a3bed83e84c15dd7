from __future__ import annotations

import pytest

from proxy.outcome import Tally, latency_bucket
from proxy.rollout.slowness import SAMPLES_LEAST, SlowLimit
from proxy.rollout.window import SideWindow
from proxy.routing.rules import RollbackRules

RULES = RollbackRules(latency_tolerance=1.5)


def legacy(seconds: float, number: int = SAMPLES_LEAST) -> SideWindow:
    """Give a window in which every answer of legacy took so long."""
    window = SideWindow(RULES.window)
    window.add(Tally(ok=number, latencies={latency_bucket(seconds): number}), 1000.0)
    return window


def test_the_configured_p95_unless_legacy_is_the_measure() -> None:
    """A route that says nothing of legacy is measured by its own limit, and nobody is told."""
    limit = SlowLimit(RollbackRules(p95=0.3))
    for now in (1000.0, 1060.0, 1120.0):
        limit.look(legacy(0.05), now)
    assert (limit.seconds, limit.is_measured) == (0.3, False)


def test_it_is_taken_when_a_window_closes() -> None:
    """Not before, and then it stands for a whole window, whatever legacy does meanwhile."""
    limit = SlowLimit(RULES)
    found = []
    for now, seconds in ((1000.0, 0.1), (1059.0, 0.1), (1060.0, 0.1), (1119.0, 0.4), (1120.0, 0.4)):
        limit.look(legacy(seconds), now)
        found.append(limit.seconds)
    assert found[:2] == [1.0, 1.0]
    assert found[2:4] == [pytest.approx(0.15, rel=0.03)] * 2
    assert found[4] == pytest.approx(0.6, rel=0.03)


def test_too_few_answers_say_nothing() -> None:
    """Without a thousand answers of legacy in the window the last threshold stands."""
    limit = SlowLimit(RULES)
    for now in (1000.0, 1060.0):
        limit.look(legacy(0.1, SAMPLES_LEAST - 1), now)
    assert limit.seconds == RULES.p95


def test_it_does_not_move_with_every_breath() -> None:
    """A few percent more or less are told to nobody."""
    limit = SlowLimit(RULES)
    for now, seconds in ((1000.0, 0.1), (1060.0, 0.1), (1120.0, 0.102)):
        limit.look(legacy(seconds), now)
        before = limit.seconds
    limit.look(legacy(0.102), 1180.0)
    assert limit.seconds == before
