"""The judgement on one route: go on, wait, or go back, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.course import NO_PLAN, Course, Resumes, Standing, Takes, course, told
from proxy.rollout.detectors import Detectors
from proxy.rollout.window import SideWindow
from proxy.rollout.window_rule import Compared, window_rule
from proxy.routing.rules import WEIGHT_MAX, RouteRules, StepRules


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason; `breach` is what a ROLLBACK or a detector's HOLD rests on.

    `course` is what the plan does, None while a breach or a doubt stands in its way.
    """

    verdict: Verdict
    reason: str
    breach: Breach | None = None
    course: Course | None = None


class Measured(NamedTuple):
    """Everything measured of one route at one moment.

    `doubt` says why what was measured may not be all that happened, if so. Missing data is never a
    failure of modern, and never a pass. No event is counted by the wall clock, so that a clock that
    jumps casts no doubt on anything.
    """

    modern: SideWindow
    compared: Compared
    detectors: Detectors
    legacy: SideWindow | None = None
    doubt: str | None = None


_NO_PLAN: Final = Judgement(Verdict.HOLD, told(NO_PLAN), course=NO_PLAN)


def judge(
    route: RouteRules, steps: tuple[StepRules, ...], seen: Measured, at: Standing
) -> Judgement:
    """Judge a route by its rules, by what was measured, and by where it stands on its plan."""
    if at.cooling is not None:
        return _by_plan(route, steps, at)
    breach = _worst(route, seen)
    if breach is not None:
        # Where modern serves nobody there is nothing to take back: this is what shadowing is for.
        verdict = breach.verdict if route.leads_to_modern else Verdict.HOLD
        return Judgement(verdict, str(breach), breach)
    if seen.doubt is not None:
        return Judgement(Verdict.HOLD, seen.doubt)
    return _by_plan(route, steps, at)


def _by_plan(route: RouteRules, steps: tuple[StepRules, ...], at: Standing) -> Judgement:
    """Let the plan have its way."""
    does = course(route, steps, at)
    if does is NO_PLAN:
        return _NO_PLAN
    verdict = Verdict.ADVANCE if isinstance(does, (Takes, Resumes)) else Verdict.HOLD
    return Judgement(verdict, told(does), course=does)


def _worst(route: RouteRules, seen: Measured) -> Breach | None:
    """Give what asks for a rollback, or else what asks to hold; the operator's own rule first."""
    written = window_rule(route.rollback, seen.modern, seen.compared, seen.legacy)
    if written is not None and written.verdict is Verdict.ROLLBACK:
        return written
    proved = seen.detectors.found(seen.modern.error_rate, route.weight / WEIGHT_MAX)
    if proved is not None and (written is None or proved.verdict is Verdict.ROLLBACK):
        return proved
    return written
