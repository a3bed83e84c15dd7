"""What a step still waits for before the next one may be taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

from proxy.routing.rules import StepRules

_Z95 = 1.6449
"""One-sided 95% point of the normal distribution."""


@dataclass(slots=True)
class StepEvidence:
    """What was seen since the route stands on its step. `since` is monotonic seconds."""

    since: float
    requests: int = 0
    bad: int = 0
    compared: int = 0
    mismatches: int = 0


def upper_bound(hits: int, n: int) -> float:
    """Bound that a rate does not exceed with 95% confidence, after `hits` in `n`; 1 without data.

    Wilson's score bound; with no hits it is 2.7 / n, next to the rule of three.
    """
    if n == 0:
        return 1.0
    share, z2 = hits / n, _Z95 * _Z95
    centre = share + z2 / (2 * n)
    margin = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return min(1.0, (centre + margin) / (1 + z2 / n))


def waits_for(step: StepRules, seen: StepEvidence, now: float) -> tuple[str, ...]:
    """Name in words what is missing; empty when the gate is satisfied.

    Missing data is never a pass: a rate that was not measured has the upper bound 1.
    """
    gate = step.until
    missing = []
    if (left := step.hold - (now - seen.since)) > 0:
        missing.append(f"{_duration(left)} more on this step")
    if gate.requests is not None and seen.requests < gate.requests:
        missing.append(f"{gate.requests - seen.requests} more requests on modern")
    if gate.compared is not None and seen.compared < gate.compared:
        missing.append(f"{gate.compared - seen.compared} more comparisons")
    if gate.error_rate is not None:
        missing += _rate("the error rate", gate.error_rate, seen.bad, seen.requests)
    if gate.mismatch_rate is not None:
        missing += _rate("the mismatch rate", gate.mismatch_rate, seen.mismatches, seen.compared)
    return tuple(missing)


def _rate(name: str, limit: float, hits: int, n: int) -> list[str]:
    if n == 0:
        return [f"{name} to be measured"]
    bound = upper_bound(hits, n)
    if bound <= limit:
        return []
    return [f"{name} to be proved at most {limit:.2%} (up to {bound:.2%} after {n})"]


def _duration(seconds: float) -> str:
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{math.ceil(seconds / size * 10) / 10:g} {unit}"
    return f"{math.ceil(seconds)} s"
