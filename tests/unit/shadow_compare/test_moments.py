from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.json_value import Json
from shadow_compare.moments import instant_of

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "zone", "instant"),
    [
        ("1970-01-02 00:00:00", UTC, 86_400.0),
        ("1970-01-02", UTC, 86_400.0),
        ("2026-07-01 02:00:00", BERLIN, 1_782_864_000.0),
        ("2026-07-01T00:00:00Z", BERLIN, 1_782_864_000.0),
        ("2026-07-01T00:00:00.500+00:00", UTC, 1_782_864_000.5),
        ("Wed, 01 Jul 2026 00:00:00 GMT", BERLIN, 1_782_864_000.0),
        ("Wed, 01 Jul 2026 02:00:00 +0200", UTC, 1_782_864_000.0),
        (1_782_864_000, UTC, 1_782_864_000.0),
        (1_782_864_000.25, UTC, 1_782_864_000.25),
    ],
)
def test_what_means_an_instant(value: Json, zone: ZoneInfo, instant: float) -> None:
    """Every spelling of a time gives the seconds since 1970."""
    assert instant_of(value, zone) == instant


@pytest.mark.parametrize(
    "value",
    ["", "soon", "2026-13-01", "2026-02-30 00:00:00", "Wed, 99 Jul 2026 00:00:00 GMT",
     "0000-00-00 00:00:00", "1782864000", 17, -5, True, None, [], {}, "9" * 10_000],
)  # fmt: skip
def test_what_means_none(value: Json) -> None:
    """What is no time, or no day of the calendar, is nothing."""
    assert instant_of(value, UTC) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_not(text: str) -> None:
    """No text is an error."""
    assert instant_of(text, BERLIN) is None or isinstance(instant_of(text, BERLIN), float)
