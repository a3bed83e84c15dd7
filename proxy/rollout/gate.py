"""What a step still waits for before the next one may be taken: values, and their words.

A gate is satisfied by what was measured, never by what was not: a step that asks for nothing still
needs a few events of the side it is about. And never against it: too little is no failure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple, assert_never

from proxy.rollout.bound import enough
from proxy.rollout.calendar import Closed
from proxy.routing.rules import RouteRules, StepRules

WATCHED_GAP: Final = 5.0
"""Seconds between two looks beyond which time did not pass under our eyes, and does not count."""


@dataclass(slots=True)
class StepEvidence:
    """What was seen since the route stands on its step; `held` is seconds that it was watched."""

    held: float = 0.0
    requests: int = 0
    bad: int = 0
    compared: int = 0
    mismatches: int = 0


class Pace(NamedTuple):
    """How fast evidence comes in, in events a second, over the window."""

    requests: float = 0.0
    comparisons: float = 0.0


@dataclass(frozen=True, slots=True)
class MoreTime:
    """So many seconds more on this step."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MoreRequests:
    """So many requests more on modern; with `limit`, none of them failing, to prove that rate."""

    count: int
    limit: float | None
    bad: int
    of: int


@dataclass(frozen=True, slots=True)
class MoreComparisons:
    """So many comparisons more; with `limit`, none of them differing, to prove that rate."""

    count: int
    limit: float | None
    mismatches: int
    of: int


@dataclass(frozen=True, slots=True)
class NothingMirrored:
    """Nothing is known of modern here, and nothing will be: nobody is served and none mirrored."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person has to agree."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The calendar has to open; `seconds` from now."""

    closed: Closed
    seconds: float


Want = MoreTime | MoreRequests | MoreComparisons | NothingMirrored | Approval | Opening


def wants(
    route: RouteRules, step: StepRules, seen: StepEvidence, *, approved: bool = False
) -> tuple[Want, ...]:
    """Give what is missing on this step, time first; nothing when the gate is satisfied.

    What the step does not ask for is asked for all the same, to the measure of `min_requests` of
    the route's rollback rules: requests where modern serves, comparisons where it only answers in
    the shadow. A 0 in the step says that none are needed.
    """
    found: list[Want] = []
    if (left := step.hold - seen.held) > 0:
        found.append(MoreTime(left))
    gate, (requests, compared) = step.until, least(route, step)
    if more := _more(requests, gate.error_rate, seen.bad, seen.requests):
        found.append(MoreRequests(*more, seen.bad, seen.requests))
    if more := _more(compared, gate.mismatch_rate, seen.mismatches, seen.compared):
        comparisons = MoreComparisons(*more, seen.mismatches, seen.compared)
        found.append(comparisons if route.mirror.share > 0 else NothingMirrored())
    if step.approval and not approved:
        found.append(Approval())
    return tuple(found)


def least(route: RouteRules, step: StepRules) -> tuple[int, int]:
    """Give how many requests on modern, and how many comparisons, a step needs at least."""
    serves, gate, few = step.weight > 0, step.until, route.rollback.min_requests
    requests = gate.requests if gate.requests is not None else few if serves else 0
    compared = gate.compared if gate.compared is not None else 0 if serves else few
    return requests, compared


def words(want: Want, pace: Pace) -> str:
    """Say one thing that is missing, and about how long it takes as things go now."""
    match want:
        case MoreTime(seconds):
            return f"{duration(seconds)} more on this step"
        case MoreRequests(count, limit, bad, of):
            proof = _proof("a failure", limit, f"{bad:,} of {of:,} failed")
            return f"{_count(count, 'more request')} on modern{proof}{_eta(count, pace.requests)}"
        case MoreComparisons(count, limit, mismatches, of):
            proof = _proof("a difference", limit, f"{mismatches:,} of {of:,} differ")
            return f"{_count(count, 'more comparison')}{proof}{_eta(count, pace.comparisons)}"
        case NothingMirrored():
            return "comparisons, and nothing is mirrored (mirror it, or advance by hand)"
        case Approval():
            return "an approval by hand"
        case Opening(closed, seconds):
            return f"the calendar to open in {duration(seconds)}: {closed.why}"
        case _:
            assert_never(want)


def duration(seconds: float) -> str:
    """Say how long: `40 s`, `15 min`, `2.5 h`; never less than it is."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{math.ceil(round(seconds / size * 10, 6)) / 10:g} {unit}"
    return f"{math.ceil(seconds)} s"


def _more(least: int, limit: float | None, hits: int, n: int) -> tuple[int, float | None] | None:
    """Give how many events more there must be, and the limit if it is that which asks for them."""
    counted = least - n
    proving = enough(hits, limit) - n if limit is not None else 0
    if max(counted, proving) <= 0:
        return None
    return (proving, limit) if proving > counted else (counted, None)


def _proof(without: str, limit: float | None, so_far: str) -> str:
    if limit is None:
        return ""
    return f" without {without}, to prove at most {limit * 100:g}% ({so_far})"


def _eta(count: int, pace: float) -> str:
    return f", about {duration(count / pace)}" if pace > 0 else ", and none come in"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
