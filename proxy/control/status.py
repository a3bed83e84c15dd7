"""What the controller knows right now, as frozen values for the API, the console and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proxy.recording import Recording
from proxy.rollout.plan import Hand, Progress


class SideFigures(NamedTuple):
    """What is charted of one side, as in `SideStatus`."""

    requests_per_second: float
    error_rate: float | None
    p95: float | None


class RouteFigures(NamedTuple):
    """What is charted of one route."""

    id: str
    legacy: SideFigures
    modern: SideFigures


@dataclass(frozen=True, slots=True)
class SideStatus:
    """One side of one route over the route's rollback window.

    Rates are fractions, latencies seconds; None where there was nothing to measure.
    """

    requests: int
    requests_per_second: float
    bad: int
    error_rate: float | None
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class CoverageStatus:
    """Comparisons of one route over the window: by verdict, and why some were not made."""

    match: int = 0
    ignored: int = 0
    mismatch: int = 0
    not_compared: dict[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """How many pairs were looked at."""
        return self.match + self.ignored + self.mismatch

    @property
    def mismatch_rate(self) -> float | None:
        """Share of compared pairs that differ, or None without comparisons."""
        return self.mismatch / self.compared if self.compared else None


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One automatic or manual decision, complete enough to be explained later.

    `evidence` holds detector, value, bound, n, window (s), weight, and `samples`, a list of
    redacted bad events. `action` is rollback, freeze, resume, set_weight, kill, unkill, load,
    import, revert, ignore, compare, halt_writes, resume_writes, advance, hold, release, approve,
    pin, unpin, deployed, record or record_end.
    """

    id: int
    at: float
    route: str | None
    action: str
    author: str
    reason: str
    version: int
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollback:
    """The last rollback of a route, kept after `resume` because the next cool-down depends on it.

    `active` until resumed. `times` counts automatic ones in a row, each doubling the cool-down.
    `cooldown` is its length in seconds, which is waited for by a clock that does not jump;
    `cooldown_until` tells people when that should be. What was not done by hand is `automatic`.
    """

    at: float
    author: str
    reason: str
    cooldown_until: float
    times: int
    active: bool
    evidence: dict[str, Any] = field(default_factory=dict)
    cooldown: float = 0.0
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class WriteHalt:
    """The last time that mirroring of a route's writes was halted, kept after it was resumed.

    `active` until resumed. `epoch` is the version in which it was resumed, 0 before the first time:
    what was acknowledged in an earlier one no longer counts.
    """

    at: float
    author: str
    reason: str
    active: bool
    epoch: int
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One version of the routing: document, what is rolled back, and why it came about.

    `rollbacks` holds the last rollback of each route that had one; `rolled_back` names the active.
    `write_halts` holds the last halt of mirrored writes of each route that had one, `progress`
    where routes stand on their plans, beside their weights.
    """

    number: int
    parent: int
    at: float
    author: str
    reason: str
    text: str
    rolled_back: tuple[str, ...]
    kill_switch: bool
    evidence: dict[str, Any] = field(default_factory=dict)
    rollbacks: dict[str, Rollback] = field(default_factory=dict)
    write_halts: dict[str, WriteHalt] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RollbackStatus:
    """Why a route stands at 0 and from when on it may be resumed without a warning."""

    at: float
    author: str
    reason: str
    cooldown_until: float
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """Where a route stands on its plan; weights in hundredths of a percent.

    `step` counts from 1, None when the weight is on no step. `waits` says in words what the gate
    still waits for, `power` what the next step could be relied on to catch. `resumed` is how
    often in a row it has resumed by itself, of the times allowed.
    """

    weights: tuple[int, ...]
    step: int | None
    following: int | None
    waits: tuple[str, ...]
    held: Hand | None
    approved: Hand | None
    needs_approval: bool
    power: str | None
    resumed: tuple[int, int]


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """One route now. Weights are in hundredths of a percent; `weight_observed` is a fraction."""

    id: str
    methods: tuple[str, ...]
    path: str
    phase: str
    weight_configured: int
    weight_in_force: int
    weight_observed: float | None
    window: float
    legacy: SideStatus
    modern: SideStatus
    coverage: CoverageStatus
    verdict: str
    verdict_reason: str
    mirror_share: float
    plan: str | None
    on_breach: str
    rolled_back: RollbackStatus | None = None
    progress: PlanStatus | None = None
    mirrors_writes: bool = False
    writes_halted: WriteHalt | None = None


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One data plane or shadow worker as last heard of. `last_seen` is seconds ago."""

    role: str
    index: int
    pid: int
    version: int
    connected: bool
    last_seen: float
    connections: int = 0
    queue: int = 0
    compiled: bool = False
    host: str = ""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One proxy host as it last said of itself, `last_seen` seconds ago, and how to reach it.

    `bus` is whether it had Redis, `version` by which its workers were told to serve, `problem` what
    it wants looked at. `other_keys` names files of keys that are not those of the acting host.
    """

    name: str
    url: str
    connected: bool
    last_seen: float
    bus: bool
    version: int
    problem: str = ""
    other_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostsStatus:
    """All hosts, as the one named `own` knows of them; who acts, under which token.

    `acting` is None while nobody is known to act: nothing is judged then, and nothing can change.
    `url` is where the acting host answers.
    """

    own: str
    acting: str | None
    token: int
    hosts: tuple[HostStatus, ...] = ()

    @property
    def url(self) -> str | None:
        """Where the acting host's API and console are."""
        return next((host.url for host in self.hosts if host.name == self.acting), None)


@dataclass(frozen=True, slots=True)
class Brief:
    """What most requests need to know, without a look at any route: `routes` are names."""

    at: float
    version: int
    kill_switch: bool
    routes: tuple[str, ...]
    recording: Recording | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything now. `rules_problem` says why the file on disk is not the one in force.

    `kill_switch` is on by an order or by the kill file; `kill_file` says who made that, if it is
    there. `retiring` counts workers that an upgrade has replaced. `recording` is what is recorded
    of the clients' traffic on this host. `hosts` is None where there is only one. What is not
    `measured` says nothing of the traffic: another host knows of it.
    """

    at: float
    version: int
    kill_switch: bool
    rules_file: str
    rules_problem: str | None
    store_problem: str | None
    routes: tuple[RouteStatus, ...]
    workers: tuple[WorkerStatus, ...]
    kill_file: str | None = None
    retiring: int = 0
    recording: Recording | None = None
    hosts: HostsStatus | None = None
    measured: bool = True
