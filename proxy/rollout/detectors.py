"""When modern must be taken back: the rule the operator wrote, and the evidence detector T1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from proxy.rollout.evidence import ROLLBACK_AT, AbsoluteEvidence
from proxy.rollout.window import SideWindow
from proxy.routing.rules import RollbackRules


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was passed: by which measure, how far, and on how many events.

    `value` and `bound` are fractions, seconds (p95) or accumulated evidence (t1); `window` seconds.
    """

    detector: str
    value: float
    bound: float
    n: int
    window: float

    def __str__(self) -> str:
        value, bound, n = self.value, self.bound, self.n
        match self.detector:
            case "p95":
                limit = f"{bound * 1000:.0f} ms"
                return f"p95 of {value * 1000:.0f} ms over {n} requests is above {limit}"
            case "mismatch_rate":
                return f"{value:.1%} of {n} comparisons differ, more than {bound:.2%}"
            case "t1":
                proof = f"(evidence {value:.1e}, limit {bound:.0e})"
                return f"{n} requests prove an error rate above the tolerated one {proof}"
            case _:
                return f"error rate of {value:.1%} over {n} requests is above {bound:.2%}"

    def evidence(self) -> dict[str, Any]:
        """As JSON-able values for the record of a decision."""
        return {
            "detector": self.detector,
            "value": self.value,
            "bound": self.bound,
            "n": self.n,
            "window": self.window,
        }


class Compared(NamedTuple):
    """How many pairs of a route were compared within the window, and how many differ."""

    pairs: int
    mismatches: int


def window_rule(rules: RollbackRules, modern: SideWindow, compared: Compared) -> Breach | None:
    """Apply what the rules file says, no more and no less; the first limit passed is named.

    Each measure needs its own `min_requests` samples: error rate of judged attempts, p95 of timed
    ones, mismatch rate of comparisons. A value equal to its limit is no breach.
    """
    least = rules.min_requests
    error_rate = modern.error_rate
    if modern.requests >= least and error_rate is not None and error_rate > rules.error_rate:
        return Breach("error_rate", error_rate, rules.error_rate, modern.requests, rules.window)
    slowest = modern.slowest if modern.timed >= least else None
    if slowest is not None and slowest > rules.p95:  # else no quantile is above it either
        p95 = modern.latency(0.95)
        if p95 is not None and p95 > rules.p95:
            return Breach("p95", p95, rules.p95, modern.timed, rules.window)
    if compared.pairs >= least:
        rate = compared.mismatches / compared.pairs
        if rate > rules.mismatch_rate:
            return Breach("mismatch_rate", rate, rules.mismatch_rate, compared.pairs, rules.window)
    return None


def evidence_rule(rules: RollbackRules, evidence: AbsoluteEvidence) -> Breach | None:
    """Say whether T1 has proved a regression."""
    if evidence.value < ROLLBACK_AT:
        return None
    return Breach("t1", evidence.value, ROLLBACK_AT, evidence.run, rules.window)
