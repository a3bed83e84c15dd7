"""What the values at a place look like: their types, letters, length, and how far times are apart.

A value that changes from answer to answer cannot be compared, but it can be recognised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from shadow_compare.json_value import Json, type_name
from shadow_compare.moments import instant_of

SEEN_LEAST: Final = 8
"""Values that must have been seen before letters and length mean anything."""
SLACK: Final = 60.0
"""Seconds that two clocks may be apart, whatever was seen."""
_LOOKED_AT: Final = 256
_OTHER: Final = 1 << 15
_NUMERIC: Final = "0123456789+-.eE"

_CLASSES: Final[dict[str, int]] = {
    letter: 1 << index
    for index, letters in enumerate(
        (
            "0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ", "-",
            "_", ".", " ", "+/=", ":", ",;", "{}[]()<>", "\"'\\", "\r\n\t",
        )
    )
    for letter in letters
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """What was seen of values; `apart` is the most that two times differed, in seconds.

    `apart` is None as soon as a value was no time. Merging is associative and commutative.
    """

    types: frozenset[str] = frozenset()
    seen: int = 0
    classes: int = 0
    shortest: int = 0
    longest: int = 0
    numeric: bool = True
    apart: float | None = 0.0

    @classmethod
    def of(cls, old: Json, new: Json, zone: ZoneInfo) -> Shape:
        """Give the shape of two answers of one side."""
        shape = cls.of_one(old, zone).merged(cls.of_one(new, zone))
        before, after = instant_of(old, zone), instant_of(new, zone)
        apart = None if before is None or after is None else abs(before - after)
        return replace(shape, apart=apart)

    @classmethod
    def of_one(cls, value: Json, zone: ZoneInfo) -> Shape:
        """Give the shape of one value."""
        apart = None if instant_of(value, zone) is None else 0.0
        types = frozenset((type_name(value),))
        if not isinstance(value, str):
            return cls(types, apart=apart)
        looked_at = value[:_LOOKED_AT]
        classes = 0
        for letter in set(looked_at):
            classes |= _CLASSES.get(letter, _OTHER)
        numeric = all(letter in _NUMERIC for letter in looked_at)
        return cls(types, 1, classes, len(value), len(value), numeric, apart)

    def merged(self, other: Shape) -> Shape:
        """Give the shape of what either has seen."""
        if not self.types or not other.types:
            return self if self.types else other
        lengths = [each for each in (self, other) if each.seen]
        return Shape(
            self.types | other.types,
            self.seen + other.seen,
            self.classes | other.classes,
            min((each.shortest for each in lengths), default=0),
            max((each.longest for each in lengths), default=0),
            self.numeric and other.numeric,
            None if self.apart is None or other.apart is None else max(self.apart, other.apart),
        )

    def fits(self, primary: Json, candidate: Json, zone: ZoneInfo) -> bool:
        """Whether the candidate's value could be the primary's."""
        if type_name(candidate) not in self.types:
            return False
        if self.apart is not None:
            before, after = instant_of(primary, zone), instant_of(candidate, zone)
            if before is not None:
                return after is not None and abs(before - after) <= max(SLACK, 2 * self.apart)
        if not isinstance(candidate, str) or self.seen < SEEN_LEAST:
            return True
        return self._reads_like(Shape.of_one(candidate, zone))

    def _reads_like(self, one: Shape) -> bool:
        if one.classes & ~self.classes:
            return False
        if self.shortest == self.longest and not self.numeric:
            return one.longest == self.longest  # a hash, a token; a counter grows
        return self.shortest // 2 <= one.longest <= 2 * self.longest + 2
