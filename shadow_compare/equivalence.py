"""Two spellings of the same thing: what PHP and Python write differently without a difference.

Each is off unless a route declares it, and counted when it fires. `same` decides about one pair, in
either order. `representative` gives one member of the class a value belongs to; it only helps to
find which elements of two arrays belong together, and never decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import product
from types import MappingProxyType, NoneType
from typing import Final
from zoneinfo import ZoneInfo

from shadow_compare.json_value import Json, number_of

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,9})?", re.ASCII)
"""RFC 8259 section 6, so that neither `007` nor ` 7` is a number."""
_NUMBER_LENGTH_MAX = 64
_PHP_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_ISO_DATETIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[zZ]|[+-]\d\d:?\d\d)?", re.ASCII
)
_PHP_LENGTH = len("2026-12-01 00:00:00")
_ISO_LENGTH_MAX = len("2026-12-01T00:00:00.000000+00:00")
_ZERO_DATES = frozenset({"0000-00-00", "0000-00-00 00:00:00"})


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One named equivalence between values of two groups of types, in this order or the other.

    The zone is the one that zoneless times are meant in.
    """

    name: str
    one: frozenset[type]
    other: frozenset[type]
    holds: Callable[[Json, Json, ZoneInfo], bool]
    representative: Callable[[Json, ZoneInfo], Json]

    def same(self, old: Json, new: Json, zone: ZoneInfo) -> bool:
        """Whether the two values are spellings of one thing."""
        return (
            (type(old) in self.one and type(new) in self.other and self.holds(old, new, zone))
            or (type(new) in self.one and type(old) in self.other and self.holds(new, old, zone))
        )  # fmt: skip

    def type_pairs(self) -> Iterator[tuple[type, type]]:
        """Give each pair of types, old and new, that it can hold between."""
        for pair in product(self.one, self.other):
            yield pair
            yield pair[::-1]


def _numeral(text: str) -> Decimal | None:
    if len(text) <= _NUMBER_LENGTH_MAX and _NUMBER.fullmatch(text):
        return Decimal(text)
    return None


def _number_as_string(text: str, number: Json, _zone: ZoneInfo) -> bool:
    return _numeral(text) == number_of(number)


def _trailing_zero(old: Json, new: Json, _zone: ZoneInfo) -> bool:
    return number_of(old) == number_of(new)


def _int_bool(flag: int, truth: bool, _zone: ZoneInfo) -> bool:
    return flag == int(truth)


def _both_empty(one: Json, other: Json, _zone: ZoneInfo) -> bool:
    return not one and not other


def _zero_date(date: str, _nothing: None, _zone: ZoneInfo) -> bool:
    return date in _ZERO_DATES


def _php_datetime(php: str, iso: str, zone: ZoneInfo) -> bool:
    if len(php) != _PHP_LENGTH or not _PHP_LENGTH <= len(iso) <= _ISO_LENGTH_MAX:
        return False
    return _is_same_moment(php, iso, zone)


@lru_cache(maxsize=4096)  # the same rows are compared again and again, and dates are slow to read
def _is_same_moment(php: str, iso: str, zone: ZoneInfo) -> bool:
    local, instant = _parsed(php, _PHP_DATETIME), _parsed(iso, _ISO_DATETIME)
    if local is None or instant is None:
        return False
    if instant.tzinfo is None:
        return local == instant
    # An hour that the clocks run through twice stands for two instants; PHP did not say which.
    return any(_instant(local, zone, fold) == instant for fold in (0, 1))


def _parsed(text: str, form: re.Pattern[str]) -> datetime | None:
    if not form.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _instant(local: datetime, zone: ZoneInfo, fold: int) -> datetime | None:
    try:
        return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    except OverflowError:
        return None


def _as_number(value: Json, _zone: ZoneInfo) -> Json:
    found = _numeral(value) if isinstance(value, str) else None
    return value if found is None else found


def _as_instant(value: Json, zone: ZoneInfo) -> Json:
    if not isinstance(value, str):
        return value
    moment = _parsed(value, _PHP_DATETIME) or _parsed(value, _ISO_DATETIME)
    if moment is None:
        return value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        return value


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
        )
    }
)


def find_equivalences(names: Iterable[str]) -> tuple[Equivalence, ...]:
    """Give the named equivalences in the order declared; raises ValueError for an unknown name."""
    found: list[Equivalence] = []
    for name in names:
        if name not in EQUIVALENCES:
            raise ValueError(f"no equivalence `{name}`; there are {', '.join(EQUIVALENCES)}")
        found.append(EQUIVALENCES[name])
    return tuple(found)
