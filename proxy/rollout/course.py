"""What a plan does now: a function of where a route stands, what was measured, and the time.

It only says; whoever acts on it takes the step. Nothing here knows a clock: time that was watched,
and whether the calendar is open, come in as values, so that no jump of any clock is a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, assert_never

from proxy.rollout.calendar import Closed
from proxy.rollout.gate import Opening, Pace, StepEvidence, Want, duration, wants, words
from proxy.rollout.plan import Hand, Place, Progress, first_place, place_after, place_on
from proxy.routing.rules import RouteRules, StepRules

Steps = tuple[StepRules, ...]


class Cooling(NamedTuple):
    """A route that is rolled back: how long it must wait (s), and how much of that was watched.

    `times` counts automatic rollbacks in a row; one by hand ends by hand, and is not `automatic`.
    """

    cooldown: float
    cooled: float
    times: int
    automatic: bool


class Standing(NamedTuple):
    """Where a route stands: its progress, its evidence, and what the world allows.

    `opens` is seconds until the calendar opens, with `closed`. `killed` says that legacy serves all
    there is, `obstacle` why the step that is due could not be written down.
    """

    progress: Progress
    seen: StepEvidence
    pace: Pace = Pace()
    closed: Closed | None = None
    opens: float = 0.0
    cooling: Cooling | None = None
    killed: bool = False
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Nobody but people moves this route."""


@dataclass(frozen=True, slots=True)
class OffPlan:
    """The weight is on no step."""

    following: Place | None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A person has put the plan on hold."""

    hand: Hand


@dataclass(frozen=True, slots=True)
class Killed:
    """While the kill switch is on, no plan moves."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The step is not satisfied; what is missing, and how fast it comes in."""

    place: Place
    missing: tuple[Want, ...]
    pace: Pace


@dataclass(frozen=True, slots=True)
class Takes:
    """The step is satisfied, and the next one is to be taken now, unless it cannot be written."""

    place: Place
    to: Place
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The last step."""

    place: Place
    missing: tuple[Want, ...]
    pace: Pace


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rolled back; a person has to resume it."""

    left: float
    spent: int
    """How often it resumed by itself, if that was as often as allowed; else 0."""


@dataclass(frozen=True, slots=True)
class CoolsDown:
    """Rolled back; resumes by itself in `left` seconds, for which time of those allowed."""

    left: float
    time: int
    of: int


@dataclass(frozen=True, slots=True)
class Resumes:
    """Rolled back and cooled down; resumes now, and the plan begins anew at its first step."""

    to: Place
    time: int
    of: int


Course = NoPlan | OffPlan | HeldBack | Killed | Waits | Takes | Done | Waiting | CoolsDown | Resumes

NO_PLAN: Final = NoPlan()
KILLED: Final = Killed()


def course(route: RouteRules, steps: Steps, at: Standing) -> Course:
    """Say what the plan of a route does."""
    if at.cooling is not None:
        return _back(route, steps, at, at.cooling)
    if not steps:
        return NO_PLAN
    if at.progress.held is not None:
        return HeldBack(at.progress.held)
    place = place_on(steps, route.weight, at.progress.step)
    if place is None:
        return OffPlan(place_after(steps, route.weight))
    missing = missing_on(route, place, at)
    to = place_after(steps, route.weight, at.progress.step)
    if to is None:
        return Done(place, missing, at.pace)
    if at.killed:
        return KILLED
    return Waits(place, missing, at.pace) if missing else Takes(place, to, at.obstacle)


def missing_on(route: RouteRules, place: Place, at: Standing) -> tuple[Want, ...]:
    """Give what a step still waits for, the calendar included."""
    missing = wants(route, place.step, at.seen, approved=at.progress.approved is not None)
    if at.closed is not None and place.following is not None:
        missing = (*missing, Opening(at.closed, at.opens))
    return missing


def told(course: Course) -> str:
    """Say it in words, for everybody who asks why a route stands where it does."""
    match course:
        case NoPlan():
            return "no plan; the weight is set by hand"
        case OffPlan(following):
            onward = f"; `advance` takes it to {_weight(following)}" if following else ""
            return f"the weight is on no step of the plan{onward}"
        case HeldBack(hand):
            return f"on hold by {hand.author} ({hand.reason}); `resume` lets the plan go on"
        case Killed():
            return "the kill switch is on; no plan moves"
        case Waits(place, missing, pace):
            return f"{place} needs {_list(missing, pace)}"
        case Takes(place, to, obstacle):
            cannot = f", which cannot be taken: {obstacle}" if obstacle else ""
            return f"{place} is satisfied; the next is {_weight(to)}{cannot}"
        case Done(place, missing, pace):
            rest = f"needs {_list(missing, pace)}" if missing else "nothing more to wait for"
            return f"{place}, the last; {rest}"
        case Waiting(left, spent):
            by_hand = f" after resuming by itself {spent} of {spent} times" if spent else ""
            cooling = f"; its cool-down lasts another {duration(left)}" if left > 0 else ""
            return f"rolled back{by_hand}; waits to be resumed{cooling}"
        case CoolsDown(left, time, of):
            again = f"then resumes by itself ({time} of {of})"
            return f"rolled back; cools down for {duration(left)}, {again}"
        case Resumes(to, time, of):
            return f"cooled down; resumes by itself ({time} of {of}) at {_weight(to)}"
        case _:
            assert_never(course)


def _back(route: RouteRules, steps: Steps, at: Standing, cooling: Cooling) -> Course:
    """Say what becomes of a route that is rolled back."""
    allowed = route.rollback.auto_resume
    left = max(0.0, cooling.cooldown - cooling.cooled)
    held = at.progress.held is not None
    if not steps or not cooling.automatic or cooling.times > allowed or held:
        return Waiting(left, allowed if cooling.times > allowed else 0)
    if left > 0 or at.killed or at.closed is not None:
        return CoolsDown(max(left, at.opens), cooling.times, allowed)
    return Resumes(first_place(steps), cooling.times, allowed)


def _list(missing: tuple[Want, ...], pace: Pace) -> str:
    return "; ".join(words(want, pace) for want in missing)


def _weight(place: Place) -> str:
    return f"{place.step.weight / 100:g}%"
