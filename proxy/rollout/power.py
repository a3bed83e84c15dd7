"""Detection power: after how many requests a regression would be caught, told before it can happen.

No procedure with at least G events between false alarms needs fewer than about ln G / D(p1 || p0)
(Lorden 1971), and the detectors here come near; D is the information in one event, in nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from proxy.rollout.evidence import TOLERATED_LEAST
from proxy.rollout.gate import duration
from proxy.rollout.mixture import HOLD_AT

JUMP = 10.0
"""The regression that is told of: so many times what is usual, 0.5% to 5%."""


@dataclass(frozen=True, slots=True)
class Power:
    """At so many modern requests a second, a jump from one failure rate to another is caught.

    `seconds` is None while there is no traffic.
    """

    weight: int
    per_second: float
    usual: float
    jump: float
    requests: float
    seconds: float | None

    def __str__(self) -> str:
        caught = f"will be caught after about {self.requests:.0f} modern requests"
        jump = f"a jump from {_percent(self.usual)} to {_percent(self.jump)} errors"
        if self.seconds is None:
            return f"at {_weight(self.weight)}, {jump} {caught}; there is no traffic now"
        when = f"{caught}, {about(self.seconds)}"
        return f"at {_weight(self.weight)} of {_rate(self.per_second)}, {jump} {when}"


def information(jump: float, usual: float) -> float:
    """Give D(p1 || p0) of two failure rates between 0 and 1, exclusive."""
    return jump * math.log(jump / usual) + (1 - jump) * math.log((1 - jump) / (1 - usual))


@lru_cache(maxsize=1024)
def _requests(jump: float, usual: float) -> float:
    """Give how many modern requests it takes; most routes ask about the same two rates."""
    return math.log(HOLD_AT) / information(jump, usual)


def power(weight: int, per_second: float, usual: float = TOLERATED_LEAST) -> Power:
    """Give the power at a weight (hundredths of a percent) of so many requests a second.

    `usual` is the failure rate of modern in good times; never below `TOLERATED_LEAST`.
    """
    usual = min(max(usual, TOLERATED_LEAST), 0.09)
    jump = usual * JUMP
    requests = _requests(jump, usual)
    modern = per_second * weight / 10_000
    return Power(
        weight, per_second, usual, jump, requests, requests / modern if modern > 0 else None
    )


def about(seconds: float) -> str:
    """Say a length of time to two digits: `2.7 min`, `40 s`."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return duration(seconds)


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"


def _weight(weight: int) -> str:
    return f"{weight / 100:g}%"


def _rate(per_second: float) -> str:
    return f"{per_second:.3g} rps"
