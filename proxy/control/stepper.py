"""Taking the steps that plans have earned: each is a version of the rules, written into the file.

To find the weight in the text and to parse what comes out takes a second with thousands of routes,
so that is done on a thread, and the controller goes on judging meanwhile: a rollback waits for no
step. What has been worked out is put in force in one piece, if it is still what was judged.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from proxy.clock import Clock
from proxy.control.edit import placeless, weighted, with_weight
from proxy.control.in_force import InForce
from proxy.control.live import LiveRoute
from proxy.control.loaded import LoadedRules
from proxy.control.loader import RulesFile
from proxy.control.next_power import power_told
from proxy.control.state import Because, RoutingState
from proxy.errors import RefusedError
from proxy.rollout.bound import upper_bound
from proxy.rollout.course import Course, Resumes, Takes
from proxy.rollout.gate import StepEvidence
from proxy.rollout.plan import Place, place_after

PLAN: Final = "plan"
"""Author of the steps that plans take by themselves."""

AGAIN: Final = 5.0
"""Seconds between attempts to take a step that cannot be written."""

log = logging.getLogger(__name__)


class Stepper:
    """Takes steps one after another; `wanted` holds routes whose plan asks for one."""

    def __init__(self, in_force: InForce, rules_file: RulesFile, clock: Clock) -> None:
        self._in_force = in_force
        self._rules_file = rules_file
        self._clock = clock
        self._wanted: dict[str, None] = {}
        self._not_before: dict[str, float] = {}
        self._news = asyncio.Event()

    def want(self, route_id: str) -> None:
        """Note that a step is due; never waits. A step that could not be written rests a while."""
        if self._not_before.get(route_id, 0.0) <= self._clock.monotonic():
            self._wanted[route_id] = None
            self._news.set()

    async def run(self) -> None:
        """Take what is due until cancelled."""
        while True:
            await self._news.wait()
            await self.take_all()

    async def take_all(self) -> None:
        """Take what is due now."""
        self._news.clear()
        while self._wanted:
            route_id = next(iter(self._wanted))
            try:
                await self._take(route_id)
            except Exception:
                log.exception("the step of %s could not be taken", route_id)
                self._rest(route_id)
            self._wanted.pop(route_id, None)

    async def _take(self, route_id: str) -> None:
        live, state = self._in_force.live.get(route_id), self._in_force.state
        if live is None or (due := _due(live)) is None:
            return
        try:
            loaded = await self._edited(state, live, due.to.step.weight)
        except RefusedError as error:
            self._obstacle(live, str(error))
            return
        now = self._in_force.state
        if now.loaded is not state.loaded or (due := _due(live)) is None:
            return  # somebody was quicker, or the evidence is no longer good: it is judged again
        if live.route.weight != due.to.step.weight and not self._put(live, loaded):
            return
        live.obstacle = ""
        because = self._because(live, due)
        log.info("%s: %s", route_id, because.reason)
        match due:
            case Takes(_, to):
                taken = now.with_step(route_id, loaded, to.number - 1, because)
                self._in_force.commit(taken, "advance", route_id, because)
            case Resumes():
                begun = now.with_resume(route_id, loaded, because)
                self._in_force.commit(begun, "resume", route_id, because)

    async def _edited(self, state: RoutingState, live: LiveRoute, weight: int) -> LoadedRules:
        """Work out the rules with this weight; raises RefusedError."""
        if live.route.weight == weight:
            return state.loaded
        file = str(self._rules_file.path)
        return await asyncio.to_thread(with_weight, state.loaded, live.route.id, weight, file)

    def _put(self, live: LiveRoute, loaded: LoadedRules) -> bool:
        """Write the file, as the last thing before the step is in force."""
        try:
            if (problem := self._rules_file.problem) is not None:
                raise RefusedError(f"the rules file has to be mended first: {problem}")
            if not self._rules_file.is_current():
                raise RefusedError("the rules file is being edited just now")
            self._rules_file.replace(loaded)
        except RefusedError as error:
            self._obstacle(live, str(error))
            return False
        return True

    def _obstacle(self, live: LiveRoute, why: str) -> None:
        if live.obstacle != why:
            log.error("%s: the next step of the plan cannot be taken: %s", live.route.id, why)
        live.obstacle = why
        self._rest(live.route.id)

    def _rest(self, route_id: str) -> None:
        self._not_before[route_id] = self._clock.monotonic() + AGAIN

    def _because(self, live: LiveRoute, due: Takes | Resumes) -> Because:
        """Say why, with all that the step rests on."""
        state, route = self._in_force.state, live.route
        evidence: dict[str, Any] = {
            "plan": route.plan,
            "step": due.to.number,
            "of": due.to.of,
            "previous": route.weight if isinstance(due, Takes) else 0,
            "weight": due.to.step.weight,
            "rules_version": state.record.number,
            "power": power_told(live, due.to.step.weight, self._clock.monotonic()),
        }
        if isinstance(due, Resumes):
            evidence |= {"time": due.time, "of_times": due.of, "cooled": round(live.cooled, 1)}
            reason = (
                f"cooled down for {live.cooled:.0f} s; resumes by itself, {due.time} of {due.of}"
            )
        else:
            evidence |= _measured(live.step)
            reason = f"{due.place} is satisfied: {summary(live.step, due.place)}"
        return Because(PLAN, reason, self._clock.wall(), evidence)


def _due(live: LiveRoute) -> Takes | Resumes | None:
    does: Course | None = live.judgement.course
    return does if isinstance(does, (Takes, Resumes)) else None


def _measured(seen: StepEvidence) -> dict[str, Any]:
    """Give what a step rests on; bounds are those of the rates, at 95%."""
    return {
        "held": round(seen.held, 1),
        "requests": seen.requests,
        "bad": seen.bad,
        "compared": seen.compared,
        "mismatches": seen.mismatches,
        "error_rate_below": upper_bound(seen.bad, seen.requests) if seen.requests else None,
        "mismatch_rate_below": upper_bound(seen.mismatches, seen.compared)
        if seen.compared
        else None,
    }


def summary(seen: StepEvidence, place: Place) -> str:
    """Say in words what a step rests on."""
    parts = []
    if place.step.weight > 0:
        parts.append(_counted(seen.requests, "request", seen.bad, "failed"))
    if seen.compared or place.step.weight == 0:
        parts.append(_counted(seen.compared, "comparison", seen.mismatches, "differ"))
    return f"{', '.join(parts)}, in {seen.held:.0f} s"


def _counted(n: int, noun: str, hits: int, verb: str) -> str:
    plural = "" if n == 1 else "s"
    if not n:
        return f"no {noun}s asked for"
    bound = f"{upper_bound(hits, n) * 100:.2g}%"
    return f"{n:,} {noun}{plural}, {hits or 'none'} {verb} (at most {bound})"


def written_step(state: RoutingState, loaded: LoadedRules) -> tuple[str, Place] | None:
    """Find the one step by which a file is ahead of the version in force, if that is all it is.

    The file is written first and the version made after it. Who is killed between the two leaves
    the step in the file, and it is nobody's hand on the wheel.
    """
    rules = state.loaded.rules
    weights = {route.id: route.weight for route in rules.routes}
    moved = [r for r in loaded.rules.routes if weights.get(r.id, r.weight) != r.weight]
    if len(moved) != 1:
        return None
    [route] = moved
    if placeless(loaded.rules) != placeless(weighted(rules, route.id, route.weight)):
        return None
    progress, before = state.progress_of(route.id), rules.route(route.id)
    if before is None or progress.held is not None or state.rollback_of(route.id) is not None:
        return None
    steps = dict(rules.plans).get(route.plan or "", ())
    to = place_after(steps, before.weight, progress.step)
    return (route.id, to) if to is not None and to.step.weight == route.weight else None
