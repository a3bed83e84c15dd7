"""The controller: reads what happened, judges, decides, and tells everybody.

`tick` is the table of contents. Whatever changes the routing goes through `_commit`, in one piece
without a pause: the new state is published first and written down afterwards, because a rollback
must not wait for a disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from proxy.clock import Clock
from proxy.control.board import route_reading, route_status, worker_reading
from proxy.control.bus.base import Payload, Peer
from proxy.control.journal import Journal
from proxy.control.live import LiveRoute
from proxy.control.loader import LoadedRules, RulesFile
from proxy.control.publisher import Publisher
from proxy.control.state import Because, RoutingState, first_state
from proxy.control.status import DecisionRecord, Rollback, Status, VersionRecord
from proxy.control.store.base import Store
from proxy.control.workers import Workers
from proxy.errors import ConflictError, NotFoundError, RefusedError, RulesError
from proxy.observe.metrics import Reading
from proxy.outcome import ComparisonBatch, OutcomeBatch
from proxy.rollout.detectors import Breach
from proxy.rollout.phase import Cause, may_move
from proxy.rollout.verdict import Verdict
from proxy.routing.rules import WEIGHT_MAX, RouteRules
from proxy.routing.schema import load_rules
from proxy.routing.side import Side

TICK: Final = 0.05
BOOKS: Final = 1.0
"""Seconds between looks at rules and windows, and between looks at the store."""

AUTOMATIC: Final = "cutover"
FROM_FILE: Final = "file"
"""Authors of changes that no operator asked for through the API."""

log = logging.getLogger(__name__)


class Controller:
    """The acting controller of one state directory; single-threaded, never waits to decide."""

    def __init__(
        self, rules_file: RulesFile, store: Store, publisher: Publisher, clock: Clock
    ) -> None:
        self._rules_file = rules_file
        self._journal = Journal(store)
        self._publisher = publisher
        self._clock = clock
        self._state: RoutingState | None = None
        self._live: dict[str, LiveRoute] = {}
        self._workers = Workers()
        self._captures_sent = 0
        self._unwritten = asyncio.Event()
        self._news = asyncio.Event()
        self._changes = 0
        self._closed = False

    # Life

    async def start(self) -> None:
        """Take over from whoever was controller before, and put the routing in force.

        Raises BusError when another controller is running, and RulesError when there are no valid
        rules to begin with, neither in the file nor from an earlier run.
        """
        await self._publisher.start(self.on_message, self.on_peer)
        try:
            last = await self._journal.open(self._publisher.last())
            self._begin(last)
            await self._journal.flush()
        except BaseException:
            await self._publisher.close()
            raise

    async def run(self) -> None:
        """Watch over everything until cancelled."""
        books = asyncio.create_task(self._keep_books())
        try:
            while True:
                try:
                    self.tick()
                except Exception:
                    log.exception("a tick failed; the routing stays as it is")
                await asyncio.sleep(TICK)
        finally:
            books.cancel()
            await asyncio.gather(books, return_exceptions=True)

    async def close(self) -> None:
        """Write what is to be written, and let go; workers go on with what they have."""
        self._closed = True
        self._tell()
        await self._publisher.close()
        await self._journal.close()

    def tick(self) -> None:
        """Look at everything once: rules, then windows; the bus brings the rest by itself."""
        self._read_rules()
        now = self._clock.monotonic()
        for live in tuple(self._live.values()):
            if live.is_due(now):
                self._judge(live, now)

    async def _keep_books(self) -> None:
        """Write decisions down as soon as there are some, and mend what was lost."""
        while True:
            try:
                async with asyncio.timeout(BOOKS):
                    await self._unwritten.wait()
            except TimeoutError:
                self._publisher.mend()
            self._unwritten.clear()
            try:
                await self._journal.flush()
            except Exception:
                log.exception("the store failed in an unexpected way")

    def _begin(self, last: VersionRecord | None) -> None:
        """Put in force what was in force before, and then what the file says now."""
        try:
            loaded: LoadedRules | None = self._rules_file.load()
        except RulesError as error:
            if last is None:
                raise
            self._rules_file.problem, loaded = error, None
            log.error("the last good rules are in force: %s", error)  # noqa: TRY400 - says it all
        if last is None and loaded is not None:
            because = self._because(FROM_FILE, "first start")
            self._commit(first_state(loaded, because), "load", None, because)
        elif last is not None and loaded is not None and loaded.text == last.text:
            self._enter(RoutingState(last, loaded))
        elif last is not None:
            self._enter(RoutingState(last, _parsed(last, loaded)))
            if loaded is not None:
                self._take_file(loaded, "the file was edited while no controller was running")

    # What comes in

    def on_peer(self, peer: Peer, connected: bool) -> None:
        """Note that a worker came or went."""
        self._workers.come_and_go(peer, self._clock.monotonic(), connected=connected)

    def on_message(self, peer: Peer, kind: str, payload: Payload) -> None:
        """Take what a worker says."""
        now = self._clock.monotonic()
        match kind:
            case "ack":
                self._workers.note_version(peer, payload["version"], now)
                self._overtake(payload["version"])
            case "outcomes":
                self._take_outcomes(peer, OutcomeBatch.from_wire(payload), now)
            case "comparisons":
                self._take_comparisons(peer, ComparisonBatch.from_wire(payload), now)
            case _:
                log.warning("%s %d sent a message of unknown kind %r", peer.role, peer.index, kind)

    def _take_outcomes(self, peer: Peer, batch: OutcomeBatch, now: float) -> None:
        """Count what a data plane worker saw; failures of modern are judged at once."""
        self._workers.note_outcomes(peer, batch, now)
        self._captures_sent += batch.captures_sent
        for route_id, reasons in batch.captures_dropped.items():
            if (live := self._live.get(route_id)) is not None:
                live.totals.dropped.update(reasons)
        for (route_id, side), tally in batch.tallies.items():
            if (live := self._live.get(route_id)) is None:
                continue  # a route that has just been taken out of the rules
            live.add_outcomes(side, tally, batch.version, now)
            if side == Side.MODERN and tally.bad:
                self._judge(live, now)

    def _take_comparisons(self, peer: Peer, batch: ComparisonBatch, now: float) -> None:
        """Count what a shadow worker judged; the next tick looks at it."""
        self._workers.note_comparisons(peer, batch, now)
        for count in batch.counts:
            if (live := self._live.get(count.route)) is not None:
                live.add_comparisons(count, batch.version, now)

    def _read_rules(self) -> None:
        """Take an edit of the rules file; what is refused leaves the last good rules in force."""
        known = self._rules_file.problem
        loaded = self._rules_file.poll()
        problem = self._rules_file.problem
        if problem is not None and str(problem) != str(known):
            log.error("the last good rules stay in force: %s", problem)
            self._tell()
        if problem is None and known is not None:
            log.info("the rules file is in order again")
            self._tell()
        if loaded is not None and loaded.text != self._now.record.text:
            self._take_file(loaded, "the file was edited")

    # Judging

    def _judge(self, live: LiveRoute, now: float) -> None:
        """Judge one route and act on a breach."""
        state = self._now
        rolled_back = state.rollback_of(live.route.id) is not None
        judgement = live.judge(now, rolled_back=rolled_back)
        if judgement.verdict is not Verdict.ROLLBACK or judgement.breach is None:
            return
        if state.record.kill_switch:
            return  # legacy serves everything already; what is measured is the past
        if live.route.on_breach == "freeze":
            self._freeze(live, judgement.breach, now)
        else:
            self._take_back(live, judgement.breach)

    def _take_back(self, live: LiveRoute, breach: Breach) -> None:
        """Roll a route back on evidence."""
        because = self._because(AUTOMATIC, str(breach), self._evidence(live, breach))
        route = live.route
        live.totals.rollbacks[breach.detector] += 1
        log.warning("rolling back %s: %s", route.id, breach)
        state = self._now.with_rollback(route.id, because, route.rollback.cooldown)
        self._commit(state, "rollback", route.id, because)

    def _freeze(self, live: LiveRoute, breach: Breach, now: float) -> None:
        """Keep the weight, and say so; once in a cool-down, or it would be said at every tick."""
        if now < live.frozen_until:
            return
        live.frozen_until = now + live.route.rollback.cooldown
        because = self._because(AUTOMATIC, str(breach), self._evidence(live, breach))
        log.warning("%s stays at its weight although %s", live.route.id, breach)
        self._note("freeze", live.route.id, because, None)

    def _evidence(self, live: LiveRoute, breach: Breach) -> dict[str, Any]:
        return {
            **breach.evidence(),
            "weight": live.route.weight,
            "rules_version": self._now.record.number,
            "samples": live.redacted_samples(),
        }

    # Changing

    def _take_file(self, loaded: LoadedRules, reason: str) -> None:
        because = self._because(FROM_FILE, reason)
        self._commit(self._now.with_rules(loaded, because), "load", None, because)

    def _overtake(self, version: int) -> None:
        """Publish anew when a worker knows a later version, which then died with its controller."""
        state = self._state
        if state is not None and version > state.record.number:
            because = self._because(AUTOMATIC, f"a worker knew version {version}, now lost")
            self._commit(state.after(version, because), "load", None, because)

    def _commit(
        self, state: RoutingState, action: str, route_id: str | None, because: Because
    ) -> VersionRecord:
        """Put a new state in force and remember why."""
        self._enter(state, begin_anew=route_id if action in ("rollback", "resume") else None)
        self._note(action, route_id, because, state.record)
        return state.record

    def _enter(self, state: RoutingState, begin_anew: str | None = None) -> None:
        """Publish a state, and measure by it from now on."""
        self._state = state
        self._publisher.publish(state.snapshot, state.record)
        self._follow(state, begin_anew)

    def _follow(self, state: RoutingState, begin_anew: str | None) -> None:
        """Keep one live route for each route of the rules."""
        now, rules, version = self._clock.monotonic(), state.loaded.rules, state.record.number
        followed: dict[str, LiveRoute] = {}
        for route in rules.routes:
            live = self._live.get(route.id)
            if live is None:
                live = LiveRoute(route, rules, version, now)
            elif route.id == begin_anew:
                live.reset(route, rules, version, now)
            else:
                live.follow(route, rules, version, now)
            live.judge(now, rolled_back=state.rollback_of(route.id) is not None)
            followed[route.id] = live
        self._live = followed

    def _note(
        self, action: str, route_id: str | None, because: Because, version: VersionRecord | None
    ) -> None:
        """Remember a decision, have it written down soon, and tell whoever listens."""
        decision = DecisionRecord(
            id=self._journal.last_decision + 1,
            at=because.at,
            route=route_id,
            action=action,
            author=because.author,
            reason=because.reason,
            version=self._now.record.number,
            evidence=because.evidence,
        )
        self._journal.add(version, decision)
        self._unwritten.set()
        self._tell()

    def _because(self, author: str, reason: str, evidence: dict[str, Any] | None = None) -> Because:
        return Because(author, reason, self._clock.wall(), evidence or {})

    def _tell(self) -> None:
        """Wake up everybody who follows `changed`."""
        self._changes += 1
        self._news.set()
        self._news = asyncio.Event()

    # What operators do; every method returns when the change is in force, and written if possible

    async def set_weight(
        self,
        route_id: str,
        weight: int,
        *,
        author: str,
        reason: str,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Give a route another weight (hundredths of a percent), in the rules file too."""
        self._read_rules()
        self._expect(expected_version)
        route = self._route(route_id)
        if (rollback := self._now.rollback_of(route_id)) is not None:
            assert not may_move(self._now.phase_of(route), Cause.RULES)  # noqa: S101 - the table's word
            raise RefusedError(f"`{route_id}` {_told(rollback)}; resume it first, with a weight")
        if weight == route.weight:
            return self._now.record
        loaded = self._write_weight(route_id, weight)
        because = self._because(author, reason, {"previous": route.weight, "weight": weight})
        self._commit(self._now.with_rules(loaded, because), "set_weight", route_id, because)
        return await self._written()

    async def rollback(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take a route back to legacy until it is resumed."""
        self._expect(expected_version)
        route = self._route(route_id)
        if (rollback := self._now.rollback_of(route_id)) is not None:
            raise RefusedError(f"`{route_id}` {_told(rollback)} already")
        because = self._because(author, reason, {"weight": route.weight})
        self._live[route_id].totals.rollbacks["operator"] += 1
        state = self._now.with_rollback(route_id, because, cooldown=None)
        self._commit(state, "rollback", route_id, because)
        return await self._written()

    async def resume(
        self,
        route_id: str,
        *,
        author: str,
        reason: str,
        weight: int | None = None,
        force: bool = False,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Put a rolled back route in force again, at its weight in the rules or at another."""
        self._read_rules()
        self._expect(expected_version)
        route = self._route(route_id)
        rollback = self._now.rollback_of(route_id)
        if rollback is None:
            raise RefusedError(f"`{route_id}` is not rolled back; there is nothing to resume")
        if not force and (left := rollback.cooldown_until - self._clock.wall()) > 0:
            raise RefusedError(
                f"`{route_id}` {_told(rollback)}; its cool-down lasts another"
                f" {left / 60:.0f} min, until {_instant(rollback.cooldown_until)}; force it to"
                " resume before"
            )
        loaded = self._now.loaded
        if weight is not None and weight != route.weight:
            loaded = self._write_weight(route_id, weight)
        after = route.weight if weight is None else weight
        because = self._because(author, reason, {"weight": after, "forced": force})
        self._commit(self._now.with_resume(route_id, loaded, because), "resume", route_id, because)
        return await self._written()

    async def set_kill_switch(self, on: bool, *, author: str, reason: str) -> VersionRecord:
        """Send everything to legacy, or let the rules decide again."""
        if on == self._now.record.kill_switch:
            return self._now.record
        because = self._because(author, reason)
        state = self._now.with_kill_switch(because, on=on)
        self._commit(state, "kill" if on else "unkill", None, because)
        return await self._written()

    def _expect(self, version: int | None) -> None:
        current = self._now.record
        if version is not None and version != current.number:
            raise ConflictError(
                f"the routing is at version {current.number} by now, not {version}:"
                f" {current.author} changed it ({current.reason}); read it again and repeat"
            )

    def _route(self, route_id: str) -> RouteRules:
        route = self._now.loaded.rules.route(route_id)
        if route is None:
            raise NotFoundError(f"there is no route `{route_id}` in the rules")
        return route

    def _write_weight(self, route_id: str, weight: int) -> LoadedRules:
        """Change the file; refused while it is not the one in force, or the edit would be lost."""
        if not 0 <= weight <= WEIGHT_MAX:
            raise RefusedError("a weight lies between 0% and 100%")
        if (problem := self._rules_file.problem) is not None:
            raise RefusedError(f"the rules file has to be mended first: {problem}")
        if not self._rules_file.is_current():
            raise ConflictError("the rules file is being edited just now; repeat the change")
        return self._rules_file.set_weight(route_id, weight)

    async def _written(self) -> VersionRecord:
        """Give the version in force, after an attempt to write it down."""
        record = self._now.record
        await self._journal.flush()
        return record

    # What operators read

    def status(self) -> Status:
        """Everything as it is now; cheap."""
        state, now = self._now, self._clock.monotonic()
        problem = self._rules_file.problem
        troubles = [p for p in (self._journal.problem, self._publisher.problem) if p is not None]
        return Status(
            at=self._clock.wall(),
            version=state.record.number,
            kill_switch=state.record.kill_switch,
            rules_file=str(self._rules_file.path),
            rules_problem=None if problem is None else str(problem),
            store_problem="; ".join(troubles) or None,
            routes=tuple(route_status(state, live, now) for live in self._live.values()),
            workers=self._workers.statuses(now),
        )

    def reading(self) -> Reading:
        """Everything that metrics tell."""
        state = self._now
        return Reading(
            version=state.record.number,
            kill_switch=state.record.kill_switch,
            rules_refused=self._rules_file.problem is not None,
            store_failed=self._journal.problem is not None,
            captures_sent=self._captures_sent,
            routes=tuple(route_reading(state, live) for live in self._live.values()),
            workers=tuple(map(worker_reading, self._workers.statuses(self._clock.monotonic()))),
            pools=self._workers.pools(),
        )

    async def versions(self, limit: int = 50, before: int | None = None) -> list[VersionRecord]:
        """List versions, newest first."""
        return await self._journal.versions(limit, before)

    async def version(self, number: int, /) -> VersionRecord:
        """One version; raises NotFoundError."""
        record = await self._journal.version(number)
        if record is None:
            raise NotFoundError(f"there is no version {number}")
        return record

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> list[DecisionRecord]:
        """List decisions, newest first."""
        return await self._journal.decisions(limit, route, before)

    async def decision(self, number: int, /) -> DecisionRecord:
        """One decision; raises NotFoundError."""
        record = await self._journal.decision(number)
        if record is None:
            raise NotFoundError(f"there is no decision {number}")
        return record

    async def changed(self) -> AsyncIterator[int]:
        """Yield the version whenever one is published or a decision is taken, until the end.

        Who is slow misses steps between, never the last.
        """
        seen = self._changes
        while not self._closed:
            if seen == self._changes:
                await self._news.wait()
            elif not self._closed:
                seen = self._changes
                yield self._now.record.number

    @property
    def _now(self) -> RoutingState:
        if self._state is None:
            raise RuntimeError("the controller has not been started")
        return self._state


def _parsed(record: VersionRecord, otherwise: LoadedRules | None) -> LoadedRules:
    """Parse what an earlier run left; rules that this program no longer takes give way."""
    try:
        document, rules = load_rules(record.text, "the last version")
    except RulesError:
        if otherwise is None:
            raise
        return otherwise
    return LoadedRules(record.text, document, rules)


def _told(rollback: Rollback) -> str:
    return f"was rolled back at {_instant(rollback.at)} ({rollback.reason})"


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
