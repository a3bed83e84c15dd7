"""Detection power of the next step of a route, at the traffic that it has now."""

from __future__ import annotations

from proxy.control.live import LiveRoute
from proxy.rollout.plan import Place
from proxy.rollout.power import Power, power
from proxy.routing.side import Side


def next_power(live: LiveRoute, to: Place, now: float) -> Power:
    """How soon modern's failures would be caught at a step's weight, at the traffic of now."""
    per_second = sum(window.decided_per_second(now) for window in live.sides.values())
    usual = live.sides[Side.MODERN.value].error_rate or 0.0
    return power(to.step.weight, per_second, usual)
