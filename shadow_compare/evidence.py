"""What speaks for a rule: counts by place, taken while comparing, that add up over workers.

Of each route and version of its comparison rules there are the numbers of baselines and of pairs
compared (at NOWHERE), and of each place how often it differed, and what would have explained that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from shadow_compare.correspondence import Correspondence, is_name
from shadow_compare.difference import Difference
from shadow_compare.equivalence import EQUIVALENCES
from shadow_compare.json_value import Json
from shadow_compare.moments import instant_of
from shadow_compare.noise import Place, places_of
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison, Verdict

NOWHERE: Final = Place("", "")

BASELINES: Final = "baselines"
DISAGREED: Final = "disagreed"
NEAR: Final = "near"
COMPARED: Final = "compared"
DIFFERED: Final = "differed"
LOOKED_AT: Final = "looked_at"
NEW_PAIR: Final = "new_pair"
SAME_PAIR: Final = "same_pair"
OTHER_PAIR: Final = "other_pair"

DISAGREED_LEAST: Final = 3
"""Times that a side must have differed from itself somewhere; once is a write in between."""
LOOKED_AT_LEAST: Final = 3
"""Differences that an equivalence must explain, all of them."""
NEAR_SECONDS: Final = 60.0
PLACES_MAX: Final = 200
"""Places of one route about which evidence is taken, of those that differ first."""
ROUTES_MAX: Final = 5_000
"""Routes, under one version of their rules each, of which the places are remembered."""
_SCOPES_MAX: Final = 100
_PAIRS_MAX: Final = 500
_PATH_MAX: Final = 300
"""A longer path could not be told apart from others when it is kept."""


_AMOUNT: Final = re.compile(r"[-+]?\d*[.,]\d+")
"""Where one side rounds otherwise the same two amounts meet again and again: no names are those."""


class Fact(NamedTuple):
    """What is counted; `rules` is the fingerprint of the route's rules."""

    route: str
    rules: str
    what: str
    path: str
    kind: str


class Evidence:
    """Counts since they were last taken; bounded in routes, places and pairs."""

    def __init__(self) -> None:
        self._counts: Counter[Fact] = Counter()
        self._places: dict[tuple[str, str], set[Place]] = {}
        self._pairs = Correspondence(_PAIRS_MAX)
        self._scopes: set[str] = set()

    def baseline(self, route: str, rules: CompareRules, comparison: Comparison) -> None:
        """Take in how two answers of the primary's side compare."""
        if comparison.verdict is Verdict.NOT_COMPARED:
            return
        self._count(route, rules, NOWHERE, BASELINES)
        near: dict[Place, bool] = {}
        for difference in comparison.differences:
            place = Place.of(difference)
            near[place] = near.get(place, True) and _is_near(difference, rules)
        for place in self._known(route, rules, places_of(comparison)):
            self._count(route, rules, place, DISAGREED)
            if near.get(place, False):
                self._count(route, rules, place, NEAR)

    def candidate(self, route: str, rules: CompareRules, comparison: Comparison) -> None:
        """Take in how a candidate compares, before anything is excused."""
        if comparison.verdict is Verdict.NOT_COMPARED:
            return
        self._count(route, rules, NOWHERE, COMPARED)
        for place in self._known(route, rules, places_of(comparison)):
            self._count(route, rules, place, DIFFERED)

    def mismatch(self, route: str, rules: CompareRules, comparison: Comparison) -> None:
        """Look at the differences that count, for what would explain them."""
        known = set(self._known(route, rules, places_of(comparison)))
        for difference in comparison.differences:
            place = Place.of(difference)
            if place not in known or place.what not in ("value", "type"):
                continue
            self._count(route, rules, place, LOOKED_AT)
            for name in _explaining(difference, rules):
                self._count(route, rules, place, name)
            if _may_be_name(difference.old) and _may_be_name(difference.new):
                self._pair(route, rules, place, difference)

    def take(self) -> dict[Fact, int]:
        """Give what was counted, and begin anew."""
        counts, self._counts = self._counts, Counter()
        return dict(counts)

    def keep(self, routes: Mapping[str, CompareRules]) -> None:
        """Forget what was learnt under other rules than these."""
        current = {(route, rules.fingerprint) for route, rules in routes.items()}
        self._places = {key: kept for key, kept in self._places.items() if key in current}
        for fact in [each for each in self._counts if each[:2] not in current]:
            del self._counts[fact]
        self._scopes.clear()
        self._pairs.keep(())

    def put_back(self, counts: dict[Fact, int]) -> None:
        """Take back what could not be kept."""
        self._counts.update(counts)

    def _pair(self, route: str, rules: CompareRules, place: Place, difference: Difference) -> None:
        scope = f"{route} {rules.fingerprint} {place.path}"
        if scope not in self._scopes and len(self._scopes) >= _SCOPES_MAX:
            return
        self._scopes.add(scope)
        known = self._pairs.modern_of(scope, difference.old) is not None
        agrees = self._pairs.learn(scope, difference.old, difference.new)
        kind = OTHER_PAIR if not agrees else SAME_PAIR if known else NEW_PAIR
        self._count(route, rules, place, kind)

    def _known(self, route: str, rules: CompareRules, places: set[Place]) -> Iterator[Place]:
        """Give those of the places of which counts are kept, in order."""
        if not places:
            return
        key = (route, rules.fingerprint)
        if key not in self._places and len(self._places) >= ROUTES_MAX:
            return
        kept = self._places.setdefault(key, set())
        for place in sorted(places):
            if place not in kept:
                if len(kept) >= PLACES_MAX or len(place.path) > _PATH_MAX:
                    continue
                kept.add(place)
            yield place

    def _count(self, route: str, rules: CompareRules, place: Place, kind: str) -> None:
        self._counts[Fact(route, rules.fingerprint, place.what, place.path, kind)] += 1


def _is_near(difference: Difference, rules: CompareRules) -> bool:
    old = instant_of(difference.old, rules.zone)
    new = instant_of(difference.new, rules.zone)
    return old is not None and new is not None and abs(old - new) <= NEAR_SECONDS


def _explaining(difference: Difference, rules: CompareRules) -> Iterator[str]:
    """Name the equivalences under which there would be no difference; of the right places only."""
    is_header = difference.path[0] == "headers"
    for name, equivalence in EQUIVALENCES.items():
        if name == "header_case" and not is_header:
            continue
        if equivalence.same(difference.old, difference.new, rules.zone):
            yield name


def _may_be_name(value: Json) -> bool:
    return is_name(value) and not (isinstance(value, str) and _AMOUNT.fullmatch(value))
