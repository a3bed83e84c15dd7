"""How the answers of one route are compared, compiled from what the rules file says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from shadow_compare.declared import Declared, declare
from shadow_compare.equivalence import EQUIVALENCES, Holds
from shadow_compare.json_value import Json, number_of
from shadow_compare.paths import NOTICE, Path, Pattern, covers, is_exactly, parse_pattern
from shadow_compare.tolerance import Tolerance
from shadow_compare.translate import Translation

PHP_NOTICE: Final = "php_notice"
NAMES: Final = (*EQUIVALENCES, PHP_NOTICE)
"""Every equivalence that can be declared; `php_notice` is about a place, not about two values."""

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A place whose differences do not count, up to and including the day `until`."""

    path: str
    pattern: Pattern
    reason: str = ""
    owner: str = ""
    until: date | None = None
    name: str = ""

    def covers(self, path: Path) -> bool:
        """Whether it speaks for this place, in force or not."""
        return covers(self.pattern, path)

    def applies(self, path: Path, today: date) -> bool:
        """Whether a difference at this path does not count today."""
        return (self.until is None or today <= self.until) and covers(self.pattern, path)


@dataclass(frozen=True, slots=True)
class Corresponding:
    """A place where each side has names of its own; places of one `name` share what is known."""

    path: str
    pattern: Pattern
    name: str


@dataclass(frozen=True, slots=True)
class CompareRules:
    """Compiled rules; make them with `build`.

    `critical` are places with what they are counted as, `arrays` say which member identifies the
    elements of an array, and so what that is counted as, `between` which of the
    equivalences can hold between values of two types. `noise` is the share of comparisons with a
    second answer of the primary's side, `baselines` the sides that may be asked for one. `repeat`
    says that a mismatch is asked for again. `redact` are places that are hidden before anything is
    stored, `translate` those of a request in which each side has names of its own. `fingerprint` is
    equal for rules that judge alike.
    """

    critical: tuple[tuple[Pattern, str], ...] = ()
    arrays: tuple[tuple[Pattern, str, str], ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    equivalences: tuple[Declared, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()
    correspond: tuple[Corresponding, ...] = ()
    zone: ZoneInfo = _UTC
    noise: float = 0.0
    baselines: frozenset[str] = frozenset()
    repeat: bool = True
    redact: tuple[Pattern, ...] = ()
    translate: tuple[Translation, ...] = ()
    between: Mapping[tuple[type, type], tuple[tuple[Declared, Holds], ...]] = field(
        default_factory=dict
    )
    fingerprint: str = ""

    @classmethod
    def build(
        cls,
        *,
        critical: Iterable[str] = (),
        arrays: Iterable[tuple[str, str]] = (),
        ignore: Iterable[Mapping[str, Any]] = (),
        equivalences: Iterable[str | Mapping[str, Any]] = (),
        tolerances: Iterable[Mapping[str, Any]] = (),
        correspond: Iterable[Mapping[str, Any]] = (),
        zone: str = "UTC",
        noise: float = 0.0,
        baselines: Iterable[str] = (),
        repeat: bool = True,
        redact: Iterable[str] = (),
        translate: Iterable[Mapping[str, Any]] = (),
    ) -> CompareRules:
        """Compile plain values; raises ValueError.

        `arrays` are pairs of path and member. `ignore` are mappings with `path` and optionally
        `reason`, `owner` and `until` (a date or its ISO text); `equivalences` names, or mappings
        with `name` and optionally `at` (paths) and `units`; `tolerances` as `Tolerance.build`;
        `correspond` mappings with `path` and optionally `name`; `translate` as `Translation.build`.
        """
        critical, arrays, ignore = tuple(critical), tuple(arrays), tuple(ignore)
        tolerances, correspond, translate = tuple(tolerances), tuple(correspond), tuple(translate)
        names = [_named(each) for each in equivalences]
        written = (critical, arrays, ignore, names, tolerances, correspond, zone, translate)
        declared = tuple(declare(**each) for each in names if each["name"] != PHP_NOTICE)
        rules = [_ignore_rule(**rule) for rule in ignore]
        if any(each["name"] == PHP_NOTICE for each in names):
            rules.append(IgnoreRule(NOTICE[0], NOTICE, "printed by PHP", name=PHP_NOTICE))
        return cls(
            critical=tuple((parse_pattern(path), f"critical:{path}") for path in critical),
            arrays=tuple((parse_pattern(path), key, f"array:{path}") for path, key in arrays),
            ignore=tuple(rules),
            equivalences=declared,
            tolerances=tuple(Tolerance.build(**each) for each in tolerances),
            correspond=tuple(_corresponding(**each) for each in correspond),
            zone=_zone(zone),
            noise=noise,
            baselines=frozenset(baselines),
            repeat=repeat,
            redact=tuple(map(parse_pattern, redact)),
            translate=tuple(Translation.build(**each) for each in translate),
            between=_by_types(declared),
            fingerprint=_fingerprint(written),
        )

    @property
    def knows_near(self) -> bool:
        """Whether two values may count as the same that are only close."""
        return bool(self.tolerances) or any(r.name == "float_precision" for r in self.equivalences)

    def is_critical(self, path: Path) -> bool:
        """Whether a difference here is one that must not be."""
        return any(covers(pattern, path) for pattern, _ in self.critical)

    def critical_at(self, path: Path) -> str:
        """Name the first rule by which a difference here must not be; empty if it may."""
        return next((name for pattern, name in self.critical if covers(pattern, path)), "")

    def ignored_by(self, path: Path, today: date) -> IgnoreRule | None:
        """Give the first rule in force that rules a difference at this path out."""
        return next((rule for rule in self.ignore if rule.applies(path, today)), None)

    def expired_at(self, path: Path, today: date) -> IgnoreRule | None:
        """Give the first rule that would rule a difference at this path out if it had not ended."""
        return next(
            (r for r in self.ignore if r.until is not None and r.until < today and r.covers(path)),
            None,
        )

    def key_of(self, path: Path) -> tuple[str, str] | None:
        """Give the member that identifies the elements of the array at this path, and its rule."""
        return next(
            ((key, name) for pattern, key, name in self.arrays if is_exactly(pattern, path)), None
        )

    def equivalent(self, old: Json, new: Json, path: Path) -> str | None:
        """Name the rule by which two values that are not the same count as the same, if any."""
        for declared, holds in self.between.get((type(old), type(new)), ()):
            if holds(old, new, self.zone) and declared.is_declared(path):
                return declared.name
        for tolerance in self.tolerances:
            if tolerance.covers(path) and self._is_close(tolerance, old, new, path):
                return tolerance.name
        return None

    def representative(self, value: Json, path: Path) -> Json:
        """Give one value for all those that the declared equivalences hold to be the same here."""
        for declared in self.equivalences:
            value = declared.representative(value, path, self.zone)
        return value

    def _is_close(self, tolerance: Tolerance, old: Json, new: Json, path: Path) -> bool:
        if tolerance.allows(old, new, self.zone):
            return True
        # A number in quotes is one only where that is declared.
        one, other = self.representative(old, path), self.representative(new, path)
        numbers = number_of(one) is not None and number_of(other) is not None
        return numbers and tolerance.allows(one, other, self.zone)


def _named(written: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"name": written} if isinstance(written, str) else dict(written)


def _ignore_rule(
    path: str, reason: str = "", owner: str = "", until: date | str | None = None
) -> IgnoreRule:
    day = date.fromisoformat(until) if isinstance(until, str) else until
    return IgnoreRule(path, parse_pattern(path), reason, owner, day, f"ignore:{path}")


def _corresponding(path: str, name: str = "") -> Corresponding:
    return Corresponding(path, parse_pattern(path), name)


def _by_types(
    declared: tuple[Declared, ...],
) -> dict[tuple[type, type], tuple[tuple[Declared, Holds], ...]]:
    found: dict[tuple[type, type], tuple[tuple[Declared, Holds], ...]] = {}
    for each in declared:
        for pair, holds in each.equivalence.by_types().items():
            found[pair] = (*found.get(pair, ()), (each, holds))
    return found


def _fingerprint(written: object) -> str:
    return hashlib.blake2b(repr((written, NAMES)).encode(), digest_size=8).hexdigest()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"`{name}` is not the name of a time zone") from error
