"""What a policy would have done on the outcomes that were recorded (pure).

The same judge, detectors and plans as in the controller are played on recorded minutes, each in
slices of five seconds, and where evidence came, in the pieces that were recorded. What modern would
have answered at a weight that it did not have, nobody knows. So no evidence is made up: at a lower
weight a part of what modern was seen to do counts, at a higher one no more than was seen; without
any, plans wait. Nobody is there to approve or to resume: a rollback ends only if the policy says
that it resumes by itself.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Final

from proxy.control.interval import EVERY_ROUTE, Interval
from proxy.control.live import NOTHING_YET, LiveRoute, Position, World
from proxy.control.loaded import LoadedRules
from proxy.control.pieces import SLICES, Piece, pieces
from proxy.control.played import Evidence
from proxy.control.state import Because, first_state
from proxy.outcome import ComparisonCount
from proxy.rollout.breach import Verdict
from proxy.rollout.calendar import closed
from proxy.rollout.course import Resumes, Takes
from proxy.rollout.verdict import Judgement
from proxy.routing.rules import RouteRules, Rules
from proxy.routing.side import Side

SIMULATED: Final = "simulation"


@dataclass(frozen=True, slots=True)
class Move:
    """What the policy would have done with a route at a moment; weights as everywhere.

    `detector` is what asked for a rollback or a freeze.
    """

    at: float
    route: str
    action: str
    before: int
    after: int
    reason: str
    detector: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a route would have stood at the end, and what for; `minutes` is those with traffic."""

    route: str
    weight: int
    verdict: str
    reason: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Everything the policy would have done, and where that would have ended.

    `minutes` counts those that were recorded, with traffic or without. `notes` say in words what
    could not be played, or not exactly.
    """

    moves: tuple[Move, ...]
    endings: tuple[Ending, ...]
    notes: tuple[str, ...] = ()
    minutes: int = 0


def simulate(
    loaded: LoadedRules, intervals: Iterable[Interval], route: str | None = None
) -> Simulation:
    """Play a policy, from the weights that it says, on intervals in the order of their recording.

    They are played as they come, and none is kept. With a route, no other is looked at.
    """
    return _Player(loaded, route).play(intervals)


class _Player:
    def __init__(self, loaded: LoadedRules, only: str | None) -> None:
        self._only = only
        self._until = -math.inf
        self._minutes = 0
        self._state = first_state(loaded, Because(SIMULATED, "begins", 0.0, {}))
        self._lives: dict[str, LiveRoute] = {}
        self._seen: dict[str, Evidence] = {}
        self._moves: list[Move] = []

    def play(self, intervals: Iterable[Interval]) -> Simulation:
        for at, rows in groupby(intervals, attrgetter("at")):
            found = tuple(rows)
            seconds = found[0].seconds
            # A clock that was set back in those days takes back nothing that was played.
            begins = max(at - seconds, self._until)
            self._until = begins + seconds
            self._minutes += 1
            self._play_minute(begins, seconds, found)
        notes = [note for seen in self._seen.values() for note in seen.notes()]
        moves, endings = tuple(self._moves), tuple(self._endings())
        return Simulation(moves, endings, tuple(notes), self._minutes)

    def _play_minute(self, begins: float, seconds: float, found: Sequence[Interval]) -> None:
        """Play a minute of all routes; all are judged at the end of each slice."""
        there = [each for each in found if self._is_played(each.route)]
        timed = sorted(
            ((piece.until, interval, piece) for interval in there for piece in pieces(interval)),
            key=lambda each: each[0],
        )
        fed = deque(timed)
        for interval in there:
            self._evidence(interval.route).begin(interval)
        for number in range(SLICES):
            until = seconds * (number + 1) / SLICES
            while fed and fed[0][0] <= until:
                at, interval, piece = fed.popleft()
                self._feed(interval, piece, begins + at)
            for route in self._rules.routes:
                if self._only in (None, route.id):
                    self._judge(self._live(route.id, begins + until), begins + until)

    def _is_played(self, route_id: str) -> bool:
        known = route_id != EVERY_ROUTE and self._rules.route(route_id) is not None
        return known and self._only in (None, route_id)

    def _live(self, route_id: str, now: float) -> LiveRoute:
        route = self._rules.route(route_id)
        if route is None:
            raise LookupError(route_id)
        live = self._lives.get(route_id)
        if live is None:
            live = self._lives[route_id] = LiveRoute(route, self._rules, 0, now)
        elif live.route is not route:
            live.follow(route, self._rules, 0, now)
        return live

    def _evidence(self, route_id: str) -> Evidence:
        return self._seen.setdefault(route_id, Evidence(route_id))

    def _feed(self, interval: Interval, piece: Piece, now: float) -> None:
        """Let a route see what it would have seen at the weight that it would have had."""
        live = self._live(interval.route, now)
        seen = self._evidence(interval.route)
        weight = self._state.weight_in_force(live.route)
        for side in (Side.MODERN, Side.LEGACY):
            tally = seen.tally(side, piece, weight, live.limit.seconds)
            if tally is not None:
                live.add_outcomes(side.value, tally, 0, now)
        for verdict, number in piece.comparisons.items():
            if number:
                count_ = ComparisonCount(live.route.id, "", verdict, "", False, number)
                live.add_comparisons(count_, 0, now)
        if pairs := seen.pairs(piece):
            live.add_pairs(0, (), 0, now)  # what was alike before came before them
            live.add_pairs(piece.counts.get("alike", 0), pairs, 0, now)
        elif alike := piece.counts.get("alike"):
            live.add_pairs(alike, (), 0, now)
        if baselines := piece.counts.get("baselines"):
            live.add_baselines(baselines, piece.counts.get("differed", 0), 0)
        if not piece.ends_slice:
            self._judge(live, now)

    def _judge(self, live: LiveRoute, now: float) -> None:
        route, state = live.route, self._state
        stands_still = live.is_idle and live.judgement is not NOTHING_YET
        if stands_still and not live.steps and state.rollback_of(route.id) is None:
            return  # nothing came for a whole window, and nothing is waited for
        shut = closed(state.loaded.rules.calendar, now)
        world = World(closed=shut, opens=shut.until - now if shut else 0.0)
        at = Position(state.progress_of(route.id), state.rollback_of(route.id), world)
        judgement = live.judge(now, at)
        because = Because(SIMULATED, judgement.reason, now, {})
        if judgement.verdict is Verdict.ROLLBACK and route.on_breach == "freeze":
            if now >= live.frozen_until:
                live.frozen_until = now + route.rollback.cooldown
                self._note(now, route, "freeze", route.weight, judgement)
        elif judgement.verdict is Verdict.ROLLBACK:
            self._note(now, route, "rollback", 0, judgement)
            self._state = state.with_rollback(route.id, because, route.rollback.cooldown)
            live.reset(route, state.loaded.rules, 0, now)
        elif isinstance(due := judgement.course, Takes):
            weight = due.to.step.weight
            self._note(now, route, "advance", weight, judgement)
            loaded = _at_weight(state.loaded, route.id, weight)
            self._state = state.with_step(route.id, loaded, due.to.number - 1, because)
        elif isinstance(due, Resumes):
            weight = due.to.step.weight
            self._note(now, route, "resume", weight, judgement)
            loaded = _at_weight(state.loaded, route.id, weight)
            self._state = state.with_resume(route.id, loaded, because)
            live.reset(self._rules.route(route.id) or route, self._rules, 0, now)

    @property
    def _rules(self) -> Rules:
        return self._state.loaded.rules

    def _note(
        self, at: float, route: RouteRules, action: str, after: int, judgement: Judgement
    ) -> None:
        before = 0 if action == "resume" else route.weight
        detector = None if judgement.breach is None else judgement.breach.detector
        self._moves.append(Move(at, route.id, action, before, after, judgement.reason, detector))

    def _endings(self) -> Iterator[Ending]:
        for route in self._rules.routes:
            if (live := self._lives.get(route.id)) is not None:
                weight = self._state.weight_in_force(route)
                told = live.judgement
                minutes = self._evidence(route.id).minutes
                yield Ending(route.id, weight, told.verdict.value, told.reason, minutes)


def _at_weight(loaded: LoadedRules, route_id: str, weight: int) -> LoadedRules:
    routes = tuple(
        replace(route, weight=weight) if route.id == route_id else route
        for route in loaded.rules.routes
    )
    return replace(loaded, rules=replace(loaded.rules, routes=routes))
