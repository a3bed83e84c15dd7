"""Two spellings of the same thing: what PHP and Python write differently without a difference.

Each is off unless a route declares it, and counted when it fires. `same` decides about one pair, in
either order. `representative` gives one member of the class a value belongs to; it only helps to
find which elements of two arrays belong together, and never decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import lru_cache
from itertools import product
from types import MappingProxyType, NoneType
from typing import Final
from zoneinfo import ZoneInfo

from shadow_compare.json_value import Json, number_of
from shadow_compare.moments import (
    ISO_LENGTH_MAX,
    PHP_LENGTH,
    in_utc,
    iso_datetime,
    php_datetime,
)

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,9})?", re.ASCII)
"""RFC 8259 section 6, so that neither `007` nor ` 7` is a number."""
_NUMBER_BEGINS = frozenset("-0123456789")
_NUMBER_LENGTH_MAX = 64
UNITS: Final = 4
"""Units in the last place by which `float_precision` lets two numbers differ: a few additions."""
_ESCAPED = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|.)", re.DOTALL)
_ALWAYS_ESCAPED = frozenset({'"', "\\", *map(chr, range(0x20))})
"""RFC 8259 section 7: these a writer cannot leave as they are."""
_ZERO_DATES = frozenset({"0000-00-00", "0000-00-00 00:00:00"})


Holds = Callable[[Json, Json, ZoneInfo], bool]
"""Whether an equivalence holds between two values; the zone is the one of times without one."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One named equivalence between values of two groups of types, in this order or the other.

    The zone is the one that zoneless times are meant in.
    """

    name: str
    one: frozenset[type]
    other: frozenset[type]
    holds: Holds
    representative: Callable[[Json, ZoneInfo], Json]

    def same(self, old: Json, new: Json, zone: ZoneInfo) -> bool:
        """Whether the two values are spellings of one thing."""
        return (
            (type(old) in self.one and type(new) in self.other and self.holds(old, new, zone))
            or (type(new) in self.one and type(old) in self.other and self.holds(new, old, zone))
        )  # fmt: skip

    def by_types(self) -> dict[tuple[type, type], Holds]:
        """Give for each pair of types, old and new, how to tell whether it holds."""
        found: dict[tuple[type, type], Holds] = {}
        for one, other in product(self.one, self.other):
            found[other, one] = self._turned
            found[one, other] = self.holds
        for kind in self.one & self.other:
            found[kind, kind] = self.same
        return found

    def _turned(self, old: Json, new: Json, zone: ZoneInfo) -> bool:
        return self.holds(new, old, zone)


def numeral(text: str) -> Decimal | None:
    """Give the number that a text is as JSON would write it, or None."""
    if text[:1] not in _NUMBER_BEGINS:  # most texts, told four times as fast
        return None
    if len(text) <= _NUMBER_LENGTH_MAX and _NUMBER.fullmatch(text):
        return Decimal(text)
    return None


def _number_as_string(text: str, number: Json, _zone: ZoneInfo) -> bool:
    return text == repr(number) or numeral(text) == number_of(number)


def _trailing_zero(old: Json, new: Json, _zone: ZoneInfo) -> bool:
    return number_of(old) == number_of(new)


def _int_bool(flag: int, truth: bool, _zone: ZoneInfo) -> bool:
    return flag == int(truth)


def _both_empty(one: Json, other: Json, _zone: ZoneInfo) -> bool:
    return not one and not other


def _zero_date(date: str, _nothing: None, _zone: ZoneInfo) -> bool:
    return date in _ZERO_DATES


def _php_datetime(php: str, iso: str, zone: ZoneInfo) -> bool:
    if len(php) != PHP_LENGTH or not PHP_LENGTH <= len(iso) <= ISO_LENGTH_MAX:
        return False
    return _is_same_moment(php, iso, zone)


@lru_cache(maxsize=4096)  # the same rows are compared again and again, and dates are slow to read
def _is_same_moment(php: str, iso: str, zone: ZoneInfo) -> bool:
    local, instant = php_datetime(php), iso_datetime(iso)
    if local is None or instant is None:
        return False
    if instant.tzinfo is None:
        return local == instant
    # An hour that the clocks run through twice stands for two instants; PHP did not say which.
    return any(in_utc(local, zone, fold) == instant for fold in (0, 1))


def _float_precision(old: Json, new: Json, _zone: ZoneInfo) -> bool:
    return within_units(old, new, UNITS)


def within_units(old: Json, new: Json, units: int) -> bool:
    """Whether two numbers are at most so many units in the last place of a double apart.

    The unit is that of the larger one. Beyond the range of doubles nothing is close.
    """
    one, other = number_of(old), number_of(new)
    if one is None or other is None:
        return False
    try:
        unit = Decimal(math.ulp(max(abs(float(one)), abs(float(other)))))
    except OverflowError:
        return False
    return unit.is_finite() and abs(one - other) <= units * unit


def _escaping(old: str, new: str, _zone: ZoneInfo) -> bool:
    return ("\\" in old or "\\" in new) and _unescaped(old) == _unescaped(new)


def _unescaped(text: str) -> str:
    r"""Undo what JSON writers may escape or not, in a text that holds JSON: `\/` and `\u00e9`."""
    return _ESCAPED.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    code = found["code"]
    if code is None:
        return "/" if found[0] == r"\/" else found[0]  # another escape stands for itself
    letter = chr(int(code, 16))
    return letter if letter not in _ALWAYS_ESCAPED else found[0].lower()


def _header_case(old: str, new: str, _zone: ZoneInfo) -> bool:
    return old.casefold() == new.casefold()


def _as_number(value: Json, _zone: ZoneInfo) -> Json:
    found = numeral(value) if isinstance(value, str) else None
    return value if found is None else found


def _as_instant(value: Json, zone: ZoneInfo) -> Json:
    if not isinstance(value, str) or len(value) < PHP_LENGTH or value[4] != "-":
        return value
    moment = php_datetime(value) if value[10] == " " else iso_datetime(value)
    if moment is None:
        return value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        return value


def _as_unescaped(value: Json, _zone: ZoneInfo) -> Json:
    return _unescaped(value) if isinstance(value, str) and "\\" in value else value


def _as_lower(value: Json, _zone: ZoneInfo) -> Json:
    return value.casefold() if isinstance(value, str) else value


def _itself(value: Json, _zone: ZoneInfo) -> Json:
    return value


def _as_int(value: Json, _zone: ZoneInfo) -> Json:
    return int(value) if isinstance(value, bool) else value


def _as_list(value: Json, _zone: ZoneInfo) -> Json:
    return [] if isinstance(value, dict) and not value else value


def _as_null(value: Json, _zone: ZoneInfo) -> Json:
    return None if value == "" else value


def _date_as_null(value: Json, _zone: ZoneInfo) -> Json:
    return None if isinstance(value, str) and value in _ZERO_DATES else value


_NUMBER_TYPES: Final = frozenset[type]({int, float, Decimal})
_TEXT: Final = frozenset[type]({str})
_NULL: Final = frozenset[type]({NoneType})
_INT, _BOOL, _LIST, _DICT = (frozenset[type]({each}) for each in (int, bool, list, dict))

EQUIVALENCES: Mapping[str, Equivalence] = MappingProxyType(
    {
        each.name: each
        for each in (
            Equivalence("number_as_string", _TEXT, _NUMBER_TYPES, _number_as_string, _as_number),
            Equivalence("trailing_zero", _NUMBER_TYPES, _NUMBER_TYPES, _trailing_zero, _itself),
            Equivalence("int_bool", _INT, _BOOL, _int_bool, _as_int),
            Equivalence("empty_map_list", _LIST, _DICT, _both_empty, _as_list),
            Equivalence("null_empty", _NULL, _TEXT, _both_empty, _as_null),
            Equivalence("php_datetime", _TEXT, _TEXT, _php_datetime, _as_instant),
            Equivalence("zero_date", _TEXT, _NULL, _zero_date, _date_as_null),
            Equivalence("escaping", _TEXT, _TEXT, _escaping, _as_unescaped),
            Equivalence("float_precision", _NUMBER_TYPES, _NUMBER_TYPES, _float_precision, _itself),
            Equivalence("header_case", _TEXT, _TEXT, _header_case, _as_lower),
        )
    }
)


def find_equivalences(names: Iterable[str]) -> tuple[Equivalence, ...]:
    """Give the named equivalences in the order declared; raises ValueError for an unknown name."""
    return tuple(map(find_equivalence, names))


def find_equivalence(name: str) -> Equivalence:
    """Give the equivalence of this name; raises ValueError when there is none."""
    if name not in EQUIVALENCES:
        raise ValueError(f"no equivalence `{name}`; there are {', '.join(EQUIVALENCES)}")
    return EQUIVALENCES[name]
