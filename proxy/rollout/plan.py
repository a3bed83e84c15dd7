"""Where a route stands on its plan: what is durable of it, and which step its weight means."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.routing.rules import StepRules


@dataclass(frozen=True, slots=True)
class Hand:
    """Who did something by hand, when (Unix seconds), and why."""

    at: float
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What is remembered of a route on its plan, beside its weight, in every version of the rules.

    `entered` is the version in which the route came to stand where it stands: evidence for its gate
    counts from there. `step` counts from 0; the weight in the rules is what counts, and `step`
    tells apart steps that share one. `held` keeps the plan where it is until resumed; `approved`
    says that a person has agreed to leave this step.
    """

    entered: int = 0
    step: int = 0
    held: Hand | None = None
    approved: Hand | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a plan; `number` counts from 1."""

    number: int
    of: int
    step: StepRules
    following: StepRules | None

    def __str__(self) -> str:
        return f"step {self.number} of {self.of}"


def place_on(steps: tuple[StepRules, ...], weight: int, step: int = 0) -> Place | None:
    """Give the step that a route stands on: `step` (from 0) if it has this weight, or the first.

    None when the weight lies between the steps, as one set by hand may.
    """
    if step < len(steps) and steps[step].weight == weight:
        return _place(steps, step)
    found = next((index for index, each in enumerate(steps) if each.weight == weight), None)
    return None if found is None else _place(steps, found)


def place_after(steps: tuple[StepRules, ...], weight: int, step: int = 0) -> Place | None:
    """Give the step that comes next: behind the one stood on, or else the next that moves more.

    None when there is none.
    """
    if (place := place_on(steps, weight, step)) is not None:
        return _place(steps, place.number) if place.number < len(steps) else None
    above = (index for index, each in enumerate(steps) if each.weight > weight)
    found = next(above, None)
    return None if found is None else _place(steps, found)


def first_place(steps: tuple[StepRules, ...]) -> Place:
    """Give the step that a plan begins with; expects one that has steps."""
    return _place(steps, 0)


def _place(steps: tuple[StepRules, ...], index: int) -> Place:
    following = steps[index + 1] if index + 1 < len(steps) else None
    return Place(index + 1, len(steps), steps[index], following)
