"""How one value of the legacy database becomes one of the modern (pure).

Raw values are the texts that the database sends: dates stay text, so a zero date reaches us as it
was written instead of as whatever a driver makes of it. Every kind of column is a type here;
`spelling` gives the same kinds in SQL, written separately, so that verification does not repeat a
mistake made here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import assert_never

Raw = str | None
Value = int | str | bool | date | datetime | None
Convert = Callable[[str], Value]

INT4_MIN, INT4_MAX = -(2**31), 2**31 - 1
MAX_JSON_EXPONENT = 1000  # far above any feature flag, far below what PostgreSQL's numeric takes


class NotConvertibleError(ValueError):
    """A raw value has no counterpart in the target; the message is why, without the value."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number that fits PostgreSQL's INTEGER."""


@dataclass(frozen=True, slots=True)
class Text:
    """Characters, at most `limit` of them."""

    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """An ENUM: one of the named values. MySQL's '' for a value it refused is none of them."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A TINYINT(1) that is 0 or 1."""


@dataclass(frozen=True, slots=True)
class MinorUnits:
    """A DECIMAL amount of money, as a whole number of hundredths."""

    at_least: int | None = None


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A DATETIME: a wall clock reading in the declared zone, as a point in time."""


@dataclass(frozen=True, slots=True)
class UtcTime:
    """A TIMESTAMP: MySQL keeps it in UTC and we read it in UTC, whatever the declared zone."""


@dataclass(frozen=True, slots=True)
class Midnight:
    """A DATE as the point in time at which it begins in the declared zone."""


@dataclass(frozen=True, slots=True)
class CalendarDate:
    """A DATE that stays one: a birthday has no zone."""


@dataclass(frozen=True, slots=True)
class JsonObject:
    """JSON text holding an object; PHP's '[]' is its empty object."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A column the legacy application never had: always null."""


Kind = (
    Integer
    | Text
    | Choice
    | Flag
    | MinorUnits
    | LocalTime
    | UtcTime
    | Midnight
    | CalendarDate
    | JsonObject
    | Nothing
)


def converter(kind: Kind, zone: tzinfo) -> Convert:
    """Return the function from a raw text to the target's value; it raises NotConvertibleError."""
    match kind:
        case Integer():
            return integer
        case Text(limit):
            return lambda raw: text(raw, limit)
        case Choice(values):
            return lambda raw: choice(raw, values)
        case Flag():
            return flag
        case MinorUnits(at_least):
            return lambda raw: minor_units(raw, at_least)
        case LocalTime():
            return lambda raw: point_in_time(raw, zone)
        case UtcTime():
            return lambda raw: point_in_time(raw, UTC)
        case Midnight():
            return lambda raw: point_in_time(raw, zone)
        case CalendarDate():
            return calendar_date
        case JsonObject():
            return json_object
        case Nothing():
            return lambda _: None
        case _:
            assert_never(kind)


def integer(raw: str) -> int:
    """Return a whole number within PostgreSQL's INTEGER."""
    try:
        value = int(raw)
    except ValueError as error:
        raise NotConvertibleError("is not a whole number") from error
    return _within_integer(value)


def text(raw: str, limit: int | None) -> str:
    """Return the text itself, if PostgreSQL can hold it."""
    if limit is not None and len(raw) > limit:
        raise NotConvertibleError(f"is longer than {limit} characters")
    if "\x00" in raw:
        raise NotConvertibleError("holds a NUL character, which PostgreSQL cannot store")
    return raw


def choice(raw: str, values: tuple[str, ...]) -> str:
    """Return the value of an ENUM."""
    if raw not in values:
        raise NotConvertibleError(f"is none of {', '.join(values)}")
    return raw


def flag(raw: str) -> bool:
    """Return 0 and 1 as a truth value; a TINYINT(1) can hold 2, and nobody knows what it means."""
    if raw not in ("0", "1"):
        raise NotConvertibleError("is neither 0 nor 1")
    return raw == "1"


def minor_units(raw: str, at_least: int | None = None) -> int:
    """Return hundredths: legacy keeps two places for every currency, and modern counts in them."""
    try:
        hundredths = Decimal(raw).scaleb(2)
    except InvalidOperation as error:
        raise NotConvertibleError("is not a decimal number") from error
    if not hundredths.is_finite():
        raise NotConvertibleError("is not a decimal number")
    if hundredths != hundredths.to_integral_value():
        raise NotConvertibleError("has a fraction below one hundredth")
    if at_least is not None and hundredths < at_least:
        raise NotConvertibleError(f"is less than {at_least}")
    return _within_integer(int(hundredths))


def point_in_time(raw: str, zone: tzinfo) -> datetime | None:
    """Return a DATE or DATETIME, read in `zone`, in UTC; a zero date was never set and is null.

    A wall clock reading that occurs twice (clocks put back) is the first of the two. One that
    never occurs (clocks put forward) is refused: any answer would be invented.
    """
    if _never_set(raw):
        return None
    try:
        wall = datetime.fromisoformat(raw)
    except ValueError as error:
        raise NotConvertibleError("is not a date of the calendar") from error
    if zone is UTC:
        return wall.replace(tzinfo=UTC)
    try:
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
        shown_again = instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError as error:
        raise NotConvertibleError("is outside the years 1 to 9999 in UTC") from error
    if shown_again != wall:
        raise NotConvertibleError("does not exist in the declared zone (clocks were put forward)")
    return instant


def calendar_date(raw: str) -> date | None:
    """Return a DATE; a zero date was never set and is null."""
    if _never_set(raw):
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise NotConvertibleError("is not a date of the calendar") from error


def json_object(raw: str) -> str:
    """Return one spelling per JSON object: keys sorted, no blanks, plain numbers, '[]' as '{}'."""
    try:
        parsed = json.loads(
            raw, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant
        )
        if parsed != [] and not isinstance(parsed, dict):
            raise NotConvertibleError("is JSON, but not an object")
        return _spell(parsed or {})
    except NotConvertibleError:
        raise
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotConvertibleError("is not JSON") from error


def _no_constant(_: str) -> None:
    raise NotConvertibleError("holds NaN or Infinity, which is not JSON")


def _spell(value: object) -> str:
    match value:
        case dict():
            pairs = (f"{_spell_text(key)}:{_spell(value[key])}" for key in sorted(value))
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(map(_spell, value)) + "]"
        case str():
            return _spell_text(value)
        case Decimal():
            return _spell_number(value)
        case _:
            return json.dumps(value)


def _spell_text(value: str) -> str:
    if "\x00" in value:
        raise NotConvertibleError("holds a NUL character, which PostgreSQL cannot store")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise NotConvertibleError("holds half of a surrogate pair, which is no character")
    return json.dumps(value, ensure_ascii=False)


def _spell_number(value: Decimal) -> str:
    if value.is_zero():
        return "0"  # jsonb has no minus zero
    if abs(value.adjusted()) > MAX_JSON_EXPONENT:
        raise NotConvertibleError("holds a number with more than a thousand digits")
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _never_set(raw: str) -> bool:
    return raw.startswith("0000-00-00")


def _within_integer(value: int) -> int:
    if not INT4_MIN <= value <= INT4_MAX:
        raise NotConvertibleError("is outside the range of INTEGER")
    return value
