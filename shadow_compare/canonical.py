"""One hashable form for values that the rules hold to be the same, to pair elements of arrays.

A form never decides: elements of one form are paired, and then compared like all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from shadow_compare.budget import Budget
from shadow_compare.declared import Declared
from shadow_compare.json_value import Json, number_of
from shadow_compare.paths import Path, Pattern, covers, touches
from shadow_compare.rules import CompareRules

_IGNORED: Final = ("ignored",)
_NEAR: Final = ("near",)
_BYTES_PER_NODE: Final = 8
_TEXTS_MAX: Final = 100_000
"""Texts whose forms are remembered: rows repeat them, and a date takes ten times as long anew."""

_Change = Callable[[Json, ZoneInfo], Json]
_Pending = tuple[tuple[Pattern, "Declared | None"], ...]
"""Rules for places beneath, each as the steps still to go; without an equivalence it ignores."""


class _Shape:
    """The members that an object has: one of these for all objects with the same, in any order.

    It is equal to itself alone, so that nothing else has the form of an object.
    """

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names: Final = names


class Canonicalizer:
    """Brings values into their canonical form, by the rules of this day, within a budget.

    A `coarse` one leaves out what only has to be close.
    """

    def __init__(
        self, rules: CompareRules, today: date, budget: Budget, *, coarse: bool = False
    ) -> None:
        self._zone = rules.zone
        self._budget = budget
        self._by_value = any(
            each.name in ("trailing_zero", "number_as_string") for each in rules.equivalences
        )
        self._local: list[tuple[Pattern, Declared | None]] = [
            (rule.pattern, None)
            for rule in rules.ignore
            if rule.until is None or today <= rule.until
        ]
        self._local += [(at, each) for each in rules.equivalences for at in each.at]
        self._everywhere = tuple(each for each in rules.equivalences if not each.at)
        self._numbers_are_near = False
        if coarse:
            near = [each for each in rules.equivalences if each.name == "float_precision"]
            self._local += [(each.pattern, None) for each in rules.tolerances]
            self._local += [(at, None) for each in near for at in each.at]
            self._numbers_are_near = any(not each.at for each in near)
        self._changes = _by_type(self._everywhere)
        self._texts: dict[str, Hashable] = {}
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def both(
        self, old: Sequence[Json], new: Sequence[Json], path: Path, first: int = 0
    ) -> tuple[list[Hashable], list[Hashable]]:
        """Give the forms of elements of two arrays that stand at this path, from index `first` on.

        The text with sorted members is the form where no rule asks for more, and where one array is
        the other in a new order: what the rules hold to be the same would pair them no better.
        """
        pending = self._pending_at(path)
        needs_rules = bool(pending or self._changes)
        if not needs_rules or len(old) == len(new):
            texts = list(map(self._written, old)), list(map(self._written, new))
            if not needs_rules or Counter(texts[0]) == Counter(texts[1]):
                return texts
        return self._elements(old, pending, first), self._elements(new, pending, first)

    def _elements(self, elements: Sequence[Json], pending: _Pending, first: int) -> list[Hashable]:
        if not pending:
            return list(map(self._form, elements))
        return [self._form_in(each, at, pending) for at, each in enumerate(elements, first)]

    def _pending_at(self, path: Path) -> _Pending:
        return tuple(
            (pattern[len(path) :], declared)
            for pattern, declared in self._local
            if touches(pattern, path)
        )

    def element(self, value: Json, path: Path, at: int) -> Hashable:
        """Give the form of one element of the array at this path."""
        return self._form_in(value, at, self._pending_at(path))

    def values(self, values: Iterable[Json], path: Path) -> list[Hashable]:
        """Give the forms of values that all stand at this path, which no ignore rule covers."""
        pending = tuple(
            (pattern[len(path) :], declared)
            for pattern, declared in self._local
            if declared is not None and touches(pattern, path)
        )
        return [self._form_under(value, pending) for value in values]

    def _written(self, value: Json) -> Hashable:
        """Take the text with sorted members: ten times as fast, where no rule asks for more."""
        try:
            # Decoded, as the bytes would each keep 4 KB that they were written into.
            text = orjson.dumps(value, _as_written, orjson.OPT_SORT_KEYS).decode()
        except orjson.JSONEncodeError:  # a lone surrogate, or an integer beyond 64 bits
            return self._form(value)
        self._budget.spend(1 + len(text) // _BYTES_PER_NODE)
        return text

    def _form(self, value: Json) -> Hashable:
        """Give the form where only the equivalences count that are declared for all places."""
        if type(value) is str:
            return self._texts[value] if value in self._texts else self._remembered(value)
        for change in self._changes.get(type(value), ()):
            value = change(value, self._zone)
        if isinstance(value, dict):
            self._budget.spend(len(value))
            shape = self._shapes.get(tuple(value)) or self._shape(value)
            return (shape, *[self._form(value[name]) for name in shape.names])
        if isinstance(value, list):
            self._budget.spend(len(value))
            return tuple([self._form(item) for item in value])
        return self._scalar(value)

    def _shape(self, value: dict[str, Json]) -> _Shape:
        """Give what objects with these members have in common, in whichever order they stand."""
        names = tuple(sorted(value))
        shape = self._shapes.get(names) or _Shape(names)
        self._shapes[names] = self._shapes[tuple(value)] = shape
        return shape

    def _remembered(self, text: str) -> Hashable:
        value: Json = text
        for change in self._changes.get(str, ()):
            value = change(value, self._zone)
        form = self._scalar(value)
        if len(self._texts) < _TEXTS_MAX:
            self._texts[text] = form
        return form

    def _form_in(self, value: Json, step: str | int, pending: _Pending) -> Hashable:
        """Give the form of a member or an element, with the rules pending for what holds it."""
        beneath = tuple(
            (pattern[1:], declared)
            for pattern, declared in pending
            if not pattern or covers(pattern[:1], (step,))
        )
        return self._form_under(value, beneath) if beneath else self._form(value)

    def _form_under(self, value: Json, pending: _Pending) -> Hashable:
        here = [declared for pattern, declared in pending if not pattern]
        if None in here:
            return _IGNORED
        changes = self._changes
        if here:
            changes = _by_type((*self._everywhere, *(each for each in here if each is not None)))
        for change in changes.get(type(value), ()):
            value = change(value, self._zone)
        if isinstance(value, dict):
            self._budget.spend(len(value))
            shape = self._shapes.get(tuple(value)) or self._shape(value)
            return (shape, *[self._form_in(value[name], name, pending) for name in shape.names])
        if isinstance(value, list):
            self._budget.spend(len(value))
            return tuple([self._form_in(item, at, pending) for at, item in enumerate(value)])
        return self._scalar(value)

    def _scalar(self, value: Json) -> Hashable:
        if isinstance(value, str) or value is None:
            return value
        if self._numbers_are_near and type(value) is not bool:
            return _NEAR
        if type(value) is int and self._by_value:  # its hash is that of the Decimal, and as equal
            return ("number", value)
        number = number_of(value)
        if number is None:
            return ("bool", value)
        return ("number", number if self._by_value else number.as_tuple())


def _by_type(declared: Iterable[Declared]) -> dict[type, tuple[_Change, ...]]:
    """Give what may change a value of a type into its representative."""
    found: dict[type, tuple[_Change, ...]] = {}
    for each in declared:
        for kind in each.equivalence.one | each.equivalence.other:
            found[kind] = (*found.get(kind, ()), each.equivalence.representative)
    return found


def _as_written(value: Json) -> Json:
    """Give a Decimal in the form of the float that would have been read for it, if there is one."""
    if not isinstance(value, Decimal):
        raise TypeError
    rounded = float(value)
    if Decimal(repr(rounded)).compare_total(value) == 0:
        return rounded
    return orjson.Fragment(str(value))
