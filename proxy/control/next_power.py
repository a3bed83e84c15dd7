"""Detection power of the next step of a route, at the traffic that it has now."""

from __future__ import annotations

from functools import lru_cache

from proxy.control.live import LiveRoute
from proxy.rollout.power import power
from proxy.routing.side import Side


def power_told(live: LiveRoute, weight: int, now: float) -> str:
    """Say how soon modern's failures would be caught at a weight, at the traffic of now."""
    per_second = sum(window.decided_per_second(now) for window in live.sides.values())
    usual = live.sides[Side.MODERN.value].error_rate or 0.0
    return _told(weight, per_second, usual)


@lru_cache(maxsize=1024)
def _told(weight: int, per_second: float, usual: float) -> str:
    """Put it in words, which are the same ones for all routes that stand still."""
    return str(power(weight, per_second, usual))
