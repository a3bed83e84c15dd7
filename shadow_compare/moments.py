"""Dates and times as PHP, Python and HTTP write them, read as instants."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from shadow_compare.json_value import Json

_PHP_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_ISO_DATETIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[zZ]|[+-]\d\d:?\d\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})")
"""RFC 9110 section 5.6.7 (IMF-fixdate), and with an offset PHP's DATE_RFC2822."""

PHP_LENGTH: Final = len("2026-12-01 00:00:00")
ISO_LENGTH_MAX: Final = len("2026-12-01T00:00:00.000000+00:00")
_LENGTHS: Final = range(len("2026-12-01"), ISO_LENGTH_MAX + 1)
_EPOCH: Final = range(1_000_000_000, 10_000_000_000)
"""2001 to 2286: smaller numbers are more likely to count something else."""
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def php_datetime(text: str) -> datetime | None:
    """Read `2026-12-01 00:00:00`, which has no zone."""
    return _read(text, _PHP_DATETIME)


def iso_datetime(text: str) -> datetime | None:
    """Read an ISO 8601 time of day with its date; without a zone when the text has none."""
    return _read(text, _ISO_DATETIME)


def instant_of(value: Json, zone: ZoneInfo) -> float | None:
    """Give the Unix time in seconds that a text or a number means, or None when it means none.

    Texts without a zone are meant in the given one; numbers are Unix time in seconds.
    """
    if type(value) is int or type(value) is float:
        return float(value) if int(value) in _EPOCH else None
    if not isinstance(value, str) or len(value) not in _LENGTHS:
        return None
    return _instant_of(value, zone)


def in_utc(local: datetime, zone: ZoneInfo, fold: int = 0) -> datetime | None:
    """Give the instant of a zoneless time, or None outside of the calendar.

    `fold` tells the two apart when the clocks run through an hour twice.
    """
    try:
        return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    except OverflowError:
        return None


@lru_cache(maxsize=4096)  # the same rows are compared again and again, and dates are slow to read
def _instant_of(text: str, zone: ZoneInfo) -> float | None:
    moment = (
        _read(text, _PHP_DATETIME) or _read(text, _ISO_DATETIME) or _read(text, _DATE)
    ) or _http_date(text)
    if moment is None:
        return None
    if moment.tzinfo is None:
        placed = in_utc(moment, zone)
        return None if placed is None else (placed - _FIRST) / timedelta(seconds=1)
    return (moment - _FIRST) / timedelta(seconds=1)


def _read(text: str, form: re.Pattern[str]) -> datetime | None:
    if not form.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _http_date(text: str) -> datetime | None:
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
