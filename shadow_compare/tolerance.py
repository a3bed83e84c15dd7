"""How far apart two values may be at a place that says so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from zoneinfo import ZoneInfo

from shadow_compare.equivalence import numeral, within_units
from shadow_compare.json_value import Json, number_of
from shadow_compare.moments import instant_of
from shadow_compare.paths import Path, Pattern, covers, parse_pattern


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is close enough at a path; of several bounds one is enough.

    `within` is absolute, `relative` a fraction of the larger value, `units` are units in the last
    place of a double, `time` is seconds between two dates or times.
    """

    path: str
    pattern: Pattern
    within: Decimal | None = None
    relative: Decimal | None = None
    units: int | None = None
    time: float | None = None

    @classmethod
    def build(
        cls,
        path: str,
        *,
        within: str | float | None = None,
        relative: str | float | None = None,
        units: int | None = None,
        time: float | None = None,
    ) -> Tolerance:
        """Compile plain values; raises ValueError."""
        if within is None and relative is None and units is None and time is None:
            raise ValueError(f"the tolerance at `{path}` says neither of what nor how much")
        return cls(path, parse_pattern(path), _bound(within), _bound(relative), units, time)

    @property
    def name(self) -> str:
        """What it is counted as."""
        return f"tolerance:{self.path}"

    def covers(self, path: Path) -> bool:
        """Whether it speaks for this place."""
        return covers(self.pattern, path)

    def allows(self, old: Json, new: Json, zone: ZoneInfo) -> bool:
        """Whether the two are close enough: two numbers, two texts that are numbers, two times."""
        if self.time is not None:
            before, after = instant_of(old, zone), instant_of(new, zone)
            if before is not None and after is not None and abs(before - after) <= self.time:
                return True
        pair = _numbers(old, new)
        return pair is not None and self._close(*pair)

    def _close(self, one: Decimal, other: Decimal) -> bool:
        try:
            apart = abs(one - other)
            largest = max(abs(one), abs(other))
            return (
                (self.within is not None and apart <= self.within)
                or (self.relative is not None and apart <= self.relative * largest)
                or (self.units is not None and within_units(one, other, self.units))
            )
        except DecimalException:  # beyond a million digits nothing is close
            return False


def _numbers(old: Json, new: Json) -> tuple[Decimal, Decimal] | None:
    if isinstance(old, str) and isinstance(new, str):
        one, other = numeral(old), numeral(new)
    else:
        one, other = number_of(old), number_of(new)
    return None if one is None or other is None else (one, other)


def _bound(value: str | float | None) -> Decimal | None:
    if value is None:
        return None
    try:
        bound = Decimal(str(value))
    except DecimalException:
        raise ValueError(f"`{value}` is not a number") from None
    if not bound.is_finite() or bound < 0:
        raise ValueError(f"`{value}` is not a number from 0 on")
    return bound
