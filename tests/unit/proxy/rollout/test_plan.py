from __future__ import annotations

import pytest

from proxy.rollout.plan import first_place, place_after, place_on
from proxy.routing.rules import StepRules

STEPS = tuple(StepRules(weight) for weight in (0, 1000, 5000, 9000, 10_000))
TWICE = (StepRules(0, hold=1.0), StepRules(0, hold=2.0), StepRules(1000))


@pytest.mark.parametrize(
    ("weight", "number", "following"),
    [(0, 1, 1000), (1000, 2, 5000), (9000, 4, 10_000), (10_000, 5, None)],
)
def test_weight_tells_the_step(weight: int, number: int, following: int | None) -> None:
    """A route stands on the step that has its weight."""
    place = place_on(STEPS, weight)
    assert place is not None
    assert (place.number, place.of, str(place)) == (number, 5, f"step {number} of 5")
    assert (place.following.weight if place.following else None) == following
    after = place_after(STEPS, weight)
    assert (after.step.weight if after else None) == following


def test_between_steps() -> None:
    """A weight that no step has stands nowhere; what comes next is the step above it."""
    assert place_on(STEPS, 2500) is None
    after = place_after(STEPS, 2500)
    assert after is not None
    assert after.number == 3
    assert place_after(STEPS[:2], 2500) is None


def test_steps_that_share_a_weight_are_told_apart_by_number() -> None:
    """The first counts until the plan has taken the second, so that neither is skipped."""
    first, second = place_on(TWICE, 0), place_on(TWICE, 0, step=1)
    assert (first, second) != (None, None)
    assert (first and first.number, second and second.number) == (1, 2)
    after = place_after(TWICE, 0, step=1)
    assert after is not None
    assert after.number == 3


def test_a_number_that_the_weight_contradicts_is_not_believed() -> None:
    """A plan that was written anew, or a weight set by hand: what the rules say counts."""
    assert place_on(STEPS, 1000, step=3) == place_on(STEPS, 1000)
    assert place_on(STEPS, 1000, step=99) == place_on(STEPS, 1000)


def test_a_plan_begins_with_its_first_step() -> None:
    """Whatever its weight."""
    assert first_place(STEPS[1:]).step.weight == 1000
    assert place_on((), 0) is None
    assert place_after((), 0) is None
