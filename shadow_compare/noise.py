"""How often a side differs from itself, place by place, and what that excuses in the candidate.

Now and then the primary's side is asked twice. Where its two answers disagree there is noise, and
the rate of it is known as a Beta distribution. A candidate that differs there no more often than
the upper bound of that rate is excused; as soon as it surely does, it is not.

Diffy, which this is taken from, hides a field until it differs half as often again as the noise,
without saying how well either number is known: ten answers count as much as a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from shadow_compare.beta import at_most, bound
from shadow_compare.difference import Difference
from shadow_compare.json_value import Json
from shadow_compare.rules import CompareRules
from shadow_compare.shape import Shape
from shadow_compare.verdict import Comparison, Verdict

LEARNING: Final = 20
"""Baselines of a route that are asked for as soon as possible."""
PLACES_MAX: Final = 200
"""Noisy places remembered of one route; differences at further ones count."""
BASELINES_MAX: Final = 1000
COMPARED_MAX: Final = 2000
"""From these on all counts are halved, so that what is known follows what is deployed."""

_UPPER: Final = 0.995
_SURE: Final = 0.001

_WHAT: Final = {
    "missing": "presence",
    "extra": "presence",
    "type_changed": "type",
    "value_changed": "value",
    "reordered": "order",
    "length_changed": "length",
}
"""What varies, by kind of difference: which of two equal sides lacks a member is chance."""

_SHAPED: Final = frozenset({"value", "type"})
_STATUS: Final = "status"


class Place(NamedTuple):
    """What varies, and the wildcard path of where."""

    what: str
    path: str

    @classmethod
    def of(cls, difference: Difference) -> Place:
        """Give the place of a difference."""
        return cls(_WHAT[difference.kind], difference.place)


def places_of(comparison: Comparison) -> set[Place]:
    """Give every place that differs and counts."""
    return {Place(_WHAT[kind], path) for kind, path in comparison.places}


class Seen(NamedTuple):
    """How often the answers to one request were compared, and how often they differed somewhere.

    Sums of these over workers and times are what all of them have seen together.
    """

    baselines: float = 0.0
    disagreed: float = 0.0
    compared: float = 0.0
    differed: float = 0.0

    def plus(self, other: Seen) -> Seen:
        """Add what somebody else has seen."""
        return Seen(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(slots=True)
class _Noisy:
    """One noisy place; `since` is how many candidates were compared before it was found to be."""

    disagreed: float
    shape: Shape
    since: float
    differed: float = 0.0
    upper: float | None = None


class RouteNoise:
    """What is known of one route's noise under one version of its rules; bounded, and fading."""

    def __init__(self) -> None:
        self._baselines = 0.0
        self._compared = 0.0
        self._places: dict[Place, _Noisy] = {}

    @property
    def is_learning(self) -> bool:
        """Whether a baseline is wanted at once."""
        return self._baselines < LEARNING

    def seen(self) -> Iterator[tuple[Place, Seen, Shape]]:
        """Give what is known of each noisy place."""
        for place, noisy in self._places.items():
            compared = self._compared - noisy.since
            seen = Seen(self._baselines, noisy.disagreed, compared, noisy.differed)
            yield place, seen, noisy.shape

    def hear_baseline(self, comparison: Comparison, rules: CompareRules) -> None:
        """Take in how two answers of one side compare; what is ruled out anyhow is no noise."""
        if not _looked_at_all(comparison):
            return
        self._baselines += 1
        shapes = _shapes(comparison, rules)
        for place in places_of(comparison):
            noisy = self._places.get(place)
            if noisy is None:
                if len(self._places) >= PLACES_MAX:
                    continue
                noisy = self._places[place] = _Noisy(0.0, Shape(), self._compared)
            noisy.disagreed += 1
            noisy.shape = noisy.shape.merged(shapes.get(place, Shape()))
        for noisy in self._places.values():
            noisy.upper = None
        self._fade_baselines()

    def judge(
        self, comparison: Comparison, rules: CompareRules, *, primary_is_old: bool
    ) -> Comparison:
        """Count how a candidate compares, and excuse what is noise."""
        if not _looked_at_all(comparison):
            return comparison
        self._compared += 1
        for place in places_of(comparison):
            if (noisy := self._places.get(place)) is not None:
                noisy.differed += 1
        judged = self.excuse(comparison, rules, primary_is_old=primary_is_old)
        self._learn_shapes(comparison, rules, primary_is_old=primary_is_old)
        self._fade_compared()
        return judged

    def excuse(
        self, comparison: Comparison, rules: CompareRules, *, primary_is_old: bool
    ) -> Comparison:
        """Excuse what is noise, and count nothing."""
        noisy = {place for place in places_of(comparison) if self._is_noise(place)}
        if not noisy:
            return comparison
        excused, unfit = set[Place](), set[Place]()
        for difference in comparison.differences:  # the first of every place is among them
            place = Place.of(difference)
            if place not in noisy:
                continue
            primary, candidate = _sides(difference, primary_is_old=primary_is_old)
            fits = not rules.is_critical(difference.path) and (
                place.what not in _SHAPED
                or self._places[place].shape.fits(primary, candidate, rules.zone)
            )
            (excused if fits else unfit).add(place)
        return _without(comparison, excused - unfit)

    def _is_noise(self, place: Place) -> bool:
        noisy = self._places.get(place)
        if noisy is None:
            return False
        tried = self._compared - noisy.since
        if noisy.upper is None:
            always = noisy.disagreed >= self._baselines
            noisy.upper = 1.0 if always else bound(_UPPER, noisy.disagreed, self._baselines)
        if noisy.differed <= noisy.upper * tried or noisy.upper == 1.0:
            return True
        return at_most(noisy.upper, noisy.differed, max(tried, noisy.differed)) > _SURE

    def _learn_shapes(
        self, comparison: Comparison, rules: CompareRules, *, primary_is_old: bool
    ) -> None:
        for difference in comparison.differences:
            noisy = self._places.get(Place.of(difference))
            if noisy is not None and Place.of(difference).what in _SHAPED:
                primary, _ = _sides(difference, primary_is_old=primary_is_old)
                noisy.shape = noisy.shape.merged(Shape.of_one(primary, rules.zone))

    def _fade_baselines(self) -> None:
        if self._baselines < BASELINES_MAX:
            return
        self._baselines /= 2
        for place, noisy in list(self._places.items()):
            noisy.disagreed /= 2
            if noisy.disagreed < 0.5:
                del self._places[place]

    def _fade_compared(self) -> None:
        if self._compared < COMPARED_MAX:
            return
        self._compared /= 2
        for noisy in self._places.values():
            noisy.differed /= 2
            noisy.since /= 2


def _looked_at_all(comparison: Comparison) -> bool:
    """Whether the bodies were compared: with two statuses they are not, and nothing is learnt."""
    return comparison.verdict is not Verdict.NOT_COMPARED and not any(
        path.startswith(_STATUS) for _, path in comparison.places
    )


def _sides(difference: Difference, *, primary_is_old: bool) -> tuple[Json, Json]:
    if primary_is_old:
        return difference.old, difference.new
    return difference.new, difference.old


def _shapes(comparison: Comparison, rules: CompareRules) -> dict[Place, Shape]:
    found: dict[Place, Shape] = {}
    for difference in comparison.differences:
        place = Place.of(difference)
        if place.what in _SHAPED:
            shape = Shape.of(difference.old, difference.new, rules.zone)
            found[place] = found.get(place, Shape()).merged(shape)
    return found


def _without(comparison: Comparison, excused: set[Place]) -> Comparison:
    """Move differences from those that count to those that do not."""
    left = tuple(
        each for each in comparison.places if Place(_WHAT[each[0]], each[1]) not in excused
    )
    kept = tuple(each for each in comparison.differences if Place.of(each) not in excused)
    if not excused or (left and not kept):  # a mismatch must have something to show
        return comparison
    moved = tuple(each for each in comparison.differences if Place.of(each) in excused)
    noise = tuple((f"noise:{path}", 1) for path in sorted({place.path for place in excused}))
    return replace(
        comparison,
        verdict=Verdict.MISMATCH if left else Verdict.IGNORED,
        reason="" if left else "noise",
        differences=kept,
        ignored=(*comparison.ignored, *moved),
        places=left,
        fired=(*comparison.fired, *noise),
    )
