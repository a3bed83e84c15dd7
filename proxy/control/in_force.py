"""The routing in force, and the one way of changing it.

A change is one piece of work without a pause: the new state is published first and written down
afterwards, because a rollback must not wait for a disk, and nobody can come in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Container
from typing import Protocol

from proxy.clock import Clock
from proxy.control.journal import Journal
from proxy.control.live import NOTHING_YET, LiveRoute, Position, World
from proxy.control.state import Because, RoutingState
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.snapshot import Snapshot

BEGIN_ANEW = frozenset({"rollback", "resume", "deployed"})
"""Actions after which what was measured of the route says nothing any more."""


class Publishes(Protocol):
    """Whoever tells workers of a new state."""

    def publish(self, snapshot: Snapshot, record: VersionRecord) -> None:
        """Tell them; never waits, never fails."""
        ...


class InForce:
    """The state in force with what is measured under it; `live` has one entry for each route."""

    def __init__(self, journal: Journal, publisher: Publishes, clock: Clock) -> None:
        self.live: dict[str, LiveRoute] = {}
        self.world = World()
        self._journal = journal
        self._publisher = publisher
        self._clock = clock
        self._state: RoutingState | None = None
        self._news = asyncio.Event()
        self._changes = 0
        self._ended = False
        self._on_decision: list[Callable[[DecisionRecord], None]] = []

    def follow_decisions(self, listener: Callable[[DecisionRecord], None]) -> None:
        """Have every decision told to a listener, which must neither wait nor fail."""
        self._on_decision.append(listener)

    @property
    def started(self) -> bool:
        """Whether any state is in force yet."""
        return self._state is not None

    @property
    def state(self) -> RoutingState:
        """The state in force."""
        if self._state is None:
            raise RuntimeError("the controller has not been started")
        return self._state

    def commit(
        self, state: RoutingState, action: str, route_id: str | None, because: Because
    ) -> VersionRecord:
        """Put a new state in force and remember why."""
        anew: tuple[str, ...] = ()
        if action in BEGIN_ANEW:
            anew = tuple(self.live) if route_id is None else (route_id,)
        self.enter(state, begin_anew=anew)
        if route_id is not None and (live := self.live.get(route_id)) is not None:
            live.judge(self._clock.monotonic(), self.position(route_id))
        self.note(action, route_id, because, state.record)
        return state.record

    def enter(self, state: RoutingState, begin_anew: Container[str] = ()) -> None:
        """Publish a state, and measure by it from now on; some routes may begin anew."""
        self._state = state
        self._publisher.publish(state.snapshot, state.record)
        self._follow(state, begin_anew)

    def position(self, route_id: str) -> Position:
        """Where a route stands."""
        state = self.state
        return Position(state.progress_of(route_id), state.rollback_of(route_id), self.world)

    def note(
        self, action: str, route_id: str | None, because: Because, version: VersionRecord | None
    ) -> None:
        """Remember a decision, with the version it made if it made one, and tell everybody."""
        decision = DecisionRecord(
            id=self._journal.last_decision + 1,
            at=because.at,
            route=route_id,
            action=action,
            author=because.author,
            reason=because.reason,
            version=self.state.record.number,
            evidence=because.evidence,
        )
        self._journal.add(version, decision)
        for listener in self._on_decision:
            listener(decision)
        self.tell()

    def tell(self) -> None:
        """Wake up everybody who follows `changed`."""
        self._changes += 1
        self._news.set()
        self._news = asyncio.Event()

    def end(self) -> None:
        """End every `changed`."""
        self._ended = True
        self.tell()

    async def changed(self) -> AsyncIterator[int]:
        """Yield the version at every change; who is slow misses steps between, never the last."""
        seen = self._changes
        while not self._ended:
            if seen == self._changes:
                await self._news.wait()
            else:
                seen = self._changes
                yield self.state.record.number

    def _follow(self, state: RoutingState, begin_anew: Container[str]) -> None:
        """Keep one live route for each route of the rules; most versions change one, or none."""
        now, rules, version = self._clock.monotonic(), state.loaded.rules, state.record.number
        followed: dict[str, LiveRoute] = {}
        for route in rules.routes:
            followed[route.id] = live = self.live.get(route.id) or LiveRoute(
                route, rules, version, now
            )
            if route.id in begin_anew:
                live.reset(route, rules, version, now)
            elif live.route is not route:
                live.follow(route, rules, version, now)
            elif live.judgement is not NOTHING_YET:
                continue
            live.judge(now, self.position(route.id))
        self.live = followed
