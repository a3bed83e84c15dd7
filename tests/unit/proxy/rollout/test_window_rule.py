from __future__ import annotations

import pytest

from proxy.outcome import Tally, latency_bucket
from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.window import SideWindow
from proxy.rollout.window_rule import Compared, window_rule
from proxy.routing.rules import RollbackRules

RULES = RollbackRules()
NOTHING = Compared(0, 0)


def side(ok: int = 0, bad: int = 0, fast: int = 0, slow: int = 0) -> SideWindow:
    """Give a window with so many outcomes, and latencies of 50 ms and 2 s."""
    window = SideWindow(RULES.window)
    latencies = {latency_bucket(0.05): fast, latency_bucket(2.0): slow}
    window.add(Tally(ok=ok, bad=bad, latencies={k: n for k, n in latencies.items() if n}), 1000.0)
    return window


@pytest.mark.parametrize(
    ("window", "compared", "detector"),
    [
        (side(ok=19, bad=1), NOTHING, None),  # 5% is not above 5%
        (side(ok=18, bad=2), NOTHING, "error_rate"),
        (side(ok=0, bad=19), NOTHING, None),  # 19 are too few
        (side(ok=0, bad=20), NOTHING, "error_rate"),
        (side(ok=1000, bad=50), NOTHING, None),
        (side(ok=940, bad=60), NOTHING, "error_rate"),
        (side(fast=95, slow=5), NOTHING, None),
        (side(fast=94, slow=6), NOTHING, "p95"),
        (side(slow=19), NOTHING, None),
        (side(slow=20), NOTHING, "p95"),
        (side(), Compared(100, 1), None),
        (side(), Compared(99, 1), "mismatch_rate"),
        (side(), Compared(19, 19), None),
        (side(), Compared(20, 20), "mismatch_rate"),
        (side(bad=20, slow=20), Compared(20, 20), "error_rate"),
        (side(), NOTHING, None),
    ],
)
def test_window_rule(window: SideWindow, compared: Compared, detector: str | None) -> None:
    """A limit is passed above its value and from `min_requests` samples on, each by its own."""
    breach = window_rule(RULES, window, compared)
    assert (breach.detector if breach else None) == detector


def test_breach_carries_its_evidence() -> None:
    """A breach names value, bound and sample, in words and in numbers."""
    breach = window_rule(RULES, side(ok=84, bad=12), NOTHING)
    assert breach == Breach("error_rate", 0.125, 0.05, 96, 60.0)
    assert str(breach) == "error rate of 12.5% over 96 requests is above 5.00%"
    assert breach.evidence() == {
        "detector": "error_rate", "value": 0.125, "bound": 0.05, "n": 96, "window": 60.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("modern", "legacy", "verdict"),
    [
        (side(bad=50), side(ok=1000), Verdict.ROLLBACK),
        (side(bad=50), side(ok=951, bad=49), Verdict.ROLLBACK),  # legacy is within its limit
        (side(bad=50), side(bad=50), Verdict.HOLD),
        (side(ok=40, bad=10), side(ok=86, bad=14), Verdict.HOLD),  # 20% against 14%
        (side(ok=40, bad=10), side(ok=87, bad=13), Verdict.ROLLBACK),  # 20% against 13%
        (side(slow=50), side(slow=50), Verdict.HOLD),
        (side(slow=50), side(fast=50), Verdict.ROLLBACK),
        (side(bad=50), side(), Verdict.ROLLBACK),
    ],
)
def test_both_sides_sick(modern: SideWindow, legacy: SideWindow, verdict: Verdict) -> None:
    """What legacy suffers as badly is no failure of modern: the verdict is to hold."""
    breach = window_rule(RULES, modern, NOTHING, legacy)
    assert breach is not None
    assert breach.verdict is verdict
    assert ("nothing proves that modern is worse" in str(breach)) == (verdict is Verdict.HOLD)
