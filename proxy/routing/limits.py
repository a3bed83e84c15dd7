"""Limits as written: how much of a route is taken at once, from everybody and from one client."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

BODY_MAX: Final = 256 * 1024 * 1024
"""Bytes of the largest request body, unless a route says otherwise."""

EXCHANGES_MAX: Final = 10_000
CONNECTIONS_MAX: Final = 50_000
"""Exchanges and client connections that one worker has at once, unless the rules say otherwise."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is allowed: `rate` in requests a second, `concurrency` in requests under way.

    None is no limit; a `burst` of None is what one second brings.
    """

    rate: float | None = None
    burst: int | None = None
    concurrency: int | None = None

    @property
    def at_once(self) -> int:
        """How many requests may come in one moment."""
        return max(1, math.floor(self.rate or 0)) if self.burst is None else self.burst

    @property
    def limits_anything(self) -> bool:
        """Whether there is anything to count."""
        return self.rate is not None or self.concurrency is not None


@dataclass(frozen=True, slots=True)
class LimitRules:
    """The limits of one route: of the whole proxy, of each client, and of a body in bytes."""

    route: Allowance = field(default_factory=Allowance)
    client: Allowance = field(default_factory=Allowance)
    body: int = BODY_MAX

    @property
    def limits_anything(self) -> bool:
        """Whether a request has to be counted."""
        return self.route.limits_anything or self.client.limits_anything


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How much one worker takes on at once, whatever it is about."""

    exchanges: int = EXCHANGES_MAX
    connections: int = CONNECTIONS_MAX
