"""The routing in force as one value, and the changes it can undergo (pure).

Each change gives a new state with the next version number; nothing is changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from proxy.control.loaded import LoadedRules
from proxy.control.status import Rollback, VersionRecord
from proxy.rollout.phase import Phase, phase_of
from proxy.routing.rules import RouteRules
from proxy.snapshot import Snapshot

IN_A_ROW_SECONDS = 24 * 3600.0
"""A rollback within this time of the one before doubles the cool-down; a later one begins anew."""

DOUBLINGS_MAX = 10


@dataclass(frozen=True, slots=True)
class Because:
    """Who changes the routing, when (Unix seconds), why, and on what evidence."""

    author: str
    reason: str
    at: float
    evidence: dict[str, Any]


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
        )

    def rollback_of(self, route_id: str) -> Rollback | None:
        """Give the rollback that holds a route at 0, or None."""
        rollback = self.record.rollbacks.get(route_id)
        return rollback if rollback is not None and rollback.active else None

    def phase_of(self, route: RouteRules) -> Phase:
        """Where a route stands."""
        rolled_back = self.rollback_of(route.id) is not None
        return phase_of(route.weight, route.mirror.share, rolled_back=rolled_back)

    def weight_in_force(self, route: RouteRules) -> int:
        """Weight after rollback and kill switch, in hundredths of a percent."""
        stopped = self.record.kill_switch or self.rollback_of(route.id) is not None
        return 0 if stopped else route.weight

    def with_rules(self, loaded: LoadedRules, because: Because) -> RoutingState:
        """Put other rules in force; what is rolled back stays so."""
        return RoutingState(self._next(because, text=loaded.text), loaded)

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
            because.at, because.author, because.reason, until, times, True, because.evidence
        )
        return self._with_rollbacks({route_id: rollback}, because)

    def with_resume(self, route_id: str, loaded: LoadedRules, because: Because) -> RoutingState:
        """Put a route in force again, by these rules; expects that it is rolled back."""
        ended = replace(self.record.rollbacks[route_id], active=False)
        resumed = self._with_rollbacks({route_id: ended}, because)
        return RoutingState(replace(resumed.record, text=loaded.text), loaded)

    def after(self, number: int, because: Because) -> RoutingState:
        """Say the same once more, under a number higher than this one."""
        record = self._next(because)
        return replace(self, record=replace(record, number=max(number, record.parent) + 1))

    def _with_rollbacks(self, changed: dict[str, Rollback], because: Because) -> RoutingState:
        rollbacks = {**self.record.rollbacks, **changed}
        active = tuple(sorted(route for route, r in rollbacks.items() if r.active))
        record = self._next(because, rollbacks=rollbacks, rolled_back=active)
        return replace(self, record=record)

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
