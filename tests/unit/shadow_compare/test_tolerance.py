from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.json_value import Json
from shadow_compare.rules import CompareRules
from shadow_compare.tolerance import Tolerance

UTC = ZoneInfo("UTC")
PLACE = ("$", "total")

CLOSE: list[tuple[dict[str, Any], Json, Json]] = [
    ({"within": "0.01"}, Decimal("10.00"), Decimal("10.01")),
    ({"within": 0.01}, "10.00", "10.01"),
    ({"within": 1}, 5, 4),
    ({"relative": "0.001"}, 1000, 1001),
    ({"units": 1}, 0.1 + 0.2, 0.3),
    ({"time": 2.0}, "2026-12-01 00:00:00", "2026-12-01T00:00:02Z"),
    ({"time": 2.0}, "Tue, 01 Dec 2026 00:00:00 GMT", "Tue, 01 Dec 2026 00:00:01 GMT"),
    ({"time": 2.0}, 1_790_000_000, 1_790_000_002),
    ({"time": 86_400.0}, "2026-12-01", "2026-12-02"),
    ({"within": 0, "relative": 1}, 0, 5),
]

APART: list[tuple[dict[str, Any], Json, Json]] = [
    ({"within": "0.01"}, Decimal("10.00"), Decimal("10.011")),
    ({"within": "0.01"}, "10.00", 10.01),
    ({"within": 100}, 1, True),
    ({"within": 100}, 1, None),
    ({"within": 100}, "a", "b"),
    ({"relative": "0.001"}, 1000, 1002),
    ({"units": 1}, 0.3, 0.3000000000000002),
    ({"time": 2.0}, "2026-12-01 00:00:00", "2026-12-01T00:00:03Z"),
    ({"time": 3600.0}, "2026-12-01 00:00:00", "soon"),
    ({"time": 3600.0}, 17, 18),
    ({"within": 1}, Decimal("1e999999"), Decimal("-1e999999")),
]


@pytest.mark.parametrize(("bounds", "old", "new"), CLOSE)
def test_what_is_close_enough(bounds: dict[str, Any], old: Json, new: Json) -> None:
    """Within any of its bounds, in either order, two values count as the same."""
    tolerance = Tolerance.build("$.total", **bounds)
    assert tolerance.allows(old, new, UTC)
    assert tolerance.allows(new, old, UTC)


@pytest.mark.parametrize(("bounds", "old", "new"), APART)
def test_what_is_too_far_apart(bounds: dict[str, Any], old: Json, new: Json) -> None:
    """Beyond its bounds, or of another kind, nothing is close."""
    tolerance = Tolerance.build("$.total", **bounds)
    assert not tolerance.allows(old, new, UTC)
    assert not tolerance.allows(new, old, UTC)


def test_a_number_in_quotes_is_one_where_that_is_declared() -> None:
    """A tolerance alone excuses no change of type; with the equivalence it speaks of the values."""
    tolerances = [{"path": "$.total", "within": "0.01"}]
    strict = CompareRules.build(tolerances=tolerances)
    assert strict.equivalent("10.00", Decimal("10.01"), PLACE) is None
    both = CompareRules.build(tolerances=tolerances, equivalences=["number_as_string"])
    assert both.equivalent("10.00", Decimal("10.01"), PLACE) == "tolerance:$.total"
    assert both.equivalent("10.00", Decimal("10.02"), PLACE) is None
    assert both.equivalent("10.00", Decimal("10.01"), ("$", "net")) is None


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(0, 10, places=3))
def test_a_wider_bound_allows_no_less(number: Decimal, bound: Decimal) -> None:
    """Whatever is within a bound is within a wider one."""
    near = number + bound
    if Tolerance.build("$", within=str(bound)).allows(number, near, UTC):
        assert Tolerance.build("$", within=str(2 * bound)).allows(number, near, UTC)
