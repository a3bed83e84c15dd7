"""One hashable form for values that the rules hold to be the same, to pair elements of arrays.

A form never decides: elements of one form are paired, and then compared like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from shadow_compare.budget import Budget
from shadow_compare.json_value import Json, number_of
from shadow_compare.paths import Path, touches
from shadow_compare.rules import CompareRules, IgnoreRule

_IGNORED: Final = ("ignored",)
_BYTES_PER_NODE: Final = 8


class Canonicalizer:
    """Brings values into their canonical form, by the rules of this day, within a budget."""

    def __init__(self, rules: CompareRules, today: date, budget: Budget) -> None:
        self._rules = rules
        self._today = today
        self._budget = budget
        self._changes = _by_type(rules)
        self._by_value = any(
            each.name in ("trailing_zero", "number_as_string") for each in rules.equivalences
        )

    def elements(self, elements: Sequence[Json], at: range, path: Path) -> list[Hashable]:
        """Give the forms of the elements at these indexes of the array at this path."""
        ignored = tuple(rule for rule in self._rules.ignore if touches(rule.pattern, path))
        if ignored or self._is_declared_beneath(path):
            return [self._form_at(elements[i], (*path, i), ignored) for i in at]
        if self._changes:
            return [self._form(elements[i]) for i in at]
        return [self._written(elements[i]) for i in at]

    def values(self, values: Iterable[Json], path: Path) -> list[Hashable]:
        """Give the forms of values that all stand at this path, which no ignore rule covers."""
        return [self._form_at(value, path, ()) for value in values]

    def _is_declared_beneath(self, path: Path) -> bool:
        """Whether an equivalence is declared for places that may be beneath this one."""
        return any(
            touches(pattern, path) for each in self._rules.equivalences for pattern in each.at
        )

    def _written(self, value: Json) -> Hashable:
        """Take the text with sorted members: ten times as fast, where no rule asks for more."""
        try:
            text = orjson.dumps(value, _as_written, orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # a lone surrogate, or an integer beyond 64 bits
            return self._form(value)
        self._budget.spend(1 + len(text) // _BYTES_PER_NODE)
        return text

    def _form(self, value: Json) -> Hashable:
        for change in self._changes.get(type(value), ()):
            value = change(value, self._rules.zone)
        if isinstance(value, dict):
            self._budget.spend(len(value))
            return frozenset([(name, self._form(item)) for name, item in value.items()])
        if isinstance(value, list):
            self._budget.spend(len(value))
            return tuple([self._form(item) for item in value])
        return self._scalar(value)

    def _form_at(self, value: Json, path: Path, ignored: tuple[IgnoreRule, ...]) -> Hashable:
        for rule in ignored:
            if rule.applies(path, self._today):
                return _IGNORED
        value = self._rules.representative(value, path)
        if isinstance(value, dict):
            self._budget.spend(len(value))
            return frozenset(
                [
                    (name, self._form_at(each, (*path, name), ignored))
                    for name, each in value.items()
                ]
            )
        if isinstance(value, list):
            self._budget.spend(len(value))
            return tuple(
                [self._form_at(each, (*path, at), ignored) for at, each in enumerate(value)]
            )
        return self._scalar(value)

    def _scalar(self, value: Json) -> Hashable:
        if isinstance(value, str) or value is None:
            return value
        number = number_of(value)
        if number is None:
            return ("bool", value)
        return ("number", number if self._by_value else number.as_tuple())


def _by_type(rules: CompareRules) -> dict[type, tuple[Callable[[Json, ZoneInfo], Json], ...]]:
    """Give what the equivalences declared for all places may change a value of a type into."""
    found: dict[type, tuple[Callable[[Json, ZoneInfo], Json], ...]] = {}
    for each in rules.equivalences:
        if not each.at:
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
