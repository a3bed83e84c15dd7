"""An equivalence as a route declares it: at some places or all, and how near is near enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from shadow_compare.equivalence import Equivalence, find_equivalence, within_units
from shadow_compare.json_value import Json
from shadow_compare.paths import Path, Pattern, covers, parse_pattern

_HEADERS: Final[Pattern] = ("headers",)
_ONLY_AT: Final[dict[str, tuple[Pattern, ...]]] = {"header_case": (_HEADERS,)}


@dataclass(frozen=True, slots=True)
class Declared:
    """An equivalence and the places it is declared for; none means everywhere."""

    equivalence: Equivalence
    at: tuple[Pattern, ...] = ()

    @property
    def name(self) -> str:
        """What it is counted as."""
        return self.equivalence.name

    def representative(self, value: Json, path: Path, zone: ZoneInfo) -> Json:
        """Give one member of the class that a value belongs to here."""
        return self.equivalence.representative(value, zone) if self.is_declared(path) else value

    def is_declared(self, path: Path) -> bool:
        """Whether it is declared for this place."""
        return not self.at or any(covers(pattern, path) for pattern in self.at)


def declare(name: str, at: Iterable[str] = (), units: int | None = None) -> Declared:
    """Compile a declaration; raises ValueError."""
    equivalence = find_equivalence(name)
    if units is not None:
        if name != "float_precision":
            raise ValueError(f"`{name}` is not measured in units")
        equivalence = replace(equivalence, holds=_Within(units))
    return Declared(equivalence, tuple(map(parse_pattern, at)) or _ONLY_AT.get(name, ()))


@dataclass(frozen=True, slots=True)
class _Within:
    units: int

    def __call__(self, old: Json, new: Json, _zone: ZoneInfo) -> bool:
        return within_units(old, new, self.units)
