"""Two spellings of the same thing: what PHP and Python write differently without a difference.

Each is off unless a route declares it, and counted when it fires. `same` decides about one pair, in
either order. `representative` gives one member of the class a value belongs to; it only helps to
find which elements of two arrays belong together, and never decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

from shadow_compare.json_value import Json, number_of

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,9})?", re.ASCII)
"""RFC 8259 section 6, so that neither `007` nor ` 7` is a number."""
_NUMBER_LENGTH_MAX = 64
_PHP_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_ISO_DATETIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[zZ]|[+-]\d\d:?\d\d)?", re.ASCII
)
_ZERO_DATES = frozenset({"0000-00-00", "0000-00-00 00:00:00"})


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One named equivalence; the zone is the one that zoneless times are meant in."""

    name: str
    same: Callable[[Json, Json, ZoneInfo], bool]
    representative: Callable[[Json, ZoneInfo], Json]


def _symmetric(
    one_way: Callable[[Json, Json, ZoneInfo], bool],
) -> Callable[[Json, Json, ZoneInfo], bool]:
    return lambda old, new, zone: one_way(old, new, zone) or one_way(new, old, zone)


def _numeral(value: Json) -> Decimal | None:
    if isinstance(value, str) and len(value) <= _NUMBER_LENGTH_MAX and _NUMBER.fullmatch(value):
        return Decimal(value)
    return None


def _number_as_string(text: Json, number: Json, _zone: ZoneInfo) -> bool:
    exact = number_of(number)
    return exact is not None and _numeral(text) == exact


def _trailing_zero(old: Json, new: Json, _zone: ZoneInfo) -> bool:
    exact = number_of(old)
    return exact is not None and exact == number_of(new)


def _int_bool(flag: Json, truth: Json, _zone: ZoneInfo) -> bool:
    return isinstance(truth, bool) and type(flag) is int and flag == int(truth)


def _empty_map_list(one: Json, other: Json, _zone: ZoneInfo) -> bool:
    return isinstance(one, list) and isinstance(other, dict) and not one and not other


def _null_empty(one: Json, other: Json, _zone: ZoneInfo) -> bool:
    return one is None and isinstance(other, str) and not other


def _zero_date(date: Json, nothing: Json, _zone: ZoneInfo) -> bool:
    return nothing is None and isinstance(date, str) and date in _ZERO_DATES


def _php_datetime(php: Json, iso: Json, zone: ZoneInfo) -> bool:
    local, instant = _parsed(php, _PHP_DATETIME), _parsed(iso, _ISO_DATETIME)
    if local is None or instant is None:
        return False
    if instant.tzinfo is None:
        return local == instant
    # An hour that the clocks run through twice stands for two instants; PHP did not say which.
    return any(_instant(local, zone, fold) == instant for fold in (0, 1))


def _parsed(value: Json, form: re.Pattern[str]) -> datetime | None:
    if not isinstance(value, str) or not form.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _instant(local: datetime, zone: ZoneInfo, fold: int) -> datetime | None:
    try:
        return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    except OverflowError:
        return None


def _as_number(value: Json, _zone: ZoneInfo) -> Json:
    found = _numeral(value)
    return value if found is None else found


def _as_instant(value: Json, zone: ZoneInfo) -> Json:
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


EQUIVALENCES: Mapping[str, Equivalence] = MappingProxyType(
    {
        each.name: each
        for each in (
            Equivalence("number_as_string", _symmetric(_number_as_string), _as_number),
            Equivalence("trailing_zero", _trailing_zero, _itself),
            Equivalence(
                "int_bool",
                _symmetric(_int_bool),
                lambda value, _zone: int(value) if isinstance(value, bool) else value,
            ),
            Equivalence(
                "empty_map_list",
                _symmetric(_empty_map_list),
                lambda value, _zone: [] if value == {} else value,
            ),
            Equivalence(
                "null_empty",
                _symmetric(_null_empty),
                lambda value, _zone: None if value == "" else value,
            ),
            Equivalence("php_datetime", _symmetric(_php_datetime), _as_instant),
            Equivalence(
                "zero_date",
                _symmetric(_zero_date),
                lambda value, _zone: (
                    None if isinstance(value, str) and value in _ZERO_DATES else value
                ),
            ),
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
