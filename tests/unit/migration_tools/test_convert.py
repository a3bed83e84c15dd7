import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_tools.convert import (
    CalendarDate,
    Choice,
    Flag,
    Integer,
    JsonObject,
    Kind,
    LocalTime,
    Midnight,
    MinorUnits,
    NotConvertibleError,
    Nothing,
    Text,
    UtcTime,
    Value,
    converter,
)

SKIPPED = "does not exist in the declared zone (clocks were put forward)"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Integer(), "0", 0),
        (Integer(), "-7", -7),
        (Integer(), "2147483647", 2147483647),
        (Text(5), "Åsa", "Åsa"),
        (Text(1), "🙂", "🙂"),
        (Text(), "", ""),
        (Choice(("paid", "failed")), "paid", "paid"),
        (Flag(), "0", False),
        (Flag(), "1", True),
        (MinorUnits(), "9.90", 990),
        (MinorUnits(), "0.29", 29),
        (MinorUnits(), "-1.05", -105),
        (MinorUnits(), "21474836.47", 2147483647),
        (MinorUnits(), "29.0000", 2900),
        (LocalTime(), "2024-03-01 10:00:00", datetime(2024, 3, 1, 9, tzinfo=UTC)),
        (LocalTime(), "2024-07-01 10:00:00.250000", datetime(2024, 7, 1, 8, 0, 0, 250000, UTC)),
        (LocalTime(), "0000-00-00 00:00:00", None),
        (UtcTime(), "2024-03-01 10:00:00", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        (UtcTime(), "0000-00-00 00:00:00", None),
        (Midnight(), "2026-12-01", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        (Midnight(), "0000-00-00", None),
        (CalendarDate(), "1984-02-29", date(1984, 2, 29)),
        (CalendarDate(), "0000-00-00", None),
        (JsonObject(), "[]", "{}"),
        (JsonObject(), "{}", "{}"),
        (JsonObject(), '{"b": 1.50, "a": 1e2}', '{"a":100,"b":1.5}'),
        (JsonObject(), '{"a": [null, true, "\\u00e9/"]}', '{"a":[null,true,"é/"]}'),
        (JsonObject(), '{"a": 1, "a": 2}', '{"a":2}'),
        (JsonObject(), '{"a": -0.0}', '{"a":0}'),
        (JsonObject(), '{"a": 12345678901234567890}', '{"a":12345678901234567890}'),
        (Nothing(), "anything", None),
    ],
)  # fmt: skip
def test_value(kind: Kind, raw: str, value: Value) -> None:
    """A raw text becomes the target's value, in the declared zone where there is one."""
    assert converter(kind, BERLIN)(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        (Integer(), "2147483648", "is outside the range of INTEGER"),
        (Integer(), "1.5", "is not a whole number"),
        (Text(2), "DEU", "is longer than 2 characters"),
        (Text(), "a\x00b", "holds a NUL character, which PostgreSQL cannot store"),
        (Choice(("paid", "failed")), "", "is none of paid, failed"),
        (Choice(("paid", "failed")), "PAID", "is none of paid, failed"),
        (Flag(), "2", "is neither 0 nor 1"),
        (MinorUnits(), "9.905", "has a fraction below one hundredth"),
        (MinorUnits(), "21474836.48", "is outside the range of INTEGER"),
        (MinorUnits(), "nine", "is not a decimal number"),
        (MinorUnits(), "NaN", "is not a decimal number"),
        (MinorUnits(at_least=0), "-0.01", "is less than 0"),
        (LocalTime(), "2024-00-15 10:00:00", "is not a date of the calendar"),
        (LocalTime(), "2023-02-29 10:00:00", "is not a date of the calendar"),
        (LocalTime(), "2024-03-31 02:30:00", SKIPPED),
        (Midnight(), "2024-05-00", "is not a date of the calendar"),
        (CalendarDate(), "1984-00-00", "is not a date of the calendar"),
        (JsonObject(), "", "is not JSON"),
        (JsonObject(), "{'a': 1}", "is not JSON"),
        (JsonObject(), "[" * 100_000, "is not JSON"),
        (JsonObject(), '{"a": 1e99999999999999999999}', "is not JSON"),
        (JsonObject(), '{"a": 1e5000}', "holds a number with more than a thousand digits"),
        (JsonObject(), '{"a": NaN}', "holds NaN or Infinity, which is not JSON"),
        (JsonObject(), "[1]", "is JSON, but not an object"),
        (JsonObject(), "0", "is JSON, but not an object"),
        (JsonObject(), "null", "is JSON, but not an object"),
        (JsonObject(), '{"a": "\\u0000"}', "holds a NUL character, which PostgreSQL cannot store"),
        (JsonObject(), '{"\\ud83d": 1}', "holds half of a surrogate pair, which is no character"),
    ],
)  # fmt: skip
def test_refusal(kind: Kind, raw: str, reason: str) -> None:
    """A raw text without a counterpart is refused with a reason that does not repeat the value."""
    with pytest.raises(NotConvertibleError) as caught:
        converter(kind, BERLIN)(raw)
    assert str(caught.value) == reason


def test_escaped_backslash_before_u0000() -> None:
    """JSON text that spells a backslash and u0000 is no NUL and is kept."""
    assert converter(JsonObject(), UTC)('{"a": "\\\\u0000"}') == '{"a":"\\\\u0000"}'


@given(st.integers(-(2**31), 2**31 - 1))
def test_every_cent_is_kept(cents: int) -> None:
    """Any amount in hundredths survives the way through DECIMAL's spelling."""
    raw = str(Decimal(cents).scaleb(-2).quantize(Decimal("0.01")))
    assert converter(MinorUnits(), UTC)(raw) == cents


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001 # DATETIME has no zone
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_every_wall_clock_reading_comes_back(wall: datetime, name: str) -> None:
    """A DATETIME read in a zone and shown again there is the same, or was refused."""
    zone = ZoneInfo(name)
    try:
        value = converter(LocalTime(), zone)(wall.isoformat(sep=" "))
    except NotConvertibleError:
        assert (wall.replace(tzinfo=zone) + timedelta()).astimezone(UTC).astimezone(zone).replace(
            tzinfo=None
        ) != wall
        return
    assert isinstance(value, datetime)
    assert value.astimezone(zone).replace(tzinfo=None) == wall


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text("aé🙂\\\"/'\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abé"), json_values, max_size=4))
def test_json_has_one_spelling(value: dict[str, object]) -> None:
    """However an object is spelled, one spelling comes out, and it means the same."""
    convert = converter(JsonObject(), UTC)
    tight = convert(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    loose = convert(json.dumps(dict(reversed(value.items())), indent=2))
    assert tight == loose == convert(str(tight))
    assert json.loads(str(tight)) == value
