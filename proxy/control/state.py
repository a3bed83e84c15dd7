"""The routing in force as one value, and the changes it can undergo (pure).

Each change gives a new state with the next version number; nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from proxy.control.loaded import LoadedRules
from proxy.control.status import Rollback, VersionRecord, WriteHalt
from proxy.rollout.phase import Phase, phase_of
from proxy.rollout.plan import Hand, Progress
from proxy.routing.rules import RouteRules, Rules
from proxy.snapshot import Snapshot

IN_A_ROW_SECONDS = 24 * 3600.0
"""A rollback within this time of the one before doubles the cool-down; a later one begins anew."""

DOUBLINGS_MAX = 10

NOWHERE_YET = Progress()
"""Of routes that nobody has moved since the first version."""


@dataclass(frozen=True, slots=True)
class Because:
    """Who changes the routing, when (Unix seconds), why, and on what evidence."""

    author: str
    reason: str
    at: float
    evidence: dict[str, Any]

    @property
    def hand(self) -> Hand:
        """Who, when and why."""
        return Hand(self.at, self.author, self.reason)


@dataclass(frozen=True, slots=True)
class RoutingState:
    """The version in force, with its rules parsed."""

    record: VersionRecord
    loaded: LoadedRules

    @property
    def snapshot(self) -> Snapshot:
        """What workers are told."""
        return Snapshot(
            version=self.record.number,
            document=self.loaded.document,
            rules=self.loaded.rules,
            rolled_back=frozenset(self.record.rolled_back),
            kill_switch=self.record.kill_switch,
            halted_writes=frozenset(route for route, halt in self._halts() if halt.active),
            write_epochs={route: halt.epoch for route, halt in self._halts() if halt.epoch},
        )

    def rollback_of(self, route_id: str) -> Rollback | None:
        """Give the rollback that holds a route at 0, or None."""
        rollback = self.record.rollbacks.get(route_id)
        return rollback if rollback is not None and rollback.active else None

    def write_halt_of(self, route_id: str) -> WriteHalt | None:
        """Give the halt that keeps a route's writes from being mirrored, or None."""
        halt = self.record.write_halts.get(route_id)
        return halt if halt is not None and halt.active else None

    def write_epoch_of(self, route_id: str) -> int:
        """Give the version in which mirroring of a route's writes was resumed; 0 if never."""
        halt = self.record.write_halts.get(route_id)
        return 0 if halt is None else halt.epoch

    def progress_of(self, route_id: str) -> Progress:
        """Give where a route stands on its plan, beside its weight."""
        return self.record.progress.get(route_id, NOWHERE_YET)

    def phase_of(self, route: RouteRules) -> Phase:
        """Where a route stands."""
        rolled_back = self.rollback_of(route.id) is not None
        weight = route.weight or int(route.leads_to_modern)  # a cohort is a canary, however small
        return phase_of(weight, route.mirror.share, rolled_back=rolled_back)

    def weight_in_force(self, route: RouteRules) -> int:
        """Weight after rollback and kill switch, in hundredths of a percent."""
        stopped = self.record.kill_switch or self.rollback_of(route.id) is not None
        return 0 if stopped else route.weight

    def with_rules(self, loaded: LoadedRules, because: Because) -> RoutingState:
        """Put other rules in force; what is rolled back stays so.

        A weight that a person has changed stays until somebody lets the plan go on: whoever takes
        the wheel does not expect it to turn by itself.
        """
        return _entered(RoutingState(self._next(because, text=loaded.text), loaded), self, because)

    def with_step(
        self,
        route_id: str,
        loaded: LoadedRules,
        step: int,
        because: Because,
        held: Hand | None = None,
    ) -> RoutingState:
        """Take a step (from 0) of a route's plan, by these rules, in which it has its weight."""
        record = self._next(because, text=loaded.text)
        return _at(RoutingState(record, loaded), route_id, Progress(record.number, step, held))

    def with_hold(self, route_id: str, because: Because) -> RoutingState:
        """Keep a route's plan where it is."""
        held = replace(self.progress_of(route_id), held=because.hand)
        return _at(replace(self, record=self._next(because)), route_id, held)

    def with_release(self, route_id: str, because: Because) -> RoutingState:
        """Let a plan that is on hold go on; the gate counts from now."""
        record = self._next(because)
        released = replace(self.progress_of(route_id), held=None, entered=record.number)
        return _at(replace(self, record=record), route_id, released)

    def with_approval(self, route_id: str, because: Because) -> RoutingState:
        """Note that a person agrees to leave the step that a route stands on."""
        approved = replace(self.progress_of(route_id), approved=because.hand)
        return _at(replace(self, record=self._next(because)), route_id, approved)

    def with_kill_switch(self, because: Because, *, on: bool) -> RoutingState:
        """Turn the kill switch."""
        return replace(self, record=self._next(because, kill_switch=on))

    def with_rollback(
        self, route_id: str, because: Because, cooldown: float | None
    ) -> RoutingState:
        """Take a route back. Without a cool-down (in seconds) it was done by hand, and counts less.

        An operator may resume at once what an operator took back; what a detector took back waits
        twice as long each time in a row.
        """
        last = self.record.rollbacks.get(route_id)
        times = last.times if last and because.at - last.at < IN_A_ROW_SECONDS else 0
        until = because.at
        if cooldown is not None:
            until += float(cooldown * 2 ** min(times, DOUBLINGS_MAX))
            times += 1
        rollback = Rollback(
            because.at, because.author, because.reason, until, times, True, because.evidence,
            cooldown=until - because.at, automatic=cooldown is not None,
        )  # fmt: skip
        state = self._with_rollbacks({route_id: rollback}, because)
        progress = replace(self.progress_of(route_id), entered=state.record.number, approved=None)
        return _at(state, route_id, progress)

    def with_resume(self, route_id: str, loaded: LoadedRules, because: Because) -> RoutingState:
        """Put a route in force again, by these rules; expects that it is rolled back."""
        ended = replace(self.record.rollbacks[route_id], active=False)
        resumed = self._with_rollbacks({route_id: ended}, because)
        record = replace(resumed.record, text=loaded.text)
        return _at(RoutingState(record, loaded), route_id, Progress(record.number))

    def with_writes_halted(self, route_id: str, because: Because) -> RoutingState:
        """Mirror no writes of a route any more, until somebody resumes it."""
        epoch = self.write_epoch_of(route_id)
        halt = WriteHalt(because.at, because.author, because.reason, True, epoch, because.evidence)
        return self._with_write_halt(route_id, halt, because)

    def with_writes_resumed(self, route_id: str, because: Because) -> RoutingState:
        """Mirror writes of a route again, from the first on; expects that they are halted."""
        halt = self.record.write_halts[route_id]
        ended = replace(halt, active=False, epoch=self.record.number + 1)
        return self._with_write_halt(route_id, ended, because)

    def with_deployment(self, because: Because) -> RoutingState:
        """Note that modern is another than before: what was seen on steps counts no more."""
        record = self._next(because)
        progress = {
            route.id: replace(self.progress_of(route.id), entered=record.number)
            for route in self.loaded.rules.routes
            if route.plan is not None
        }
        return replace(self, record=replace(record, progress={**record.progress, **progress}))

    def after(self, number: int, because: Because) -> RoutingState:
        """Say the same once more, under a number higher than this one."""
        record = self._next(because)
        return replace(self, record=replace(record, number=max(number, record.parent) + 1))

    def _with_rollbacks(self, changed: dict[str, Rollback], because: Because) -> RoutingState:
        rollbacks = {**self.record.rollbacks, **changed}
        active = tuple(sorted(route for route, r in rollbacks.items() if r.active))
        record = self._next(because, rollbacks=rollbacks, rolled_back=active)
        return replace(self, record=record)

    def _with_write_halt(self, route_id: str, halt: WriteHalt, because: Because) -> RoutingState:
        halts = {**self.record.write_halts, route_id: halt}
        return replace(self, record=self._next(because, write_halts=halts))

    def _halts(self) -> Iterable[tuple[str, WriteHalt]]:
        return self.record.write_halts.items()

    def _next(self, because: Because, **changed: Any) -> VersionRecord:
        return replace(
            self.record,
            number=self.record.number + 1,
            parent=self.record.number,
            at=because.at,
            author=because.author,
            reason=because.reason,
            evidence=because.evidence,
            **changed,
        )


def held_by_rollback(state: RoutingState, loaded: LoadedRules) -> tuple[str, ...]:
    """Name the routes that other rules would move, and that a rollback holds at 0 all the same."""
    return tuple(
        route.id
        for route in loaded.rules.routes
        if state.rollback_of(route.id) is not None
        and (was := state.loaded.rules.route(route.id)) is not None
        and was.weight != route.weight
    )


def _at(state: RoutingState, route_id: str, progress: Progress) -> RoutingState:
    """Note where a route stands on its plan; expects that the version is a new one already."""
    known = {**state.record.progress, route_id: progress}
    return replace(state, record=replace(state.record, progress=known))


def _entered(state: RoutingState, before: RoutingState, because: Because) -> RoutingState:
    """Note which routes stand elsewhere than before, and which of them by somebody's hand."""
    number, old, new = state.record.number, before.loaded.rules, state.loaded.rules
    known = {each.id: each for each in old.routes}
    progress = {}
    for route in new.routes:
        was, stood = known.get(route.id), before.record.progress.get(route.id)
        if was is not None and (was is route or not _stands_anew(was, route, old, new)):
            if stood is not None:
                progress[route.id] = stood
        elif route.plan is not None:
            moved = was is not None and was.plan is not None and was.weight != route.weight
            held = because.hand if moved else stood.held if stood and was else None
            progress[route.id] = Progress(number, held=held)
    return replace(state, record=replace(state.record, progress=progress))


def _stands_anew(was: RouteRules, route: RouteRules, old: Rules, new: Rules) -> bool:
    """Whether what was measured for a gate says nothing about the route as it is written now."""
    return old.modern != new.modern or replace(was, line=0) != replace(route, line=0)


def first_state(loaded: LoadedRules, because: Because) -> RoutingState:
    """Give the first version there ever was."""
    record = VersionRecord(
        number=1,
        parent=0,
        at=because.at,
        author=because.author,
        reason=because.reason,
        text=loaded.text,
        rolled_back=(),
        kill_switch=False,
        evidence=because.evidence,
    )
    return RoutingState(record, loaded)
