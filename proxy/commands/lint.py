"""What is valid in a rules file, and still not what somebody wants (pure).

Whatever can never be meant is refused by the schema, shadowed routes among it; here stands what
depends on the day, on the traffic, or on taste.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from proxy.admin.console import wording
from proxy.rollout.gate import least
from proxy.routing.compare_rules import Standing
from proxy.routing.rules import WEIGHT_MAX, RouteRules, Rules, StepRules
from proxy.routing.side import Side

LONG: Final = 14 * 86_400.0
"""Seconds that one step may wait for its gate before that is called to mind."""

Rates = Mapping[str, float]
"""Requests a second of each route, both sides together."""


def notes_on(rules: Rules, today: date, rates: Rates | None = None) -> Iterator[str]:
    """Say what is valid but may surprise; of traffic only when `rates` say what there is."""
    plans = dict(rules.plans)
    for route in rules.routes:
        yield from _on_ignore_rules(route, today)
        if route.weight > 0 and route.mirror.share == 0:
            weight = wording.weight(route.weight)
            yield f"{route.id}: serves {weight} from modern, and mirrors nothing"
        steps = plans.get(route.plan or "", ())
        for number, step in enumerate(steps[:-1], start=1):  # behind the last one nothing comes
            rate = None if rates is None else rates.get(route.id, 0.0)
            for note in _on_step(route, step, rate):
                where = f"step {number} of plan {route.plan} ({wording.weight(step.weight)})"
                yield f"{route.id}: {where} {note}"
    if not any(route.match.path == "/*" and not route.match.methods for route in rules.routes):
        yield "no route takes everything that is left: such requests are answered 404"


def _on_ignore_rules(route: RouteRules, today: date) -> Iterator[str]:
    for rule in route.compare.ignore:
        if rule.standing(today) is Standing.ENDED:
            yield f"{route.id}: the ignore rule for {rule.path} ended on {rule.until}"
        elif rule.standing(today) is Standing.ENDING:
            yield f"{route.id}: the ignore rule for {rule.path} ends on {rule.until}"
        if any(_is_beneath(path, rule.path) for path in route.compare.critical):
            yield f"{route.id}: the ignore rule for {rule.path} hides a critical path"


def _is_beneath(path: str, other: str) -> bool:
    """Whether a path is another one, or a place beneath it."""
    return path == other or path.startswith((f"{other}.", f"{other}["))


def _on_step(route: RouteRules, step: StepRules, rate: float | None) -> Iterator[str]:
    """Say why a step's gate would never open, or only after a long time."""
    gate, (requests, compared) = step.until, least(route, step)
    share = step.weight / WEIGHT_MAX
    if requests or gate.error_rate is not None:
        yield from _on_need("requests", requests or 1, share, rate, "modern serves nobody")
    if compared or gate.mismatch_rate is not None:
        seen, why = _compared_share(route, share)
        yield from _on_need("comparisons", compared or 1, seen, rate, why)


def _compared_share(route: RouteRules, share: float) -> tuple[float, str]:
    """How many of the requests are compared at a weight, at most, and why none if it is none."""
    mirror = route.mirror
    towards_modern = 1.0 - share if Side.MODERN in mirror.towards else 0.0
    towards_legacy = share if Side.LEGACY in mirror.towards else 0.0
    why = "the route mirrors nothing"
    if mirror.share:
        why = "nothing is mirrored towards the side that does not serve (mirror.towards)"
    return mirror.share * (towards_modern + towards_legacy), why


def _on_need(what: str, number: int, share: float, rate: float | None, why: str) -> Iterator[str]:
    if share == 0:
        yield f"waits for {what}, and can never advance: {why}"
    elif rate == 0:
        yield f"waits for {number:,} {what}, and no traffic is seen: it does not advance"
    elif rate is not None and (seconds := number / (rate * share)) > LONG:
        days, seen = round(seconds / 86_400), wording.rate(rate)
        yield f"waits for {number:,} {what}: {days:,} days at the {seen} that are seen"
