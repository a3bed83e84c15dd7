"""What is shown of all routes: made anew only where something has changed since it was last shown.

To be asked costs the loop that decides. With thousands of routes most of them stand still, and
what was shown of them is true again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from proxy.clock import Clock
from proxy.control.board import coverage_status, plan_status, route_status, side_status
from proxy.control.in_force import InForce
from proxy.control.live import LiveRoute, Position
from proxy.control.loader import RulesFile
from proxy.control.recordings import Recordings
from proxy.control.state import RoutingState
from proxy.control.status import Brief, HostsStatus, RouteStatus, SideStatus, Status
from proxy.control.workers import Workers
from proxy.kill_file import KillFile
from proxy.rollout.window import SideWindow
from proxy.routing.side import Side

PART: Final = 100
"""Routes that are worked out before the loop turns again: some 2 ms."""


class Overview:
    """The one place that says how everything is, for a controller that acts or stands by."""

    def __init__(
        self,
        in_force: InForce,
        rules_file: RulesFile,
        recordings: Recordings,
        kill_file: KillFile | None,
        clock: Clock,
    ) -> None:
        self._in_force = in_force
        self._rules_file = rules_file
        self._recordings = recordings
        self._kill_file = kill_file
        self._clock = clock
        self._shown: dict[str, _Shown] = {}
        self._without_plans: dict[str, _Shown] = {}

    def brief(self, *, killed: bool) -> Brief:
        """Give what most requests need to know; `killed` says that the kill file is there."""
        at = self._clock.wall()
        if not self._in_force.started:
            return Brief(at, 0, killed, (), self._recordings.now)
        record = self._in_force.state.record
        routes = tuple(self._in_force.live)
        return Brief(at, record.number, record.kill_switch or killed, routes, self._recordings.now)

    def status(
        self,
        workers: Workers,
        store_problem: str | None,
        hosts: HostsStatus | None,
        *,
        killed: bool,
        routes: tuple[RouteStatus, ...] | None = None,
    ) -> Status:
        """Give everything; with `routes` these, instead of all of them worked out anew."""
        now, brief = self._clock.monotonic(), self.brief(killed=killed)
        problem = self._rules_file.problem
        return Status(
            at=brief.at,
            version=brief.version,
            kill_switch=brief.kill_switch,
            kill_file=self._kill_file.words() if killed and self._kill_file else None,
            retiring=workers.retiring,
            recording=brief.recording,
            rules_file=str(self._rules_file.path),
            rules_problem=None if problem is None else str(problem),
            store_problem=store_problem,
            routes=self._routes(now, killed=killed) if routes is None else routes,
            workers=workers.statuses(now),
            hosts=hosts,
        )

    async def prepare(self, *, killed: bool, plans: bool = True) -> tuple[RouteStatus, ...] | None:
        """Work out all routes in parts; None when another version was in force at the end.

        What is told of a version must be of that version: forms rest on it. Where they stand on
        their plans is a third of the work, and left out without `plans`.
        """
        shown = self._shown if plans else self._without_plans
        self._forget(shown)
        state, found = self._in_force.state if self._in_force.started else None, []
        for place, live in enumerate(tuple(self._in_force.live.values())):
            if place % PART == PART - 1:
                await asyncio.sleep(0)
            now = self._clock.monotonic()
            found.append(self._route(live, now, killed=killed, plans=plans))
        is_same = state is not None and state is self._in_force.state
        return tuple(found) if is_same else None

    def some(self, route_ids: Iterable[str], *, killed: bool) -> tuple[RouteStatus, ...]:
        """Give those of these routes that there are."""
        found = (self.route(route_id, killed=killed) for route_id in route_ids)
        return tuple(route for route in found if route is not None)

    def route(self, route_id: str, *, killed: bool) -> RouteStatus | None:
        """Give one route, or None when there is none of that name."""
        live = self._in_force.live.get(route_id)
        return None if live is None else self._route(live, self._clock.monotonic(), killed=killed)

    def _routes(self, now: float, *, killed: bool) -> tuple[RouteStatus, ...]:
        lives = self._in_force.live
        found = tuple(self._route(live, now, killed=killed) for live in lives.values())
        self._forget(self._shown)
        return found

    def _forget(self, shown: dict[str, _Shown]) -> None:
        """Let go of routes that are no more."""
        lives = self._in_force.live
        if len(shown) > len(lives):
            for name in [name for name in shown if name not in lives]:
                del shown[name]

    def _route(
        self, live: LiveRoute, now: float, *, killed: bool, plans: bool = True
    ) -> RouteStatus:
        memory = self._shown if plans else self._without_plans
        shown = memory.get(live.route.id)
        if shown is None or shown.live is not live:
            shown = memory[live.route.id] = _Shown(live, plans=plans)
        position = self._in_force.position(live.route.id)
        return shown.status(self._in_force.state, now, position, killed=killed)


class _Side:
    """One side as it was shown last."""

    __slots__ = ("_changes", "_settled", "_shown", "_window")

    def __init__(self) -> None:
        self._window: SideWindow | None = None
        self._changes = 0
        self._settled = False
        self._shown: SideStatus | None = None

    def is_current(self, window: SideWindow) -> bool:
        """Whether it would be shown just the same."""
        return self._settled and window is self._window and window.changes == self._changes

    def status(self, window: SideWindow, now: float) -> SideStatus:
        """Give it, as it is now."""
        if self.is_current(window) and self._shown is not None:
            return self._shown
        if window is self._window and window.changes == self._changes and self._shown is not None:
            # Nothing came: it is only the rate that falls with the time that is watched.
            self._settled = window.is_settled(now)
            self._shown = replace(self._shown, requests_per_second=window.per_second(now))
        else:
            self._window, self._changes = window, window.changes
            self._settled = window.is_settled(now)
            self._shown = side_status(window, now)
        return self._shown


class _Shown:
    """One route as it was shown last, with all that this rests on."""

    __slots__ = ("_legacy", "_modern", "_plans", "_rests_on", "_shown", "live")

    def __init__(self, live: LiveRoute, *, plans: bool) -> None:
        self.live = live
        self._plans = plans
        self._legacy, self._modern = _Side(), _Side()
        self._rests_on: tuple[object, ...] = ()
        self._shown: RouteStatus | None = None

    def status(
        self, state: RoutingState, now: float, position: Position, *, killed: bool
    ) -> RouteStatus:
        """Give it, as it is now."""
        live = self.live
        legacy, modern = live.sides[Side.LEGACY.value], live.sides[Side.MODERN.value]
        # A plan reads the time that it was held from its last judgement on, and the calendar.
        has_plan = self._plans and bool(live.steps)
        plan = (live.judgement, position.world, live.obstacle) if has_plan else (live.judgement,)
        rests_on = (state, killed, live.coverage, live.coverage.changes, *plan)
        if (
            self._shown is None
            or not self._legacy.is_current(legacy)
            or not self._modern.is_current(modern)
            or not _same(rests_on, self._rests_on)
        ):
            self._rests_on = rests_on
            self._shown = route_status(
                state,
                live,
                self._legacy.status(legacy, now),
                self._modern.status(modern, now),
                coverage_status(live),
                plan_status(state, live, now, position) if has_plan else None,
                killed=killed,
            )
        return self._shown


def _same(ones: tuple[object, ...], others: tuple[object, ...]) -> bool:
    """Whether all of them are the same objects, or say the same."""
    if len(ones) != len(others):
        return False
    return all(one is other or _equal(one, other) for one, other in zip(ones, others, strict=True))


def _equal(one: object, other: object) -> bool:
    """Compare what is cheap to compare; the rest counts as another."""
    return isinstance(one, str | int | tuple) and one == other
