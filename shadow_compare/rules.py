"""How the answers of one route are compared, compiled from what the rules file says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from shadow_compare.equivalence import Equivalence, find_equivalences
from shadow_compare.paths import Path, Pattern, covers, is_exactly, parse_pattern

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A place whose differences do not count, up to and including the day `until`."""

    path: str
    pattern: Pattern
    reason: str = ""
    owner: str = ""
    until: date | None = None

    def applies(self, path: Path, today: date) -> bool:
        """Whether a difference at this path does not count today."""
        return (self.until is None or today <= self.until) and covers(self.pattern, path)


@dataclass(frozen=True, slots=True)
class CompareRules:
    """Compiled rules; make them with `build`.

    `arrays` says which member identifies the elements of an array, `between` which of the
    equivalences can hold between values of two types.
    """

    critical: tuple[Pattern, ...] = ()
    arrays: tuple[tuple[Pattern, str], ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    equivalences: tuple[Equivalence, ...] = ()
    zone: ZoneInfo = _UTC
    between: Mapping[tuple[type, type], tuple[Equivalence, ...]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        *,
        critical: Iterable[str] = (),
        arrays: Iterable[tuple[str, str]] = (),
        ignore: Iterable[Mapping[str, Any]] = (),
        equivalences: Iterable[str] = (),
        zone: str = "UTC",
    ) -> CompareRules:
        """Compile plain values.

        `arrays` are pairs of path and member, `ignore` mappings with `path` and optionally
        `reason`, `owner` and `until` (a date or its ISO text). Raises ValueError.
        """
        declared = find_equivalences(equivalences)
        return cls(
            critical=tuple(map(parse_pattern, critical)),
            arrays=tuple((parse_pattern(path), key) for path, key in arrays),
            ignore=tuple(_ignore_rule(**rule) for rule in ignore),
            equivalences=declared,
            zone=_zone(zone),
            between=_by_types(declared),
        )

    def is_critical(self, path: Path) -> bool:
        """Whether a difference here is one that must not be."""
        return any(covers(pattern, path) for pattern in self.critical)

    def ignored_by(self, path: Path, today: date) -> IgnoreRule | None:
        """Give the first rule in force that rules a difference at this path out."""
        return next((rule for rule in self.ignore if rule.applies(path, today)), None)

    def key_of(self, path: Path) -> str | None:
        """Give the member that identifies the elements of the array at this path."""
        return next((key for pattern, key in self.arrays if is_exactly(pattern, path)), None)


def _ignore_rule(
    path: str, reason: str = "", owner: str = "", until: date | str | None = None
) -> IgnoreRule:
    day = date.fromisoformat(until) if isinstance(until, str) else until
    return IgnoreRule(path, parse_pattern(path), reason, owner, day)


def _by_types(
    declared: tuple[Equivalence, ...],
) -> dict[tuple[type, type], tuple[Equivalence, ...]]:
    found: dict[tuple[type, type], tuple[Equivalence, ...]] = {}
    for equivalence in declared:
        for pair in set(equivalence.type_pairs()):
            found[pair] = (*found.get(pair, ()), equivalence)
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"`{name}` is not the name of a time zone") from error
