"""Which step of its plan a route stands on. Steps are taken by hand; this tells where one is."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.routing.rules import StepRules


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a plan; `number` counts from 1."""

    number: int
    of: int
    step: StepRules
    following: StepRules | None


def place_on(steps: tuple[StepRules, ...], weight: int) -> Place | None:
    """Give the last step with exactly this weight, or None when the weight lies between steps."""
    for index in reversed(range(len(steps))):
        if steps[index].weight == weight:
            following = steps[index + 1] if index + 1 < len(steps) else None
            return Place(index + 1, len(steps), steps[index], following)
    return None
