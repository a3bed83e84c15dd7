"""One hashable form for values that the rules hold to be the same, to pair elements of arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date

from shadow_compare.json_value import Json, number_of
from shadow_compare.paths import Path
from shadow_compare.rules import CompareRules

_IGNORED = ("ignored",)


def canonicalizer(rules: CompareRules, today: date) -> Callable[[Json, Path], Hashable]:
    """Give the function that brings a value at a path into its canonical form."""
    by_value = any(
        each.name in ("trailing_zero", "number_as_string") for each in rules.equivalences
    )

    def canonical(value: Json, path: Path) -> Hashable:
        if rules.ignore and rules.ignored_by(path, today):
            return _IGNORED
        value = rules.representative(value, path)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, dict):
            return frozenset((name, canonical(item, (*path, name))) for name, item in value.items())
        if isinstance(value, list):
            return tuple(canonical(item, (*path, at)) for at, item in enumerate(value))
        number = number_of(value)
        if number is None:
            return ("bool", value)
        return ("number", number if by_value else number.as_tuple())

    return canonical
