"""The window rule: what the operator wrote, exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.relative import R0
from proxy.rollout.window import SideWindow
from proxy.routing.rules import RollbackRules


class Compared(NamedTuple):
    """How many pairs of a route were compared within the window, and how many differ."""

    pairs: int
    mismatches: int


def window_rule(
    rules: RollbackRules, modern: SideWindow, compared: Compared, legacy: SideWindow | None = None
) -> Breach | None:
    """Apply what the rules file says, no more and no less; the first limit passed is named.

    Each measure needs its own `min_requests` samples: error rate of judged attempts, p95 of timed
    ones, mismatch rate of comparisons. A value equal to its limit is no breach. When legacy passes
    the same limit and is about as bad, both are sick, and the verdict is HOLD.
    """
    least = rules.min_requests
    error_rate = modern.error_rate
    if modern.requests >= least and error_rate is not None and error_rate > rules.error_rate:
        breach = Breach("error_rate", error_rate, rules.error_rate, modern.requests, rules.window)
        return _weighed(breach, None if legacy is None else legacy.error_rate, "fails too")
    slowest = modern.slowest if modern.timed >= least else None
    if slowest is not None and slowest > rules.p95:  # else no quantile is above it either
        p95 = modern.latency(0.95)
        if p95 is not None and p95 > rules.p95:
            breach = Breach("p95", p95, rules.p95, modern.timed, rules.window)
            return _weighed(breach, None if legacy is None else legacy.latency(0.95), "is slow too")
    if compared.pairs >= least:
        rate = compared.mismatches / compared.pairs
        if rate > rules.mismatch_rate:
            return Breach("mismatch_rate", rate, rules.mismatch_rate, compared.pairs, rules.window)
    return None


def _weighed(breach: Breach, legacy: float | None, how: str) -> Breach:
    """Ask for nothing when legacy passes the limit and modern is at most R0 times as bad."""
    if legacy is None or legacy <= breach.bound or breach.value > R0 * legacy:
        return breach
    shown = f"{legacy * 1000:.0f} ms" if breach.detector == "p95" else f"{legacy:.1%}"
    details = {"legacy": f"legacy {how} ({shown})"}
    return replace(breach, verdict=Verdict.HOLD, details=details)
