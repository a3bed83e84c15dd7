"""What the data plane tells the control plane: how exchanges ended, counted in batches."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

LATENCY_GROWTH = 1.02
"""Latency bucket i holds (G^(i-1), G^i] milliseconds: quantiles exact to 2%, sketches add up."""

_LOG_GROWTH = math.log(LATENCY_GROWTH)


class OutcomeKind(StrEnum):
    """How one attempt on a side ended, by whose doing."""

    OK = "ok"
    STATUS = "status"  # the upstream answered 5xx
    CONNECT = "connect"  # no connection could be made
    RESET = "reset"  # the connection was lost before a complete answer
    TIMEOUT = "timeout"  # a deadline towards the upstream passed
    PROTOCOL = "protocol"  # the answer broke HTTP
    CLIENT_ABORT = "client_abort"  # the client left; nobody's failure
    REJECTED = "rejected"  # we refused or shed the request; not the upstream's failure

    @property
    def is_bad(self) -> bool:
        """Whether the upstream caused it."""
        return self in _BAD


_BAD = frozenset(
    {
        OutcomeKind.STATUS,
        OutcomeKind.CONNECT,
        OutcomeKind.RESET,
        OutcomeKind.TIMEOUT,
        OutcomeKind.PROTOCOL,
    }
)


def latency_bucket(seconds: float) -> int:
    """Index of the bucket that holds this latency; everything up to 0.1 ms shares the lowest."""
    return math.ceil(math.log(max(seconds * 1000.0, 0.1)) / _LOG_GROWTH)


def latency_of(bucket: int) -> float:
    """Representative latency of a bucket in seconds, its geometric middle."""
    return float(LATENCY_GROWTH ** (bucket - 0.5)) / 1000.0


@dataclass(frozen=True, slots=True)
class BadEvent:
    """One failure of an upstream, with enough to explain it and to count each identity once.

    Answers that were slow or denied are told of in the same form, their kind being `ok`.
    `identity` is a 64-bit hash, never the value; `at` is wall-clock seconds; `latency` seconds.
    """

    at: float
    identity: int
    kind: OutcomeKind
    status: int
    latency: float
    method: str
    path: str
    request_id: str

    def to_wire(self) -> list[Any]:
        """As a JSON array."""
        return [
            self.at, self.identity, self.kind, self.status,
            self.latency, self.method, self.path, self.request_id,
        ]  # fmt: skip

    @classmethod
    def from_wire(cls, data: list[Any]) -> BadEvent:
        """From what `to_wire` gave."""
        at, identity, kind, status, latency, method, path, request_id = data
        return cls(at, identity, OutcomeKind(kind), status, latency, method, path, request_id)


@dataclass(slots=True)
class Tally:
    """Outcomes of one route on one side since the last batch.

    `decided` counts requests whose decision was this side; `served` those answered by it, fallback
    included. `ok` and `bad` are attempts judged; answers of 4xx are counted apart, in
    `client_errors`. `latencies` maps bucket to count for judged attempts that got an answer. `slow`
    are those of `ok` that took longer than `slow_at` seconds, `denied` answers of 401, 403, 419 and
    422. `bad_events`, `slow_events` and `denied_events` hold the first of each, at most
    `BAD_EVENTS_MAX`.
    """

    decided: int = 0
    served: int = 0
    ok: int = 0
    bad: int = 0
    aborted: int = 0
    rejected: int = 0
    fallbacks: int = 0
    latencies: dict[int, int] = field(default_factory=dict)
    bad_events: list[BadEvent] = field(default_factory=list)
    client_errors: int = 0
    slow: int = 0
    denied: int = 0
    slow_events: list[BadEvent] = field(default_factory=list)
    denied_events: list[BadEvent] = field(default_factory=list)
    slow_at: float = field(default=math.inf, compare=False)

    def add_ok(self, latency: float) -> None:
        """Count a request that the upstream answered well; `latency` in seconds."""
        self.ok += 1
        self.served += 1
        self.add_latency(latency)

    def add_latency(self, latency: float) -> None:
        """Count the time to an answer, or to giving up on one, in seconds."""
        bucket = latency_bucket(latency)
        self.latencies[bucket] = self.latencies.get(bucket, 0) + 1

    def __bool__(self) -> bool:
        """Whether anything has been counted."""
        return bool(
            self.decided
            or self.served
            or self.ok
            or self.bad
            or self.aborted
            or self.rejected
            or self.fallbacks
            or self.client_errors
        )

    def take(self) -> Tally:
        """Give what was counted and begin anew: who holds this tally may go on counting in it."""
        taken = Tally(
            self.decided, self.served, self.ok, self.bad, self.aborted, self.rejected,
            self.fallbacks, self.latencies, self.bad_events, self.client_errors,
        )  # fmt: skip
        self.decided = self.served = self.ok = self.bad = 0
        self.aborted = self.rejected = self.fallbacks = self.client_errors = 0
        self.latencies = {}
        self.bad_events = []
        if self.slow or self.denied:
            taken.slow, taken.slow_events = self.slow, self.slow_events
            taken.denied, taken.denied_events = self.denied, self.denied_events
            self.slow = self.denied = 0
            self.slow_events, self.denied_events = [], []
        return taken


BAD_EVENTS_MAX = 64

DENIED = frozenset({401, 403, 419, 422})
"""Answers to a request whose session, or whose form token, the application does not know."""


@dataclass(slots=True)
class OutcomeBatch:
    """Everything one worker saw since its last batch; `tallies` is keyed by (route id, side).

    `pools` counts connections by side and state; `instances` tells by side and address whether one
    takes part (1 or 0) and its requests in flight; `breakers` is 0 closed, 1 half open, 2 open.
    `certificates` tells by file when each ends, in seconds of the epoch. `stream` is the length,
    lag and pending entries of the stream of captures, from whoever forwards them.
    `events` counts what has no route: the event's name, then its label (see `observe.metrics`).
    """

    worker: int
    pid: int
    version: int
    at: float
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    captures_sent: int = 0
    captures_dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    connections: int = 0
    pools: dict[str, dict[str, int]] = field(default_factory=dict)
    events: dict[str, dict[str, int]] = field(default_factory=dict)
    instances: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    breakers: dict[str, int] = field(default_factory=dict)
    certificates: dict[str, float] = field(default_factory=dict)
    stream: dict[str, int] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "worker": self.worker,
            "pid": self.pid,
            "version": self.version,
            "at": self.at,
            "tallies": [
                [
                    route, side, t.decided, t.served, t.ok, t.bad, t.aborted, t.rejected,
                    t.fallbacks, list(t.latencies.items()), _events(t.bad_events), *_more(t),
                ]
                for (route, side), t in self.tallies.items()
            ],
            "captures_sent": self.captures_sent,
            "captures_dropped": self.captures_dropped,
            "connections": self.connections,
            "pools": self.pools,
            "events": self.events,
            "instances": self.instances,
            "breakers": self.breakers,
            "certificates": self.certificates,
            "stream": self.stream,
        }  # fmt: skip

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> OutcomeBatch:
        """From what `to_wire` gave."""
        batch = cls(data["worker"], data["pid"], data["version"], data["at"])
        for row in data["tallies"]:
            route, side, decided, served, ok, bad, aborted, rejected, fallbacks, *rest = row
            latencies, events, *more = rest
            tally = Tally(decided, served, ok, bad, aborted, rejected, fallbacks)
            tally.latencies = dict(latencies)
            tally.bad_events = [BadEvent.from_wire(event) for event in events]
            if more:
                tally.client_errors, tally.slow, tally.denied, slow, denied = more
                tally.slow_events = [BadEvent.from_wire(event) for event in slow]
                tally.denied_events = [BadEvent.from_wire(event) for event in denied]
            batch.tallies[route, side] = tally
        batch.captures_sent = data["captures_sent"]
        batch.captures_dropped = data["captures_dropped"]
        batch.connections = data["connections"]
        batch.pools = data["pools"]
        batch.events = data["events"]
        # A worker that was started before these were told of says nothing.
        batch.instances = data.get("instances", {})
        batch.breakers = data.get("breakers", {})
        batch.certificates = data.get("certificates", {})
        batch.stream = data.get("stream", {})
        return batch


def _more(tally: Tally) -> tuple[Any, ...]:
    """Give what most tallies have nothing of."""
    if not (tally.client_errors or tally.slow or tally.denied):
        return ()
    slow, denied = _events(tally.slow_events), _events(tally.denied_events)
    return tally.client_errors, tally.slow, tally.denied, slow, denied


def _events(events: list[BadEvent]) -> list[list[Any]]:
    return [event.to_wire() for event in events]


@dataclass(frozen=True, slots=True)
class WritesHalted:
    """That a mirrored write was not acknowledged, so that its route must mirror none any more.

    `epoch` is the version in which the route's writes were resumed last, 0 if never; `write` is the
    id of the one, `why` tells what was wrong with its answer.
    """

    route: str
    epoch: int
    write: str
    why: str

    def to_wire(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"route": self.route, "epoch": self.epoch, "write": self.write, "why": self.why}

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> WritesHalted:
        """From what `to_wire` gave."""
        return cls(data["route"], data["epoch"], data["write"], data["why"])


@dataclass(frozen=True, slots=True)
class ComparisonCount:
    """How many comparisons of a route ended alike since the last batch."""

    route: str
    primary: str
    verdict: str
    reason: str
    critical: bool
    count: int


class PairKind(StrEnum):
    """What is told of a single pair of answers, because it counts once for each identity."""

    MODERN_FAILED = "modern_failed"  # and legacy did not
    LEGACY_FAILED = "legacy_failed"  # and modern did not
    MISMATCH = "mismatch"
    CRITICAL = "critical"  # a mismatch in a critical path that was still there when asked again


@dataclass(frozen=True, slots=True)
class PairEvent:
    """One pair of answers that is evidence, with enough to explain it.

    `identity` is a 64-bit hash, `at` wall-clock seconds. `legacy` and `modern` are statuses, 0
    where there was no answer. `place` is the wildcard path of the first difference that counts.
    """

    route: str
    kind: PairKind
    at: float
    identity: int
    method: str
    path: str
    request_id: str
    legacy: int
    modern: int
    place: str = ""

    def to_wire(self) -> list[Any]:
        """As a JSON array."""
        return [
            self.route, self.kind, self.at, self.identity, self.method, self.path,
            self.request_id, self.legacy, self.modern, self.place,
        ]  # fmt: skip

    @classmethod
    def from_wire(cls, data: list[Any]) -> PairEvent:
        """From what `to_wire` gave."""
        route, kind, *rest = data
        return cls(route, PairKind(kind), *rest)


@dataclass(frozen=True, slots=True)
class ComparisonBatch:
    """Everything one shadow worker judged since its last batch; `queue` is what still waits.

    `reclaimed` counts captures taken over from shadow workers that had died. `pairs` are the first
    of those that are evidence. `baselines` tells by route how often the primary's side was compared
    with itself, and how often it differed where nothing is excused. `events` are counts by name and
    label.
    """

    worker: int
    pid: int
    version: int
    at: float
    queue: int
    counts: tuple[ComparisonCount, ...]
    reclaimed: int = 0
    pairs: tuple[PairEvent, ...] = ()
    baselines: dict[str, tuple[int, int]] = field(default_factory=dict)
    events: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "worker": self.worker,
            "pid": self.pid,
            "version": self.version,
            "at": self.at,
            "queue": self.queue,
            "reclaimed": self.reclaimed,
            "counts": [
                [c.route, c.primary, c.verdict, c.reason, c.critical, c.count] for c in self.counts
            ],
            "pairs": [pair.to_wire() for pair in self.pairs],
            "baselines": {route: list(counts) for route, counts in self.baselines.items()},
            "events": self.events,
        }

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> ComparisonBatch:
        """From what `to_wire` gave."""
        return cls(
            data["worker"], data["pid"], data["version"], data["at"], data["queue"],
            tuple(ComparisonCount(*row) for row in data["counts"]), data.get("reclaimed", 0),
            tuple(map(PairEvent.from_wire, data.get("pairs", ()))),
            {route: (n, differed) for route, (n, differed) in data.get("baselines", {}).items()},
            data.get("events", {}),
        )  # fmt: skip
