"""Comparing two answers in which ids and tokens correspond: they are marked, and met in pairs.

Before the trees are walked each name at a declared place is marked with its partner, so that it
equals what it must come with, and arrays that are matched by such an id are matched rightly. Names
that nobody knows yet equal each other; what meets is learnt if nothing else differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final, NamedTuple

from shadow_compare.budget import Budget
from shadow_compare.correspondence import Correspondence, Key, Scope, is_name, key_of
from shadow_compare.difference import Difference, ValueChanged
from shadow_compare.json_value import Json
from shadow_compare.paths import Path, Pattern, Wildcard, is_exactly
from shadow_compare.rules import CompareRules, Corresponding
from shadow_compare.structure import Walk

_UNKNOWN: Final = ""


class Marked:
    """A name with what both sides' spellings of it have in common; unknown ones are all alike.

    No dataclass: those would be written as JSON objects, and taken for such.
    """

    __slots__ = ("common", "value")

    def __init__(self, common: Key, value: Json) -> None:
        self.common: Final = common
        self.value: Final = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marked) and self.common == other.common

    def __hash__(self) -> int:
        return hash(self.common)

    def __str__(self) -> str:
        return str(self.value)


class Met(NamedTuple):
    """Two names that stood at one place."""

    scope: Scope
    legacy: Json
    modern: Json
    path: Path


class Known:
    """What is known of the names in one route's answers, for one comparison."""

    def __init__(self, route: str, rules: CompareRules, pairs: Correspondence) -> None:
        self._route = route
        self._rules = rules
        self._places = [(each, scope_of(route, each)) for each in rules.correspond]
        self._pairs = pairs
        self.met: list[Met] = []

    def apart(self) -> Known:
        """Give the same for another process: what is known of these names, and nothing else."""
        pairs = self._pairs.only(scope for _, scope in self._places)
        return Known(self._route, self._rules, pairs)

    def at(self, path: Path) -> tuple[Corresponding, Scope] | None:
        """Give what is declared for just this place."""
        return next((p for p in self._places if is_exactly(p[0].pattern, path)), None)

    def legacy(self, scope: Scope, value: Json) -> Marked:
        """Mark a name of legacy's."""
        return Marked(self._pairs.modern_of(scope, value) or _UNKNOWN, value)

    def modern(self, scope: Scope, value: Json) -> Marked:
        """Mark a name of modern's."""
        known = self._pairs.legacy_of(scope, value) is not None
        return Marked(key_of(value) if known else _UNKNOWN, value)

    def marked(self, old: Json, new: Json, root: Path) -> tuple[Json, Json]:
        """Give both trees with every name at a declared place marked; they themselves stay."""
        for each, scope in self._places:
            if each.pattern[:1] == root:
                old = _with(old, each.pattern[1:], partial(self.legacy, scope))
                new = _with(new, each.pattern[1:], partial(self.modern, scope))
        return old, new

    def contradictions(self) -> list[Met]:
        """Give what contradicts itself among the names that met in this one exchange."""
        here = Correspondence(len(self.met) + 1)
        return [met for met in self.met if not here.learn(met.scope, met.legacy, met.modern)]

    def learn(self) -> None:
        """Remember what met: nothing else differed."""
        for met in self.met:
            self._pairs.learn(met.scope, met.legacy, met.modern)


def scope_of(route: str, declared: Corresponding) -> Scope:
    """Give the scope of a declared place: what it names, or else the place of this route alone."""
    return declared.name or f"{route} {declared.path}"


class CorrespondingWalk(Walk):
    """A walk that also looks at what is equal, as equal names may belong to different things."""

    looks_at_equals = True

    def __init__(self, rules: CompareRules, today: date, budget: Budget, known: Known) -> None:
        super().__init__(rules, today, budget)
        self._known = known

    def add(self, difference: Difference) -> None:
        """Take a difference down, with names as they were."""
        old, new = _plain(difference.old), _plain(difference.new)
        super().add(replace(difference, old=old, new=new))

    def compare(self, old: Json, new: Json, path: Path) -> None:
        """Compare two values that stand at the same place, or names that meet there."""
        if len(path) == 1:
            old, new = self._known.marked(old, new, path)
        elif is_name(old) and is_name(new) and (declared := self._known.at(path)):
            scope = declared[1]  # of a page, which is no tree
            old, new = self._known.legacy(scope, old), self._known.modern(scope, new)
        if isinstance(old, Marked) and isinstance(new, Marked):
            self._meet(old, new, path)
        else:
            super().compare(old, new, path)

    def finish(self) -> None:
        """Take down what contradicts itself within this exchange."""
        for met in self._known.contradictions():
            self.add(ValueChanged(met.path, met.legacy, met.modern))

    def _meet(self, old: Marked, new: Marked, path: Path) -> None:
        declared = self._known.at(path)
        if old != new or declared is None:
            self.add(ValueChanged(path, old.value, new.value))
            return
        place, scope = declared
        self.findings.fire(f"correspond:{place.path}")
        self._known.met.append(Met(scope, old.value, new.value, path))

    def _is_same(self, old: Json, new: Json, path: Path, at: int) -> bool:
        met = len(self._known.met)
        is_same = super()._is_same(old, new, path, at)
        if not is_same:
            del self._known.met[met:]
        return is_same


def _with(value: Json, steps: Pattern, mark: Callable[[Json], Json]) -> Json:
    """Give a tree in which what stands at these steps is marked; only what changes is copied."""
    if not steps:
        return mark(value) if is_name(value) else value
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        names = list(value) if step is Wildcard.MEMBER else [step] if step in value else []
        return {**value, **{name: _with(value[name], rest, mark) for name in names}}
    if isinstance(value, list):
        if step is Wildcard.ELEMENT:
            return [_with(each, rest, mark) for each in value]
        if isinstance(step, int) and step < len(value):
            return [*value[:step], _with(value[step], rest, mark), *value[step + 1 :]]
    return value


def _plain(value: Json) -> Json:
    if isinstance(value, Marked):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
