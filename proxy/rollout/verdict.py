"""The judgement on one route: go on, wait, or go back, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from proxy.rollout.detectors import Breach, Compared, evidence_rule, window_rule
from proxy.rollout.evidence import HOLD_AT, AbsoluteEvidence
from proxy.rollout.gate import StepEvidence, waits_for
from proxy.rollout.phase import Phase, phase_of
from proxy.rollout.plan import place_on
from proxy.rollout.window import SideWindow
from proxy.routing.rules import RouteRules, StepRules


class Verdict(StrEnum):
    """ADVANCE and ROLLBACK need evidence; everything else is HOLD."""

    ADVANCE = "ADVANCE"
    HOLD = "HOLD"
    ROLLBACK = "ROLLBACK"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason; `breach` is what a ROLLBACK rests on."""

    verdict: Verdict
    reason: str
    breach: Breach | None = None


_ROLLED_BACK: Final = Judgement(Verdict.HOLD, "rolled back; waits to be resumed")
_NO_PLAN: Final = Judgement(Verdict.HOLD, "no plan; the weight is set by hand")


class Measured(NamedTuple):
    """Everything known about one route at one moment. `now` is monotonic seconds."""

    modern: SideWindow
    compared: Compared
    evidence: AbsoluteEvidence
    step: StepEvidence
    now: float


def judge(
    route: RouteRules, steps: tuple[StepRules, ...], seen: Measured, *, rolled_back: bool
) -> Judgement:
    """Judge a route by its rules and by what was measured."""
    phase = phase_of(route.weight, route.mirror.share, rolled_back=rolled_back)
    if phase is Phase.ROLLED_BACK:
        return _ROLLED_BACK
    breach = window_rule(route.rollback, seen.modern, seen.compared)
    breach = breach or evidence_rule(route.rollback, seen.evidence)
    if breach is not None and route.weight > 0:
        return Judgement(Verdict.ROLLBACK, str(breach), breach)
    if breach is not None:
        # There is nothing to take back at weight 0: this is what shadowing is for.
        return Judgement(Verdict.HOLD, str(breach))
    if seen.evidence.value >= HOLD_AT:
        return Judgement(Verdict.HOLD, "evidence of failures on modern is growing")
    return _gate(route, steps, seen)


def _gate(route: RouteRules, steps: tuple[StepRules, ...], seen: Measured) -> Judgement:
    """Say what the plan still waits for."""
    if not steps:
        return _NO_PLAN
    place = place_on(steps, route.weight)
    if place is None:
        return Judgement(Verdict.HOLD, "the weight is on no step of the plan")
    name = f"step {place.number} of {place.of}"
    missing = waits_for(place.step, seen.step, seen.now)
    if missing:
        return Judgement(Verdict.HOLD, f"{name} waits for {', '.join(missing)}")
    if place.following is None:
        return Judgement(Verdict.HOLD, f"{name}, the last; nothing more to wait for")
    return Judgement(
        Verdict.ADVANCE, f"{name} is satisfied; the next is {place.following.weight / 100:g}%"
    )
