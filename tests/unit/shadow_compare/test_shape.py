from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.json_value import Json
from shadow_compare.shape import Shape

UTC = ZoneInfo("UTC")
HASHES = [f"{n:032x}" for n in range(2**127, 2**127 + 10**30, 10**29)]
NOW = "2026-12-01 10:00:00"


def seen(*values: Json) -> Shape:
    """Give the shape of values that were answered one after the other."""
    shape = Shape()
    for value in values:
        shape = shape.merged(Shape.of_one(value, UTC))
    return shape


@pytest.mark.parametrize(
    ("values", "candidate", "fits"),
    [
        (HASHES, "0123456789abcdef0123456789abcdef", True),
        (HASHES, "0123456789ABCDEF0123456789ABCDEF", False),
        (HASHES, "0123456789abcdef", False),
        (HASHES, "", False),
        (HASHES, None, False),
        (HASHES, 17, False),
        (HASHES[:3], "not a hash", True),  # three are too few to know
        (["7", "8", "9"] * 3, "10", True),
        (["7", "8", "9"] * 3, "-1", False),
        (["one", "three", "seventeen"] * 3, "four", True),
        (["one", "three", "seventeen"] * 3, "four\n", False),
        (["one", "three", "seventeen"] * 3, "o" * 1000, False),
        ([1, 2, 3], 400, True),
        ([1, 2, 3], "400", False),
        ([None, "x"], None, True),
        ([True], False, True),
    ],
)
def test_what_looks_alike(values: list[Json], candidate: Json, fits: bool) -> None:
    """Type, letters and length of what was seen are asked of what comes."""
    assert seen(*values).fits(values[0], candidate, UTC) is fits


@pytest.mark.parametrize(
    ("candidate", "fits"),
    [
        ("2026-12-01T10:00:03Z", True),
        ("2026-12-01 10:01:00", True),
        ("2026-12-01 11:00:00", False),
        ("2026-12-01T10:00:00-01:00", False),
        ("soon", False),
    ],
)
def test_times_are_near_each_other(candidate: str, fits: bool) -> None:
    """The time of an answer may be written in another way, but not be an hour off."""
    shape = Shape.of(NOW, "2026-12-01 10:00:02", UTC)
    assert shape.apart == 2.0
    assert shape.fits(NOW, candidate, UTC) is fits


def test_times_that_are_far_apart_by_nature_may_be_so() -> None:
    """Where a side is an hour apart from itself, the candidate may be two."""
    shape = Shape.of(NOW, "2026-12-01 11:00:00", UTC)
    assert shape.fits(NOW, "2026-12-01 11:59:00", UTC)
    assert not shape.fits(NOW, "2026-12-01 12:01:00", UTC)


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(NOW)
_SHAPES = st.builds(lambda old, new: Shape.of(old, new, UTC), _VALUES, _VALUES) | st.just(Shape())


@given(_SHAPES, _SHAPES, _SHAPES)
def test_merging_is_associative_and_commutative(one: Shape, other: Shape, third: Shape) -> None:
    """In whatever order workers' shapes are put together, the result is the same."""
    assert one.merged(other) == other.merged(one)
    assert one.merged(other).merged(third) == one.merged(other.merged(third))


@given(st.lists(_VALUES, min_size=1, max_size=20))
def test_what_was_seen_fits(values: list[Json]) -> None:
    """No value that was seen is called strange, however few or many there were."""
    shape = seen(*values)
    for value in values:
        assert shape.fits(value, value, UTC)
