"""Prometheus metrics of the whole product, from one reading of the controller's state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from proxy.outcome import latency_of

BOUNDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0,
    30.0,
)  # fmt: skip
"""Upper bounds of the duration histogram in seconds, dense where limits for p95 are set."""


VERDICTS = ("match", "ignored", "mismatch", "not_compared")
"""How a comparison may end."""

STREAM: Mapping[str, tuple[str, str]] = {
    "length": (
        "cutover_capture_stream_length",
        "Captures in the Redis stream that have not been dealt with",
    ),
    "lag": (
        "cutover_capture_stream_lag",
        "Captures in the Redis stream that no shadow worker has read",
    ),
    "pending": (
        "cutover_capture_stream_pending",
        "Captures that shadow workers have read from the Redis stream and not dealt with",
    ),
}
"""What is known of the stream, if captures go over one: by figure, the metric and its meaning."""

EVENTS: Mapping[str, tuple[str, str]] = {
    "refused_requests": ("Requests refused before a route was chosen, by status", "status"),
    "rejected_requests": ("Requests and connections refused by a limit, by which", "reason"),
    "forgotten_clients": ("Clients whose rate was forgotten for want of room", ""),
    "dropped_fields": ("Requests that lost a field whose name has `_` or `.`", ""),
    "tunnels": ("Tunnels that have ended, by how", "ended"),
    "retries": ("Requests sent once more to the same side", "side"),
    "retry_budget_exhausted": ("Second attempts that the budget of a side denied", "side"),
    "unrepeatable_bodies": ("Failures told because the body was too long to be kept", "side"),
    "ejections": ("Instances left out because requests failed on them", "instance"),
    "probes_failed": ("Probes that were not answered well", "instance"),
    "panic_leases": ("Connections taken while all instances of a side were out", "side"),
    "captures_forwarded": ("Captures put on the Redis stream", ""),
    "captures_reclaimed": ("Captures taken over from shadow workers that had died", ""),
    "breaker_openings": ("Times a breaker opened", "side"),
    "breaker_rejections": ("Attempts that an open breaker did not let through", "side"),
    "overrides_refused": ("Cutover-Side fields that counted for nothing", "reason"),
    "proxy_headers_refused": ("Connections closed for want of a PROXY header", "reason"),
    "tls_handshakes_failed": ("Connections closed for want of a TLS handshake", "reason"),
    "tls_certificates_read": ("Certificates read anew by a worker", "outcome"),
    "spans_sent": ("Spans that the collector has taken", ""),
    "spans_dropped": ("Spans that the collector has not got, by why", "reason"),
    "alerts": ("Alerts by how they ended, of all receivers together", "outcome"),
}
"""Events counted by name, mostly by workers: meaning, and the name of the label or nothing."""


@dataclass(frozen=True, slots=True)
class RouteReading:
    """One route's counts since the controller started.

    `outcomes` by side and outcome, `served` and `latencies` by side, `comparisons` by verdict and
    reason, `dropped` and `rollbacks` by reason. Weights and shares are fractions. `writes_halted`
    is None where writes are not mirrored anyway, `held_since` (Unix seconds) where no plan is held.
    """

    id: str
    weight_configured: float
    weight_in_force: float
    weight_observed: float | None
    rolled_back: bool
    outcomes: Mapping[tuple[str, str], int]
    served: Mapping[str, int]
    fallbacks: int
    latencies: Mapping[str, Mapping[int, int]]
    comparisons: Mapping[tuple[str, str], int]
    dropped: Mapping[str, int]
    rollbacks: Mapping[str, int]
    writes_halted: bool | None = None
    held_since: float | None = None


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """One worker as last heard of; `name` is its index, or HOST/INDEX where there are many."""

    role: str
    name: str
    version: int
    connected: bool
    connections: int
    queue: int
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """One child of the supervisor: how often it was restarted, and how often because it hung."""

    role: str
    index: int
    restarts: int
    hangs: int


class HostReading(NamedTuple):
    """Whether a host is heard of, has Redis, its version, and whether its keys are other ones."""

    connected: bool
    bus: bool
    version: int
    other_keys: bool = False


@dataclass(frozen=True, slots=True)
class HostsReading:
    """What one host knows of all; `hosts` by name."""

    acts: bool
    token: int
    hosts: Mapping[str, HostReading]


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that metrics tell, at one moment.

    `pools` by worker, side and state; `instances`, whether they take part and how many
    requests are in flight, by worker, side and address; `breakers` by worker index and side;
    `events` by name and label; `certificates`, when they end, by worker and file; `stream` is
    what waits in the stream of captures, by figure.
    """

    version: int
    kill_switch: bool
    rules_refused: bool
    store_failed: bool
    captures_sent: int
    routes: tuple[RouteReading, ...]
    workers: tuple[WorkerReading, ...]
    pools: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    instances: Mapping[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    breakers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    events: Mapping[tuple[str, str], int] = field(default_factory=dict)
    processes: tuple[ProcessReading, ...] = ()
    retiring: int = 0
    certificates: Mapping[tuple[str, str], float] = field(default_factory=dict)
    stream: Mapping[str, int] = field(default_factory=dict)
    hosts: HostsReading | None = None


def written(reading: Reading) -> bytes:
    """Give the text of `/metrics`, in the exposition format."""
    registry = CollectorRegistry()
    registry.register(Families(reading))
    return generate_latest(registry)


class Families:
    """Every family of one reading, for a registry."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def describe(self) -> list[Metric]:
        """Name nothing in advance, so that registering reads no state."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every family, for the registry."""
        reading = self._reading
        yield from _gauges(reading)
        yield from _traffic(reading)
        yield from _shadowing(reading)
        yield from _processes(reading)
        yield from _upstreams(reading)
        yield _certificates(reading)
        yield from _events(reading)
        if reading.hosts is not None:
            yield from _hosts(reading.hosts)


def _gauges(reading: Reading) -> Iterator[Metric]:
    yield _gauge("cutover_rules_version", "Version of the routing in force", reading.version)
    yield _gauge("cutover_kill_switch", "1 while everything goes to legacy", reading.kill_switch)
    yield _gauge(
        "cutover_rules_refused",
        "1 while the rules file is not the one in force",
        reading.rules_refused,
    )
    yield _gauge("cutover_store_failed", "1 while the store cannot be used", reading.store_failed)
    configured = GaugeMetricFamily(
        "cutover_weight_configured", "Share for modern in the rules", labels=["route"]
    )
    in_force = GaugeMetricFamily(
        "cutover_weight_in_force",
        "Share for modern after rollback and kill switch",
        labels=["route"],
    )
    observed = GaugeMetricFamily(
        "cutover_weight_observed", "Share that went to modern in the window", labels=["route"]
    )
    rolled_back = GaugeMetricFamily(
        "cutover_rolled_back", "1 while the route waits to be resumed", labels=["route"]
    )
    held = GaugeMetricFamily(
        "cutover_plan_held_since_seconds",
        "Since when the plan of a route is on hold, in seconds of the epoch",
        labels=["route"],
    )
    for route in reading.routes:
        configured.add_metric([route.id], route.weight_configured)
        in_force.add_metric([route.id], route.weight_in_force)
        rolled_back.add_metric([route.id], route.rolled_back)
        if route.weight_observed is not None:
            observed.add_metric([route.id], route.weight_observed)
        if route.held_since is not None:
            held.add_metric([route.id], route.held_since)
    yield from (configured, in_force, observed, rolled_back, held)


def _hosts(reading: HostsReading) -> Iterator[Metric]:
    yield _gauge("cutover_acting", "1 while this host's controller acts", reading.acts)
    yield _gauge("cutover_lease_token", "Token of the last controller to act", reading.token)
    connected = GaugeMetricFamily(
        "cutover_host_connected", "1 while a proxy host is heard of", labels=["host"]
    )
    bus = GaugeMetricFamily(
        "cutover_host_bus", "1 while a proxy host has Redis, by its own word", labels=["host"]
    )
    version = GaugeMetricFamily(
        "cutover_host_version", "Version of the routing on a proxy host", labels=["host"]
    )
    keys = GaugeMetricFamily(
        "cutover_host_other_keys",
        "1 while keys of a proxy host are not those of the acting one",
        labels=["host"],
    )
    for name, host in sorted(reading.hosts.items()):
        connected.add_metric([name], host.connected)
        bus.add_metric([name], host.bus)
        version.add_metric([name], host.version)
        keys.add_metric([name], host.other_keys)
    yield from (connected, bus, version, keys)


def _traffic(reading: Reading) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "cutover_requests", "Attempts by how they ended", labels=["route", "side", "outcome"]
    )
    served = CounterMetricFamily(
        "cutover_served", "Requests by the side that answered", labels=["route", "side"]
    )
    fallbacks = CounterMetricFamily(
        "cutover_fallbacks", "Requests that legacy saved when modern failed", labels=["route"]
    )
    durations = HistogramMetricFamily(
        "cutover_request_duration_seconds",
        "Time to the head of the answer",
        labels=["route", "side"],
    )
    rollbacks = CounterMetricFamily(
        "cutover_rollbacks", "Rollbacks by detector, or by hand", labels=["route", "reason"]
    )
    for route in reading.routes:
        for (side, outcome), count in sorted(route.outcomes.items()):
            requests.add_metric([route.id, side, outcome], count)
        for side, count in sorted(route.served.items()):
            served.add_metric([route.id, side], count)
        fallbacks.add_metric([route.id], route.fallbacks)
        for side, latencies in sorted(route.latencies.items()):
            buckets, total = histogram(latencies)
            durations.add_metric([route.id, side], buckets, total)
        for reason, count in sorted(route.rollbacks.items()):
            rollbacks.add_metric([route.id, reason], count)
    yield from (requests, served, fallbacks, durations, rollbacks)


def _shadowing(reading: Reading) -> Iterator[Metric]:
    sent = CounterMetricFamily("cutover_captures_sent", "Captures handed to shadow workers")
    sent.add_metric([], reading.captures_sent)
    dropped = CounterMetricFamily(
        "cutover_captures_dropped", "Captures not mirrored", labels=["route", "reason"]
    )
    comparisons = CounterMetricFamily(
        "cutover_comparisons", "Comparisons by how they ended", labels=["route", "verdict"]
    )
    not_compared = CounterMetricFamily(
        "cutover_not_compared", "Pairs that were not compared", labels=["route", "reason"]
    )
    for route in reading.routes:
        for reason, count in sorted(route.dropped.items()):
            dropped.add_metric([route.id, reason], count)
        # All of them from the first on: a rate of what has just appeared would miss the first.
        by_verdict = dict.fromkeys(VERDICTS, 0) if route.comparisons else {}
        for (verdict, reason), count in sorted(route.comparisons.items()):
            by_verdict[verdict] = by_verdict.get(verdict, 0) + count
            if verdict == "not_compared":
                not_compared.add_metric([route.id, reason], count)
        for verdict, count in by_verdict.items():
            comparisons.add_metric([route.id, verdict], count)
    halted = GaugeMetricFamily(
        "cutover_writes_halted",
        "1 while the route's writes are not mirrored until resumed",
        labels=["route"],
    )
    for route in reading.routes:
        if route.writes_halted is not None:
            halted.add_metric([route.id], route.writes_halted)
    yield from (sent, dropped, comparisons, not_compared, halted)
    for figure, (name, meaning) in STREAM.items():
        gauge = GaugeMetricFamily(name, meaning)
        if figure in reading.stream:
            gauge.add_metric([], reading.stream[figure])
        yield gauge


def _processes(reading: Reading) -> Iterator[Metric]:
    labels = ["role", "index"]
    connected = GaugeMetricFamily(
        "cutover_worker_connected", "1 while a worker is connected to the controller", labels=labels
    )
    version = GaugeMetricFamily(
        "cutover_worker_version", "Version of the routing a worker goes by", labels=labels
    )
    connections = GaugeMetricFamily(
        "cutover_worker_connections", "Client connections of a worker", labels=labels
    )
    compiled = GaugeMetricFamily(
        "cutover_worker_compiled", "1 if a worker runs the compiled hot path", labels=labels
    )
    queue = GaugeMetricFamily(
        "cutover_shadow_queue", "Captures that wait in a shadow worker", labels=labels
    )
    for worker in reading.workers:
        names = [worker.role, worker.name]
        connected.add_metric(names, worker.connected)
        version.add_metric(names, worker.version)
        if worker.role == "shadow":
            queue.add_metric(names, worker.queue)
        else:
            connections.add_metric(names, worker.connections)
            compiled.add_metric(names, worker.compiled)
    restarts = CounterMetricFamily(
        "cutover_process_restarts", "How often a process was started again", labels=labels
    )
    hangs = CounterMetricFamily(
        "cutover_process_hangs", "How often a process stood still and was ended", labels=labels
    )
    for process in reading.processes:
        restarts.add_metric([process.role, str(process.index)], process.restarts)
        hangs.add_metric([process.role, str(process.index)], process.hangs)
    retiring = _gauge(
        "cutover_workers_retiring", "Workers that an upgrade has replaced", reading.retiring
    )
    yield from (connected, version, connections, compiled, queue, restarts, hangs, retiring)


def _upstreams(reading: Reading) -> Iterator[Metric]:
    pools = GaugeMetricFamily(
        "cutover_pool_connections",
        "Connections to an upstream by what they do",
        labels=["worker", "side", "state"],
    )
    for (worker, side, state), count in sorted(reading.pools.items()):
        pools.add_metric([worker, side, state], count)
    labels = ["worker", "side", "instance"]
    admitted = GaugeMetricFamily(
        "cutover_instance_admitted",
        "1 while an instance takes part, 0 while it is out",
        labels=labels,
    )
    in_flight = GaugeMetricFamily(
        "cutover_instance_in_flight", "Requests in flight on an instance", labels=labels
    )
    for (worker, side, instance), (takes_part, load) in sorted(reading.instances.items()):
        admitted.add_metric([worker, side, instance], takes_part)
        in_flight.add_metric([worker, side, instance], load)
    breakers = GaugeMetricFamily(
        "cutover_breaker_state", "0 closed, 1 half open, 2 open", labels=["worker", "side"]
    )
    for (worker, side), breaker in sorted(reading.breakers.items()):
        breakers.add_metric([worker, side], breaker)
    yield from (pools, admitted, in_flight, breakers)


def _certificates(reading: Reading) -> Metric:
    ends = GaugeMetricFamily(
        "cutover_tls_certificate_not_after_seconds",
        "When a certificate in use ends, in seconds of the epoch",
        labels=["worker", "certificate"],
    )
    for (worker, file), end in sorted(reading.certificates.items()):
        ends.add_metric([worker, file], end)
    return ends


def _events(reading: Reading) -> Iterator[Metric]:
    for event, (meaning, label) in EVENTS.items():
        family = CounterMetricFamily(f"cutover_{event}", meaning, labels=[label] if label else [])
        for (name, value), count in sorted(reading.events.items()):
            if name == event:
                family.add_metric([value] if label else [], count)
        yield family


def histogram(latencies: Mapping[int, int]) -> tuple[list[tuple[str, float]], float]:
    """Give cumulative buckets as Prometheus wants them, and the sum in seconds, exact to 1%."""
    counts = [0] * (len(BOUNDS) + 1)
    total = 0.0
    for bucket, count in latencies.items():
        seconds = latency_of(bucket)
        total += seconds * count
        index = next((i for i, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
        counts[index] += count
    buckets, running = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        running += count
        buckets.append((bound, float(running)))
    return buckets, total


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
