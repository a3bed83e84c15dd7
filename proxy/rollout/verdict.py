"""The judgement on one route: go on, wait, or go back, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.detectors import Detectors
from proxy.rollout.gate import StepEvidence, waits_for
from proxy.rollout.phase import Phase, phase_of
from proxy.rollout.plan import place_on
from proxy.rollout.window import SideWindow
from proxy.rollout.window_rule import Compared, window_rule
from proxy.routing.rules import WEIGHT_MAX, RouteRules, StepRules


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason; `breach` is what a ROLLBACK or a detector's HOLD rests on."""

    verdict: Verdict
    reason: str
    breach: Breach | None = None


_ROLLED_BACK: Final = Judgement(Verdict.HOLD, "rolled back; waits to be resumed")
_NO_PLAN: Final = Judgement(Verdict.HOLD, "no plan; the weight is set by hand")


class Measured(NamedTuple):
    """Everything known about one route at one moment. `now` is monotonic seconds.

    `doubt` says why what was measured cannot be relied on, if so: a clock that jumped, workers that
    are not heard. Missing data is never a failure of modern, and never a pass.
    """

    modern: SideWindow
    compared: Compared
    detectors: Detectors
    step: StepEvidence
    now: float
    legacy: SideWindow | None = None
    doubt: str | None = None


def judge(
    route: RouteRules, steps: tuple[StepRules, ...], seen: Measured, *, rolled_back: bool
) -> Judgement:
    """Judge a route by its rules and by what was measured."""
    phase = phase_of(route.weight, route.mirror.share, rolled_back=rolled_back)
    if phase is Phase.ROLLED_BACK:
        return _ROLLED_BACK
    breach = _worst(route, seen)
    if breach is not None:
        # There is nothing to take back at weight 0: this is what shadowing is for.
        verdict = breach.verdict if route.weight > 0 else Verdict.HOLD
        return Judgement(verdict, str(breach), breach)
    if seen.doubt is not None:
        return Judgement(Verdict.HOLD, seen.doubt)
    return _gate(route, steps, seen)


def _worst(route: RouteRules, seen: Measured) -> Breach | None:
    """Give what asks for a rollback, or else what asks to hold; the operator's own rule first."""
    written = window_rule(route.rollback, seen.modern, seen.compared, seen.legacy)
    if written is not None and written.verdict is Verdict.ROLLBACK:
        return written
    proved = seen.detectors.found(seen.modern.error_rate, route.weight / WEIGHT_MAX)
    if proved is not None and (written is None or proved.verdict is Verdict.ROLLBACK):
        return proved
    return written


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
