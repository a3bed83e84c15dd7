"""The controller: reads what happened, judges, decides, and tells everybody.

`tick` is the table of contents, together with `on_message`: failures are judged as they arrive.
Every change of the routing goes through `InForce.commit`, in one piece without a pause.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

from proxy.clock import Clock
from proxy.control.believed import BelievedTime
from proxy.control.board import hosts_reading, route_reading, worker_reading
from proxy.control.bus.base import Payload, Peer
from proxy.control.desk import FROM_FILE, Hosts
from proxy.control.interval_keeper import IntervalKeeper
from proxy.control.live import LiveRoute, World
from proxy.control.loaded import LoadedRules
from proxy.control.loader import RulesFile
from proxy.control.moments import ALIKE
from proxy.control.plan_desk import PlanDesk
from proxy.control.publisher import Publishing
from proxy.control.state import RoutingState, first_state
from proxy.control.status import VersionRecord
from proxy.control.stepper import PLAN, Stepper, written_step
from proxy.control.store.base import Store
from proxy.errors import RefusedError, RulesError
from proxy.kill_file import KillFile
from proxy.observe.metrics import Reading
from proxy.outcome import ComparisonBatch, OutcomeBatch, PairEvent, WritesHalted
from proxy.recording import Recording, RecordingFile
from proxy.rollout.breach import Breach, Verdict
from proxy.rollout.calendar import closed
from proxy.routing.schema import load_rules
from proxy.turns import Turns

TICK: Final = 0.05
BOOKS: Final = 1.0
"""Seconds between looks at rules and windows, and between looks at the store."""

KEPT: Final = 5.0
"""Seconds between two times that evidence is kept: so much of it a killed controller loses."""

SILENT: Final = 5.0
"""Seconds without a word from any data plane worker after which nothing counts as watched."""

PART: Final = 10
ROUND: Final = 80
"""Routes looked at in one tick at least, and ticks in which each has its turn: four seconds.

A route of which something bad was told is looked at then and there, whoever's turn it is.
"""

AUTOMATIC: Final = "cutover"
"""Author of decisions that nobody asked for."""

RECORDS: Final = ("record", "record_end")
"""What the journal says of recordings."""

FORWARDER = "forwarder"
"""The role of whoever puts captures on the stream, if there is one."""

log = logging.getLogger(__name__)


OnLost = Callable[[str, Mapping[str, int], int], None]
"""Takes captures that were dropped: route, how many by reason, and the rules version."""


class Controller(PlanDesk):
    """The acting controller of one state directory; single-threaded, never waits to decide.

    `on_lost` is told of captures that no shadow worker had.
    """

    def __init__(
        self,
        rules_file: RulesFile,
        store: Store,
        publisher: Publishing,
        clock: Clock,
        recording_file: RecordingFile,
        kill_file: KillFile | None = None,
        on_lost: OnLost = lambda _route, _reasons, _version: None,
        hosts: Hosts | None = None,
    ) -> None:
        super().__init__(rules_file, store, publisher, clock, recording_file, kill_file, hosts)
        self._recording_file = recording_file
        self._turns: Turns[LiveRoute] = Turns(PART, 1, ROUND)
        self._stepper = Stepper(self._in_force, rules_file, clock)
        self._intervals = IntervalKeeper(self._in_force, store, clock)
        self._believed = BelievedTime(clock.wall(), clock.monotonic())
        self._slow_at: dict[str, float] = {}
        self._evidence_of: frozenset[str] = frozenset()
        self._looked_at = self._kept_at = clock.monotonic() - BOOKS
        self._on_lost = on_lost
        self._captures_sent = 0
        self._stream: dict[str, int] = {}
        self._events: Counter[tuple[str, str]] = Counter()

    # Life

    async def start(self) -> None:
        """Take over from whoever was controller before, and put the routing in force.

        Raises BusError when another controller is running, and RulesError when there are no valid
        rules to begin with, neither in the file nor from an earlier run.
        """
        await self._publisher.start(self.on_message, self.on_peer)
        try:
            last = await self._journal.open(self._publisher.last())
            kept = await self._journal.evidence()
            self._look_around()
            self._begin(last)
            self._restore(kept)
            await self._take_up_recording(self._recording_file.read())
            await self._journal.flush()
        except BaseException:
            await self._publisher.close()
            raise

    async def run(self) -> None:
        """Watch over everything until cancelled."""
        books = asyncio.gather(self._keep_books(), self._stepper.run(), self._intervals.run())
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

    async def abandon(self) -> None:
        """Let go without a word to the store: another controller acts by now."""
        self._in_force.end()
        await self._publisher.close()
        await self._journal.abandon()

    async def close(self) -> None:
        """Write what is to be written, and let go; workers go on with what they have."""
        self._in_force.end()
        await self._journal.flush()
        await self._keep_evidence()
        await self._intervals.keep()
        await self._publisher.close()
        await self._journal.close()

    def tick(self) -> None:
        """Look at everything once: rules, then windows; the bus brings the rest by itself."""
        self.read_rules()
        self.follow_kill_file()
        self.recordings.follow()
        self._look_around()
        now = self._clock.monotonic()
        for live in self._turns.next(tuple(self._in_force.live.values())):
            if live.due <= now:
                self._judge(live, now)

    async def take_steps(self) -> None:
        """Take the steps of plans that are due, and return when they are in force."""
        await self._stepper.take_all()

    def _look_around(self) -> None:
        """See once a second what holds for all routes: the calendar, and whether we are blind."""
        now = self._clock.monotonic()
        believed = self._believed.at(self._clock.wall(), now)
        if 0.0 <= now - self._looked_at < BOOKS:
            return
        self._looked_at = now
        shut = closed(self._now.loaded.rules.calendar, believed) if self._in_force.started else None
        self._in_force.world = World(
            closed=shut,
            opens=shut.until - believed if shut is not None else 0.0,
            killed=self._killed or (self._in_force.started and self._now.record.kill_switch),
            watched=self._workers.silent_for(now) <= SILENT,
            doubt=self._workers.unheard(now, SILENT),
        )
        self._tell_slowness()

    def _tell_slowness(self) -> None:
        """Tell workers from when on an answer is slow where that is measured against legacy."""
        lives = self._in_force.live.values()
        limits = {live.route.id: live.limit.seconds for live in lives if live.limit.is_measured}
        if limits != self._slow_at:
            self._slow_at = limits
            self._publisher.tell("slow_at", limits)

    def _restore(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        """Take up the measurements of the controller before."""
        now = self._clock.monotonic()
        for route_id, live in self._in_force.live.items():
            if route_id in kept:
                live.restore(kept[route_id], self._in_force.position(route_id), now)

    async def _take_up_recording(self, order: Recording | None) -> None:
        """Go on with what is being recorded, if the journal says that it has begun."""
        before: int | None = None
        while order is not None:
            try:
                page = await self.decisions(PART, before=before)
            except RefusedError:
                return  # it is better noted twice than not at all
            for each in page:
                if each.action in RECORDS and each.evidence.get("recording") == order.id:
                    if each.action == "record":
                        self.recordings.take_up(order)
                    return
            if not page or page[-1].at < order.at:
                return
            before = page[-1].id

    async def _keep_evidence(self) -> None:
        """Keep what was measured, in parts, so that the loop turns in between."""
        self._kept_at = self._clock.monotonic()
        version, rows = self._now.record.number, {}
        for place, live in enumerate(tuple(self._in_force.live.values())):
            if place % PART == PART - 1:
                await asyncio.sleep(0)
            rows[live.route.id] = live.kept()
        await self._journal.keep_evidence(version, rows)
        if self._evidence_of != rows.keys():
            self._evidence_of = frozenset(rows)
            await self._journal.drop_evidence(self._evidence_of)

    async def _keep_books(self) -> None:
        """Write decisions down as soon as there are some, and mend what was lost."""
        while True:
            try:
                async with asyncio.timeout(BOOKS):
                    await self._journal.unwritten.wait()
            except TimeoutError:
                self._publisher.mend()
            try:
                await self._journal.flush()
                if self._clock.monotonic() - self._kept_at >= KEPT:
                    await self._keep_evidence()
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
            self._in_force.commit(first_state(loaded, because), "load", None, because)
        elif last is not None and loaded is not None and loaded.text == last.text:
            self._in_force.enter(RoutingState(last, loaded))
        elif last is not None and self._hosts is not None:
            # Another host's file may be the newer one: the store decides, and no file of before.
            self._in_force.enter(RoutingState(last, _parsed(last, loaded)))
            self._rules_file.follow(last.text, None)
        elif last is not None:
            self._in_force.enter(RoutingState(last, _parsed(last, loaded)))
            if loaded is not None and not self._finish_step(loaded):
                self.take_file(loaded, "the file was edited while no controller was running")

    def _finish_step(self, loaded: LoadedRules) -> bool:
        """Take a step that the controller before had written into the file when it ended."""
        found = written_step(self._now, loaded)
        if found is None:
            return False
        route_id, place = found
        evidence = {"step": place.number, "of": place.of, "weight": place.step.weight}
        reason = f"{place} was written into the file when the controller ended"
        because = self._because(PLAN, reason, evidence)
        taken = self._now.with_step(route_id, loaded, place.number - 1, because)
        self._in_force.commit(taken, "advance", route_id, because)
        return True

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
            case "writes_halted":
                self._halt_writes(WritesHalted.from_wire(payload))
            case _:
                log.warning("%s %d sent a message of unknown kind %r", peer.role, peer.index, kind)

    def _take_outcomes(self, peer: Peer, batch: OutcomeBatch, now: float) -> None:
        """Count what a data plane worker saw; failures are judged at once."""
        self._workers.note_outcomes(peer, batch, now)
        self._overtake(batch.version)
        self._captures_sent += batch.captures_sent
        if peer.role == FORWARDER:
            self._stream = batch.stream
        self._count(batch.events)
        for route_id, reasons in batch.captures_dropped.items():
            if (live := self._in_force.live.get(route_id)) is not None:
                live.add_dropped(reasons, batch.version, now)
                self._on_lost(route_id, reasons, batch.version)
        for (route_id, side), tally in batch.tallies.items():
            if (live := self._in_force.live.get(route_id)) is None:
                continue  # a route that has just been taken out of the rules
            live.add_outcomes(side, tally, batch.version, now)
            if tally.bad or tally.slow or tally.denied:
                self._judge(live, now)

    def _count(self, events: Mapping[str, Mapping[str, int]]) -> None:
        """Count events, for metrics."""
        for event, labels in events.items():
            self._events.update({(event, label): count for label, count in labels.items()})

    def _take_comparisons(self, peer: Peer, batch: ComparisonBatch, now: float) -> None:
        """Count what a shadow worker compared, and judge it at once."""
        self._workers.note_comparisons(peer, batch, now)
        self._count(batch.events)
        if batch.reclaimed:
            self._events["captures_reclaimed", ""] += batch.reclaimed
        told: dict[str, LiveRoute] = {}
        pairs, alike = defaultdict[str, list[PairEvent]](list), Counter[str]()
        for pair in batch.pairs:
            pairs[pair.route].append(pair)
        for route_id in pairs:
            if (live := self._in_force.live.get(route_id)) is not None:
                live.note(now)
        for count in batch.counts:
            if (live := self._in_force.live.get(count.route)) is not None:
                live.add_comparisons(count, batch.version, now)
                told[count.route] = live
                alike[count.route] += count.count if count.verdict in ALIKE else 0
        for route_id in alike.keys() | pairs.keys():
            if (live := self._in_force.live.get(route_id)) is not None:
                live.add_pairs(alike[route_id], pairs[route_id], batch.version, now)
                told[route_id] = live
        for route_id, (baselines, differed) in batch.baselines.items():
            if (live := self._in_force.live.get(route_id)) is not None:
                live.add_baselines(baselines, differed, batch.version)
        for live in told.values():
            self._judge(live, now)

    def reading(self) -> Reading:
        """Everything that metrics tell."""
        state = self._now
        return Reading(
            version=state.record.number,
            kill_switch=state.record.kill_switch or self._killed,
            rules_refused=self._rules_file.problem is not None,
            store_failed=self._journal.problem is not None,
            captures_sent=self._captures_sent,
            stream=dict(self._stream),
            routes=tuple(
                route_reading(state, live, killed=self._killed)
                for live in self._in_force.live.values()
            ),
            retiring=self._workers.retiring,
            workers=tuple(map(worker_reading, self._workers.statuses(self._clock.monotonic()))),
            pools=self._workers.pools(),
            instances=self._workers.instances(),
            breakers=self._workers.breakers(),
            events=dict(self._events),
            certificates=self._workers.certificates(),
            hosts=hosts_reading(None if self._hosts is None else self._hosts()),
        )

    # Judging

    def _judge(self, live: LiveRoute, now: float) -> None:
        """Judge one route and act on a breach."""
        state = self._now
        judgement = live.judge(now, self._in_force.position(live.route.id))
        live.put_off(now)
        if judgement.verdict is Verdict.ADVANCE:
            self._stepper.want(live.route.id)
        if judgement.verdict is not Verdict.ROLLBACK or judgement.breach is None:
            return
        if state.record.kill_switch or self._killed:
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
        self._in_force.commit(state, "rollback", route.id, because)

    def _freeze(self, live: LiveRoute, breach: Breach, now: float) -> None:
        """Keep the weight, and say so; once in a cool-down, or it would be said at every tick."""
        if now < live.frozen_until:
            return
        live.frozen_until = now + live.route.rollback.cooldown
        because = self._because(AUTOMATIC, str(breach), self._evidence(live, breach))
        log.warning("%s stays at its weight although %s", live.route.id, breach)
        self._in_force.note("freeze", live.route.id, because, None)

    def _halt_writes(self, halted: WritesHalted) -> None:
        """Mirror no writes of a route any more; what is told of an earlier time is known."""
        state, route_id = self._now, halted.route
        known = state.loaded.rules.route(route_id) is not None
        if (
            not known
            or state.write_halt_of(route_id)
            or halted.epoch != state.write_epoch_of(route_id)
        ):
            return
        reason = f"a mirrored write was not acknowledged: {halted.why}"
        because = self._because(AUTOMATIC, reason, {"write": halted.write, "epoch": halted.epoch})
        log.error("writes of %s are mirrored no more: %s", route_id, reason)
        state = state.with_writes_halted(route_id, because)
        self._in_force.commit(state, "halt_writes", route_id, because)

    def _evidence(self, live: LiveRoute, breach: Breach) -> dict[str, Any]:
        return {
            **breach.evidence(),
            "weight": live.route.weight,
            "rules_version": self._now.record.number,
            "samples": live.redacted_samples(),
        }

    # Changing

    def _overtake(self, version: int) -> None:
        """Publish anew when a worker knows a later version, which then died with its controller."""
        if self._in_force.started and version > (state := self._now).record.number:
            because = self._because(AUTOMATIC, f"a worker knew version {version}, now lost")
            self._in_force.commit(state.after(version, because), "load", None, because)


def _parsed(record: VersionRecord, otherwise: LoadedRules | None) -> LoadedRules:
    """Parse what an earlier run left; rules that this program no longer takes give way."""
    try:
        document, rules = load_rules(record.text, "the last version")
    except RulesError:
        if otherwise is None:
            raise
        return otherwise
    return LoadedRules(record.text, document, rules)
