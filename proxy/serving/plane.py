"""What all exchanges of one worker share: the table in force, the pools, and the counts."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from proxy.observe.span import Span
from proxy.outcome import BAD_EVENTS_MAX, BadEvent, OutcomeBatch, OutcomeKind
from proxy.recording import Recording
from proxy.routing.identity import mint
from proxy.routing.limits import CONNECTIONS_MAX
from proxy.routing.rules import Rules
from proxy.routing.side import Side
from proxy.routing.table import Table
from proxy.routing.upstream_rules import UpstreamRules
from proxy.serving.admission import Admission
from proxy.serving.budgets import Budgets
from proxy.serving.copying import Room
from proxy.serving.limits import Limits
from proxy.serving.tallies import Taken, Tallies
from proxy.snapshot import Snapshot
from proxy.upstream.connect import TlsError, refusing
from proxy.upstream.pool import Pool

IDLE_DEADLINE: Final = 75.0
"""Seconds that a client's connection may be idle between requests."""


class Tap(Protocol):
    """Where captures go: the mirror, or nothing."""

    @property
    def connected(self) -> bool:
        """Whether anybody takes captures."""
        ...

    def offer(self, frame: bytes) -> str | None:
        """Take a frame without waiting; gives the reason when it was dropped."""
        ...


class Orphaned(Protocol):
    """An answer whose client has gone; `pool` is where its connection comes from."""

    pool: Pool

    def on_tick(self, now: float) -> None:
        """Look at the clock."""
        ...


class Log(Protocol):
    """Where the access log goes."""

    def record(self, line: dict[str, object]) -> None:
        """Take one line, to be written later."""
        ...


class Tracer(Protocol):
    """Where spans go. `share` is how many of the requests that bring no trace context begin one."""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        ...

    def offer(self, span: Span) -> None:
        """Take a span without waiting."""
        ...


class Plane:
    """The live state of one data plane worker. Single-threaded, never waits."""

    def __init__(
        self,
        index: int,
        workers: int,
        mint_key: bytes,
        tap: Tap,
        log: Log | None,
        now: Callable[[], float],
        wall: Callable[[], float],
        make_pool: Callable[..., Pool] = Pool,
        ready_path: str = "",
        override_key: bytes = b"",
    ) -> None:
        self.tracer: Tracer | None = None
        self.index: Final = index
        self.tap: Final = tap
        self.log: Final = log
        self.now: Final = now
        self.wall: Final = wall
        self.override_key: Final = override_key
        self.admission: Final = Admission()
        self.limits: Final = Limits(workers)
        self.tallies: Final = Tallies()
        self.budgets: Final = Budgets(workers)
        self.room: Final = Room()
        self.orphans: Final[set[Orphaned]] = set()
        self.connections_max = CONNECTIONS_MAX
        self.ready_path: Final = ready_path
        self.leaving = False
        self.draining = False
        self.idle_seconds = IDLE_DEADLINE
        self.connections = 0
        self.table: Table | None = None
        self.pools: dict[Side, Pool] = {}
        self.certificates: dict[str, float] = {}
        self.on_bad: Callable[[], None] = lambda: None
        self._workers = workers
        self._mint_key = mint_key
        self.snapshot: Snapshot | None = None
        self.recording: Recording | None = None
        self._killed = False
        self._make_pool = make_pool
        self._random = random.Random(os.urandom(16))  # noqa: S311 - samples, ids
        self._id_prefix = os.urandom(6).hex().encode()
        self._id_count = 0
        self._traces = b""
        self._trace_at = 0
        self._captures_sent = 0
        self._captures_dropped: dict[str, dict[str, int]] = {}
        self._events: dict[str, dict[str, int]] = {}
        self._slow_at: dict[str, float] = {}

    # State that comes down

    def apply(self, snapshot: Snapshot) -> None:
        """Serve by this snapshot from now on; exchanges in flight keep the table they have.

        Raises TlsError, and changes nothing, when a file that the rules name cannot be used and
        there are other rules to go on with.
        """
        pools = self._renewed_pools(snapshot.rules)  # first: it may fail, and then nothing changes
        self.snapshot = snapshot
        self.table = Table(
            snapshot.rules,
            snapshot.rolled_back,
            snapshot.kill_switch or self._killed,
            snapshot.version,
            self._mint_key,
            self.ready_path,
            snapshot.halted_writes,
            before=self.table,
        )
        self.admission.limit = snapshot.rules.limits.exchanges
        self.connections_max = snapshot.rules.limits.connections
        self.limits.follow(
            (route.id, route.rules.limits) for route in self.table.routes if route.limited
        )
        self.budgets.follow(
            ((route.id, route.rules.mirror.budget) for route in self.table.routes),
            snapshot.rules.mirror.budget,
        )
        for side, old in self.pools.items():
            if pools[side] is not old:
                old.close()
        self.pools = pools
        # The controller has no use for what is still counted elsewhere.
        self.tallies.keep({route.id for route in self.table.routes})
        self._apply_slowness()

    def kill(self, on: bool) -> bool:
        """Follow the kill file, as if the snapshot said it; gives whether that is a change."""
        if on is self._killed:
            return False
        self._killed = on
        if self.snapshot is not None:
            self.apply(self.snapshot)
        return True

    def readiness(self) -> tuple[int, str]:
        """What a load balancer is told, as status and text."""
        if self.leaving:
            return 503, "draining"
        return (200, "ready") if self.table is not None else (503, "no rules")

    def reread(self) -> None:
        """Take the files that the rules name as they are now; raises TlsError, and changes nothing.

        Connections that are leased go on, and close when they come back.
        """
        secure = {side: pool for side, pool in self.pools.items() if pool.secure}
        renewed = {side: self._new_pool(pool.rules, pool) for side, pool in secure.items()}
        self.pools = self.pools | renewed
        for pool in secure.values():
            pool.close()

    def _renewed_pools(self, rules: Rules) -> dict[Side, Pool]:
        """Give the pools by these rules; a side for which nothing changes keeps its own."""
        pools: dict[Side, Pool] = {}
        for side in Side:
            wanted, old = rules.upstream(side), self.pools.get(side)
            pools[side] = old if old and old.rules == wanted else self._new_pool(wanted, old)
        return pools

    def _new_pool(self, rules: UpstreamRules, before: Pool | None) -> Pool:
        make = partial(
            self._make_pool,
            rules,
            rules.max_connections // self._workers,
            note=self.note,
            chance=self._random.random,
            before=before,
        )
        try:
            return make()
        except TlsError as error:
            if self.table is not None:
                raise
            # There are no rules to go on with, and half a service is better than none.
            return make(connect=refusing(error))

    # Chance, for the exchanges

    def request_id(self) -> bytes:
        """A new id: unique among all workers, cheap, and it tells nothing."""
        self._id_count += 1
        return b"%b%08x" % (self._id_prefix, self._id_count)

    def traceparent(self) -> bytes:
        """A new trace context, not sampled (W3C Trace Context, 3.2)."""
        at = self._trace_at
        if at >= len(self._traces):
            # One system call for 256 of them; all zeros, which is not allowed, never comes.
            self._traces, at = os.urandom(256 * 24).hex().encode(), 0
        self._trace_at = at + 48
        traces = self._traces
        return b"00-%b-%b-00" % (traces[at : at + 32], traces[at + 32 : at + 48])

    def samples(self, share: float) -> bool:
        """Whether this one is among the sampled."""
        return share >= 1.0 or (share > 0.0 and self._random.random() < share)

    def mint(self) -> bytes:
        """The value of a new identity cookie."""
        return mint(self._mint_key, os.urandom(16))

    # Counts that go up

    def record_bad(self, route: str, side: str, event: BadEvent) -> None:
        """Count an attempt that the upstream failed, and have it reported at once."""
        tally = self.tallies.failing(route, side)
        tally.bad += 1
        if event.kind in (OutcomeKind.STATUS, OutcomeKind.TIMEOUT):
            tally.add_latency(event.latency)
        if len(tally.bad_events) < BAD_EVENTS_MAX:
            tally.bad_events.append(event)
        self.on_bad()

    def record_slow(self, route: str, side: str, event: BadEvent) -> None:
        """Note whose answer was slow; it goes up with the next batch."""
        tally = self.tallies.failing(route, side)
        tally.slow += 1
        if len(tally.slow_events) < BAD_EVENTS_MAX:
            tally.slow_events.append(event)

    def record_denied(self, route: str, side: str, event: BadEvent) -> None:
        """Note who was answered that the session is not known; it goes up with the next batch."""
        tally = self.tallies.failing(route, side)
        tally.denied += 1
        if len(tally.denied_events) < BAD_EVENTS_MAX:
            tally.denied_events.append(event)

    def limit_slowness(self, limits: Mapping[str, float]) -> None:
        """Take from which latency in seconds on an answer is slow, where rules alone do not say."""
        self._slow_at = dict(limits)
        self._apply_slowness()

    def _apply_slowness(self) -> None:
        if self.table is not None:
            self.tallies.limit_slowness(
                {
                    route.id: self._slow_at.get(route.id, route.rules.rollback.p95)
                    if route.rules.rollback.latency_tolerance is not None
                    else route.rules.rollback.p95
                    for route in self.table.routes
                }
            )

    def offer(self, route: str, frame: bytes) -> str:
        """Hand a capture to the mirror; gives the reason when it was dropped."""
        reason = self.tap.offer(frame)
        if reason is not None:
            return reason
        self._captures_sent += 1
        self.budgets.charge(route, len(frame), self.now())
        return ""

    def drop_capture(self, route: str, reason: str) -> None:
        """Count a capture that was not sent."""
        by_reason = self._captures_dropped.setdefault(route, {})
        by_reason[reason] = by_reason.get(reason, 0) + 1

    def note(self, event: str, label: str = "", count: int = 1) -> None:
        """Count an event that `observe.metrics.EVENTS` names; `label` is from a small set."""
        by_label = self._events.setdefault(event, {})
        by_label[label] = by_label.get(label, 0) + count

    def batch(self, tallies: Taken) -> OutcomeBatch:
        """Give what is to be told with these counts of routes; the other counts begin anew."""
        if self.limits.forgotten:
            self.note("forgotten_clients", count=self.limits.forgotten)
            self.limits.forgotten = 0
        batch = OutcomeBatch(
            worker=self.index,
            pid=os.getpid(),
            version=self.table.version if self.table is not None else 0,
            at=self.wall(),
            tallies=tallies,
            captures_sent=self._captures_sent,
            captures_dropped=self._captures_dropped,
            connections=self.connections,
            pools={side.value: pool.figures for side, pool in self.pools.items()},
            instances={side.value: pool.instances for side, pool in self.pools.items()},
            breakers={
                side.value: pool.breaker
                for side, pool in self.pools.items()
                if pool.breaker is not None
            },
            certificates=self.certificates,
            events=self._events,
        )
        self._captures_sent = 0
        self._captures_dropped = {}
        self._events = {}
        return batch

    @property
    def has_news(self) -> bool:
        """Whether anything but tallies has been counted since the last batch."""
        return bool(self._captures_dropped or self._events)
