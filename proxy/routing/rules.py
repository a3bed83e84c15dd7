"""Rules as written: the frozen values that one `routing_rules.yaml` says, defaults filled in."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.routing.budget import MirrorBudget, TotalBudget
from proxy.routing.calendar_rules import CalendarRules
from proxy.routing.compare_rules import CompareRules
from proxy.routing.fail_when import FailRules
from proxy.routing.limits import LimitRules, WorkerLimits
from proxy.routing.read_back import ReadBackRules
from proxy.routing.rewrites import Rewrites
from proxy.routing.side import Side
from proxy.routing.upstream_rules import UpstreamRules

WEIGHT_MAX = 10_000
"""Weights are integers in hundredths of a percent, the resolution of a bucket: 10% is 1000."""

MIRRORED_BODY_MAX = 64 * 1024
"""Bytes of the largest request body that is mirrored, unless a route says otherwise."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class RollbackRules:
    """The window rule: what the operator tolerates on modern before it is taken back.

    Rates are fractions (0.05 is 5%), times are seconds. `latency_tolerance` is how many times
    legacy's own p95 modern's may be; without it only `p95` counts. `auto_resume` is how often in a
    row a plan may resume by itself after a rollback.
    """

    error_rate: float = 0.05
    p95: float = 1.0
    mismatch_rate: float = 0.01
    window: float = 60.0
    min_requests: int = 20
    cooldown: float = 600.0
    auto_resume: int = 0
    latency_tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a step waits for; None where the step does not ask."""

    requests: int | None = None
    compared: int | None = None
    error_rate: float | None = None
    mismatch_rate: float | None = None


@dataclass(frozen=True, slots=True)
class StepRules:
    """One step of a plan; with `approval` a person must agree before the next one is taken."""

    weight: int
    hold: float = 0.0
    shadow: bool = False
    until: GateRules = field(default_factory=GateRules)
    approval: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a route takes; no methods means all of them."""

    path: str
    methods: tuple[str, ...] = ()


def taken_methods(match: Match) -> frozenset[str]:
    """Methods a route takes; whoever takes GET takes HEAD (RFC 9110, 9.3.2)."""
    methods = frozenset(match.methods or METHODS)
    return methods | {"HEAD"} if "GET" in methods else methods


@dataclass(frozen=True, slots=True)
class MirrorRules:
    """How much of the traffic is sent to the other side too, and towards which sides.

    `writes` says that modern is sent requests that change state, to be carried out without effect;
    legacy never is. `body` is bytes of the largest request that is sent again. `budget` is what all
    of it may cost. `read_back` is what is read on both sides after a write.
    """

    share: float = 0.0
    towards: tuple[Side, ...] = (Side.MODERN,)
    writes: bool = False
    body: int = MIRRORED_BODY_MAX
    budget: MirrorBudget = field(default_factory=MirrorBudget)
    read_back: ReadBackRules | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """One identity held on one side, whatever its bucket; on all routes unless some are named."""

    identity: str
    side: Side
    reason: str = ""
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everybody whose `source` says one of `values`, held on one side whatever the bucket.

    A source is one of those of identities, such as `header:x-group` or `jwt:plan`.
    """

    id: str
    side: Side
    source: str
    values: tuple[str, ...]
    reason: str = ""
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryRules:
    """What may be sent again besides idempotent methods.

    With `idempotency_key`, a request that carries an Idempotency-Key: the application promises to
    carry it out once, however often it comes.
    """

    idempotency_key: bool = False


@dataclass(frozen=True, slots=True)
class RouteRules:
    """One route as written, defaults filled in. `weight` is in hundredths of a percent."""

    id: str
    match: Match
    weight: int = 0
    sticky_by: tuple[str, ...] = ("client_ip",)
    plan: str | None = None
    mirror: MirrorRules = field(default_factory=MirrorRules)
    compare: CompareRules = field(default_factory=CompareRules)
    rollback: RollbackRules = field(default_factory=RollbackRules)
    on_breach: str = "rollback"
    fallback: bool = True
    limits: LimitRules = field(default_factory=LimitRules)
    rewrite: Rewrites = field(default_factory=Rewrites)
    line: int = 0
    retry: RetryRules = field(default_factory=RetryRules)
    fail_when: FailRules = field(default_factory=FailRules)
    cohorts: tuple[Cohort, ...] = ()

    @property
    def leads_to_modern(self) -> bool:
        """Whether anybody at all is to be served by modern here."""
        return self.weight > 0 or any(cohort.side is Side.MODERN for cohort in self.cohorts)


@dataclass(frozen=True, slots=True)
class Rules:
    """One whole document."""

    legacy: UpstreamRules
    modern: UpstreamRules
    routes: tuple[RouteRules, ...]
    plans: tuple[tuple[str, tuple[StepRules, ...]], ...] = ()
    pins: tuple[Pin, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    salt: str = "cutover"
    trusted_networks: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ()
    expose_decision: bool = True
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    mirror: TotalBudget = field(default_factory=TotalBudget)
    calendar: CalendarRules = field(default_factory=CalendarRules)

    def route(self, route_id: str) -> RouteRules | None:
        """Find the route of this id, or None."""
        return next((route for route in self.routes if route.id == route_id), None)

    def upstream(self, side: Side) -> UpstreamRules:
        """Give the rules of one side."""
        return self.modern if side is Side.MODERN else self.legacy
