"""How each side is reached, as written: instances, deadlines, and what is done when one fails.

Times are seconds, shares fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

from proxy.routing.side import Side

QUEUE_FACTOR: Final = 4
"""Requests that may wait for a connection, for each connection there may be, unless said."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines towards one upstream.

    `response` ends with the first byte of an answer, `between` is the silence within one and
    within a request's body, `exchange` the whole, `queue` the wait for a connection to come back.
    """

    connect: float = 2.0
    response: float = 30.0
    idle: float = 60.0
    queue: float = 5.0
    between: float = 30.0
    exchange: float = inf
    tunnel: float = 3600.0


@dataclass(frozen=True, slots=True)
class EjectionRules:
    """When an instance is left out because of what requests saw of it.

    `failures` in a row eject it for `duration`, twice as long each time, up to `max_duration`;
    never more than `max_ejected` of the instances.
    """

    failures: int = 5
    duration: float = 10.0
    max_duration: float = 300.0
    max_ejected: float = 0.5


@dataclass(frozen=True, slots=True)
class ProbeRules:
    """How each instance is asked whether it is well.

    `fall` bad answers in a row take it out, `rise` good ones bring it back; `statuses` are the good
    ones, all of 2xx and 3xx when there are none. `host` is the Host field, else the address.
    """

    path: str
    host: str = ""
    interval: float = 5.0
    timeout: float = 2.0
    rise: int = 2
    fall: int = 3
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a whole side is left alone for a while.

    When `failures` of at least `min_attempts` within `window` have failed, the breaker is open for
    `duration`; then `trials` attempts decide.
    """

    failures: float = 0.5
    min_attempts: int = 20
    window: float = 10.0
    duration: float = 5.0
    trials: int = 3


@dataclass(frozen=True, slots=True)
class RetryBudgetRules:
    """How many attempts on a side may be second ones, as shares of the requests in flight.

    `share` bounds retries, `fallbacks` what comes over after an attempt on the other side; `least`
    is always allowed.
    """

    share: float = 0.2
    least: int = 3
    fallbacks: float = 1.0


@dataclass(frozen=True, slots=True)
class TlsRules:
    """How https instances are verified, and what they are shown; file names as written."""

    ca: str = ""
    server_name: str = ""
    verify: bool = True
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamRules:
    """One side: where its instances listen and how hard it may be used.

    `failure_statuses` are answers that count as failures of the instance and of the side, for
    ejection and breaker. Without `probe` or `breaker` there is none; without `max_waiting`,
    QUEUE_FACTOR requests may wait for each connection there may be.
    """

    side: Side
    instances: tuple[str, ...]
    max_connections: int = 128
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_waiting: int | None = None
    tls: TlsRules = field(default_factory=TlsRules)
    slow_start: float = 0.0
    failure_statuses: tuple[int, ...] = ()
    ejection: EjectionRules = field(default_factory=EjectionRules)
    probe: ProbeRules | None = None
    breaker: BreakerRules | None = None
    retry_budget: RetryBudgetRules = field(default_factory=RetryBudgetRules)
