"""What a policy would have done on the outcomes that were recorded (pure).

The same judge and the same plans as in the controller are played on recorded minutes, each in
slices of five seconds. What modern would have answered at a weight that it did not have, nobody
knows. So no evidence is made up: at a lower weight a part of what modern was seen to do counts, at
a higher one no more than was seen; without any, plans wait. Nobody is there to approve or to
resume: a rollback ends only if the policy says that it resumes by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from proxy.control.interval import EVERY_ROUTE, Interval, SideCounts, parts, thinned
from proxy.control.live import LiveRoute, Position, World
from proxy.control.loaded import LoadedRules
from proxy.control.state import Because, first_state
from proxy.outcome import BadEvent, ComparisonCount, OutcomeKind, Tally
from proxy.rollout.breach import Verdict
from proxy.rollout.calendar import closed
from proxy.rollout.course import Resumes, Takes
from proxy.routing.rules import WEIGHT_MAX, Rules
from proxy.routing.side import Side

SLICES: Final = 12
"""Parts of an interval, each of five seconds if it is a minute long."""

SIMULATED: Final = "simulation"


@dataclass(frozen=True, slots=True)
class Move:
    """What the policy would have done with a route at a moment; weights as everywhere."""

    at: float
    route: str
    action: str
    before: int
    after: int
    reason: str


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
    """Everything the policy would have done, and where that would have ended."""

    moves: tuple[Move, ...]
    endings: tuple[Ending, ...]


def simulate(loaded: LoadedRules, intervals: Iterable[Interval]) -> Simulation:
    """Play a policy, from the weights that it says, on recorded intervals in order of time."""
    return _Player(loaded).play(intervals)


class _Player:
    def __init__(self, loaded: LoadedRules) -> None:
        self._state = first_state(loaded, Because(SIMULATED, "begins", 0.0, {}))
        self._lives: dict[str, LiveRoute] = {}
        self._moves: list[Move] = []
        self._minutes: dict[str, int] = defaultdict(int)
        self._identities = count(1)

    def play(self, intervals: Iterable[Interval]) -> Simulation:
        for at, seconds, found in _minutes(intervals):
            self._play_minute(at - seconds, seconds, found)
        return Simulation(tuple(self._moves), tuple(self._endings()))

    def _play_minute(self, begins: float, seconds: float, found: Sequence[Interval]) -> None:
        for interval in found:
            self._minutes[interval.route] += 1
        slices = {each.route: iter(self._sliced(each)) for each in found}
        for number in range(SLICES):
            now = begins + seconds * (number + 1) / SLICES
            for route in self._state.loaded.rules.routes:
                live = self._live(route.id, now)
                if route.id in slices:
                    self._feed(live, next(slices[route.id]), now)
                self._judge(live, now)

    def _live(self, route_id: str, now: float) -> LiveRoute:
        rules = self._state.loaded.rules
        route = rules.route(route_id)
        if route is None:
            raise LookupError(route_id)
        live = self._lives.get(route_id)
        if live is None:
            live = self._lives[route_id] = LiveRoute(route, rules, 0, now)
        elif live.route is not route:
            live.follow(route, rules, 0, now)
        return live

    def _sliced(self, interval: Interval) -> Iterator[Interval]:
        """Divide what was seen evenly."""
        legacy, modern = _divided(interval.legacy), _divided(interval.modern)
        compared = {verdict: list(parts(n, SLICES)) for verdict, n in interval.comparisons.items()}
        for number in range(SLICES):
            comparisons = {verdict: cut[number] for verdict, cut in compared.items()}
            yield replace(
                interval, legacy=next(legacy), modern=next(modern), comparisons=comparisons
            )

    def _feed(self, live: LiveRoute, seen: Interval, now: float) -> None:
        """Let a route see what it would have seen at the weight that it would have had."""
        weight = self._state.weight_in_force(live.route)
        there = seen.modern.ok + seen.modern.bad
        total = there + seen.legacy.ok + seen.legacy.bad
        share = min(1.0, total * weight / WEIGHT_MAX / there) if there else 0.0
        tallies = ((Side.MODERN, self._tally(seen.modern, share)),
                   (Side.LEGACY, self._tally(seen.legacy, 1.0)))  # fmt: skip
        for side, tally in tallies:
            if tally.ok or tally.bad:
                live.add_outcomes(side.value, tally, 0, now)
        for verdict, number in seen.comparisons.items():
            if number:
                count_ = ComparisonCount(live.route.id, "", verdict, "", False, number)
                live.add_comparisons(count_, 0, now)

    def _tally(self, seen: SideCounts, share: float) -> Tally:
        ok, bad = round(seen.ok * share), round(seen.bad * share)
        distinct = min(bad, round(seen.distinct * share))
        events = [
            BadEvent(0.0, next(self._identities), OutcomeKind.STATUS, 0, 0.0, "", "", "")
            for _ in range(distinct)
        ]
        tally = Tally(decided=ok + bad, served=ok, ok=ok, bad=bad, bad_events=events)
        tally.latencies = thinned(seen.latencies, share)
        return tally

    def _judge(self, live: LiveRoute, now: float) -> None:
        route, state = live.route, self._state
        shut = closed(state.loaded.rules.calendar, now)
        world = World(closed=shut, opens=shut.until - now if shut else 0.0)
        at = Position(state.progress_of(route.id), state.rollback_of(route.id), world)
        judgement = live.judge(now, at)
        because = Because(SIMULATED, judgement.reason, now, {})
        if judgement.verdict is Verdict.ROLLBACK and route.on_breach == "freeze":
            if now >= live.frozen_until:
                live.frozen_until = now + route.rollback.cooldown
                self._note(now, route.id, "freeze", route.weight, route.weight, because.reason)
        elif judgement.verdict is Verdict.ROLLBACK:
            self._note(now, route.id, "rollback", route.weight, 0, because.reason)
            self._state = state.with_rollback(route.id, because, route.rollback.cooldown)
            live.reset(route, state.loaded.rules, 0, now)
        elif isinstance(due := judgement.course, Takes):
            weight = due.to.step.weight
            self._note(now, route.id, "advance", route.weight, weight, because.reason)
            loaded = _at_weight(state.loaded, route.id, weight)
            self._state = state.with_step(route.id, loaded, due.to.number - 1, because)
        elif isinstance(due, Resumes):
            weight = due.to.step.weight
            self._note(now, route.id, "resume", 0, weight, because.reason)
            loaded = _at_weight(state.loaded, route.id, weight)
            self._state = state.with_resume(route.id, loaded, because)
            live.reset(self._rules.route(route.id) or route, self._rules, 0, now)

    @property
    def _rules(self) -> Rules:
        return self._state.loaded.rules

    def _note(
        self, at: float, route: str, action: str, before: int, after: int, reason: str
    ) -> None:
        self._moves.append(Move(at, route, action, before, after, reason))

    def _endings(self) -> Iterator[Ending]:
        for route in self._rules.routes:
            if (live := self._lives.get(route.id)) is not None:
                weight = self._state.weight_in_force(route)
                told = live.judgement
                minutes = self._minutes[route.id]
                yield Ending(route.id, weight, told.verdict.value, told.reason, minutes)


def _minutes(intervals: Iterable[Interval]) -> Iterator[tuple[float, float, list[Interval]]]:
    """Give each minute: when it ended, how long it was, and what routes saw in it, if anything."""
    found: dict[float, list[Interval]] = defaultdict(list)
    for interval in intervals:
        found[interval.at].append(interval)
    for at in sorted(found):
        rows = [each for each in found[at] if each.route != EVERY_ROUTE]
        yield at, found[at][0].seconds, rows


def _divided(seen: SideCounts) -> Iterator[SideCounts]:
    ok, bad, served, distinct = (
        list(parts(n, SLICES)) for n in (seen.ok, seen.bad, seen.served, seen.distinct)
    )
    given: dict[int, int] = {}
    for number in range(SLICES):
        so_far = thinned(seen.latencies, (number + 1) / SLICES)
        fresh = {b: n - given.get(b, 0) for b, n in so_far.items() if n > given.get(b, 0)}
        given = so_far
        yield SideCounts(ok[number], bad[number], served[number], distinct[number], fresh)


def _at_weight(loaded: LoadedRules, route_id: str, weight: int) -> LoadedRules:
    routes = tuple(
        replace(route, weight=weight) if route.id == route_id else route
        for route in loaded.rules.routes
    )
    return replace(loaded, rules=replace(loaded.rules, routes=routes))
