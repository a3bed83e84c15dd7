from __future__ import annotations

import pytest

from proxy.rollout.plan import place_on
from proxy.routing.rules import StepRules

STEPS = tuple(StepRules(weight) for weight in (0, 1000, 5000, 9000, 10_000))


@pytest.mark.parametrize(
    ("weight", "number", "following"),
    [(0, 1, 1000), (1000, 2, 5000), (9000, 4, 10_000), (10_000, 5, None)],
)
def test_weight_tells_the_step(weight: int, number: int, following: int | None) -> None:
    """A route stands on the step that has its weight."""
    place = place_on(STEPS, weight)
    assert place is not None
    assert (place.number, place.of) == (number, 5)
    assert (place.following.weight if place.following else None) == following


def test_between_steps() -> None:
    """A weight that no step has stands nowhere."""
    assert place_on(STEPS, 2500) is None


def test_repeated_weight_stands_on_the_last() -> None:
    """When two steps share a weight, the later one counts, so that a plan never goes in circles."""
    place = place_on((StepRules(0), StepRules(0), StepRules(1000)), 0)
    assert place is not None
    assert place.number == 2
